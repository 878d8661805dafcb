//! A reference leaves the scope that it borrows: returned, or kept.
use heaplab::*;

fn leaves_run(thread: &mut Attachment) {
    let _ = thread.run(|scope| scope.undefined()); //~ lifetime may not live long enough //-
    let _ = thread.run(|scope| scope.undefined().tagged());
}

fn leaves_nested(scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    scope.nested(|inner| inner.get(array)); //~ lifetime may not live long enough //-
    let mut kept: Option<Ref<'_, Array>> = None;
    scope.nested(|inner| {
        //+ let mut kept = None;
        kept = Some(inner.get(array)); //~ E0521
        let _ = kept;
    });
    let _ = kept.take();
}

fn leaves_escape(scope: &mut Scope<'_, '_>) {
    let array = scope.new_array(1).unwrap();
    let _ = scope.escape(|inner| Ok(inner.get(array))); //~ E0308 //-
    let _ = scope.escape(|inner| Ok(inner.handle(inner.get(array))));
}

fn main() {
    let _ = (leaves_run, leaves_nested, leaves_escape);
}
