//! Strings: Latin-1 bytes where that is enough, else UTF-16 code units; and concatenations that are put off.
//!
//! A flat string's hash word is 0 until the string is internalised: made the one string of its content that names
//! properties. From then on the word holds 31 bits of hash, and a bit that says so.

use super::{Obj, count_field, kind, record, small};
use heaplab::{AllocError, AllocationType, Handle, Map, Record, Ref, Scope, Value};

/// The length of the longest string, in code units.
pub const LENGTH_MAX: usize = (1 << 29) - 24;
/// Concatenations shorter than this are made at once.
pub const CONS_LENGTH_MIN: usize = 24;

const HASH: usize = 0;
const INTERNALISED: u32 = 1 << 31;
const CONS_LENGTH: usize = 0;
const LEFT: usize = 1;
const RIGHT: usize = 2;

/// The maps of the three kinds of strings.
#[derive(Clone, Copy, Debug)]
pub struct Maps<'s> {
    /// Of one-byte strings.
    pub one_byte: Handle<'s, Map>,
    /// Of two-byte strings.
    pub two_byte: Handle<'s, Map>,
    /// Of concatenations.
    pub cons: Handle<'s, Map>,
}

/// A flat string of these code units. May collect.
///
/// # Errors
/// No memory; `TooLarge` for more than [`LENGTH_MAX`] code units.
pub fn new<'s>(
    scope: &mut Scope<'s, '_>,
    maps: Maps<'s>,
    units: &[u16],
    ty: AllocationType,
) -> Result<Obj<'s>, AllocError> {
    if units.len() > LENGTH_MAX {
        return Err(AllocError::TooLarge { size_bytes: units.len(), size_bytes_max: LENGTH_MAX });
    }
    if units.iter().all(|&unit| unit < 256) {
        let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
        let string = scope.new_record_in(maps.one_byte, bytes.len(), ty)?;
        scope.write_tail(scope.get(string), 0, &bytes);
        Ok(string)
    } else {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let string = scope.new_record_in(maps.two_byte, bytes.len(), ty)?;
        scope.write_tail(scope.get(string), 0, &bytes);
        Ok(string)
    }
}

/// The concatenation of two strings. May collect.
///
/// # Errors
/// No memory; `TooLarge` for more than [`LENGTH_MAX`] code units.
pub fn concat<'s>(
    scope: &mut Scope<'s, '_>,
    maps: Maps<'s>,
    left: Obj<'s>,
    right: Obj<'s>,
) -> Result<Obj<'s>, AllocError> {
    let (left_length, right_length) = (length(scope, scope.get(left)), length(scope, scope.get(right)));
    if left_length == 0 {
        return Ok(right);
    }
    if right_length == 0 {
        return Ok(left);
    }
    let sum = left_length + right_length;
    if sum > LENGTH_MAX {
        return Err(AllocError::TooLarge { size_bytes: sum, size_bytes_max: LENGTH_MAX });
    }
    if sum < CONS_LENGTH_MIN {
        let mut units = units(scope, scope.get(left));
        append_units(scope, scope.get(right), &mut units);
        return new(scope, maps, &units, AllocationType::Young);
    }
    let cons = scope.new_record(maps.cons)?;
    scope.store_field(scope.get(cons), CONS_LENGTH, small(sum));
    scope.store_field(scope.get(cons), LEFT, scope.get(left).into());
    scope.store_field(scope.get(cons), RIGHT, scope.get(right).into());
    Ok(cons)
}

fn is_cons(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> bool {
    super::kind_of(scope, string.into()) == Some(kind::CONS)
}

fn is_two_byte(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> bool {
    super::kind_of(scope, string.into()) == Some(kind::TWO_BYTE)
}

/// How many code units the string has.
#[must_use]
pub fn length(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> usize {
    if is_cons(scope, string) {
        count_field(scope, string, CONS_LENGTH)
    } else if is_two_byte(scope, string) {
        scope.tail_len(string) / 2
    } else {
        scope.tail_len(string)
    }
}

fn side<'a>(scope: &'a Scope<'_, '_>, cons: Ref<'a, Record>, index: usize) -> Ref<'a, Record> {
    record(scope, scope.load_field(cons, index)).expect("a concatenation's sides are strings")
}

/// The string's code units.
#[must_use]
pub fn units(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> Vec<u16> {
    let mut units = Vec::with_capacity(length(scope, string));
    append_units(scope, string, &mut units);
    units
}

/// Appends the string's code units to `units`. Walks a concatenation without recursion: one may be as deep as it is
/// long.
pub fn append_units(scope: &Scope<'_, '_>, string: Ref<'_, Record>, units: &mut Vec<u16>) {
    let mut left_to_do = vec![string];
    while let Some(string) = left_to_do.pop() {
        if is_cons(scope, string) {
            left_to_do.push(side(scope, string, RIGHT));
            left_to_do.push(side(scope, string, LEFT));
            continue;
        }
        let mut bytes = vec![0; scope.tail_len(string)];
        scope.read_tail(string, 0, &mut bytes);
        if is_two_byte(scope, string) {
            units.extend(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        } else {
            units.extend(bytes.iter().map(|&byte| u16::from(byte)));
        }
    }
}

/// The string as text; a lone surrogate becomes U+FFFD.
#[must_use]
pub fn to_text(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> String {
    String::from_utf16_lossy(&units(scope, string))
}

/// The same string, flat. A concatenation keeps the result, so that it is made once. May collect.
///
/// # Errors
/// No memory.
pub fn flatten<'s>(scope: &mut Scope<'s, '_>, maps: Maps<'s>, string: Obj<'s>) -> Result<Obj<'s>, AllocError> {
    if !is_cons(scope, scope.get(string)) {
        return Ok(string);
    }
    let right = side(scope, scope.get(string), RIGHT);
    if length(scope, right) == 0 {
        return Ok(scope.handle(side(scope, scope.get(string), LEFT)));
    }
    let units = units(scope, scope.get(string));
    let flat = new(scope, maps, &units, AllocationType::Young)?;
    let empty = new(scope, maps, &[], AllocationType::Young)?;
    scope.store_field(scope.get(string), LEFT, scope.get(flat).into());
    scope.store_field(scope.get(string), RIGHT, scope.get(empty).into());
    Ok(flat)
}

/// Code unit `index` of a flat string.
///
/// # Panics
/// If the string is not flat, or is not that long.
#[must_use]
pub fn unit_at(scope: &Scope<'_, '_>, string: Ref<'_, Record>, index: usize) -> u16 {
    if is_two_byte(scope, string) {
        let mut pair = [0; 2];
        scope.read_tail(string, 2 * index, &mut pair);
        u16::from_le_bytes(pair)
    } else {
        let mut byte = [0];
        scope.read_tail(string, index, &mut byte);
        u16::from(byte[0])
    }
}

/// Whether two strings have the same code units.
#[must_use]
pub fn equal(scope: &Scope<'_, '_>, left: Ref<'_, Record>, right: Ref<'_, Record>) -> bool {
    if left == right {
        return true;
    }
    length(scope, left) == length(scope, right) && units(scope, left) == units(scope, right)
}

/// The hash of code units: 31 bits, never 0.
#[must_use]
pub fn hash_units(units: &[u16]) -> u32 {
    let hash = units.iter().fold(0x811c_9dc5_u32, |hash, &unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 15) & !INTERNALISED | 1
}

/// The hash of an internalised string.
#[must_use]
pub fn hash(scope: &Scope<'_, '_>, name: Ref<'_, Record>) -> u32 {
    scope.load_raw(name, HASH) & !INTERNALISED
}

/// Whether the string names properties.
#[must_use]
pub fn is_internalised(scope: &Scope<'_, '_>, string: Ref<'_, Record>) -> bool {
    !is_cons(scope, string) && scope.load_raw(string, HASH) & INTERNALISED != 0
}

/// Marks a flat string as internalised. Only the string table does that, with the hash of the content.
pub fn internalise(scope: &Scope<'_, '_>, string: Ref<'_, Record>, hash: u32) {
    scope.store_raw(string, HASH, hash | INTERNALISED);
}

/// The array index that these code units spell, if they are one in canonical form.
#[must_use]
pub fn as_index(units: &[u16]) -> Option<u32> {
    let digit = |unit: u16| u32::from(unit).checked_sub(u32::from('0')).filter(|&digit| digit < 10);
    match units {
        [] => None,
        [zero] if *zero == u16::from(b'0') => Some(0),
        [first, ..] if *first == u16::from(b'0') || units.len() > 10 => None,
        _ => {
            let value = units.iter().try_fold(0_u64, |sum, &unit| digit(unit).map(|d| sum * 10 + u64::from(d)))?;
            u32::try_from(value).ok().filter(|&index| index != u32::MAX)
        }
    }
}

/// The value as a string record, if it is a string.
#[inline]
pub fn cast<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
    if super::is_string(scope, value) { record(scope, value) } else { None }
}
