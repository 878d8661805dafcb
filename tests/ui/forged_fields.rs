//! Fields and constructors are private, and the raw API asks for `unsafe`.
use heaplab::*;

fn raw(local: &LocalHeap, scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    let _ = array.slot; //~ E0616 //-
    let _ = scope.get(array).word; //~ E0616 //-
    let _ = scope.heap; //~ E0616 //-
    let _ = Ref::<Array>::new(scope.get(array).tagged()); //~ E0624 //-
    let _ = scope.get(array).tagged();
    let _ = local.raw();
}

fn main() {
    let _ = raw;
}
