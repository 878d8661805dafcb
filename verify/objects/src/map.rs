//! Maps: hidden classes, their descriptors, and the transitions between them.
//!
//! ```text
//! {}                    map 0, own 0 ----+
//! {}.x = 1              map 1, own 1 ----+---> descriptors | x | y | slack |     owned by map 2
//! {}.x = 1, .y = 2      map 2, own 2 ----+
//!        \--- .z = 3    map 3, own 2 --------> descriptors | x | z |             owned by map 3
//! ```
//!
//! A descriptor is a key, details and a value. A data property lies in a field: in the object while there is room,
//! then in its array of properties. An accessor property is in the descriptor itself.

use super::{Obj, count_field, fields_start, kind, map_of, record_of, small};
use heaplab::{AllocError, AllocationType, Array, Handle, Map, Record, Ref, Scope, Shape, Tail, Value};

/// Slot of a map: the prototype, an object or null.
pub const PROTOTYPE: usize = 0;
/// Slot of a map: the descriptors, or the small integer 0.
pub const DESCRIPTORS: usize = 1;
const TRANSITIONS: usize = 2;
const INFO: usize = 3;

const USED: usize = 1;
const ENTRY_WORDS: usize = 3;
const TRANSITION_WORDS: usize = 3;

/// An object with more named properties than this goes to dictionary mode.
pub const OWN_MAX: usize = 96;
/// The most transitions of a map. An object that would need one more goes to dictionary mode.
const TRANSITIONS_MAX: usize = 64;

/// Flags of a map.
pub mod flag {
    /// Properties are in a dictionary.
    pub const DICTIONARY: u32 = 1 << 22;
    /// No property can be added.
    pub const SEALED: u32 = 1 << 23;
    /// Elements cannot be changed.
    pub const FROZEN: u32 = 1 << 24;
    /// Array indices may be among the names.
    pub const SPARSE: u32 = 1 << 25;
    /// The map owns its descriptors (M-2).
    pub const OWNS: u32 = 1 << 26;
    /// The object can be called.
    pub const CALLABLE: u32 = 1 << 27;
}

/// What a map says besides its shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info(u32);

impl Info {
    /// An info without properties. `in_object` is less than 64.
    #[must_use]
    pub fn new(in_object: usize, flags: u32) -> Info {
        debug_assert!(in_object < 64);
        Info((in_object as u32) << 16 | flags)
    }

    /// Descriptors that the map sees.
    #[must_use]
    pub fn own(self) -> usize {
        (self.0 & 0xff) as usize
    }

    /// Fields that are taken, in the object or outside of it.
    #[must_use]
    pub fn fields(self) -> usize {
        (self.0 >> 8 & 0xff) as usize
    }

    /// Fields in the object.
    #[must_use]
    pub fn in_object(self) -> usize {
        (self.0 >> 16 & 0x3f) as usize
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    fn with(self, flag: u32) -> Info {
        Info(self.0 | flag)
    }

    fn without(self, flag: u32) -> Info {
        Info(self.0 & !flag)
    }

    fn grown(self, own: usize, fields: usize) -> Info {
        Info(self.0 & !0xffff | own as u32 | (fields as u32) << 8)
    }
}

/// What a property is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Details(u32);

impl Details {
    /// Writable, enumerable, configurable data.
    pub const PLAIN: Details = Details(0b1110);
    /// Writable, configurable data that loops do not meet: methods.
    pub const METHOD: Details = Details(0b1010);
    /// Data that can be neither written nor configured, and is not met by loops.
    pub const FIXED: Details = Details(0);
    /// A configurable accessor that loops do not meet: a class's.
    pub const CLASS_ACCESSOR: Details = Details(0b1001);
    /// A configurable accessor that loops meet: a literal's.
    pub const ACCESSOR: Details = Details(0b1101);

    /// Details of these attributes.
    #[must_use]
    pub fn new(accessor: bool, writable: bool, enumerable: bool, configurable: bool) -> Details {
        let bit = |set: bool, place: u32| u32::from(set) << place;
        Details(bit(accessor, 0) | bit(writable && !accessor, 1) | bit(enumerable, 2) | bit(configurable, 3))
    }

    /// Whether the property is an accessor, not data.
    #[must_use]
    pub fn is_accessor(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the property may be assigned to.
    #[must_use]
    pub fn is_writable(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether loops over keys meet the property.
    #[must_use]
    pub fn is_enumerable(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether the property may be deleted or redefined.
    #[must_use]
    pub fn is_configurable(self) -> bool {
        self.0 & 8 != 0
    }

    /// The field that data is in.
    #[must_use]
    pub fn field(self) -> usize {
        (self.0 >> 4) as usize
    }

    /// The details without the place.
    #[must_use]
    pub fn attributes(self) -> Details {
        Details(self.0 & 15)
    }

    fn at_field(self, field: usize) -> Details {
        Details(self.0 & 15 | (field as u32) << 4)
    }

    /// The small integer that stands for the details.
    #[must_use]
    pub fn encode<'a>(self) -> Ref<'a, Value> {
        small(self.0 as usize)
    }

    /// The details that [`encode`](Self::encode) has made a small integer of.
    ///
    /// # Panics
    /// If the value is no small integer.
    #[must_use]
    pub fn decode(value: Ref<'_, Value>) -> Details {
        Details(value.as_small().expect("details are a small integer") as u32)
    }
}

/// The info of a map.
///
/// # Panics
/// If what is in the map's slot is no info.
#[inline]
#[must_use]
pub fn info(scope: &Scope<'_, '_>, map: Ref<'_, Map>) -> Info {
    Info(scope.load_map_slot(map, INFO).as_small().expect("the info is a small integer") as u32)
}

fn set_info(scope: &Scope<'_, '_>, map: Ref<'_, Map>, info: Info) {
    scope.store_map_slot(map, INFO, small(info.0 as usize));
}

/// A map for a kind of records that are no objects. May collect.
///
/// # Errors
/// No memory.
pub fn new_plain<'s>(scope: &mut Scope<'s, '_>, kind: u16) -> Result<Handle<'s, Map>, AllocError> {
    scope.new_map(super::shape(kind)?)
}

/// A map for objects of a kind, without properties. May collect.
///
/// # Errors
/// No memory.
pub fn new<'s>(
    scope: &mut Scope<'s, '_>,
    kind: u16,
    in_object: usize,
    prototype: Handle<'s, Value>,
    flags: u32,
) -> Result<Handle<'s, Map>, AllocError> {
    let words = fields_start(kind) + in_object;
    let map = scope.new_map(Shape::new(kind, 1 + words, words, Tail::None)?)?;
    let at = scope.get(map);
    set_info(scope, at, Info::new(in_object, flags | flag::OWNS));
    scope.store_map_slot(at, PROTOTYPE, scope.get(prototype));
    Ok(map)
}

/// An object of this map, whose properties are the small integer 0. May collect.
///
/// # Errors
/// No memory.
#[inline]
pub fn new_object<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>) -> Result<Obj<'s>, AllocError> {
    let object = scope.new_record(map)?;
    scope.store_field(scope.get(object), super::MAP, scope.get(map).into());
    Ok(object)
}

/// Gives an object another map of the same shape (M-4).
pub fn set(scope: &Scope<'_, '_>, object: Ref<'_, Record>, map: Ref<'_, Map>) {
    debug_assert_eq!(scope.shape_of(map), scope.shape_of(map_of(scope, object)), "M-4");
    scope.store_field(object, super::MAP, map.into());
}

/// A map like this one, with the same descriptors, that no transition leads to. May collect.
///
/// # Errors
/// No memory.
pub fn copy<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>) -> Result<Handle<'s, Map>, AllocError> {
    let shape = scope.shape_of(scope.get(map));
    let copy = scope.new_map(shape)?;
    let (from, to) = (scope.get(map), scope.get(copy));
    scope.store_map_slot(to, PROTOTYPE, scope.load_map_slot(from, PROTOTYPE));
    scope.store_map_slot(to, DESCRIPTORS, scope.load_map_slot(from, DESCRIPTORS));
    set_info(scope, to, info(scope, from).without(flag::OWNS));
    Ok(copy)
}

/// A copy with another prototype. May collect.
///
/// # Errors
/// No memory.
pub fn with_prototype<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    prototype: Handle<'s, Value>,
) -> Result<Handle<'s, Map>, AllocError> {
    let copy = copy(scope, map)?;
    scope.store_map_slot(scope.get(copy), PROTOTYPE, scope.get(prototype));
    Ok(copy)
}

/// A copy with these flags too. May collect.
///
/// # Errors
/// No memory.
pub fn with_flags<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    flags: u32,
) -> Result<Handle<'s, Map>, AllocError> {
    let copy = copy(scope, map)?;
    let info = info(scope, scope.get(copy)).with(flags);
    set_info(scope, scope.get(copy), info);
    Ok(copy)
}

/// A copy in dictionary mode, without descriptors (M-3). May collect.
///
/// # Errors
/// No memory.
pub fn for_dictionary<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>) -> Result<Handle<'s, Map>, AllocError> {
    let copy = copy(scope, map)?;
    let at = scope.get(copy);
    set_info(scope, at, info(scope, at).grown(0, 0).with(flag::DICTIONARY));
    scope.store_map_slot(at, DESCRIPTORS, small(0));
    Ok(copy)
}

fn descriptors<'a>(scope: &'a Scope<'_, '_>, map: Ref<'a, Map>) -> Option<Ref<'a, Record>> {
    record_of(scope, scope.load_map_slot(map, DESCRIPTORS), kind::DESCRIPTORS)
}

/// The key of descriptor `index`.
///
/// # Panics
/// If the map has no such descriptor.
pub fn key<'a>(scope: &'a Scope<'_, '_>, map: Ref<'a, Map>, index: usize) -> Ref<'a, Value> {
    scope.load_element(descriptors(scope, map).expect("a map with descriptors"), index * ENTRY_WORDS)
}

/// The details of descriptor `index`.
///
/// # Panics
/// If the map has no such descriptor.
#[must_use]
pub fn details(scope: &Scope<'_, '_>, map: Ref<'_, Map>, index: usize) -> Details {
    let descriptors = descriptors(scope, map).expect("a map with descriptors");
    Details::decode(scope.load_element(descriptors, index * ENTRY_WORDS + 1))
}

/// The value of descriptor `index`: an accessor.
///
/// # Panics
/// If the map has no such descriptor.
pub fn value<'a>(scope: &'a Scope<'_, '_>, map: Ref<'a, Map>, index: usize) -> Ref<'a, Value> {
    scope.load_element(descriptors(scope, map).expect("a map with descriptors"), index * ENTRY_WORDS + 2)
}

/// Replaces the value of descriptor `index`, for all maps that share the descriptors.
///
/// # Panics
/// If the map has no such descriptor.
pub fn set_value(scope: &Scope<'_, '_>, map: Ref<'_, Map>, index: usize, value: Ref<'_, Value>) {
    scope.store_element(descriptors(scope, map).expect("a map with descriptors"), index * ENTRY_WORDS + 2, value);
}

/// The descriptor of a name. Looks at the map's descriptors one after the other.
#[inline]
#[must_use]
pub fn find(scope: &Scope<'_, '_>, map: Ref<'_, Map>, name: Ref<'_, Record>) -> Option<(usize, Details)> {
    let own = info(scope, map).own();
    if own == 0 {
        return None;
    }
    let descriptors = descriptors(scope, map)?;
    let index = (0..own).find(|&index| scope.load_element(descriptors, index * ENTRY_WORDS) == name)?;
    Some((index, Details::decode(scope.load_element(descriptors, index * ENTRY_WORDS + 1))))
}

/// Makes room for `slack` more descriptors in an array that the map owns. The array is a new one if the map owns
/// none, or if its own has too little room. May collect.
///
/// # Errors
/// No memory.
pub fn ensure_slack<'s>(
    scope: &mut Scope<'s, '_>,
    descriptors_map: Handle<'s, Map>,
    map: Handle<'s, Map>,
    slack: usize,
) -> Result<(), AllocError> {
    let at = scope.get(map);
    let own = info(scope, at).own();
    let all = descriptors(scope, at).map_or(0, |array| scope.tail_len(array) / ENTRY_WORDS);
    if info(scope, at).has(flag::OWNS) && all >= own + slack {
        return Ok(());
    }
    let room = own + slack.max(own / 2).max(2);
    let array = scope.new_record_in(descriptors_map, room * ENTRY_WORDS, AllocationType::Young)?;
    let (at, to) = (scope.get(map), scope.get(array));
    if let Some(from) = descriptors(scope, at) {
        (0..own * ENTRY_WORDS).for_each(|word| scope.store_element(to, word, scope.load_element(from, word)));
    }
    scope.store_field(to, USED, small(own));
    scope.store_map_slot(at, DESCRIPTORS, to.into());
    let owning = info(scope, at).with(flag::OWNS);
    set_info(scope, at, owning);
    Ok(())
}

/// Appends a descriptor to a map that has the slack for it. The descriptor is an accessor if there is a `value`, else
/// data in the next field. Never collects.
///
/// # Panics
/// If there is no slack, or the map does not own its descriptors (M-2).
pub fn append(
    scope: &Scope<'_, '_>,
    map: Ref<'_, Map>,
    name: Ref<'_, Record>,
    details: Details,
    value: Option<Ref<'_, Value>>,
) {
    let info = info(scope, map);
    let (own, fields) = (info.own(), info.fields());
    let array = descriptors(scope, map).expect("slack");
    assert!(info.has(flag::OWNS) && count_field(scope, array, USED) == own, "M-2");
    let details = if value.is_none() { details.at_field(fields) } else { details.attributes() };
    scope.store_element(array, own * ENTRY_WORDS, name.into());
    scope.store_element(array, own * ENTRY_WORDS + 1, details.encode());
    scope.store_element(array, own * ENTRY_WORDS + 2, value.unwrap_or(scope.undefined()));
    scope.store_field(array, USED, small(own + 1));
    set_info(scope, map, info.grown(own + 1, fields + usize::from(value.is_none())));
}

/// The map that an object of `map` gets when a property is added; `None` if the object has to go to dictionary mode.
/// Data follows a transition, or leaves a new one behind; an accessor, whose `value` is given, gets a map of its own.
/// May collect.
///
/// # Errors
/// No memory.
pub fn add<'s>(
    scope: &mut Scope<'s, '_>,
    descriptors_map: Handle<'s, Map>,
    map: Handle<'s, Map>,
    name: Obj<'s>,
    details: Details,
    value: Option<Handle<'s, Value>>,
) -> Result<Option<Handle<'s, Map>>, AllocError> {
    if value.is_none()
        && let Some(next) = transition(scope, scope.get(map), scope.get(name), details)
    {
        return Ok(Some(scope.handle(next)));
    }
    let (before, transitions) = (info(scope, scope.get(map)), transitions(scope, scope.get(map)));
    if before.own() >= OWN_MAX || (value.is_none() && transitions >= TRANSITIONS_MAX) {
        return Ok(None);
    }
    let next = copy(scope, map)?;
    if value.is_none() && before.has(flag::OWNS) && can_append(scope, scope.get(map)) {
        // M-2: the array is handed on, but only by the map at the end of its chain.
        let (from, to) = (scope.get(map), scope.get(next));
        set_info(scope, from, before.without(flag::OWNS));
        set_info(scope, to, before.with(flag::OWNS));
    } else {
        ensure_slack(scope, descriptors_map, next, 1)?;
    }
    append(scope, scope.get(next), scope.get(name), details, value.map(|value| scope.get(value)));
    if value.is_none() {
        add_transition(scope, map, name, details, next)?;
    }
    Ok(Some(next))
}

/// Whether the map's own array has room behind the descriptors that the map sees.
fn can_append(scope: &Scope<'_, '_>, map: Ref<'_, Map>) -> bool {
    let own = info(scope, map).own();
    descriptors(scope, map)
        .is_some_and(|array| scope.tail_len(array) >= (own + 1) * ENTRY_WORDS && count_field(scope, array, USED) == own)
}

fn transitions(scope: &Scope<'_, '_>, map: Ref<'_, Map>) -> usize {
    let Some(array) = scope.downcast::<Array>(scope.load_map_slot(map, TRANSITIONS)) else { return 0 };
    let used = |index: &usize| scope.load(array, index * TRANSITION_WORDS + 2).as_small().is_none();
    (0..scope.len(array) / TRANSITION_WORDS).filter(used).count()
}

fn transition<'a>(
    scope: &'a Scope<'_, '_>,
    map: Ref<'a, Map>,
    name: Ref<'a, Record>,
    details: Details,
) -> Option<Ref<'a, Map>> {
    let array = scope.downcast::<Array>(scope.load_map_slot(map, TRANSITIONS))?;
    let is_it = |index: &usize| {
        scope.load(array, index * TRANSITION_WORDS) == name
            && scope.load(array, index * TRANSITION_WORDS + 1) == details.attributes().encode()
    };
    let index = (0..scope.len(array) / TRANSITION_WORDS).find(is_it)?;
    scope.downcast(scope.load(array, index * TRANSITION_WORDS + 2))
}

fn add_transition<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    name: Obj<'s>,
    details: Details,
    next: Handle<'s, Map>,
) -> Result<(), AllocError> {
    let used = transitions(scope, scope.get(map));
    let old = scope.downcast::<Array>(scope.load_map_slot(scope.get(map), TRANSITIONS));
    let room = old.map_or(0, |array| scope.len(array) / TRANSITION_WORDS);
    if used == room {
        let grown = scope.new_array((room + room / 2 + 1) * TRANSITION_WORDS)?;
        let at = scope.get(map);
        if let Some(old) = scope.downcast::<Array>(scope.load_map_slot(at, TRANSITIONS)) {
            let to = scope.get(grown);
            (0..scope.len(old)).for_each(|word| scope.store(to, word, scope.load(old, word)));
        }
        scope.store_map_slot(at, TRANSITIONS, scope.get(grown).into());
    }
    let at = scope.get(map);
    let array = scope.downcast::<Array>(scope.load_map_slot(at, TRANSITIONS)).expect("just made");
    scope.store(array, used * TRANSITION_WORDS, scope.get(name).into());
    scope.store(array, used * TRANSITION_WORDS + 1, details.attributes().encode());
    scope.store(array, used * TRANSITION_WORDS + 2, scope.get(next).into());
    Ok(())
}

/// The prototype: an object or null.
pub fn prototype<'a>(scope: &'a Scope<'_, '_>, map: Ref<'a, Map>) -> Ref<'a, Value> {
    scope.load_map_slot(map, PROTOTYPE)
}
