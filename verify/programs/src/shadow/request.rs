//! The oracle's part in requests for memory: asks, and judges the answer.
//!
//! A request has to succeed at once if it draws on a reserve, or on the page that was just filled but for it. It is refused
//! by the right error, and for want of memory only where the bound allows that. It gets memory of its space, and none that
//! a full space has put out of reach.
//!
//! A fault that strikes excuses the request that it strikes, and no other. It is seen by what it leaves: its countdown was
//! there before the request and is gone after it.

use super::oracle::{Aftermath, Oracle};
use super::{Door, Happened, Need, Request, ShadowObject, Value, What};
use crate::ops::{ObjectShape, RecordShape, Size};
use heaplab::object::{BUILT_IN_KINDS, LENGTH_MAX, Root, Tail, kind};
use heaplab::words::align_up;
use heaplab::{AllocError, AllocationType, Offset, Shape, SpaceKind, Tagged};
use heaplab_common::claim_eq;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The faults that are about to happen, before a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    commit: bool,
    attempt: bool,
}

impl Oracle {
    /// What is armed before a request, given what is left of the local heap's countdown.
    pub(super) fn armed(&self, attempts: Option<u64>) -> Armed {
        Armed { commit: self.outside.commit_fault_in().is_some(), attempt: attempts.is_some() }
    }

    /// Whether a fault struck a request since, or may have: a rival arms faults at any time.
    pub(super) fn struck(&mut self, before: Armed, attempts: Option<u64>) -> bool {
        let now = self.armed(attempts);
        let struck = before.commit && !now.commit || before.attempt && !now.attempt;
        self.tally.struck += u64::from(struck);
        struck || self.outside.flags.rivals_fail
    }

    pub(super) fn allocate<D: Door>(
        &mut self,
        actor: usize,
        door: &mut D,
        ty: AllocationType,
        object: ObjectShape,
        size: Size,
        filled: Option<(usize, AllocationType, usize)>,
    ) -> Aftermath {
        match object {
            ObjectShape::Array => self.request(actor, door, ty, What::Array, size, filled),
            ObjectShape::Bytes => self.request(actor, door, ty, What::Bytes, size, filled),
            ObjectShape::Code => self.request(actor, door, AllocationType::Code, What::Code, size, filled),
            ObjectShape::Map(shape) => {
                self.request(actor, door, AllocationType::Map, What::Map(shape.shape()), size, filled)
            }
            ObjectShape::Record(record) => self.allocate_record(actor, door, ty, record, size, filled),
        }
    }

    fn allocate_record<D: Door>(
        &mut self,
        actor: usize,
        door: &mut D,
        ty: AllocationType,
        record: RecordShape,
        size: Size,
        filled: Option<(usize, AllocationType, usize)>,
    ) -> Aftermath {
        let shape = record.shape();
        let is_its_map = |object: &ShadowObject| object.describes == Some(shape);
        if let Some((map, _)) = self.host(actor, 0, is_its_map) {
            return self.request(actor, door, ty, What::Record(map), size, filled);
        }
        // Without a map there is no record: the map is this operation, and the record the next one that asks for it.
        self.request(actor, door, AllocationType::Map, What::Map(shape), size, filled)
    }

    /// The shape and the map of what is requested.
    fn shape(&self, actor: usize, what: What) -> (Shape, Value) {
        let built_in = |root| {
            let (_, shape) = BUILT_IN_KINDS.into_iter().find(|(other, _)| *other == root).expect("a built-in map");
            (shape, Value::Immortal(root))
        };
        match what {
            What::Array => built_in(Root::FixedArrayMap),
            What::Bytes => built_in(Root::ByteArrayMap),
            What::Code => built_in(Root::CodeMap),
            What::Map(_) => built_in(Root::MetaMap),
            What::Record(root) => match self.stacks[actor][root] {
                Value::Object(id) => (self.graph.object(id).describes.expect("a map"), Value::Object(id)),
                value => unreachable!("{value:?} is no map"),
            },
        }
    }

    /// Asks for an object and judges the answer.
    fn request<D: Door>(
        &mut self,
        actor: usize,
        door: &mut D,
        ty: AllocationType,
        what: What,
        size: Size,
        filled: Option<(usize, AllocationType, usize)>,
    ) -> Aftermath {
        let layout = self.outside.layout.clone();
        let (shape, map) = self.shape(actor, what);
        let length = size.length(shape, &layout);
        let misfit = ty == AllocationType::Map && shape.kind() != kind::MAP
            || shape.kind() >= kind::FIRST_EMBEDDER && length > LENGTH_MAX;
        if misfit && !D::IS_SAFE {
            // The raw API leaves this to its caller.
            return self.quiet(Happened::Nothing);
        }
        let mut object = ShadowObject::new(shape, map, length, ty);
        if let What::Map(shape) = what {
            object.describes = Some(shape);
        }
        let too_long = shape.tail() != Tail::None && length > LENGTH_MAX;
        let bytes = if too_long { usize::MAX } else { object.size_bytes() };
        let too_large = bytes > layout.object_bytes_max();
        let rounded = if too_large { bytes } else { align_up(bytes, ty.granule_bytes()) };
        let alignment = if matches!(what, What::Map(_)) { 8 } else { door.alignment(bytes) };
        let slack = alignment.saturating_sub(ty.granule_bytes());
        object.large = rounded.saturating_add(slack) > layout.regular_bytes_max();
        let request = Request { ty, what, length };

        let regular = !misfit && !too_large;
        // The innermost scope's reserve goes first, then that of the scope around it.
        let mut own = self.guards.iter_mut().rev().filter(|guard| guard.owner == actor);
        let shared = self.outside.rivals.is_some();
        let drawn = regular && own.any(|guard| guard.draw(ty, rounded + slack, object.large, &layout));
        let fits = |left| rounded.saturating_add(slack) <= left;
        let left = filled.is_some_and(|(owner, kind, left)| owner == actor && kind == ty && fits(left));
        let flags = self.outside.flags;
        let at_once = regular && (drawn || left && !object.large && flags.gc_interval == 0);
        // A rival's stop takes the rest of a page away; only the bump path has no poll before it.
        let at_once = at_once && (drawn || !shared || matches!(ty, AllocationType::Young | AllocationType::Old));

        let armed = self.armed(door.attempts_before_failure());
        let before = door.requests();
        let answer = catch_unwind(AssertUnwindSafe(|| door.allocate(&request)));
        let after = door.requests();
        let struck = self.struck(armed, door.attempts_before_failure());
        let at_once = at_once && !struck;
        let no_collection = !shared && flags.gc_interval == 0 && (before.is_some() && before == after || at_once);
        if at_once {
            assert!(matches!(answer, Ok(Ok(_))), "{request:?}, {bytes} bytes, had to succeed at once: {answer:?}");
            claim_eq!(
                after,
                before,
                "the count of requests after {request:?}, {bytes} bytes, which had no need to collect,"
            );
            self.tally.guaranteed += 1;
        }
        let happened = if no_collection || !regular { Happened::Nothing } else { Happened::Anything };
        if happened == Happened::Anything {
            self.stopped(true);
        }
        if self.verifies_requests && before.is_some() && before != after {
            self.verify_stop(door);
        }
        let quiet = self.quiet(happened);
        match answer {
            Ok(Ok(word)) => {
                assert!(regular, "{request:?}, {bytes} bytes, was served");
                self.allocated(actor, object, word, happened);
                quiet
            }
            Ok(Err(error)) => {
                let expected = match error {
                    AllocError::InvalidShape(_) => misfit,
                    AllocError::TooLarge { size_bytes, size_bytes_max } => {
                        !misfit
                            && too_large
                            && (too_long || (size_bytes, size_bytes_max) == (bytes, layout.object_bytes_max()))
                    }
                    AllocError::OutOfMemory { allocation_type, size_bytes } => {
                        regular && allocation_type == ty && size_bytes == bytes
                    }
                    _ => false,
                };
                assert!(expected, "{request:?}, {bytes} bytes: {error:?}");
                self.tally.refused += u64::from(regular);
                let need = match (object.large, ty) {
                    (true, _) => Need::Run(layout.pages_for(rounded)),
                    (false, AllocationType::Young) => Need::Young,
                    (false, _) => Need::Page,
                };
                Aftermath { refused: (regular && !struck).then_some(need), ..quiet }
            }
            Err(payload) => {
                if !self.outside.is_ours(&*payload) {
                    std::panic::resume_unwind(payload);
                }
                self.tally.unwound += 1;
                quiet
            }
        }
    }

    fn allocated(&mut self, actor: usize, mut object: ShadowObject, word: Tagged, happened: Happened) {
        let at: Offset = word.as_reference().expect("an allocation returns an object");
        let space = if object.large { SpaceKind::Large } else { object.ty.space() };
        if happened == Happened::Nothing {
            let page = self.outside.layout.page_of(at);
            assert!(!self.full[space as usize].contains(&page), "{at:?} was served out of a full {space} space");
        }
        object.at = at;
        let layout = &self.outside.layout;
        match object.large {
            true => {
                self.alive.run_pages += layout.pages_for(object.size_bytes());
                self.tally.allocated_large += 1;
            }
            false => self.alive.objects += 1,
        }
        self.peak.raise(self.alive);
        let id = self.graph.add(object);
        self.stacks[actor].push(Value::Object(id));
        self.tally.allocated += 1;
    }

    /// Judges the refusal of a reserve.
    pub(super) fn reserve_refused(&self, pages: usize, run: usize, struck: bool) -> Aftermath {
        let refused = (!struck).then_some(Need::Reserve(pages, run));
        Aftermath { refused, ..self.quiet(Happened::Anything) }
    }
}
