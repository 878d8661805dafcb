//! A scoped thread borrows what belongs to the thread that runs.
use heaplab::*;

fn scoped(scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    std::thread::scope(|threads| {
        threads.spawn(|| scope.poll()); //~ E0277 //-
    });
    std::thread::scope(|threads| {
        threads.spawn(|| drop(array)); //~ E0277 //-
    });
    let _ = array;
}

fn attachment(thread: Attachment) {
    std::thread::spawn(move || drop(thread)); //~ E0277 //-
}

fn main() {
    let _ = (scoped, attachment);
}
