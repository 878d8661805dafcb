//! The doors through which the oracle acts on a heap: the safe API, and the raw one.

use super::{Part, Payload, Slot};
use heaplab::object::Root;
use heaplab::{
    AllocError, AllocationType, Array, Bytes, Code, CollectionKind, Handle, Map, Persistent, Record, Ref, RootSet,
    Scope, Shape, SpaceKind, Statistics, Survey, Tagged, Value, Verification,
};

/// What is allocated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The type, which decides the space.
    pub ty: AllocationType,
    /// What.
    pub what: What,
    /// Elements of the object's tail.
    pub length: usize,
}

/// The kinds of objects that may be allocated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// An array.
    Array,
    /// A byte array.
    Bytes,
    /// A code object.
    Code,
    /// A map of this shape.
    Map(Shape),
    /// An object of the map that this root holds.
    Record(usize),
}

/// What is stored, or made a root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// What a root holds.
    Root(usize),
    /// A small integer.
    Small(i32),
    /// A built-in object.
    Immortal(Root),
}

/// Requests for collections that a local heap has counted, and those of them inside its always-allocate scopes.
pub type Requests = (u64, u64);

/// A running local heap, as the oracle uses it. Its roots are numbered from 0, in the order in which they were made.
pub trait Door {
    /// Whether the door checks shapes and answers by an error: the safe door does, the raw one leaves the check to its
    /// caller.
    const IS_SAFE: bool;

    /// The alignment that allocations of this size ask for.
    fn alignment(&self, bytes: usize) -> usize;
    /// What a root holds.
    fn word(&mut self, root: usize) -> Tagged;
    /// Makes a root.
    fn push(&mut self, source: Source);
    /// Allocates, and makes a root of the object; the error is the heap's. May collect.
    fn allocate(&mut self, request: &Request) -> Result<Tagged, AllocError>;
    /// Loads a slot, and makes a root of what it holds.
    fn load(&mut self, host: usize, slot: Slot) -> Tagged;
    /// Stores into a slot.
    fn store(&mut self, host: usize, slot: Slot, source: Source);
    /// Writes a raw word, or one byte of the tail after the other.
    fn write(&mut self, host: usize, place: Payload, data: &[u8; 4], count: usize);
    /// Reads what [`write`](Self::write) wrote.
    fn read(&mut self, host: usize, place: Payload, count: usize) -> [u8; 4];
    /// Polls.
    fn poll(&mut self);
    /// Collects.
    fn collect(&mut self, kind: CollectionKind);
    /// Verifies, if the door can.
    fn verify(&mut self) -> Option<Verification>;
    /// Surveys, if the door can.
    fn survey(&mut self) -> Option<Survey>;
    /// Statistics, if the door has them.
    fn statistics(&mut self) -> Option<Statistics>;
    /// Makes a space full, if the door can.
    fn simulate_full_space(&mut self, space: SpaceKind) -> Option<usize>;
    /// Fills a page but for `bytes_left` bytes; the error is the heap's. Asks for no collection.
    fn fill_page_but(&mut self, ty: AllocationType, bytes_left: usize) -> Result<(), AllocError>;
    /// Calls `f` parked.
    fn parked<R>(&mut self, f: impl FnOnce() -> R) -> R;
    /// Attempts left before the one that is to fail, if one is.
    fn attempts_before_failure(&self) -> Option<u64>;
    /// How many collections the local heap has asked for, if the door says it.
    fn requests(&self) -> Option<Requests>;
    /// A persistent handle to what a root holds, if the door makes any.
    fn persist(&mut self, root: usize) -> Option<Persistent<Value>>;
    /// Makes a root of what a persistent handle holds, if the door can.
    fn open(&mut self, persistent: &Persistent<Value>) -> Option<Tagged>;
    /// Makes a root of what a slot of a root set holds, if the door can.
    fn load_root(&mut self, set: &RootSet, slot: usize) -> Option<Tagged>;
    /// Stores into a slot of a root set. Returns whether the door can.
    fn store_root(&mut self, set: &RootSet, slot: usize, source: Source) -> bool;
}

/// The safe API: a scope, and the handles of it and of the scopes around it.
pub struct ScopeDoor<'a, 's, 'o> {
    /// The innermost scope.
    pub scope: &'a mut Scope<'s, 'o>,
    /// The roots.
    pub handles: &'a mut Vec<Handle<'s, Value>>,
}

const OURS: &str = "roots of this heap";

impl ScopeDoor<'_, '_, '_> {
    fn source(&self, source: Source) -> Ref<'_, Value> {
        match source {
            Source::Root(root) => self.scope.get(self.handles[root]),
            Source::Small(value) => Ref::small(value).expect("shadow integers are small"),
            Source::Immortal(Root::Undefined) => self.scope.undefined(),
            Source::Immortal(Root::Null) => self.scope.null(),
            Source::Immortal(root) => self.scope.boolean(root == Root::True),
        }
    }

    fn host<T: heaplab::HeapType>(&self, root: usize) -> Ref<'_, T> {
        self.scope.downcast(self.scope.get(self.handles[root])).expect("a host of this type")
    }

    /// What a persistent handle holds, without making a root of it.
    pub fn peek(&mut self, persistent: &Persistent<Value>) -> Tagged {
        self.scope.nested(|scope| {
            let handle = scope.open(persistent).expect(OURS);
            scope.get(handle).tagged()
        })
    }

    /// What a slot of a root set holds, without making a root of it.
    pub fn peek_root(&mut self, set: &RootSet, slot: usize) -> Tagged {
        self.scope.load_root(set, slot).expect(OURS).tagged()
    }
}

impl Door for ScopeDoor<'_, '_, '_> {
    const IS_SAFE: bool = true;

    fn alignment(&self, _bytes: usize) -> usize {
        8
    }

    fn word(&mut self, root: usize) -> Tagged {
        self.scope.get(self.handles[root]).tagged()
    }

    fn push(&mut self, source: Source) {
        let handle = self.scope.handle(self.source(source));
        self.handles.push(handle);
    }

    fn allocate(&mut self, request: &Request) -> Result<Tagged, AllocError> {
        let Request { ty, what, length } = *request;
        let handle = match what {
            What::Array if ty == AllocationType::Young => self.scope.new_array(length)?.any(),
            What::Array => self.scope.new_array_in(length, ty)?.any(),
            What::Bytes if ty == AllocationType::Young => self.scope.new_bytes(length)?.any(),
            What::Bytes => self.scope.new_bytes_in(length, ty)?.any(),
            What::Code => self.scope.new_code(length)?.any(),
            What::Map(shape) => self.scope.new_map(shape)?.any(),
            What::Record(map) => {
                let map = self.handles[map];
                // The handle to the map in its own type is not to outlive the call.
                let record = self.scope.escape(|scope| {
                    let map = scope.handle(scope.downcast::<Map>(scope.get(map)).expect("a map"));
                    match scope.record_type(map) {
                        Ok(kind) if ty == AllocationType::Young => scope.new_record_of(kind),
                        Err(_) if ty == AllocationType::Young && length == 0 => scope.new_record(map),
                        _ => scope.new_record_in(map, length, ty),
                    }
                });
                record?.any()
            }
        };
        self.handles.push(handle);
        Ok(self.scope.get(handle).tagged())
    }

    fn load(&mut self, host: usize, slot: Slot) -> Tagged {
        let scope = &*self.scope;
        let value = match slot.part {
            Part::Elements => scope.load(self.host::<Array>(host), slot.index),
            Part::MapSlots => scope.load_map_slot(self.host::<Map>(host), slot.index),
            Part::Fields => scope.load_field(self.host::<Record>(host), slot.index),
            Part::Tail => scope.load_element(self.host::<Record>(host), slot.index),
        };
        let (word, handle) = (value.tagged(), scope.handle(value));
        self.handles.push(handle);
        word
    }

    fn store(&mut self, host: usize, slot: Slot, source: Source) {
        let value = self.source(source);
        match slot.part {
            Part::Elements => self.scope.store(self.host::<Array>(host), slot.index, value),
            Part::MapSlots => self.scope.store_map_slot(self.host::<Map>(host), slot.index, value),
            Part::Fields => self.scope.store_field(self.host::<Record>(host), slot.index, value),
            Part::Tail => self.scope.store_element(self.host::<Record>(host), slot.index, value),
        }
    }

    fn write(&mut self, host: usize, place: Payload, data: &[u8; 4], count: usize) {
        let any = self.scope.get(self.handles[host]);
        match place {
            Payload::Raw(index, _) => {
                self.scope.store_raw(self.host::<Record>(host), index, u32::from_le_bytes(*data));
            }
            Payload::Byte(start) => {
                let data = &data[..count];
                if let Some(bytes) = self.scope.downcast::<Bytes>(any) {
                    self.scope.write_bytes(bytes, start, data);
                } else if let Some(code) = self.scope.downcast::<Code>(any) {
                    self.scope.write_code(code, start, data);
                } else {
                    self.scope.write_tail(self.host::<Record>(host), start, data);
                }
            }
        }
    }

    fn read(&mut self, host: usize, place: Payload, count: usize) -> [u8; 4] {
        let any = self.scope.get(self.handles[host]);
        let mut data = [0; 4];
        match place {
            Payload::Raw(index, _) => data = self.scope.load_raw(self.host::<Record>(host), index).to_le_bytes(),
            Payload::Byte(start) => {
                let out = &mut data[..count];
                if let Some(bytes) = self.scope.downcast::<Bytes>(any) {
                    self.scope.read_bytes(bytes, start, out);
                } else if let Some(code) = self.scope.downcast::<Code>(any) {
                    self.scope.read_code(code, start, out);
                } else {
                    self.scope.read_tail(self.host::<Record>(host), start, out);
                }
            }
        }
        data
    }

    fn poll(&mut self) {
        self.scope.poll();
    }

    fn collect(&mut self, kind: CollectionKind) {
        self.scope.collect(kind).unwrap();
    }

    fn verify(&mut self) -> Option<Verification> {
        Some(self.scope.verify().unwrap())
    }

    fn survey(&mut self) -> Option<Survey> {
        Some(self.scope.survey().unwrap())
    }

    fn statistics(&mut self) -> Option<Statistics> {
        Some(self.scope.statistics().unwrap())
    }

    fn simulate_full_space(&mut self, space: SpaceKind) -> Option<usize> {
        Some(self.scope.simulate_full_space(space).unwrap())
    }

    fn fill_page_but(&mut self, ty: AllocationType, bytes_left: usize) -> Result<(), AllocError> {
        self.scope.fill_page_but(ty, bytes_left)
    }

    fn parked<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.scope.park(f)
    }

    fn attempts_before_failure(&self) -> Option<u64> {
        self.scope.attempts_before_failure()
    }

    fn requests(&self) -> Option<Requests> {
        let own = self.scope.own_requests();
        Some((own.collections, own.collections_in_scope))
    }

    fn persist(&mut self, root: usize) -> Option<Persistent<Value>> {
        Some(self.scope.persist(self.handles[root]))
    }

    fn open(&mut self, persistent: &Persistent<Value>) -> Option<Tagged> {
        let handle = self.scope.open(persistent).expect(OURS);
        self.handles.push(handle);
        Some(self.scope.get(handle).tagged())
    }

    fn load_root(&mut self, set: &RootSet, slot: usize) -> Option<Tagged> {
        let value = self.scope.load_root(set, slot).expect(OURS);
        let (word, handle) = (value.tagged(), self.scope.handle(value));
        self.handles.push(handle);
        Some(word)
    }

    fn store_root(&mut self, set: &RootSet, slot: usize, source: Source) -> bool {
        self.scope.store_root(set, slot, self.source(source)).expect(OURS);
        true
    }
}
