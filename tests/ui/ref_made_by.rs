//! However a reference was made, it borrows the scope.
use heaplab::*;

fn made(scope: &mut Scope<'_, '_>, set: &RootSet, array: &Persistent<Array>, record: &Persistent<Record>) {
    let array = scope.open(array).unwrap();
    let record = scope.open(record).unwrap();

    let loaded = scope.load(scope.get(array), 0);
    scope.poll(); //~ E0502 //-
    loaded.as_small();

    let field = scope.load_field(scope.get(record), 0);
    scope.poll(); //~ E0502 //-
    field.as_small();

    let element = scope.load_element(scope.get(record), 0);
    scope.poll(); //~ E0502 //-
    element.as_small();

    let map = scope.map(scope.get(array).into()).unwrap();
    scope.poll(); //~ E0502 //-
    scope.shape_of(map);

    let slot = scope.load_map_slot(scope.map(scope.get(record).into()).unwrap(), 0);
    scope.poll(); //~ E0502 //-
    slot.as_small();

    let root = scope.load_root(set, 0).unwrap();
    scope.poll(); //~ E0502 //-
    root.as_small();

    let is_array = scope.downcast::<Array>(scope.load(scope.get(array), 0)).unwrap();
    scope.poll(); //~ E0502 //-
    scope.len(is_array);

    let value: Ref<'_, Value> = scope.get(array).into();
    scope.poll(); //~ E0502 //-
    value.as_small();

    let null = scope.null();
    scope.poll(); //~ E0502 //-
    null.as_small();
}

fn main() {
    let _ = made;
}
