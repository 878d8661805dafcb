//! A handle serves in inner scopes, not in outer ones: covariant. A scope is neither: invariant.
use heaplab::*;

fn shorter<'long: 'short, 'short>(handle: Handle<'long, Array>) -> Handle<'short, Array> {
    handle
}

fn longer<'long: 'short, 'short>(handle: Handle<'short, Array>) -> Handle<'long, Array> { //-
    handle //~ lifetime may not live long enough //-
} //-

fn shorter_scope<'x, 'long: 'short, 'short, 'o: 'long>(s: &'x Scope<'long, 'o>) -> &'x Scope<'short, 'o> { //-
    s //~ lifetime may not live long enough //-
} //-

fn longer_scope<'x, 'long: 'short, 'short, 'o: 'long>(s: &'x Scope<'short, 'o>) -> &'x Scope<'long, 'o> { //-
    s //~ lifetime may not live long enough //-
} //-

fn shorter_outer<'x, 's, 'long: 'short, 'short: 's>(s: &'x mut Scope<'s, 'long>) -> &'x mut Scope<'s, 'short> { //-
    s //~ lifetime may not live long enough //-
} //-

fn static_scope(thread: &mut Attachment) {
    let _ = thread.run(|scope: &mut Scope<'static, 'static>| scope.poll()); //~ lifetime may not live long enough //-
    let _ = thread.run(|scope| scope.poll());
}

fn main() {
    let _ = (shorter, static_scope);
}
