//! The two doors to the heap that the steps go through: the raw API and handles.
//!
//! Through the raw door an object is a range of memory that is overwritten at once by a filler of its own size, as in
//! the mission's source. Through the door of handles an object is filled, read back, and dropped.

use heaplab::heap::Internals as _;
use heaplab::heap::RawLocalHeap;
use heaplab::{AllocError, AllocationOrigin, AllocationType, Heap, Ref, Scope, Shape, SpaceKind, Survey, Tail};

/// What a step allocates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StepObject {
    /// An array of so many elements.
    Array { elements: usize, ty: AllocationType },
    /// A map.
    Map,
    /// A code object of so many bytes, header included.
    Code { bytes: usize },
}

/// What the owner has asked of the heap so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Own {
    pub(super) collections_in_scope: u64,
    pub(super) retries: u64,
}

/// Bytes of the header and the length of an array or a code object.
pub(super) const HEADER_BYTES: usize = 8;
/// Bytes of a map.
const MAP_BYTES: usize = 32;

/// Bytes of an array of `elements` elements.
pub(super) const fn array_bytes(elements: usize) -> usize {
    (HEADER_BYTES + 4 * elements).next_multiple_of(8)
}

/// A running local heap, as the steps of a scenario use it. (The doors of programs are `shadow::Door` of
/// `verify/programs`.)
pub(super) trait ScenarioDoor {
    /// Allocates an object, and overwrites it, or fills, checks and drops it.
    fn allocate(&mut self, object: StepObject) -> Result<(), String>;
    fn simulate_full_space(&mut self, space: SpaceKind) -> Result<(), String>;
    /// What the heap's memory is used for. Stops the world.
    fn survey(&mut self) -> Result<Survey, String>;
    /// What the owner has asked for, if the door can tell without a stop.
    fn own(&self) -> Option<Own>;
    fn soft_bytes_available(&self) -> usize;
    /// Large runs of the owner's reserve that no request has used.
    fn reserved_runs(&self) -> usize;
}

fn refused(object: StepObject, error: AllocError) -> String {
    format!("{object:?}: {error}")
}

/// The raw API. The local heap runs, and is parked while the door stops the world from outside.
pub(super) struct RawScenarioDoor<'a> {
    pub(super) heap: &'a Heap,
    pub(super) local: RawLocalHeap,
}

impl RawScenarioDoor<'_> {
    /// Stops the world from outside.
    fn parked<R>(&mut self, stop: impl FnOnce(&Heap) -> R) -> R {
        // SAFETY: R-1: running before and after; no raw reference is held.
        unsafe { self.local.park() };
        let result = stop(self.heap);
        // SAFETY: R-1: parked just above.
        unsafe { self.local.unpark() };
        result
    }
}

impl ScenarioDoor for RawScenarioDoor<'_> {
    fn allocate(&mut self, object: StepObject) -> Result<(), String> {
        let (size, ty, alignment) = match object {
            StepObject::Array { elements, ty } => (array_bytes(elements), ty, 8),
            StepObject::Map => (MAP_BYTES, AllocationType::Map, 32),
            StepObject::Code { bytes } => (bytes, AllocationType::Code, 64),
        };
        // SAFETY: R-1: the local heap runs on this thread. R-3: the memory becomes a filler of exactly its own size
        // before anything else happens, and is not referred to afterwards. The view is used on this unpublished memory
        // only.
        unsafe {
            let at = self
                .local
                .allocate_raw(size, ty, AllocationOrigin::Runtime, alignment)
                .map_err(|error| refused(object, error))?;
            if !at.bytes().is_multiple_of(alignment) {
                return Err(format!("{object:?}: {at:?} is not aligned to {alignment} bytes"));
            }
            self.local.view().write_filler(at, size);
        }
        Ok(())
    }

    fn simulate_full_space(&mut self, space: SpaceKind) -> Result<(), String> {
        let result = self.parked(|heap| heap.simulate_full_space(space));
        result.map(drop).map_err(|error| format!("simulating a full {space} space: {error}"))
    }

    fn survey(&mut self) -> Result<Survey, String> {
        self.parked(Heap::survey).map_err(|error| format!("surveying the heap: {error}"))
    }

    fn own(&self) -> Option<Own> {
        None
    }

    fn soft_bytes_available(&self) -> usize {
        let spaces = self.heap.spaces();
        // SAFETY: R-1: this door's local heap runs.
        let limit = unsafe { spaces.budget.limit(heaplab::words::Limit::Soft) };
        limit.saturating_sub(spaces.budget.committed()) * spaces.layout().page_bytes()
    }

    fn reserved_runs(&self) -> usize {
        // SAFETY: R-1: the local heap runs on this thread.
        unsafe { self.local.reserved_runs() }
    }
}

/// The safe API.
pub(super) struct HandleScenarioDoor<'a, 's, 'o: 's> {
    pub(super) scope: &'a mut Scope<'s, 'o>,
}

impl HandleScenarioDoor<'_, '_, '_> {
    fn array(&mut self, elements: usize, ty: AllocationType) -> Result<bool, AllocError> {
        self.scope.nested(|scope| {
            let array = scope.new_array_in(elements, ty)?;
            let array = scope.get(array);
            let small = |i: usize| Ref::small(i as i32).expect("an index is a small integer");
            (0..elements).for_each(|i| scope.store(array, i, small(i)));
            Ok(scope.len(array) == elements && (0..elements).all(|i| scope.load(array, i) == small(i)))
        })
    }

    fn map(&mut self) -> Result<bool, AllocError> {
        let shape = Shape::new(heaplab::object::kind::FIRST_EMBEDDER, 4, 2, Tail::None)?;
        self.scope.nested(|scope| {
            let map = scope.new_map(shape)?;
            Ok(scope.shape_of(scope.get(map)) == shape)
        })
    }

    fn code(&mut self, bytes: usize) -> Result<bool, AllocError> {
        self.scope.nested(|scope| {
            let code = scope.new_code(bytes - HEADER_BYTES)?;
            let code = scope.get(code);
            let written: Vec<u8> = (0..scope.code_len(code)).map(|i| i as u8).collect();
            scope.write_code(code, 0, &written);
            let mut read = vec![0; written.len()];
            scope.read_code(code, 0, &mut read);
            Ok(read == written && written.len() == bytes - HEADER_BYTES)
        })
    }
}

impl ScenarioDoor for HandleScenarioDoor<'_, '_, '_> {
    fn allocate(&mut self, object: StepObject) -> Result<(), String> {
        let kept = match object {
            StepObject::Array { elements, ty } => self.array(elements, ty),
            StepObject::Map => self.map(),
            StepObject::Code { bytes } => self.code(bytes),
        };
        match kept {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{object:?}: the object does not hold what was written")),
            Err(error) => Err(refused(object, error)),
        }
    }

    fn simulate_full_space(&mut self, space: SpaceKind) -> Result<(), String> {
        self.scope.simulate_full_space(space).map(drop).map_err(|error| error.to_string())
    }

    fn survey(&mut self) -> Result<Survey, String> {
        self.scope.survey().map_err(|error| error.to_string())
    }

    fn own(&self) -> Option<Own> {
        let own = self.scope.own_requests();
        Some(Own { collections_in_scope: own.collections_in_scope, retries: own.retries })
    }

    fn soft_bytes_available(&self) -> usize {
        self.scope.soft_bytes_available()
    }

    fn reserved_runs(&self) -> usize {
        self.scope.reserved_runs()
    }
}
