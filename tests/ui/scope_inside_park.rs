//! The scope, or a reference, is used inside `park`, where collections go on.
use heaplab::*;

fn scope_used(scope: &mut Scope<'_, '_>) {
    scope.park(|| scope.poll()); //~ E0500 //~ E0501 //-
    scope.park(|| ());
}

fn ref_used(scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    let object = scope.get(array);
    scope.park(|| { //~ E0502
        let _ = object.tagged(); //-
    });
}

fn get_inside(scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    scope.park(|| { //~ E0502
        let _ = scope.get(array); //-
        let _ = array;
    });
}

fn main() {
    let _ = (scope_used, ref_used, get_inside);
}
