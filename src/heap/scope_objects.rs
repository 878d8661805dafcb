//! Objects through a scope: making them, reading and writing them.

use super::Scope;
use super::value::{Array, Bytes, Code, Handle, Map, Record, RecordType, Ref, Value};
use crate::object::{
    ELEMENTS_WORD, LENGTH_MAX, LENGTH_WORD, MAP_RECORD_BYTES_WORD, MAP_SLOTS, MAP_SLOTS_WORD, Root, Shape, Tagged, Tail,
};
use crate::sync::Ordering;
use crate::words::{AllocError, AllocationType, Offset, WORD_BYTES};

impl<'s, 'o: 's> Scope<'s, 'o> {
    /// Allocates, writes header and length, and roots the object before anything else can happen.
    #[inline(always)]
    fn allocate<T>(
        &mut self,
        ty: AllocationType,
        bytes: usize,
        map: Tagged,
        length: Option<usize>,
    ) -> Result<Handle<'s, T>, AllocError> {
        let local = *self.local();
        // SAFETY: H-1, H-2; R-3: the size is that of the shape of `map`, and maps never move (C-5).
        unsafe {
            let at = local.allocate_object(bytes, ty, map)?;
            if let Some(length) = length {
                local.view().write(at.word(LENGTH_WORD), (length as u32) << 1);
            }
            Ok(Handle::new(local.push_handle(Tagged::reference(at))))
        }
    }

    #[inline(always)]
    fn allocate_tail<T>(
        &mut self,
        ty: AllocationType,
        root: Root,
        shape: Shape,
        length: usize,
    ) -> Result<Handle<'s, T>, AllocError> {
        let bytes = shape.size_bytes(length)?;
        self.allocate(ty, bytes, root.tagged(), Some(length))
    }

    /// A young array of `len` values, each the small integer 0. May collect.
    ///
    /// # Errors
    /// See [`AllocError`].
    #[inline(always)]
    pub fn new_array(&mut self, len: usize) -> Result<Handle<'s, Array>, AllocError> {
        self.new_array_in(len, AllocationType::Young)
    }

    /// An array, of a type of the caller's choice. May collect.
    ///
    /// # Errors
    /// See [`AllocError`]; `InvalidShape` for a type that holds no arrays.
    #[inline(always)]
    pub fn new_array_in(&mut self, len: usize, ty: AllocationType) -> Result<Handle<'s, Array>, AllocError> {
        if ty == AllocationType::Map {
            return Err(AllocError::InvalidShape("map space holds maps only"));
        }
        const ARRAY: Shape = Shape::built_in(crate::object::kind::FIXED_ARRAY, 2, 1, Tail::Tagged);
        self.allocate_tail(ty, Root::FixedArrayMap, ARRAY, len)
    }

    /// A young array of `len` zero bytes. May collect.
    ///
    /// # Errors
    /// See [`AllocError`].
    pub fn new_bytes(&mut self, len: usize) -> Result<Handle<'s, Bytes>, AllocError> {
        self.new_bytes_in(len, AllocationType::Young)
    }

    /// An array of bytes, of a type of the caller's choice. May collect.
    ///
    /// # Errors
    /// See [`AllocError`]; `InvalidShape` for a type that holds no byte arrays.
    pub fn new_bytes_in(&mut self, len: usize, ty: AllocationType) -> Result<Handle<'s, Bytes>, AllocError> {
        if ty == AllocationType::Map {
            return Err(AllocError::InvalidShape("map space holds maps only"));
        }
        const BYTES: Shape = Shape::built_in(crate::object::kind::BYTE_ARRAY, 2, 1, Tail::Bytes);
        self.allocate_tail(ty, Root::ByteArrayMap, BYTES, len)
    }

    /// A code object of `len` zero bytes, 64-byte aligned, which never moves. May collect.
    ///
    /// # Errors
    /// See [`AllocError`].
    pub fn new_code(&mut self, len: usize) -> Result<Handle<'s, Code>, AllocError> {
        const CODE: Shape = Shape::built_in(crate::object::kind::CODE, 2, 1, Tail::Bytes);
        self.allocate_tail(AllocationType::Code, Root::CodeMap, CODE, len)
    }

    /// A map of `shape`, for objects of an embedder's kind. Its [`MAP_SLOTS`] slots hold the small integer 0. May
    /// collect.
    ///
    /// # Errors
    /// See [`AllocError`]; `InvalidShape` for a built-in kind.
    pub fn new_map(&mut self, shape: Shape) -> Result<Handle<'s, Map>, AllocError> {
        let local = *self.local();
        // SAFETY: H-1, H-2; the map is rooted before anything else happens.
        unsafe {
            let at = local.allocate_map(shape)?;
            Ok(Handle::new(local.push_handle(Tagged::reference(at))))
        }
    }

    /// A young object of `map`, its tail (if any) empty, zeroed. May collect.
    ///
    /// # Errors
    /// See [`AllocError`]; `InvalidShape` for a built-in map.
    #[inline(always)]
    pub fn new_record(&mut self, map: Handle<'s, Map>) -> Result<Handle<'s, Record>, AllocError> {
        // SAFETY: the handle is a root of this scope.
        let word = unsafe { map.tagged() };
        match self.word(word.target(), MAP_RECORD_BYTES_WORD) >> 1 {
            0 => self.new_empty_tail(map),
            bytes => self.allocate(AllocationType::Young, bytes as usize, word, None),
        }
    }

    /// What [`new_record_of`](Self::new_record_of) needs to know of `map`.
    ///
    /// # Errors
    /// `InvalidShape` for a built-in map, or one whose objects have a tail.
    pub fn record_type(&self, map: Handle<'s, Map>) -> Result<RecordType<'s>, AllocError> {
        // SAFETY: the handle is a root of this scope.
        let word = unsafe { map.tagged() };
        match self.word(word.target(), MAP_RECORD_BYTES_WORD) >> 1 {
            0 => Err(AllocError::InvalidShape("a built-in map, or one whose objects have a tail")),
            bytes => Ok(RecordType::new(word, bytes)),
        }
    }

    /// A young record, zeroed: the fastest way to make one. May collect.
    ///
    /// # Errors
    /// See [`AllocError`].
    #[inline(always)]
    pub fn new_record_of(&mut self, ty: RecordType<'s>) -> Result<Handle<'s, Record>, AllocError> {
        self.allocate(AllocationType::Young, ty.bytes as usize, ty.map, None)
    }

    #[cold]
    fn new_empty_tail(&mut self, map: Handle<'s, Map>) -> Result<Handle<'s, Record>, AllocError> {
        self.new_record_in(map, 0, AllocationType::Young)
    }

    /// An object of `map` with a tail of `length` elements, of a type of the caller's choice. May collect.
    ///
    /// # Errors
    /// See [`AllocError`]; `InvalidShape` for a built-in map, a tail that the map has not or that is longer than
    /// [`LENGTH_MAX`], or type `Map`.
    #[inline(always)]
    pub fn new_record_in(
        &mut self,
        map: Handle<'s, Map>,
        length: usize,
        ty: AllocationType,
    ) -> Result<Handle<'s, Record>, AllocError> {
        // SAFETY: the handle is a root of this scope, and a map; maps never move (C-5).
        let (word, shape) = unsafe {
            let word = map.tagged();
            (word, self.local().shape_of(word.target()))
        };
        if shape.kind() < crate::object::kind::FIRST_EMBEDDER {
            return Err(AllocError::InvalidShape("the map of a built-in kind: use the method that makes it"));
        }
        let has_tail = shape.tail() != Tail::None;
        if (length != 0 && !has_tail) || ty == AllocationType::Map || length > LENGTH_MAX {
            return Err(AllocError::InvalidShape("no tail of that length, or not in map space"));
        }
        let bytes = shape.size_bytes(length)?;
        self.allocate(ty, bytes, word, has_tail.then_some(length))
    }

    // ---- reading and writing ------------------------------------------------------------------------------------

    #[inline(always)]
    fn word(&self, object: Offset, index: usize) -> u32 {
        // SAFETY: a live object's words are committed. Relaxed: payload that orders nothing, or never changes (J-1).
        unsafe { self.local().inner().spaces.memory.load(object.word(index).bytes(), Ordering::Relaxed) }
    }

    #[inline(always)]
    fn length(&self, object: Offset) -> usize {
        (self.word(object, LENGTH_WORD) >> 1) as usize
    }

    #[inline(always)]
    fn load_word<'a>(&'a self, object: Offset, index: usize) -> Ref<'a, Value> {
        // SAFETY: H-1; the callers have checked that the word is a tagged word of a live object.
        unsafe { Ref::new(self.local().load_slot(object.word(index))) }
    }

    #[inline(always)]
    fn store_word(&self, object: Offset, index: usize, value: Ref<'_, Value>) {
        // SAFETY: H-1; the callers have checked that the word is a tagged word of a live object.
        unsafe { self.local().store_slot(object, object.word(index), value.tagged()) }
    }

    #[inline(always)]
    fn shape(&self, object: Offset) -> Shape {
        // SAFETY: H-1; the object is live.
        unsafe { self.local().shape_of(self.local().map_of(object)) }
    }

    /// The number of elements of an array.
    #[inline(always)]
    #[must_use]
    pub fn len(&self, array: Ref<'_, Array>) -> usize {
        self.length(array.tagged().target())
    }

    /// Element `index` of an array.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline(always)]
    pub fn load<'a>(&'a self, array: Ref<'a, Array>, index: usize) -> Ref<'a, Value> {
        let object = array.tagged().target();
        check_index(index, self.length(object));
        self.load_word(object, ELEMENTS_WORD + index)
    }

    /// Sets element `index` of an array.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline(always)]
    pub fn store(&self, array: Ref<'_, Array>, index: usize, value: Ref<'_, Value>) {
        let object = array.tagged().target();
        check_index(index, self.length(object));
        self.store_word(object, ELEMENTS_WORD + index, value);
    }

    /// The map of an object. `None` for a small integer.
    #[must_use]
    pub fn map<'a>(&'a self, value: Ref<'a, Value>) -> Option<Ref<'a, Map>> {
        // SAFETY: H-1; the object is live, and so is its map.
        value.tagged().as_reference().map(|object| unsafe { Ref::new(Tagged::reference(self.local().map_of(object))) })
    }

    /// The shape that a map describes.
    #[must_use]
    pub fn shape_of(&self, map: Ref<'_, Map>) -> Shape {
        // SAFETY: H-1; the map is live.
        unsafe { self.local().shape_of(map.tagged().target()) }
    }

    /// Slot `index` of a map, one of the [`MAP_SLOTS`] that are the embedder's.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn load_map_slot<'a>(&'a self, map: Ref<'a, Map>, index: usize) -> Ref<'a, Value> {
        check_index(index, MAP_SLOTS);
        self.load_word(map.tagged().target(), MAP_SLOTS_WORD + index)
    }

    /// Sets slot `index` of a map.
    ///
    /// # Panics
    /// If there is no such slot, or the map is built in.
    pub fn store_map_slot(&self, map: Ref<'_, Map>, index: usize, value: Ref<'_, Value>) {
        check_index(index, MAP_SLOTS);
        assert!(map.tagged().target().bytes() >= crate::words::ROOT_BYTES, "built-in maps are immutable");
        self.store_word(map.tagged().target(), MAP_SLOTS_WORD + index, value);
    }

    /// Field `index` of a record: the tagged words of its fixed part, counted from 0. With a tail, field 0 is the
    /// length.
    ///
    /// # Panics
    /// If there is no such field.
    #[inline(always)]
    pub fn load_field<'a>(&'a self, record: Ref<'a, Record>, index: usize) -> Ref<'a, Value> {
        let object = record.tagged().target();
        check_index(index, self.shape(object).tagged_words());
        self.load_word(object, 1 + index)
    }

    /// Sets field `index` of a record.
    ///
    /// # Panics
    /// If there is no such field, or it is the length of a tail.
    #[inline(always)]
    pub fn store_field(&self, record: Ref<'_, Record>, index: usize, value: Ref<'_, Value>) {
        let object = record.tagged().target();
        let shape = self.shape(object);
        check_index(index, shape.tagged_words());
        assert!(index != 0 || shape.tail() == Tail::None, "field 0 is the length of the tail (J-1)");
        self.store_word(object, 1 + index, value);
    }

    /// Raw word `index` of a record, counted from the first word after its tagged ones.
    ///
    /// # Panics
    /// If there is no such word.
    #[inline(always)]
    #[must_use]
    pub fn load_raw(&self, record: Ref<'_, Record>, index: usize) -> u32 {
        let object = record.tagged().target();
        let shape = self.shape(object);
        check_index(index, shape.fixed_words() - 1 - shape.tagged_words());
        self.word(object, 1 + shape.tagged_words() + index)
    }

    /// Sets raw word `index` of a record. Relaxed: it orders nothing.
    ///
    /// # Panics
    /// If there is no such word.
    #[inline(always)]
    pub fn store_raw(&self, record: Ref<'_, Record>, index: usize, value: u32) {
        let object = record.tagged().target();
        let shape = self.shape(object);
        check_index(index, shape.fixed_words() - 1 - shape.tagged_words());
        let at = object.word(1 + shape.tagged_words() + index).bytes();
        // SAFETY: a raw word of a live object. Relaxed: payload.
        unsafe { self.local().inner().spaces.memory.store(at, value, Ordering::Relaxed) };
    }

    /// Elements of a record's tail; 0 without a tail.
    #[must_use]
    pub fn tail_len(&self, record: Ref<'_, Record>) -> usize {
        let object = record.tagged().target();
        if self.shape(object).tail() == Tail::None { 0 } else { self.length(object) }
    }

    fn tail_word(&self, record: Ref<'_, Record>, index: usize) -> (Offset, usize) {
        let object = record.tagged().target();
        let shape = self.shape(object);
        check_index(index, if shape.tail() == Tail::Tagged { self.length(object) } else { 0 });
        (object, shape.fixed_words() + index)
    }

    /// Element `index` of a record's tagged tail.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn load_element<'a>(&'a self, record: Ref<'a, Record>, index: usize) -> Ref<'a, Value> {
        let (object, word) = self.tail_word(record, index);
        self.load_word(object, word)
    }

    /// Sets element `index` of a record's tagged tail.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn store_element(&self, record: Ref<'_, Record>, index: usize, value: Ref<'_, Value>) {
        let (object, word) = self.tail_word(record, index);
        self.store_word(object, word, value);
    }

    /// Bytes of a byte array.
    #[must_use]
    pub fn bytes_len(&self, bytes: Ref<'_, Bytes>) -> usize {
        self.length(bytes.tagged().target())
    }

    /// Bytes of a code object.
    #[must_use]
    pub fn code_len(&self, code: Ref<'_, Code>) -> usize {
        self.length(code.tagged().target())
    }

    /// Copies bytes out of a byte array, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the array.
    pub fn read_bytes(&self, bytes: Ref<'_, Bytes>, start: usize, out: &mut [u8]) {
        self.copy_out(bytes.tagged().target(), start, out);
    }

    /// Copies bytes into a byte array, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the array.
    pub fn write_bytes(&self, bytes: Ref<'_, Bytes>, start: usize, data: &[u8]) {
        self.copy_in(bytes.tagged().target(), start, data);
    }

    /// Copies bytes out of a code object, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the object.
    pub fn read_code(&self, code: Ref<'_, Code>, start: usize, out: &mut [u8]) {
        self.copy_out(code.tagged().target(), start, out);
    }

    /// Copies bytes into a code object, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the object.
    pub fn write_code(&self, code: Ref<'_, Code>, start: usize, data: &[u8]) {
        self.copy_in(code.tagged().target(), start, data);
    }

    /// Copies bytes out of a record's tail of bytes, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the tail.
    pub fn read_tail(&self, record: Ref<'_, Record>, start: usize, out: &mut [u8]) {
        self.copy_out(record.tagged().target(), start, out);
    }

    /// Copies bytes into a record's tail of bytes, from byte `start` on. Not atomic as a whole.
    ///
    /// # Panics
    /// If the range is not in the tail.
    pub fn write_tail(&self, record: Ref<'_, Record>, start: usize, data: &[u8]) {
        self.copy_in(record.tagged().target(), start, data);
    }

    fn byte_range(&self, object: Offset, start: usize, count: usize) -> usize {
        let shape = self.shape(object);
        let length = if shape.tail() == Tail::Bytes { self.length(object) } else { 0 };
        assert!(
            start.checked_add(count).is_some_and(|end| end <= length),
            "bytes {start}..+{count} are not within {length}"
        );
        object.bytes() + shape.fixed_words() * WORD_BYTES + start
    }

    fn copy_out(&self, object: Offset, start: usize, out: &mut [u8]) {
        let at = self.byte_range(object, start, out.len());
        // SAFETY: bytes of a live object.
        unsafe { self.local().inner().spaces.memory.copy_out(at, out) };
    }

    fn copy_in(&self, object: Offset, start: usize, data: &[u8]) {
        let at = self.byte_range(object, start, data.len());
        // SAFETY: bytes of a live object.
        unsafe { self.local().inner().spaces.memory.copy_in(at, data) };
    }
}

#[inline(always)]
fn check_index(index: usize, len: usize) {
    assert!(index < len, "index {index} is not within 0..{len}");
}
