//! A persistent handle of a type that is not `'static`.
use heaplab::*;

fn program<'a>(scope: &mut Scope<'a, '_>, borrow: Handle<'a, &'a u8>) {
    let _ = scope.persist(borrow); //~ E0521 //-
    let array = scope.new_array(1).unwrap();
    let _ = (scope.persist(array), borrow);
}

struct Borrows<'a>(Persistent<&'a u8>); //~ E0477 //-
//+ struct Borrows<'a>(Persistent<Array>, &'a u8);

fn main() {
    let _ = program;
    let _: Option<Borrows<'static>> = None;
}
