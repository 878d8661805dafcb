//! A handle is stored in a struct that outlives its scope.
use heaplab::*;

struct Cache<'s> {
    array: Option<Handle<'s, Array>>,
}

fn program(thread: &mut Attachment) {
    let mut cache = Cache { array: None };
    let _ = thread.run(|scope| {
        //+ let mut cache = Cache { array: None };
        let array = scope.new_array(1).unwrap();
        cache.array = Some(array); //~ E0521
    });
    let _ = cache.array.take();
}

fn main() {
    let _ = program;
}
