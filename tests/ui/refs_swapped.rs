//! References of two scopes are exchanged; each then outlives the borrow that it needs.
use heaplab::*;

fn program(a: &mut Scope<'_, '_>, b: &mut Scope<'_, '_>) {
    let (x, y) = (a.new_array(1).unwrap(), b.new_array(1).unwrap());
    let (mut of_a, mut of_b) = (a.get(x), b.get(y));
    std::mem::swap(&mut of_a, &mut of_b); //-
    a.poll(); //~ E0502
    b.len(of_b);
}

fn main() {
    let _ = program;
}
