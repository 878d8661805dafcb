//! The oracle's part in requests for memory, in three steps: size it, predict it, judge it.
//!
//! ```text
//! what, how large ──size──▶ SizedRequest ──predict──▶ Prediction
//!                                │                        │
//!                               ask ─────▶ Answer ──judge─┴──▶ Aftermath
//! ```
//!
//! A request has to succeed at once if it draws on a reserve, or fits into what was just left of a filled page. It is
//! refused by the right error, and for want of memory only where the bound allows that. It gets memory of its space,
//! but not of pages that a full space has put out of reach.
//!
//! A fault that strikes excuses the request that it strikes, and no other. What the fault leaves tells: its countdown
//! was there before the request and is gone after it.

use super::oracle::{Aftermath, Oracle};
use super::rivals::{Deed, MayHave as _};
use super::{Door, Happened, Need, Request, Requests, ShadowObject, Value, What};
use crate::ops::{ObjectShape, RecordShape, Size};
use heaplab::object::{BUILT_IN_KINDS, LENGTH_MAX, Root, Tail, kind};
use heaplab::words::{Layout, align_up};
use heaplab::{AllocError, AllocationType, Offset, Shape, SpaceKind, Tagged};
use heaplab_common::claim_eq;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A request, and how large what it asks for is.
#[derive(Debug)]
struct SizedRequest {
    request: Request,
    /// The object that the request makes, if it is served.
    object: ShadowObject,
    /// Bytes of the object, `usize::MAX` if it has more elements than any object may.
    bytes: usize,
    /// The object's bytes in whole granules of its type.
    bytes_rounded: usize,
    /// Bytes that the alignment may cost besides.
    slack: usize,
    /// Whether the object's shape and the space where it is to lie exclude each other.
    is_misfit: bool,
}

impl SizedRequest {
    /// Bytes that are enough for the object wherever it begins.
    fn bytes_taken(&self) -> usize {
        self.bytes_rounded.saturating_add(self.slack)
    }

    /// What has to be there for the request.
    fn need(&self, layout: &Layout) -> Need {
        match (self.object.large, self.request.ty) {
            (true, _) => Need::Run(layout.pages_for(self.bytes_rounded)),
            (false, AllocationType::Young) => Need::Young,
            (false, _) => Need::Page,
        }
    }
}

/// What has to come of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Prediction {
    /// Refused: an object of this shape may not lie in this space.
    Misfit,
    /// Refused: no object is so large.
    TooLarge,
    /// Served by the first attempt, unless a fault strikes it.
    AtOnce,
    /// Served, or refused for want of memory where the bound allows that.
    Perhaps,
}

impl Prediction {
    /// Whether the answer depends on memory.
    fn is_regular(self) -> bool {
        matches!(self, Prediction::AtOnce | Prediction::Perhaps)
    }

    /// Whether a request may be refused by this error.
    fn allows(self, error: AllocError, sized: &SizedRequest, layout: &Layout) -> bool {
        match (error, self) {
            (AllocError::InvalidShape(_), Prediction::Misfit) => true,
            (AllocError::TooLarge { size_bytes, size_bytes_max }, Prediction::TooLarge) => {
                sized.bytes == usize::MAX || (size_bytes, size_bytes_max) == (sized.bytes, layout.object_bytes_max())
            }
            (AllocError::OutOfMemory { allocation_type, size_bytes }, Prediction::AtOnce | Prediction::Perhaps) => {
                (allocation_type, size_bytes) == (sized.request.ty, sized.bytes)
            }
            _ => false,
        }
    }
}

/// What the heap made of a request.
struct Answer {
    /// The object, an error, or what the request unwound with.
    result: std::thread::Result<Result<Tagged, AllocError>>,
    /// Whether a fault struck the request, or may have.
    struck: bool,
    /// How many collections the local heap had asked for before the request, and has after it, if the door says it.
    requests: [Option<Requests>; 2],
}

impl Answer {
    /// Whether the local heap is known to have asked for a collection.
    fn has_collected(&self) -> bool {
        let [before, after] = self.requests;
        before.is_some() && before != after
    }

    /// Whether the local heap is known to have asked for none.
    fn has_not_collected(&self) -> bool {
        let [before, after] = self.requests;
        before.is_some() && before == after
    }
}

/// The faults that are about to happen, before a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    commit: bool,
    attempt: bool,
}

impl Oracle {
    /// What is armed before a request, given what is left of the local heap's countdown.
    pub(super) fn armed(&self, attempts: Option<u64>) -> Armed {
        Armed { commit: self.state.commit_fault_in().is_some(), attempt: attempts.is_some() }
    }

    /// Whether a fault has struck a request since `before`, or may have: a rival arms faults at any time.
    pub(super) fn struck(&mut self, before: Armed, attempts: Option<u64>) -> bool {
        let now = self.armed(attempts);
        let struck = before.commit && !now.commit || before.attempt && !now.attempt;
        self.tally.struck += u64::from(struck);
        struck || self.state.rivals.may_have(Deed::FailedRequests)
    }

    /// Does an allocation.
    pub(super) fn allocate<D: Door>(
        &mut self,
        actor: usize,
        door: &mut D,
        ty: AllocationType,
        object: ObjectShape,
        size: Size,
    ) -> Aftermath {
        let (ty, what) = match object {
            ObjectShape::Array => (ty, What::Array),
            ObjectShape::Bytes => (ty, What::Bytes),
            ObjectShape::Code => (AllocationType::Code, What::Code),
            ObjectShape::Map(shape) => (AllocationType::Map, What::Map(shape.shape())),
            ObjectShape::Record(record) => self.record(actor, ty, record),
        };
        let Some(sized) = self.size(actor, door, ty, what, size) else {
            return self.quiet(Happened::Nothing);
        };
        let prediction = self.predict(actor, &sized);
        let answer = self.ask(door, &sized.request);
        self.judge(actor, door, sized, prediction, answer)
    }

    /// What is to be requested for a record. Without a map for the record, this operation requests the map, and a
    /// later one that asks for the record gets it.
    fn record(&self, actor: usize, ty: AllocationType, record: RecordShape) -> (AllocationType, What) {
        let shape = record.shape();
        match self.host(actor, 0, |object| object.describes == Some(shape)) {
            Some((map, _)) => (ty, What::Record(map)),
            None => (AllocationType::Map, What::Map(shape)),
        }
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

    /// Sizes a request. `None` if the request is one that the door does not check: the raw door does not check shapes.
    fn size<D: Door>(
        &self,
        actor: usize,
        door: &D,
        ty: AllocationType,
        what: What,
        size: Size,
    ) -> Option<SizedRequest> {
        let layout = &self.state.layout;
        let (shape, map) = self.shape(actor, what);
        let length = size.length(shape, layout);
        let is_misfit = ty == AllocationType::Map && shape.kind() != kind::MAP
            || shape.kind() >= kind::FIRST_EMBEDDER && length > LENGTH_MAX;
        if is_misfit && !D::IS_SAFE {
            return None;
        }
        let mut object = ShadowObject::new(shape, map, length, ty);
        if let What::Map(shape) = what {
            object.describes = Some(shape);
        }
        let is_too_long = shape.tail() != Tail::None && length > LENGTH_MAX;
        let bytes = if is_too_long { usize::MAX } else { object.size_bytes() };
        let is_too_large = bytes > layout.object_bytes_max();
        let bytes_rounded = if is_too_large { bytes } else { align_up(bytes, ty.granule_bytes()) };
        let alignment = if matches!(what, What::Map(_)) { 8 } else { door.alignment(bytes) };
        let slack = alignment.saturating_sub(ty.granule_bytes());
        let request = Request { ty, what, length };
        let mut sized = SizedRequest { request, object, bytes, bytes_rounded, slack, is_misfit };
        sized.object.large = sized.bytes_taken() > layout.regular_bytes_max();
        Some(sized)
    }

    /// Predicts what comes of a request, and draws on the reserve that has to serve it.
    fn predict(&mut self, actor: usize, sized: &SizedRequest) -> Prediction {
        let layout = &self.state.layout;
        if sized.is_misfit {
            return Prediction::Misfit;
        }
        if sized.bytes > layout.object_bytes_max() {
            return Prediction::TooLarge;
        }
        let (ty, bytes, is_large) = (sized.request.ty, sized.bytes_taken(), sized.object.large);
        // The innermost scope's reserve goes first, then that of the scope around it.
        let mut own = self.guards.iter_mut().rev().filter(|guard| guard.owner == actor);
        if own.any(|guard| guard.draw(ty, bytes, is_large, layout)) {
            return Prediction::AtOnce;
        }
        let has_room = self.fillings.before().is_some_and(|filling| filling.has_room(actor, ty, bytes));
        // A rival's stop takes the rest of a page away. Requests for maps and code poll before they are served; the
        // bump path, which serves the others, does not.
        let is_kept =
            !self.state.rivals.may_have(Deed::UsedTheHeap) || matches!(ty, AllocationType::Young | AllocationType::Old);
        if has_room && is_kept && !is_large && self.state.flags.gc_interval == 0 {
            Prediction::AtOnce
        } else {
            Prediction::Perhaps
        }
    }

    fn ask<D: Door>(&mut self, door: &mut D, request: &Request) -> Answer {
        let armed = self.armed(door.attempts_before_failure());
        let before = door.requests();
        let result = catch_unwind(AssertUnwindSafe(|| door.allocate(request)));
        let requests = [before, door.requests()];
        Answer { result, struck: self.struck(armed, door.attempts_before_failure()), requests }
    }

    /// Judges the answer by the prediction. What depends on what is alive is left to be judged when that is known.
    fn judge<D: Door>(
        &mut self,
        actor: usize,
        door: &mut D,
        sized: SizedRequest,
        prediction: Prediction,
        answer: Answer,
    ) -> Aftermath {
        let (request, bytes) = (sized.request, sized.bytes);
        let is_at_once = prediction == Prediction::AtOnce && !answer.struck;
        if is_at_once {
            let Answer { result, requests: [before, after], .. } = &answer;
            assert!(matches!(result, Ok(Ok(_))), "{request:?}, {bytes} bytes, had to succeed at once: {result:?}");
            claim_eq!(
                after,
                before,
                "the count of requests after {request:?}, {bytes} bytes, which had no need to collect,"
            );
            self.tally.guaranteed += 1;
        }
        let happened = self.happened(prediction, is_at_once, &answer);
        if happened == Happened::Anything {
            self.stopped(true);
        }
        if self.pace.verifies_requests && answer.has_collected() {
            self.verify_stop(door);
        }
        let mut after = self.quiet(happened);
        match answer.result {
            Ok(Ok(word)) => {
                assert!(prediction.is_regular(), "{request:?}, {bytes} bytes, was served");
                self.allocated(actor, sized.object, word, happened);
            }
            Ok(Err(error)) => {
                let layout = &self.state.layout;
                assert!(prediction.allows(error, &sized, layout), "{request:?}, {bytes} bytes: {error:?}");
                self.tally.refused += u64::from(prediction.is_regular());
                after.refused = (prediction.is_regular() && !answer.struck).then(|| sized.need(layout));
            }
            Err(payload) => {
                if !self.state.is_ours(&*payload) {
                    std::panic::resume_unwind(payload);
                }
                self.tally.unwound += 1;
            }
        }
        after
    }

    /// What may have happened during a request.
    fn happened(&self, prediction: Prediction, is_at_once: bool, answer: &Answer) -> Happened {
        let is_alone = !self.state.rivals.may_have(Deed::UsedTheHeap);
        let collects_unasked = self.state.flags.gc_interval != 0;
        let is_quiet = is_alone && !collects_unasked && (answer.has_not_collected() || is_at_once);
        if is_quiet || !prediction.is_regular() { Happened::Nothing } else { Happened::Anything }
    }

    fn allocated(&mut self, actor: usize, mut object: ShadowObject, word: Tagged, happened: Happened) {
        let at: Offset = word.as_reference().expect("an allocation returns an object");
        let space = if object.large { SpaceKind::Large } else { object.ty.space() };
        if happened == Happened::Nothing {
            let page = self.state.layout.page_of(at);
            assert!(!self.full[space as usize].contains(&page), "{at:?} was served out of a full {space} space");
        }
        object.at = at;
        let run_pages = if object.large { self.state.layout.pages_for(object.size_bytes()) } else { 0 };
        self.tally.allocated_large += u64::from(object.large);
        self.population.add(run_pages);
        let id = self.graph.add(object);
        self.stacks[actor].push(Value::Object(id));
        self.tally.allocated += 1;
    }
}
