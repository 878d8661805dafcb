//! What belongs to a thread is sent to, or shared with, another one.
use heaplab::*;

fn send<T: Send>() {}
fn sync<T: Sync>() {}

fn main() {
    send::<Attachment>(); //~ E0277 //-
    sync::<Attachment>(); //~ E0277 //-
    send::<Scope<'static, 'static>>(); //~ E0277 //-
    sync::<Scope<'static, 'static>>(); //~ E0277 //-
    send::<Handle<'static, Array>>(); //~ E0277 //-
    sync::<Handle<'static, Array>>(); //~ E0277 //-
    send::<RecordType<'static>>(); //~ E0277 //-
    sync::<RecordType<'static>>(); //~ E0277 //-
    send::<Ref<'static, Array>>(); //~ E0277 //-
    sync::<Ref<'static, Array>>(); //~ E0277 //-
    send::<Heap>();
    sync::<Heap>();
    send::<Persistent<Array>>();
    sync::<Persistent<Array>>();
    send::<RootSet>();
    sync::<RootSet>();
}
