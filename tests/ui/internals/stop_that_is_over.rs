//! The proof that a heap is stopped is made without a stop, kept beyond it, or handed to a thread that has none;
//! what a page is or whose it is changes without `unsafe`, in a stop too.
use heaplab::page::PageKind;
use heaplab::space::{Spaces, Stopped};
use heaplab::thread::{Safepoint, Stop};
use heaplab::words::Limit;
use heaplab::*;
use std::thread;

fn made(spaces: &Spaces) {
    let _ = Stopped::new(spaces); //~ E0133 //-
    let _ = spaces.budget.committed();
}

fn kept<'a>(safepoint: &Safepoint, spaces: &'a Spaces) -> Option<Stopped<'a>> { //-
    //+ fn kept<'a>(safepoint: &Safepoint, spaces: &'a Spaces) -> Option<usize> {
    safepoint.stop_from_outside(|_| true, |stop| stop.spaces(spaces)) //~ lifetime may not live long enough
    //+ safepoint.stop_from_outside(|_| true, |stop| stop.spaces(spaces).committed())
}

fn lent(stop: &mut Stop<'_>, spaces: &Spaces) {
    let stopped = stop.spaces(spaces);
    thread::scope(|scope| _ = scope.spawn(move || stopped.committed())); //~ E0277
    //+ let _ = (stopped.committed(), thread::yield_now());
}

fn shared(stop: &Stop<'_>, spaces: &Spaces) {
    thread::scope(|scope| _ = scope.spawn(|| stop.spaces(spaces).committed())); //~ E0277
    //+ let _ = (stop.spaces(spaces).committed(), thread::yield_now());
}

fn changed(stopped: Stopped<'_>, page: PageIndex) {
    stopped.pages.update(page, |info| info.evacuated = true); //~ E0133 //-
    stopped.pages.retain_remembered(|_| false); //~ E0133 //-
    stopped.recycle_page(page, 0); //~ E0133 //-
    stopped.old.clear(); //~ E0133 //-
    let _ = stopped.take_page(PageKind::Old, Limit::Hard); //~ E0133 //-
    let _ = stopped.view(); //~ E0133 //-
    let _ = (stopped.kind(page) == PageKind::Old, stopped.limit(Limit::Hard));
}

fn main() {
    let _ = (made as fn(&Spaces), shared as fn(&Stop<'_>, &Spaces), lent as fn(&mut Stop<'_>, &Spaces));
    let _ = changed as fn(Stopped<'_>, PageIndex);
    let _ = |safepoint, spaces| kept(safepoint, spaces).is_some();
}
