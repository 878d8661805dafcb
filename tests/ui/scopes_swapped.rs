//! Scopes of two levels, or of two heaps, are exchanged.
use heaplab::*;

fn levels<'i, 's: 'i, 'o: 's>(inner: &mut Scope<'i, 's>, outer: &mut Scope<'s, 'o>) {
    std::mem::swap(inner, outer); //~ lifetime may not live long enough //-
    inner.poll();
    outer.poll();
}

fn heaps<'a, 'b>(a: &mut Scope<'a, 'static>, b: &mut Scope<'b, 'static>) {
    std::mem::swap(a, b); //~ lifetime may not live long enough //-
    a.poll();
    b.poll();
}

fn outer_inside_nested(scope: &mut Scope<'_, '_>) {
    scope.nested(|inner| { //~ E0500 //~ E0501
        scope.poll(); //-
        inner.poll();
    });
}

fn main() {
    let _ = (levels, heaps, outer_inside_nested);
}
