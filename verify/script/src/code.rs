//! Lowered source: what the interpreter walks. [`lower`](fn@super::lower) makes it from the parser's tree.
//!
//! It differs from the parser's tree in three ways: what is not supported cannot be written in it; names are resolved
//! to places; and literals, except small integers, are replaced by the numbers of constants, which are heap objects
//! once the unit is loaded.

/// A place in the source, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The first character.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A constant's number in its unit.
pub type ConstantId = usize;
/// A function's number in its unit.
pub type FunctionId = usize;
/// A scope's number in its unit.
pub type ScopeId = usize;
/// The number of a use of a name in its unit.
pub type ReferenceId = usize;
/// What `break` and `continue` name.
pub type Label = u32;

/// A parsed source.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Its number in the interpreter.
    pub index: usize,
    /// Function 0 is the source itself.
    pub functions: Vec<Function>,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Uses of names.
    pub references: Vec<Reference>,
    /// Literals and names.
    pub constants: Vec<Constant>,
}

/// A literal or a name.
#[derive(Clone, PartialEq, Debug)]
pub enum Constant {
    /// A string, internalised.
    String(Vec<u16>),
    /// A number that is no small integer.
    Number(f64),
}

/// Where a binding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Slot of the frame.
    Local(usize),
    /// Slot of a context, `hops` steps outward from the present one.
    Context {
        /// Steps.
        hops: u32,
        /// Which slot.
        slot: usize,
    },
    /// A property of the global object.
    Global,
}

/// What a binding allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// `var`, a parameter, a function.
    Var,
    /// `let`, a class.
    Let,
    /// `const`.
    Const,
    /// The name of a function expression within it.
    FunctionName,
    /// `this`, of a function that is no arrow.
    This,
    /// `this` of a derived constructor: uninitialised until `super()` returns.
    DerivedThis,
    /// The function that runs, and what `new` named: what `super` needs.
    Hidden,
}

impl Binding {
    /// Whether the binding is uninitialised until its declaration is reached.
    #[must_use]
    pub fn is_late(self) -> bool {
        matches!(self, Binding::Let | Binding::Const | Binding::DerivedThis)
    }
}

/// A use of a name.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Where its binding is.
    pub place: Place,
    /// The name.
    pub name: ConstantId,
    /// What the binding allows; of globals [`Binding::Var`].
    pub binding: Binding,
}

/// A scope.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Slots of its context. A scope with 0 slots has no context.
    pub context_slots: usize,
    /// Places that are uninitialised when the scope is entered, relative to the scope itself.
    pub late: Vec<Place>,
    /// Functions that are made when the scope is entered.
    pub functions: Vec<(ReferenceId, FunctionId)>,
}

/// Frame slot of the result.
pub const FRAME_RESULT: usize = 0;
/// Frame slot of the function that runs.
pub const FRAME_CALLEE: usize = 1;
/// The first variable.
pub const FRAME_VARIABLES: usize = 2;

/// A function.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Where it is.
    pub at: Option<Position>,
    /// Its name.
    pub name: ConstantId,
    /// Parameters before the first one that has a default or is a rest parameter.
    pub length: usize,
    /// Flags of its shared info.
    pub flags: usize,
    /// An arrow function: without `this` of its own.
    pub is_arrow: bool,
    /// The source itself: its value is that of its last expression statement.
    pub is_program: bool,
    /// A method or an accessor.
    pub is_method: bool,
    /// Strict code.
    pub is_strict: bool,
    /// Slots of its frame.
    pub frame_slots: usize,
    /// Its scope.
    pub scope: ScopeId,
    /// The scope of its parameters, if its own name is in a scope around them.
    pub parameter_scope: Option<ScopeId>,
    /// The scope of its body, if its parameters have one of their own.
    pub body_scope: Option<ScopeId>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Where `this` is bound, if it is used.
    pub this: Option<ReferenceId>,
    /// Where the function itself is bound for `super`, if it is used.
    pub callee: Option<ReferenceId>,
    /// Where what `new` named is bound for `super`, if it is used.
    pub new_target: Option<ReferenceId>,
    /// Where its own name is bound, if it is used.
    pub own_name: Option<ReferenceId>,
    /// Its body.
    pub body: Vec<Statement>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// What it binds.
    pub target: Target,
    /// The value if the argument is undefined.
    pub default: Option<Expression>,
    /// All arguments from here on.
    pub is_rest: bool,
}

/// A statement.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Statement {
    Empty,
    Expression(Expression),
    /// One variable of `let`, `const` or `var`, with its value; undefined if none is given.
    Declare(Target, Option<Expression>),
    Class(Target, Box<Class>),
    Block(ScopeId, Vec<Statement>),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    Loop(Box<Loop>),
    Each(Box<Each>),
    Return(Option<Expression>),
    Throw(Expression),
    Try(Box<Try>),
    Switch(Box<Switch>),
    Break(Label),
    Continue(Label),
    Labelled(Label, Box<Statement>),
}

/// `for`, `while`, `do`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub struct Loop {
    pub labels: Vec<Label>,
    /// The scope of `let` in the head.
    pub scope: Option<ScopeId>,
    pub first: Vec<Statement>,
    pub test: Option<Expression>,
    pub update: Option<Expression>,
    pub body: Statement,
    /// `do`: the body comes before the first test.
    pub body_first: bool,
}

/// `for ... in`, `for ... of`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub struct Each {
    pub labels: Vec<Label>,
    /// The scope in which the object is evaluated: the loop's names are in it, uninitialised.
    pub head_scope: ScopeId,
    /// The scope of each iteration.
    pub scope: ScopeId,
    pub target: Target,
    pub object: Expression,
    pub body: Statement,
    /// `in`: the keys.
    pub keys: bool,
}

/// `try`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub struct Try {
    pub block: Statement,
    pub catch: Option<(ScopeId, Option<Target>, Statement)>,
    pub finally: Option<Statement>,
}

/// `switch`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub struct Switch {
    pub label: Label,
    pub scope: ScopeId,
    pub value: Expression,
    /// Tests and bodies; the test of `default` is `None`.
    pub cases: Vec<(Option<Expression>, Vec<Statement>)>,
}

/// What is assigned to.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Target {
    /// A binding that exists.
    Assign(ReferenceId, Position),
    /// A binding that is initialised.
    Initialise(ReferenceId),
    Member(Box<Expression>, Box<Key>, Position),
    Super {
        this: ReferenceId,
        callee: ReferenceId,
        key: Box<Key>,
        at: Position,
    },
    Object(Vec<(Key, Target, Option<Expression>)>, Option<Box<Target>>, Position),
    /// `None` for an element that is skipped.
    Array(Vec<Option<(Target, Option<Expression>)>>, Option<Box<Target>>, Position),
}

/// A property's key.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Key {
    Name(ConstantId),
    Index(u32),
    Computed(Expression),
}

/// An element of an array literal or an argument.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Item {
    Hole,
    Value(Expression),
    Spread(Expression),
}

/// An expression and where it is.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Where it is.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
}

/// What a property of an object literal is.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Member {
    Value(Key, Expression),
    Method(Key, FunctionId),
    Getter(Key, FunctionId),
    Setter(Key, FunctionId),
    Spread(Expression),
}

/// A step of an optional chain.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub struct Link {
    pub at: Position,
    /// `?.`: undefined and null end the chain.
    pub optional: bool,
    pub step: Step,
}

/// What a [`Link`] does with the value so far.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Step {
    Member(Key),
    Call(Vec<Item>),
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the variants are the grammar's")]
pub enum Unary {
    Minus,
    Plus,
    Not,
    Complement,
    TypeOf,
    Void,
}

/// Operators with two operands that are both evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the variants are the grammar's")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    ShiftRightUnsigned,
    Equal,
    NotEqual,
    StrictEqual,
    StrictNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    InstanceOf,
}

/// Operators whose second operand may stay unevaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the variants are the grammar's")]
pub enum Logical {
    And,
    Or,
    Coalesce,
}

/// What an expression is.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the grammar's")]
pub enum Kind {
    Small(i32),
    Constant(ConstantId),
    Undefined,
    Null,
    Boolean(bool),
    Read(ReferenceId),
    /// `typeof name`, which throws nothing if there is no such binding.
    TypeOfName(ReferenceId),
    /// Strings and expressions in turn.
    Template(Vec<Expression>),
    Array(Vec<Item>),
    Object(Vec<Member>),
    Function(FunctionId),
    Class(Box<Class>),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Logical(Logical, Box<Expression>, Box<Expression>),
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    Comma(Box<Expression>, Box<Expression>),
    Assign(Box<Target>, Box<Expression>),
    AssignBinary(Binary, Box<Target>, Box<Expression>),
    AssignLogical(Logical, Box<Target>, Box<Expression>),
    /// Adds 1 or -1; the value is the new number as a prefix, else the old one.
    Update {
        target: Box<Target>,
        step: i32,
        is_prefix: bool,
    },
    Member(Box<Expression>, Box<Key>),
    SuperMember {
        this: ReferenceId,
        callee: ReferenceId,
        key: Box<Key>,
    },
    Call(Box<Expression>, Vec<Item>),
    New(Box<Expression>, Vec<Item>),
    SuperCall {
        this: ReferenceId,
        callee: ReferenceId,
        new_target: ReferenceId,
        arguments: Vec<Item>,
    },
    Chain(Box<Expression>, Vec<Link>),
    Delete(Box<Expression>, Box<Key>),
    /// `delete` at the end of an optional chain.
    DeleteChain(Box<Expression>, Vec<Link>),
}

/// A class.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: ConstantId,
    /// The scope of its own name.
    pub scope: ScopeId,
    /// Its own name within it.
    pub own_name: Option<ReferenceId>,
    /// What it extends.
    pub heritage: Option<Expression>,
    /// Its constructor.
    pub constructor: FunctionId,
    /// Methods, accessors and fields in order.
    pub elements: Vec<ClassElement>,
}

/// An element of a class.
#[derive(Clone, Debug)]
pub struct ClassElement {
    /// On the class, not on its instances or their prototype.
    pub is_static: bool,
    /// What it is.
    pub kind: ElementKind,
    /// Its key.
    pub key: Key,
    /// The method or accessor, or what computes the field.
    pub function: FunctionId,
}

/// What a [`ClassElement`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the variants are the grammar's")]
pub enum ElementKind {
    Method,
    Getter,
    Setter,
    Field,
}
