//! A record type trusts its map, so it lives no longer than the scope in which the map is a root.
use heaplab::*;

fn leaves_nested(scope: &mut Scope<'_, '_>, shape: Shape) {
    let outer = scope.new_map(shape).unwrap();
    let mut ty = scope.record_type(outer).unwrap();
    scope.nested(|inner| {
        let map = inner.new_map(shape).unwrap();
        ty = inner.record_type(map).unwrap(); //~ E0521 //-
        let _ = inner.new_record_of(ty);
        let of_outer = inner.record_type(outer).unwrap();
        let _ = (inner.new_record_of(of_outer), map);
    });
    let _ = scope.new_record_of(ty);
}

fn leaves_run(thread: &mut Attachment, shape: Shape) {
    let _ = thread.run(|scope| {
        let map = scope.new_map(shape).unwrap();
        scope.record_type(map).unwrap() //~ lifetime may not live long enough //-
    });
}

fn main() {
    let _ = (leaves_nested, leaves_run);
}
