//! A handle of an inner scope is kept in a variable of the outer one.
use heaplab::*;

fn program(scope: &mut Scope<'_, '_>) {
    let outer = scope.new_array(1).unwrap();
    let mut kept = outer;
    scope.nested(|inner| {
        let array = inner.new_array(1).unwrap();
        inner.len(inner.get(array));
        kept = array; //~ E0521 //-
        kept = outer;
    });
    scope.len(scope.get(kept));
}

fn main() {
    let _ = program;
}
