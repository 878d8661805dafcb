//! A local heap is attached twice, or used by a thread that does not own it; registers and parts are exchanged.
use heaplab::space::Spaces;
use heaplab::sync::Arc;
use heaplab::thread::{HandleMark, HandleSlots, Local, Safepoint};

fn attach(one: &Safepoint, other: &Safepoint) -> [Arc<Local>; 2] {
    let local = Local::new(1);
    [
        one.lock().attach(local),
        other.lock().attach(local), //~ E0382
        //+ other.lock().attach(Local::new(1)),
    ]
}

fn attach_shared(one: &Safepoint, local: &Arc<Local>) {
    let _ = one.lock().attach(Arc::clone(local)); //~ E0308 //-
    let _ = (one.lock(), Arc::clone(local));
}

fn states(safepoint: &Safepoint, local: &Local) {
    safepoint.park(local); //~ E0133 //-
    safepoint.unpark(local); //~ E0133 //-
    safepoint.poll(local); //~ E0133 //-
    safepoint.abandon(local); //~ E0133 //-
    safepoint.lock().detach(local, |_| ()); //~ E0133 //-
    let _ = safepoint.stop(Some(local), |_| true, |_| ()); //~ E0133 //-
    let _ = (safepoint.stop_from_outside(|_| true, |_| ()), local);
}

fn state(local: &Local) {
    let _ = local.state(); //~ E0624 //-
    let _ = local.data();
}

fn exchange(one: &Safepoint, other: &Safepoint) {
    std::mem::swap(&mut *one.lock(), &mut *other.lock()); //~ E0596 //-
    let _ = (one, other);
}

fn exchange_parts(one: &mut Spaces, other: &mut Spaces) {
    std::mem::swap(&mut one.memory, &mut other.memory); //~ E0596 //-
    std::mem::swap(one, other);
}

fn reset(slots: &mut HandleSlots, mark_of_another: HandleMark) {
    slots.reset(mark_of_another); //~ E0133 //-
    let _ = (slots.mark(), mark_of_another);
}

fn main() {
    let _ = (attach as fn(&Safepoint, &Safepoint) -> [Arc<Local>; 2], attach_shared as fn(&Safepoint, &Arc<Local>));
    let _ = (state as fn(&Local), states as fn(&Safepoint, &Local), exchange as fn(&Safepoint, &Safepoint));
    let _ = (exchange_parts as fn(&mut Spaces, &mut Spaces), reset as fn(&mut HandleSlots, HandleMark));
}
