//! A reference is held over each method that may collect, and so move its object.
use heaplab::*;

fn held(scope: &mut Scope<'_, '_>, persistent: &Persistent<Array>, map: Handle<'_, Array>) {
    let array = scope.new_array(1).unwrap();
    let shape = Shape::new(16, 2, 1, Tail::None).unwrap();
    let object = scope.get(array);
    scope.poll(); //~ E0502 //-
    scope.park(|| ()); //~ E0502 //-
    scope.collect(CollectionKind::Minor); //~ E0502 //-
    scope.nested(|_| ()); //~ E0502 //-
    let _ = scope.escape(|inner| inner.new_array(1)); //~ E0502 //-
    let _ = scope.always_allocate(Reserve::NONE, |_| ()); //~ E0502 //-
    let _ = scope.new_array(1); //~ E0502 //-
    let _ = scope.new_array_in(1, AllocationType::Old); //~ E0502 //-
    let _ = scope.new_bytes(1); //~ E0502 //-
    let _ = scope.new_bytes_in(1, AllocationType::Old); //~ E0502 //-
    let _ = scope.new_code(1); //~ E0502 //-
    let _ = scope.new_map(shape); //~ E0502 //-
    let _ = scope.open(persistent); //~ E0502 //-
    let _ = scope.verify(); //~ E0502 //-
    let _ = scope.statistics(); //~ E0502 //-
    let _ = scope.simulate_full_space(SpaceKind::Old); //~ E0502 //-
    let _ = scope.fill_page_but(AllocationType::Old, 0); //~ E0502 //-
    let _ = (scope.len(object), shape, persistent, map);
}

fn records(scope: &mut Scope<'_, '_>) {
    let map = scope.new_map(Shape::new(16, 2, 1, Tail::None).unwrap()).unwrap();
    let ty = scope.record_type(map).unwrap();
    let object = scope.get(map);
    let _ = scope.new_record(map); //~ E0502 //-
    let _ = scope.new_record_of(ty); //~ E0502 //-
    let _ = scope.new_record_in(map, 0, AllocationType::Old); //~ E0502 //-
    scope.shape_of(object);
}

fn main() {
    let _ = (held, records);
}
