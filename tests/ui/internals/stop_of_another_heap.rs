//! A stop of one's own safepoint is to prove that somebody else's heap is stopped, or hands out what local heaps have.
use heaplab::collection::Roots;
use heaplab::sync::Arc;
use heaplab::thread::{PersistentHandles, RootSets, Safepoint, Stop};
use heaplab::words::SafepointKey;
use heaplab::*;

fn roots(stop: &mut Stop<'_>, persistent: &Arc<PersistentHandles>, sets: &Arc<RootSets>) {
    let _ = Roots::new(stop, persistent, sets); //~ E0133 //-
    let _ = persistent.add(Tagged::from_bits(77)); //~ E0133 //-
    persistent.visit(|_| Tagged::from_bits(77)); //~ E0133 //-
    sets.visit(|_| Tagged::from_bits(77)); //~ E0133 //-
    sets.add(1).unwrap().store(0, Tagged::from_bits(77)); //~ E0133 //-
    let _ = (stop.counts(), persistent.len(), sets.add(1), Tagged::from_bits(77));
}

fn visit(roots: &mut Roots<'_, '_>) {
    roots.visit(|_| Tagged::from_bits(77)); //~ E0133 //-
    let _ = roots;
}

fn data(stop: &mut Stop<'_>) {
    stop.for_each_local(|data| _ = data.handles.push(Tagged::from_bits(77))); //~ E0133 //-
    let _ = stop.with_initiator(|_| ()); //~ E0133 //-
    let _ = stop.locals_count();
}

fn keys(key: SafepointKey) -> [Safepoint; 2] {
    let first = Safepoint::new(key, true);
    [first, Safepoint::new(key, true)] //~ E0382
    //+ [first, Safepoint::new(SafepointKey::new(), true)]
}

fn main() {
    let _ = (roots as fn(&mut Stop<'_>, &Arc<PersistentHandles>, &Arc<RootSets>), visit as fn(&mut Roots<'_, '_>));
    let _ = (data as fn(&mut Stop<'_>), keys as fn(SafepointKey) -> [Safepoint; 2]);
}
