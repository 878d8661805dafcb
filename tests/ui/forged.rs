//! Nothing that carries a proof is made, changed or reinterpreted outside of the crate.
use heaplab::*;

enum Own {}
impl HeapType for Own { //~ E0277 //-
    fn admits(_: u16) -> bool { //-
        true //-
    } //-
} //-

fn confused(scope: &mut Scope<'_, '_>) {
    let bytes = scope.new_bytes(4).unwrap();
    scope.len(scope.get(bytes)); //~ E0308 //-
    scope.bytes_len(scope.get(bytes));
    let value: Ref<'_, Value> = scope.get(bytes).into();
    let _: Ref<'_, Bytes> = value.into(); //~ E0277 //-
    let _: Option<Ref<'_, Bytes>> = scope.downcast(value);
    let _: Handle<'_, Bytes> = bytes.any(); //~ E0308 //-
    let _: Handle<'_, Value> = bytes.any();
}

fn main() {
    let _ = confused;
    let _ = |own: Own| match own {};
}
