//! Short-lived objects: batches that are made, read back and dropped.

use super::parcel::ObjectSizes;
use heaplab::{AllocError, AllocationType, Array, Handle, Ref, Scope, Shape, Tail};

/// Objects in a batch.
pub(super) const BATCH: usize = 256;

/// Allocates one object of each type.
pub(super) fn all_types(scope: &mut Scope<'_, '_>, sizes: &ObjectSizes) -> Result<(), AllocError> {
    scope.new_array(sizes.small_bytes / 8)?;
    scope.new_array_in(sizes.small_bytes / 8, AllocationType::Old)?;
    scope.new_map(Shape::new(heaplab::object::kind::FIRST_EMBEDDER, 3, 2, Tail::None)?)?;
    scope.new_code(sizes.small_bytes / 2)?;
    if sizes.large {
        scope.new_bytes_in(sizes.large_bytes.next_multiple_of(8) - 8, AllocationType::Old)?;
    }
    Ok(())
}

/// Makes a list of arrays, each holding its number, and walks it back to its start.
pub(super) fn churn_list(
    scope: &mut Scope<'_, '_>,
    seed: u32,
    ty: AllocationType,
) -> Result<Result<(), String>, AllocError> {
    let mut head: Option<Handle<'_, Array>> = None;
    for number in 0..BATCH {
        let array = scope.new_array_in(2 + (seed as usize + number) % 5, ty)?;
        let at = scope.get(array);
        if let Some(head) = head {
            scope.store(at, 0, scope.get(head).into());
        }
        scope.store(at, 1, Ref::small(number as i32).expect("a small number"));
        head = Some(array);
    }
    let mut next = head.map(|head| scope.get(head));
    for number in (0..BATCH).rev() {
        let holds = next.filter(|&array| {
            scope.len(array) == 2 + (seed as usize + number) % 5
                && scope.load(array, 1).as_small() == Some(number as i32)
        });
        let Some(array) = holds else { return Ok(Err(format!("element {number} of a list is {next:?}"))) };
        next = scope.downcast(scope.load(array, 0));
    }
    Ok(Ok(()))
}

/// Makes byte arrays, each holding its number, and reads all of them back at the end.
pub(super) fn churn_bytes(
    scope: &mut Scope<'_, '_>,
    seed: u32,
    ty: AllocationType,
) -> Result<Result<(), String>, AllocError> {
    let len = |number: usize| 4 + (seed as usize + number) % 37;
    let mut made = [None; BATCH];
    for (number, made) in made.iter_mut().enumerate() {
        let bytes = scope.new_bytes_in(len(number), ty)?;
        scope.write_bytes(scope.get(bytes), len(number) - 4, &(number as u32).to_le_bytes());
        *made = Some(bytes);
    }
    for (number, bytes) in made.into_iter().flatten().enumerate() {
        let bytes = scope.get(bytes);
        let mut read = [0; 4];
        scope.read_bytes(bytes, len(number) - 4, &mut read);
        if scope.bytes_len(bytes) != len(number) || u32::from_le_bytes(read) != number as u32 {
            return Ok(Err(format!("byte array {number} of a batch holds {read:?}")));
        }
    }
    Ok(Ok(()))
}
