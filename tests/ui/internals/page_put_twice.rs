//! The page of a live array goes into the pool, onto an offer, or back to the system, and is given to somebody else.
use heaplab::heap::Internals as _;
use heaplab::page::PageKind;
use heaplab::space::LargeSpace;
use heaplab::words::Limit;
use heaplab::*;

fn give(heap: &Heap, page: PageIndex) {
    let spaces = heap.spaces();
    spaces.fresh.put_pooled(page); //~ E0133 //-
    spaces.fresh.put_address(page); //~ E0133 //-
    spaces.old.put(page, 64); //~ E0133 //-
    spaces.pool_page(page); //~ E0133 //-
    LargeSpace::use_reserved_run(spaces, page, 0); //~ E0133 //-
    LargeSpace::reserve_run(spaces, page); //~ E0133 //-
    LargeSpace::release_run(spaces, page); //~ E0133 //-
    let _ = (spaces.fresh.pooled(), page);
}

fn take(heap: &Heap) {
    let spaces = heap.spaces();
    let _ = spaces.take_page(PageKind::Old, Limit::Hard); //~ E0133 //-
    let _ = spaces.fresh.take_pooled(); //~ E0133 //-
    let _ = spaces.fresh.take(&spaces.memory, spaces.layout(), &spaces.budget, Limit::Hard); //~ E0133 //-
    let _ = spaces.old.take(8); //~ E0133 //-
    let _ = spaces.old.take_seen(8); //~ E0133 //-
    let _ = LargeSpace::take_run(spaces, 8, Limit::Hard); //~ E0133 //-
    let _ = spaces.new.carve(&spaces.memory, spaces.layout(), 8, 8); //~ E0133 //-
    let _ = (spaces.old.kind(), PageKind::Old, Limit::Hard, LargeSpace::new(spaces.layout()));
}

fn bits(heap: &Heap, at: Offset) {
    let pages = &heap.spaces().pages;
    pages.mark(at); //~ E0133 //-
    pages.remember(at); //~ E0133 //-
    let _ = pages.marks(); //~ E0133 //-
    let _ = pages.holes(); //~ E0133 //-
    let _ = (pages.is_marked(at), pages.is_remembered(at));
}

fn main() {
    let _ = (give as fn(&Heap, PageIndex), take as fn(&Heap), bits as fn(&Heap, Offset));
}
