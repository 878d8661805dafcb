//! Dictionaries: the properties of objects in dictionary mode, in the order in which they were added.
//!
//! ```text
//! index table, twice the capacity: 0, or an entry's number + 1, probed from the hash on
//! entries: key, details, value       a deleted entry has key 0 and keeps its number until the dictionary is rebuilt
//! ```

use super::map::Details;
use super::{Obj, count_field, record, small, string};
use heaplab::{AllocError, AllocationType, Handle, Map, Record, Ref, Scope, Value};

const USED: usize = 1;
const LIVE: usize = 2;
const CAPACITY: usize = 3;
const ENTRY_WORDS: usize = 3;

/// An empty dictionary with room for `capacity` entries. May collect.
///
/// # Errors
/// No memory.
pub fn new<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>, capacity: usize) -> Result<Obj<'s>, AllocError> {
    let capacity = capacity.next_power_of_two().max(4);
    let dictionary = scope.new_record_in(map, (2 + ENTRY_WORDS) * capacity, AllocationType::Young)?;
    let at = scope.get(dictionary);
    for field in [USED, LIVE] {
        scope.store_field(at, field, small(0));
    }
    scope.store_field(at, CAPACITY, small(capacity));
    Ok(dictionary)
}

fn entry_word(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, entry: usize) -> usize {
    2 * count_field(scope, dictionary, CAPACITY) + entry * ENTRY_WORDS
}

/// Entries that were ever added to this dictionary, deleted ones included.
#[must_use]
pub fn used(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>) -> usize {
    count_field(scope, dictionary, USED)
}

/// The entry of a name, which is an internalised string (M-5).
#[must_use]
pub fn find(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, name: Ref<'_, Record>) -> Option<usize> {
    let places = 2 * count_field(scope, dictionary, CAPACITY);
    let mut place = string::hash(scope, name) as usize % places;
    // Ends: at most half of the places are taken.
    loop {
        let entry = scope.load_element(dictionary, place).as_small()?.checked_sub(1).filter(|&entry| entry >= 0)?;
        if scope.load_element(dictionary, entry_word(scope, dictionary, entry as usize)) == name {
            return Some(entry as usize);
        }
        place = (place + 1) % places;
    }
}

/// The name of an entry; `None` if the entry was deleted.
pub fn key<'a>(scope: &'a Scope<'_, '_>, dictionary: Ref<'a, Record>, entry: usize) -> Option<Ref<'a, Record>> {
    record(scope, scope.load_element(dictionary, entry_word(scope, dictionary, entry)))
}

/// The details of an entry.
#[must_use]
pub fn details(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, entry: usize) -> Details {
    Details::decode(scope.load_element(dictionary, entry_word(scope, dictionary, entry) + 1))
}

/// The value of an entry.
pub fn value<'a>(scope: &'a Scope<'_, '_>, dictionary: Ref<'a, Record>, entry: usize) -> Ref<'a, Value> {
    scope.load_element(dictionary, entry_word(scope, dictionary, entry) + 2)
}

/// Sets the value of an entry.
pub fn set_value(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, entry: usize, value: Ref<'_, Value>) {
    scope.store_element(dictionary, entry_word(scope, dictionary, entry) + 2, value);
}

/// Sets the details of an entry.
pub fn set_details(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, entry: usize, details: Details) {
    scope.store_element(dictionary, entry_word(scope, dictionary, entry) + 1, details.attributes().encode());
}

/// Deletes an entry.
pub fn remove(scope: &Scope<'_, '_>, dictionary: Ref<'_, Record>, entry: usize) {
    let word = entry_word(scope, dictionary, entry);
    for offset in [0, 2] {
        scope.store_element(dictionary, word + offset, small(0));
    }
    scope.store_field(dictionary, LIVE, small(count_field(scope, dictionary, LIVE) - 1));
}

/// Adds a property that is not there, to a dictionary with room.
fn append(
    scope: &Scope<'_, '_>,
    dictionary: Ref<'_, Record>,
    name: Ref<'_, Record>,
    details: Details,
    value: Ref<'_, Value>,
) {
    let places = 2 * count_field(scope, dictionary, CAPACITY);
    let mut place = string::hash(scope, name) as usize % places;
    while scope.load_element(dictionary, place).as_small() != Some(0) {
        place = (place + 1) % places;
    }
    let entry = used(scope, dictionary);
    let word = entry_word(scope, dictionary, entry);
    scope.store_element(dictionary, word, name.into());
    scope.store_element(dictionary, word + 1, details.attributes().encode());
    scope.store_element(dictionary, word + 2, value);
    scope.store_element(dictionary, place, small(entry + 1));
    scope.store_field(dictionary, USED, small(entry + 1));
    scope.store_field(dictionary, LIVE, small(count_field(scope, dictionary, LIVE) + 1));
}

/// Adds a property that is not there. Returns the dictionary, or the one that replaces a dictionary that was full.
/// May collect.
///
/// # Errors
/// No memory.
pub fn add<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    dictionary: Obj<'s>,
    name: Obj<'s>,
    details: Details,
    value: Handle<'s, Value>,
) -> Result<Obj<'s>, AllocError> {
    let at = scope.get(dictionary);
    let is_full = used(scope, at) == count_field(scope, at, CAPACITY);
    let live = count_field(scope, at, LIVE);
    let target = if is_full { new(scope, map, live * 2 + 2)? } else { dictionary };
    if is_full {
        let (from, to) = (scope.get(dictionary), scope.get(target));
        for entry in 0..used(scope, from) {
            if let Some(name) = key(scope, from, entry) {
                append(scope, to, name, self::details(scope, from, entry), self::value(scope, from, entry));
            }
        }
    }
    append(scope, scope.get(target), scope.get(name), details, scope.get(value));
    Ok(target)
}
