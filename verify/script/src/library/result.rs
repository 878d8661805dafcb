//! Results of native functions.

use super::super::interpreter::Run;
use heaplab::Scope;
use heaplab_objects::Js;

/// The value undefined as a result.
pub(super) fn undefined<'s>(scope: &Scope<'s, '_>) -> Run<Js<'s>> {
    Ok(scope.handle(scope.undefined()))
}

/// A truth value as a result.
pub(super) fn boolean<'s>(scope: &Scope<'s, '_>, value: bool) -> Run<Js<'s>> {
    Ok(scope.handle(scope.boolean(value)))
}
