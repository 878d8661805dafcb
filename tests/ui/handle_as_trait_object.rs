//! A handle hides behind a trait object, which loses its lifetime.
use heaplab::*;
use std::any::Any;

fn any(scope: &mut Scope<'_, '_>, keep: &mut Vec<Box<dyn Any>>) {
    let array = scope.new_array(1).unwrap();
    keep.push(Box::new(array)); //~ lifetime may not live long enough //-
    keep.push(Box::new(scope.persist(array)));
}

fn closure(thread: &mut Attachment) -> Box<dyn Fn() -> String> {
    thread
        .run(|scope| {
            let array = scope.new_array(1).unwrap();
            let boxed: Box<dyn Fn() -> String> = Box::new(move || format!("{array:?}")); //-
            //+ let array = scope.persist(array);
            //+ let boxed: Box<dyn Fn() -> String> = Box::new(move || format!("{array:?}"));
            boxed //~ lifetime may not live long enough
        })
        .unwrap()
}

fn main() {
    let _ = (any, closure);
}
