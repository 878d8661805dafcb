//! The names of the interpreter's roots.

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
