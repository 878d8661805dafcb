//! The names of the interpreter's roots.

macro_rules! roots {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The slots of the interpreter's root set. `Count` is how many there are.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "each is named after what it holds")]
        pub enum Root { $($(#[$doc])* $name),*, Count }
    };
}

roots! {
    // Maps of records that are no objects; made when they are first needed.
    NumberMap, OneByteMap, TwoByteMap, ConsMap, SentinelMap, DescriptorsMap, AccessorInfoMap, AccessorPairMap,
    SharedMap, ContextMap, DictionaryMap,
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
    /// The exception, from when it is thrown until it is caught (IN-2).
    Exception,
    /// A value on its way out of a handle scope.
    Escaping,
    /// The error that is thrown when the heap is full, made in advance.
    OutOfMemory,
    /// Strings of one Latin-1 character.
    Characters,
    /// The constants of the unit that was loaded last: an array.
    Constants,
    // Names.
    EmptyString, Length, Prototype, Constructor, Name, Message, ToString, ValueOf,
}

/// How many roots there are.
pub const ROOTS: usize = Root::Count as usize;
