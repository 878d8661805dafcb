//! The raw API asks for `unsafe`.
use heaplab::*;

fn raw(local: &LocalHeap) {
    local.park(); //~ E0133 //-
    local.poll(); //~ E0133 //-
    let _ = local.allocate_raw(8, AllocationType::Old, AllocationOrigin::Runtime, 8); //~ E0133 //-
    let _ = local.load_slot(Offset::new(0)); //~ E0133 //-
    let _ = local.push_handle(Tagged::ZERO); //~ E0133 //-
    let _ = local.raw();
}

fn main() {
    let _ = raw;
}
