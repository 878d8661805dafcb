//! The interpreter's roots: a root set of the heap, whose slots have [names](Root). Roots belong to no scope, so the
//! interpreter itself holds no handle.

use super::{Interpreter, Js, Obj, Root, Run, Unwind};
use heaplab::{Handle, Map, Record, Ref, Scope, Value};
use heaplab_objects::{self, kind, map, string};

impl Interpreter {
    /// What a root holds.
    ///
    /// # Panics
    /// If the scope is of another heap than the interpreter's.
    #[inline]
    pub fn root<'a>(&self, scope: &'a Scope<'_, '_>, root: Root) -> Ref<'a, Value> {
        scope.load_root(&self.roots, root as usize).expect("the interpreter's own heap")
    }

    /// A handle to what a root holds. Panics as [`root`](Self::root) does.
    #[inline]
    pub fn root_handle<'s>(&self, scope: &Scope<'s, '_>, root: Root) -> Js<'s> {
        scope.handle(self.root(scope, root))
    }

    /// A handle to the record that a root holds.
    ///
    /// # Panics
    /// If the root holds no record, or the scope is of another heap.
    pub fn root_record<'s>(&self, scope: &Scope<'s, '_>, root: Root) -> Obj<'s> {
        let record = scope.downcast::<Record>(self.root(scope, root));
        scope.handle(record.unwrap_or_else(|| panic!("{root:?} is set up")))
    }

    /// Sets a root.
    ///
    /// # Panics
    /// If the scope is of another heap than the interpreter's.
    pub fn set_root(&self, scope: &Scope<'_, '_>, root: Root, value: Ref<'_, Value>) {
        scope.store_root(&self.roots, root as usize, value).expect("the interpreter's own heap");
    }

    /// The map that a root holds. A map of records that are no objects is made when it is first needed. May collect.
    ///
    /// # Errors
    /// No memory.
    #[inline]
    pub fn map<'s>(&self, scope: &mut Scope<'s, '_>, root: Root) -> Run<Handle<'s, Map>> {
        if let Some(map) = scope.downcast::<Map>(self.root(scope, root)) {
            return Ok(scope.handle(map));
        }
        self.make_map(scope, root)
    }

    #[cold]
    fn make_map<'s>(&self, scope: &mut Scope<'s, '_>, root: Root) -> Run<Handle<'s, Map>> {
        let plain = match root {
            Root::NumberMap => kind::NUMBER,
            Root::OneByteMap => kind::ONE_BYTE,
            Root::TwoByteMap => kind::TWO_BYTE,
            Root::ConsMap => kind::CONS,
            Root::SentinelMap => kind::SENTINEL,
            Root::DescriptorsMap => kind::DESCRIPTORS,
            Root::AccessorInfoMap => kind::ACCESSOR_INFO,
            Root::AccessorPairMap => kind::ACCESSOR_PAIR,
            Root::SharedMap => kind::SHARED,
            Root::ContextMap => kind::CONTEXT,
            Root::DictionaryMap => kind::DICTIONARY,
            other => unreachable!("{other:?} is made with the realm"),
        };
        let map = map::new_plain(scope, plain)?;
        self.set_root(scope, root, scope.get(map).into());
        Ok(map)
    }

    /// The maps of strings. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn string_maps<'s>(&self, scope: &mut Scope<'s, '_>) -> Run<string::Maps<'s>> {
        Ok(string::Maps {
            one_byte: self.map(scope, Root::OneByteMap)?,
            two_byte: self.map(scope, Root::TwoByteMap)?,
            cons: self.map(scope, Root::ConsMap)?,
        })
    }

    /// The value in root `Hole` or `Uninitialised`, which scripts never see, made when it is first needed. May
    /// collect.
    ///
    /// # Errors
    /// No memory.
    pub fn sentinel<'s>(&self, scope: &mut Scope<'s, '_>, root: Root) -> Run<Js<'s>> {
        if self.root(scope, root).as_small().is_none() {
            return Ok(self.root_handle(scope, root));
        }
        let map = self.map(scope, Root::SentinelMap)?;
        let sentinel = scope.new_record_in(map, 0, heaplab::AllocationType::Old)?;
        self.set_root(scope, root, scope.get(sentinel).into());
        Ok(sentinel.any())
    }

    /// The value that an absent element holds.
    #[inline]
    pub fn hole<'a>(&self, scope: &'a Scope<'_, '_>) -> Ref<'a, Value> {
        self.root(scope, Root::Hole)
    }

    /// Runs `f` in a handle scope of its own and takes its result out.
    ///
    /// # Errors
    /// Those of `f`.
    #[inline]
    pub fn escape<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        f: impl for<'i> FnOnce(&mut Interpreter, &mut Scope<'i, 's>) -> Run<Js<'i>>,
    ) -> Run<Js<'s>> {
        scope.nested(|scope| {
            let value = f(self, scope)?;
            self.set_root(scope, Root::Escaping, scope.get(value));
            Ok::<_, Unwind>(())
        })?;
        Ok(self.root_handle(scope, Root::Escaping))
    }

    /// Whether the value is a function.
    pub fn is_callable(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
        heaplab_objects::kind_of(scope, value) == Some(kind::FUNCTION)
    }
}
