//! A handle of one run is used in the run of another heap, the only place where two runs of a thread nest.
use heaplab::*;

fn program(a: &mut Attachment, b: &mut Attachment) {
    let _ = a.run(|outer| {
        let array = outer.new_array(1).unwrap();
        outer.park(|| {
            let _ = b.run(|inner| { //~ E0521
                let own = inner.new_array(1).unwrap();
                inner.len(inner.get(array)); //-
                inner.len(inner.get(own));
            });
            let _ = array;
        });
        outer.len(outer.get(array));
    });
}

fn main() {
    let _ = program;
}
