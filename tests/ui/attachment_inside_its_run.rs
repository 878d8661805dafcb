//! An attachment is used, moved or dropped while it runs.
use heaplab::*;

fn run_again(mut thread: Attachment) {
    let _ = thread.run(|_| { //~ E0499
        let _ = thread.run(|_| ()); //-
    });
}

fn dropped(mut thread: Attachment) {
    let _ = thread.run(|_| drop(thread)); //~ E0505 //-
    //+ let _ = thread.run(|_| ());
}

fn main() {
    let _ = (run_again, dropped);
}
