//! Without the feature `internals` there is no way to the layers of a heap.
use heaplab::*;

fn spaces(heap: &Heap) {
    let _ = heap.spaces(); //~ E0599 //-
    let _ = heap.layout();
}

fn layers() {
    let _ = heaplab::space::PageSet::new(1, 1); //~ E0603 //-
    let _ = heaplab::thread::Local::new(1); //~ E0603 //-
    let _ = heaplab::sync::run_marker::try_enter(); //~ E0603 //-
    let _ = heaplab::is_modelled();
}

fn main() {
    let _ = (spaces as fn(&Heap), layers as fn());
}
