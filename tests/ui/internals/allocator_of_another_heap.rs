//! An allocator is used with the spaces of a heap that it has nothing of.
use heaplab::allocation::{Allocator, ScopeMark};
use heaplab::heap::Internals as _;
use heaplab::words::Limit;
use heaplab::*;

fn allocate(heap: &Heap, allocator: &mut Allocator) {
    let (spaces, ty) = (heap.spaces(), AllocationType::Old);
    let _ = allocator.attempt(spaces, ty, 8, Limit::Hard); //~ E0133 //-
    let _ = allocator.fill_page_but(spaces, ty, 8); //~ E0133 //-
    let _ = allocator.fill_reserve(spaces, ScopeMark::default(), &Reserve::NONE, Limit::Hard); //~ E0133 //-
    allocator.give_back_reserve(spaces, ScopeMark::default()); //~ E0133 //-
    allocator.retire(spaces, ty); //~ E0133 //-
    allocator.give_up(spaces); //~ E0133 //-
    let _ = (allocator.bump(ty, 8), spaces, ScopeMark::default(), Reserve::NONE, Limit::Hard);
}

fn main() {
    let _ = allocate as fn(&Heap, &mut Allocator);
}
