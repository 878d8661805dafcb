//! A handle of an inner scope is returned from each kind of inner scope; `escape` alone lets one out.
use heaplab::*;

fn program(scope: &mut Scope<'_, '_>) {
    let outer = scope.new_array(1).unwrap();
    let _ = scope.nested(|inner| inner.new_array(1).unwrap()); //~ lifetime may not live long enough //-
    let _ = scope.always_allocate(Reserve::NONE, |inner| { //-
        inner.new_array(1).unwrap() //~ lifetime may not live long enough //-
    }); //-
    let _ = scope.nested(|_| outer);
    let _ = scope.always_allocate(Reserve::NONE, |_| outer);
    let _ = scope.escape(|inner| inner.new_array(1));
}

fn main() {
    let _ = program;
}
