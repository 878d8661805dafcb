//! A handle leaves `run`: returned, or kept in a variable outside.
use heaplab::*;

fn returned(thread: &mut Attachment) {
    let _ = thread.run(|scope| scope.new_array(1).unwrap()); //~ lifetime may not live long enough //-
    let _ = thread.run(|scope| { let array = scope.new_array(1).unwrap(); scope.persist(array) });
}

fn kept(thread: &mut Attachment) {
    let mut kept = None;
    let _ = thread.run(|scope| {
        let array = scope.new_array(1).unwrap();
        kept = Some(array); //~ E0521 //-
        //+ kept = Some(scope.persist(array));
    });
    let _ = kept;
}

fn main() {
    let _ = (returned, kept);
}
