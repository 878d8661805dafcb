//! The interpreter's roots: a root set of the heap, whose slots have names. They belong to no scope, so the interpreter
//! itself holds no handle.

use super::{Interpreter, Js, Obj, Run};
use heaplab::{Handle, Map, Record, Ref, Scope, Value};
use heaplab_objects::{self, kind, map, string};

macro_rules! roots {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The slots.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "each is named after what it holds")]
        pub enum Root { $($(#[$doc])* $name),*, Count }
    };
}

roots! {
    // Maps of records that are no objects; made when they are first needed.
    NumberMap, OneByteMap, TwoByteMap, ConsMap, SentinelMap, DescriptorsMap, AccessorInfoMap, AccessorPairMap, SharedMap,
    ContextMap, DictionaryMap,
    // Maps of objects.
    ObjectMap, ArrayMap, ErrorMap, TypeErrorMap, RangeErrorMap, ReferenceErrorMap, SyntaxErrorMap, FunctionMap,
    MethodMap, ClassMap,
    /// What an absent element holds.
    Hole,
    /// What a binding holds before its declaration is reached.
    Uninitialised,
    /// The internalised strings: a hash table.
    StringTable,
    Global,
    ObjectPrototype, FunctionPrototype, ArrayPrototype, StringPrototype, NumberPrototype, BooleanPrototype,
    ErrorPrototype, TypeErrorPrototype, RangeErrorPrototype, ReferenceErrorPrototype, SyntaxErrorPrototype,
    /// The value that is thrown, while it is.
    Exception,
    /// A value on its way out of a handle scope.
    Escaping,
    /// Thrown when the heap is full: made in advance.
    OutOfMemory,
    /// Strings of one Latin-1 character.
    Characters,
    /// The constants of the units: an array of arrays.
    Constants,
    // Names.
    EmptyString, Length, Prototype, Constructor, Name, Message, ToString, ValueOf,
}

/// How many slots.
pub const ROOTS: usize = Root::Count as usize;

impl Interpreter {
    /// What a root holds.
    #[inline]
    pub fn root<'a>(&self, scope: &'a Scope<'_, '_>, root: Root) -> Ref<'a, Value> {
        scope.load_root(&self.roots, root as usize).expect("the interpreter's own heap")
    }

    /// A handle to what a root holds.
    #[inline]
    pub fn root_handle<'s>(&self, scope: &Scope<'s, '_>, root: Root) -> Js<'s> {
        scope.handle(self.root(scope, root))
    }

    /// A handle to the record that a root holds.
    ///
    /// # Panics
    /// If it holds none.
    pub fn root_record<'s>(&self, scope: &Scope<'s, '_>, root: Root) -> Obj<'s> {
        let record = scope.downcast::<Record>(self.root(scope, root));
        scope.handle(record.unwrap_or_else(|| panic!("{root:?} is set up")))
    }

    /// Sets a root.
    pub fn set_root(&self, scope: &Scope<'_, '_>, root: Root, value: Ref<'_, Value>) {
        scope.store_root(&self.roots, root as usize, value).expect("the interpreter's own heap");
    }

    /// The map that a root holds; one of a kind of records that are no objects is made when it is first needed. May
    /// collect.
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

    /// A value that scripts never see, made when it is first needed. May collect.
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

    /// The hole.
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
            Ok::<_, super::Unwind>(())
        })?;
        Ok(self.root_handle(scope, Root::Escaping))
    }

    /// Whether the value is a function.
    pub fn is_callable(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
        heaplab_objects::kind_of(scope, value) == Some(kind::FUNCTION)
    }
}
