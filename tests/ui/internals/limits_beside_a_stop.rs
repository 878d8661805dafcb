//! The limits are read while a stop writes them.
use heaplab::heap::Internals as _;
use heaplab::words::Limit;
use heaplab::*;

fn read(heap: &Heap) -> usize {
    std::thread::scope(|threads| {
        threads.spawn(|| heap.collect(CollectionKind::Major));
        let budget = &heap.spaces().budget;
        let _ = budget.limit(Limit::Hard); //~ E0133 //-
        let _ = budget.try_reserve(1, Limit::Hard); //~ E0133 //-
        let _ = budget.try_reserve_seen(1, Limit::Hard); //~ E0133 //-
        let _ = heap.spaces().new.is_within_reach(1); //~ E0133 //-
        let _ = Limit::Hard;
        budget.committed()
    })
}

fn main() {
    let _ = read as fn(&Heap) -> usize;
}
