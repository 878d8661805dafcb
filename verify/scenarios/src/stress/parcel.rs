//! Parcels: small object graphs that describe themselves, for threads to exchange.
//!
//! A parcel is an array `[seed, child, ...]`. Everything in and below it follows from the seed, so a thread that finds
//! a parcel can check all of it without knowing who made the parcel. A parcel never changes once it is made.
//!
//! The parcels of programs (`verify/programs`) are not these, but two objects of a few words: each execution of a
//! model has to make some.

use super::contents::{PIECE_BYTES, pieces, small_of};
use heaplab::words::Layout;
use heaplab::{AllocError, AllocationType, Array, Bytes, Code, Handle, Ref, Scope, Value};
use heaplab_common::mix;

/// Sizes of objects that suit a heap.
#[derive(Clone, Copy, Debug)]
pub struct ObjectSizes {
    /// The most bytes of a small object's contents, where a slot counts as four.
    pub small_bytes: usize,
    /// Bytes of the smallest large objects.
    pub large_bytes: usize,
    /// Whether there is room for large objects next to everything else.
    pub large: bool,
}

impl ObjectSizes {
    /// Sizes for a heap of this geometry.
    #[must_use]
    pub fn of(layout: &Layout) -> ObjectSizes {
        ObjectSizes {
            small_bytes: (layout.regular_bytes_max() / 2).min(256),
            large_bytes: layout.regular_bytes_max() + 8,
            large: layout.hard_limit_pages() >= 64,
        }
    }
}

/// Children of a parcel, at most.
const CHILDREN_MAX: usize = 3;
/// How deep parcels may lie within a parcel.
const DEPTH_MAX: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Child {
    Bytes { len: usize, ty: AllocationType },
    Code { len: usize },
    Smalls { len: usize, ty: AllocationType },
    Parcel,
}

/// The children of the parcel with this seed.
fn children(seed: u32, depth: usize, sizes: &ObjectSizes) -> impl Iterator<Item = (usize, u32, Child)> + use<> {
    let sizes = *sizes;
    let count = 1 + seed as usize % CHILDREN_MAX;
    (0..count).map(move |index| {
        let bits = mix(u64::from(seed), 1000 + index as u64);
        let (child_seed, choice, size) = ((bits >> 32) as u32, bits & 0x3ff, (bits >> 10 & 0x3fff) as usize);
        let ty = if bits >> 24 & 3 == 0 { AllocationType::Old } else { AllocationType::Young };
        let small = size % (sizes.small_bytes + 1);
        let child = match choice {
            0 if sizes.large => Child::Bytes { len: sizes.large_bytes + size, ty },
            1 if sizes.large => Child::Smalls { len: (sizes.large_bytes + size) / 4, ty },
            0..=400 => Child::Bytes { len: small, ty },
            401..=460 => Child::Code { len: small },
            461..=640 if depth < DEPTH_MAX => Child::Parcel,
            _ => Child::Smalls { len: small / 4, ty },
        };
        (index, child_seed, child)
    })
}

fn small<'a>(seed: u32, index: usize) -> Ref<'a, Value> {
    Ref::small(small_of(seed, index)).expect("30 bits are a small integer")
}

/// Makes the parcel of this seed. May collect.
///
/// # Errors
/// The heap has no room for the parcel, or is poisoned.
pub fn build<'s, 'o: 's>(
    scope: &mut Scope<'s, 'o>,
    seed: u32,
    sizes: &ObjectSizes,
) -> Result<Handle<'s, Array>, AllocError> {
    build_at(scope, seed & 0x3fff_ffff, 0, sizes)
}

fn build_at<'s, 'o: 's>(
    scope: &mut Scope<'s, 'o>,
    seed: u32,
    depth: usize,
    sizes: &ObjectSizes,
) -> Result<Handle<'s, Array>, AllocError> {
    let count = 1 + seed as usize % CHILDREN_MAX;
    let ty = if seed >> 8 & 3 == 0 { AllocationType::Old } else { AllocationType::Young };
    scope.escape(|scope| {
        let parcel = scope.new_array_in(1 + count, ty)?;
        scope.store(scope.get(parcel), 0, Ref::small(seed as i32).expect("30 bits are a small integer"));
        for (index, child_seed, child) in children(seed, depth, sizes) {
            let child: Handle<'_, Value> = match child {
                Child::Bytes { len, ty } => new_bytes_of(scope, child_seed, len, ty)?.any(),
                Child::Code { len } => new_code_of(scope, child_seed, len)?.any(),
                Child::Smalls { len, ty } => {
                    let array = scope.new_array_in(len, ty)?;
                    let at = scope.get(array);
                    (0..len).for_each(|i| scope.store(at, i, small(child_seed, i)));
                    array.any()
                }
                Child::Parcel => build_at(scope, child_seed & 0x3fff_ffff, depth + 1, sizes)?.any(),
            };
            scope.store(scope.get(parcel), 1 + index, scope.get(child));
        }
        Ok(parcel)
    })
}

/// Checks a whole parcel and returns how many objects it has.
///
/// # Errors
/// What differs first.
pub fn check(scope: &Scope<'_, '_>, parcel: Ref<'_, Value>, sizes: &ObjectSizes) -> Result<u64, String> {
    check_at(scope, parcel, None, 0, sizes)
}

fn check_at(
    scope: &Scope<'_, '_>,
    parcel: Ref<'_, Value>,
    expected: Option<u32>,
    depth: usize,
    sizes: &ObjectSizes,
) -> Result<u64, String> {
    let Some(array) = scope.downcast::<Array>(parcel) else {
        return Err(format!("a parcel is {parcel:?}, which is no array"));
    };
    let seed = match (scope.len(array) > 0).then(|| scope.load(array, 0).as_small()).flatten() {
        Some(seed) if seed >= 0 => seed as u32,
        _ => return Err(format!("parcel {parcel:?} has no seed")),
    };
    if expected.is_some_and(|expected| expected != seed) {
        return Err(format!("parcel {parcel:?} has seed {seed}, expected {expected:?}"));
    }
    let count = 1 + seed as usize % CHILDREN_MAX;
    if scope.len(array) != 1 + count {
        return Err(format!("parcel {seed} has {} elements, expected {}", scope.len(array), 1 + count));
    }
    let mut objects = 1;
    for (index, child_seed, child) in children(seed, depth, sizes) {
        let value = scope.load(array, 1 + index);
        let holds = match child {
            Child::Bytes { len, .. } => scope
                .downcast::<Bytes>(value)
                .is_some_and(|bytes| scope.bytes_len(bytes) == len && bytes_hold(scope, bytes, child_seed, len)),
            Child::Code { len } => scope
                .downcast::<Code>(value)
                .is_some_and(|code| scope.code_len(code) == len && code_holds(scope, code, child_seed, len)),
            Child::Smalls { len, .. } => scope.downcast::<Array>(value).is_some_and(|array| {
                scope.len(array) == len && (0..len).all(|i| scope.load(array, i) == small(child_seed, i))
            }),
            Child::Parcel => {
                objects += check_at(scope, value, Some(child_seed & 0x3fff_ffff), depth + 1, sizes)? - 1;
                true
            }
        };
        if !holds {
            return Err(format!("parcel {seed}: child {index} at {value:?} is not what was written: {child:?}"));
        }
        objects += 1;
    }
    Ok(objects)
}

/// Makes a byte array of the bytes of this seed.
pub(super) fn new_bytes_of<'s, 'o: 's>(
    scope: &mut Scope<'s, 'o>,
    seed: u32,
    len: usize,
    ty: AllocationType,
) -> Result<Handle<'s, Bytes>, AllocError> {
    let bytes = scope.new_bytes_in(len, ty)?;
    let at = scope.get(bytes);
    pieces(seed, len, |start, piece| {
        scope.write_bytes(at, start, piece);
        true
    });
    Ok(bytes)
}

/// Makes a code object of the bytes of this seed.
pub(super) fn new_code_of<'s, 'o: 's>(
    scope: &mut Scope<'s, 'o>,
    seed: u32,
    len: usize,
) -> Result<Handle<'s, Code>, AllocError> {
    let code = scope.new_code(len)?;
    let at = scope.get(code);
    pieces(seed, len, |start, piece| {
        scope.write_code(at, start, piece);
        true
    });
    Ok(code)
}

/// Whether a byte array holds the bytes of this seed.
pub(super) fn bytes_hold(scope: &Scope<'_, '_>, bytes: Ref<'_, Bytes>, seed: u32, len: usize) -> bool {
    pieces(seed, len, |start, piece| {
        let mut read = [0; PIECE_BYTES];
        scope.read_bytes(bytes, start, &mut read[..piece.len()]);
        read[..piece.len()] == *piece
    })
}

/// Whether a code object holds the bytes of this seed.
pub(super) fn code_holds(scope: &Scope<'_, '_>, code: Ref<'_, Code>, seed: u32, len: usize) -> bool {
    pieces(seed, len, |start, piece| {
        let mut read = [0; PIECE_BYTES];
        scope.read_code(code, start, &mut read[..piece.len()]);
        read[..piece.len()] == *piece
    })
}
