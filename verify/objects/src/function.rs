//! Functions: what their source shares, and the function objects.

pub use super::field::function::{CONTEXT, FIELDS, HOME, PROTOTYPE_OR_MAP, SHARED};

use super::{Obj, count_field, kind, record, record_of, small};
use heaplab::{AllocError, AllocationType, Array, Handle, Map, Record, Ref, Scope, Value};

/// Field of a shared info: the function's name.
pub const NAME: usize = 0;
/// Field of a shared info: see [`Info::length`].
pub const LENGTH: usize = 1;
const UNIT: usize = 2;
const FUNCTION: usize = 3;
const NATIVE: usize = 4;
const FLAGS: usize = 5;
/// Field of a shared info: the constants of its unit; undefined for a native function.
pub const CONSTANTS: usize = 6;

/// Bits of the flags.
pub mod flag {
    /// May be called with `new`.
    pub const CONSTRUCTOR: usize = 1;
    /// May only be called with `new`.
    pub const CLASS: usize = 2;
    /// A class constructor of a class that extends another.
    pub const DERIVED: usize = 4;
    /// A class constructor that the source does not write out.
    pub const DEFAULT: usize = 8;
    /// A native function that brings its own object when it constructs.
    pub const NATIVE_CONSTRUCTOR: usize = 16;
}

/// The code of a function, as its shared info names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// Function `function` of the interpreter's unit `unit`.
    Script {
        /// Which unit.
        unit: usize,
        /// Which of its functions.
        function: usize,
    },
    /// A native function.
    Native(usize),
}

/// What a shared info says besides the name and the constants.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Parameters before the first one that has a default or is a rest parameter.
    pub length: usize,
    /// What the function runs.
    pub code: Code,
    /// See [`flag`].
    pub flags: usize,
}

/// A shared info. May collect.
///
/// # Errors
/// No memory.
pub fn new_shared<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    name: Obj<'s>,
    info: Info,
    constants: Option<Handle<'s, Array>>,
) -> Result<Obj<'s>, AllocError> {
    let shared = scope.new_record_in(map, 0, AllocationType::Old)?;
    let at = scope.get(shared);
    let (unit, function, native) = match info.code {
        Code::Script { unit, function } => (small(unit), small(function), scope.undefined()),
        Code::Native(native) => (small(0), small(0), small(native)),
    };
    scope.store_field(at, NAME, scope.get(name).into());
    scope.store_field(at, LENGTH, small(info.length));
    scope.store_field(at, UNIT, unit);
    scope.store_field(at, FUNCTION, function);
    scope.store_field(at, NATIVE, native);
    scope.store_field(at, FLAGS, small(info.flags));
    let constants = constants.map_or(scope.undefined(), |constants| scope.get(constants).into());
    scope.store_field(at, CONSTANTS, constants);
    Ok(shared)
}

/// A function object. May collect.
///
/// # Errors
/// No memory.
pub fn new<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    shared: Obj<'s>,
    context: Option<Obj<'s>>,
) -> Result<Obj<'s>, AllocError> {
    let function = super::map::new_object(scope, map)?;
    let at = scope.get(function);
    scope.store_field(at, SHARED, scope.get(shared).into());
    scope.store_field(at, CONTEXT, context.map_or(scope.undefined(), |context| scope.get(context).into()));
    scope.store_field(at, HOME, scope.undefined());
    scope.store_field(at, FIELDS, scope.undefined());
    Ok(function)
}

/// The shared info of a function.
///
/// # Panics
/// If the record is no function.
pub fn shared<'a>(scope: &'a Scope<'_, '_>, function: Ref<'a, Record>) -> Ref<'a, Record> {
    record(scope, scope.load_field(function, SHARED)).expect("a function has a shared info")
}

/// What a function runs.
#[must_use]
pub fn code(scope: &Scope<'_, '_>, function: Ref<'_, Record>) -> Code {
    let shared = shared(scope, function);
    match scope.load_field(shared, NATIVE).as_small() {
        Some(native) => Code::Native(native as usize),
        None => Code::Script { unit: count_field(scope, shared, UNIT), function: count_field(scope, shared, FUNCTION) },
    }
}

/// The flags of a function.
#[must_use]
pub fn flags(scope: &Scope<'_, '_>, function: Ref<'_, Record>) -> usize {
    count_field(scope, shared(scope, function), FLAGS)
}

/// The value as a function, if it is one.
pub fn cast<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
    record_of(scope, value, kind::FUNCTION)
}
