//! Lowering: from the parser's tree to [`code`](super::code).
//!
//! One walk resolves each use of a name to its binding; where a binding lives is only known when the walk is over,
//! since a closure further on may capture it. So uses are numbered, and [`Lowering::finish`] gives each number its
//! place:
//!
//! ```text
//! a binding that only its own function uses      a slot of the frame
//! a binding that an inner function uses          a slot of its scope's context
//! a scope without captured bindings              has no context, and is not counted as a step outward
//! ```
//!
//! All code is lowered as strict code. Where code that is not strict would do something else, the lowering refuses it
//! by name, or the interpreter stops the script when it gets there; so no script runs to another result (SC-3).

mod expression;
mod function;
mod pattern;
mod statement;

pub(super) use expression::ABSENT;

use super::code::{
    Binding, Constant, ConstantId, FRAME_VARIABLES, FunctionId, Label, Place, Position, Reference, ReferenceId, Scope,
    ScopeId, Unit,
};
use super::parse::{SourceError, parse};
use boa_ast::{LinearPosition, LinearSpan, Script};
use boa_interner::{Interner, Sym};
use std::collections::HashMap;

/// The greatest depth of a tree; a deeper one is refused.
const DEPTH_MAX: usize = 2000;

/// A name of the source, or one of those that it cannot spell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Name {
    Source(Sym),
    This,
    Callee,
    NewTarget,
}

#[derive(Debug)]
struct OpenScope {
    parent: Option<ScopeId>,
    function: FunctionId,
    names: HashMap<Name, usize>,
    bindings: Vec<usize>,
}

#[derive(Debug)]
struct OpenBinding {
    scope: ScopeId,
    kind: Binding,
    is_captured: bool,
    /// Whether entering the scope makes the binding uninitialised.
    is_late: bool,
}

#[derive(Debug)]
struct OpenReference {
    binding: Option<usize>,
    scope: ScopeId,
    name: ConstantId,
}

/// How `this` is bound in the function that is lowered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ThisKind {
    /// The source itself, whose uses of `this` are refused: a script's and a module's differ.
    Program,
    Ordinary,
    Derived,
}

struct OpenFunction {
    id: FunctionId,
    this: ThisKind,
    is_arrow: bool,
    is_strict: bool,
    scope: ScopeId,
}

/// The state of the walk.
struct Lowering<'a> {
    interner: &'a Interner,
    source: &'a str,
    unit: Unit,
    known: HashMap<Vec<u16>, ConstantId>,
    scopes: Vec<OpenScope>,
    bindings: Vec<OpenBinding>,
    references: Vec<OpenReference>,
    functions: Vec<OpenFunction>,
    scope: ScopeId,
    /// Labels of the source that enclose the statement.
    labels: Vec<(Sym, Label)>,
    /// What `break` and `continue` without a label mean.
    breaks: Vec<Label>,
    continues: Vec<Label>,
    /// Labels of the statement that comes next.
    pending: Vec<Label>,
    label_count: Label,
    depth: usize,
}

type Lowered<T> = Result<T, SourceError>;

/// Parses and lowers a source; `is_eval` says that `eval` runs it. Recurses with the source's nesting, so it needs a
/// large stack ([`STACK_BYTES`](super::STACK_BYTES)).
///
/// # Errors
/// A syntax error, or a construct that is not supported.
pub fn lower(source: &str, is_eval: bool) -> Result<Unit, SourceError> {
    let mut unit = None;
    parse(source, &mut |script, interner| {
        unit = Some(lower_tree(source, script, interner, is_eval)?);
        Ok(())
    })?;
    Ok(unit.expect("a tree is looked at"))
}

fn lower_tree(source: &str, script: &Script, interner: &Interner, is_eval: bool) -> Lowered<Unit> {
    let mut lowering = Lowering {
        interner,
        source,
        unit: Unit::default(),
        known: HashMap::new(),
        scopes: Vec::new(),
        bindings: Vec::new(),
        references: Vec::new(),
        functions: Vec::new(),
        scope: 0,
        labels: Vec::new(),
        breaks: Vec::new(),
        continues: Vec::new(),
        pending: Vec::new(),
        label_count: 0,
        depth: 0,
    };
    lowering.program(script, is_eval)?;
    Ok(lowering.finish())
}

impl Lowering<'_> {
    fn unsupported<T>(&self, construct: impl Into<String>, at: Position) -> Lowered<T> {
        Err(SourceError::Unsupported { construct: construct.into(), at })
    }

    /// Runs `f` one level deeper in the tree.
    fn deeper<T>(&mut self, at: Position, f: impl FnOnce(&mut Self) -> Lowered<T>) -> Lowered<T> {
        if self.depth == DEPTH_MAX {
            return self.unsupported("nesting as deep as this", at);
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// The position of a character of the source, counted in code points.
    fn linear(&self, position: LinearPosition) -> Position {
        let (mut line, mut column) = (1, 1);
        for c in self.source.chars().take(position.pos()) {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        Position { line, column }
    }

    fn start(&self, span: LinearSpan) -> Position {
        self.linear(span.start())
    }

    fn text(&self, name: Sym) -> Vec<u16> {
        self.interner.resolve_expect(name).utf16().to_vec()
    }

    fn spelling(&self, name: Sym) -> String {
        String::from_utf16_lossy(&self.text(name))
    }

    fn string(&mut self, units: Vec<u16>) -> ConstantId {
        if let Some(&known) = self.known.get(&units) {
            return known;
        }
        let id = self.unit.constants.len();
        self.unit.constants.push(Constant::String(units.clone()));
        self.known.insert(units, id);
        id
    }

    fn symbol(&mut self, name: Sym) -> ConstantId {
        let units = self.text(name);
        self.string(units)
    }

    fn literal(&mut self, text: &str) -> ConstantId {
        self.string(text.encode_utf16().collect())
    }

    fn is_strict(&self) -> bool {
        self.functions.last().is_some_and(|function| function.is_strict)
    }

    /// Opens a scope within the present one.
    fn open_scope(&mut self) -> ScopeId {
        let id = self.scopes.len();
        let parent = (id != 0).then_some(self.scope);
        let function = self.functions.last().map_or(0, |function| function.id);
        self.scopes.push(OpenScope { parent, function, names: HashMap::new(), bindings: Vec::new() });
        self.unit.scopes.push(Scope::default());
        self.scope = id;
        id
    }

    fn close_scope(&mut self, id: ScopeId) {
        debug_assert_eq!(self.scope, id);
        self.scope = self.scopes[id].parent.unwrap_or(0);
    }

    /// Runs `f` in a scope of its own.
    fn in_scope<T>(&mut self, f: impl FnOnce(&mut Self, ScopeId) -> Lowered<T>) -> Lowered<T> {
        let id = self.open_scope();
        let result = f(self, id);
        self.close_scope(id);
        result
    }

    /// Declares a name in the present scope. Where the name is declared already, the first declaration stays: the
    /// parser has refused what may not be declared twice.
    fn declare(&mut self, name: Name, kind: Binding) -> usize {
        let scope = self.scope;
        if let Some(&known) = self.scopes[scope].names.get(&name) {
            return known;
        }
        let id = self.bindings.len();
        self.bindings.push(OpenBinding { scope, kind, is_captured: false, is_late: kind.is_late() });
        self.scopes[scope].names.insert(name, id);
        self.scopes[scope].bindings.push(id);
        id
    }

    fn is_declared_here(&self, name: Name) -> bool {
        self.scopes[self.scope].names.contains_key(&name)
    }

    /// A use of a name in the present scope.
    fn reference(&mut self, name: Name) -> ReferenceId {
        let mut at = Some(self.scope);
        let mut binding = None;
        while let Some(scope) = at {
            if let Some(&found) = self.scopes[scope].names.get(&name) {
                binding = Some(found);
                break;
            }
            at = self.scopes[scope].parent;
        }
        if let Some(binding) = binding {
            let declared_in = self.scopes[self.bindings[binding].scope].function;
            if declared_in != self.scopes[self.scope].function {
                self.bindings[binding].is_captured = true;
            }
        }
        let spelled = match name {
            Name::Source(name) => self.symbol(name),
            Name::This => self.literal("this"),
            Name::Callee | Name::NewTarget => self.literal("super"),
        };
        self.references.push(OpenReference { binding, scope: self.scope, name: spelled });
        self.references.len() - 1
    }

    /// Gives every binding its place and every reference its binding's.
    fn finish(mut self) -> Unit {
        let mut places = vec![Place::Global; self.bindings.len()];
        for (id, scope) in self.scopes.iter().enumerate() {
            let info = &mut self.unit.scopes[id];
            for &binding in &scope.bindings {
                let open = &self.bindings[binding];
                let place = if open.is_captured {
                    info.context_slots += 1;
                    Place::Context { hops: 0, slot: info.context_slots - 1 }
                } else {
                    let function = &mut self.unit.functions[scope.function];
                    function.frame_slots += 1;
                    Place::Local(FRAME_VARIABLES + function.frame_slots - 1)
                };
                places[binding] = place;
                if open.is_late {
                    info.late.push(place);
                }
            }
        }
        for function in &mut self.unit.functions {
            function.frame_slots += FRAME_VARIABLES;
        }
        let hops = |from: ScopeId, to: ScopeId| {
            let mut at = from;
            let mut hops = 0;
            while at != to {
                hops += u32::from(self.unit.scopes[at].context_slots != 0);
                at = self.scopes[at].parent.expect("a binding is in a scope around its use");
            }
            hops
        };
        self.unit.references = self
            .references
            .iter()
            .map(|open| match open.binding {
                None => Reference { place: Place::Global, name: open.name, binding: Binding::Var },
                Some(binding) => {
                    let place = match places[binding] {
                        Place::Context { slot, .. } => {
                            Place::Context { hops: hops(open.scope, self.bindings[binding].scope), slot }
                        }
                        place => place,
                    };
                    Reference { place, name: open.name, binding: self.bindings[binding].kind }
                }
            })
            .collect();
        self.unit
    }
}
