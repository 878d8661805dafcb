//! What is assigned to and declared: names, members, patterns.

use super::{Lowered, Lowering, Name};
use crate::code::{Binding as BindingKind, ConstantId, Expression, Key, Target};
use crate::parse::start_of;
use boa_ast::declaration::Binding;
use boa_ast::expression::Identifier;
use boa_ast::expression::access::PropertyAccess;
use boa_ast::expression::operator::assign::AssignTarget;
use boa_ast::operations::bound_names;
use boa_ast::pattern::{ArrayPatternElement, ObjectPatternElement, Pattern};
use boa_ast::property::PropertyName;

/// Makes a target of a name in a pattern.
type NameTarget<'a, 'b> = &'a mut dyn FnMut(&mut Lowering<'b>, Identifier) -> Lowered<Target>;

impl<'b> Lowering<'b> {
    /// Declares what a binding binds.
    pub(super) fn declare_bound(&mut self, binding: &Binding, kind: BindingKind) -> Lowered<()> {
        let names = match binding {
            Binding::Identifier(name) => vec![name.sym()],
            Binding::Pattern(pattern) => bound_names(pattern),
        };
        let at = match binding {
            Binding::Identifier(name) => start_of(name),
            Binding::Pattern(pattern) => start_of(pattern),
        };
        for name in names {
            self.check_name(name, at)?;
            self.declare(Name::Source(name), kind);
        }
        Ok(())
    }

    /// A declared binding as a target that is initialised.
    pub(super) fn binding_target(&mut self, binding: &Binding) -> Lowered<Target> {
        match binding {
            Binding::Identifier(name) => Ok(self.initialise(name.sym())),
            Binding::Pattern(pattern) => {
                self.pattern(pattern, &mut |lowering, name| Ok(lowering.initialise(name.sym())))
            }
        }
    }

    /// What `var` assigns to: a binding that exists.
    pub(super) fn var_target(&mut self, binding: &Binding) -> Lowered<Target> {
        match binding {
            Binding::Identifier(name) => self.assigned_name(*name),
            Binding::Pattern(pattern) => self.pattern(pattern, &mut |lowering, name| lowering.assigned_name(name)),
        }
    }

    /// A name as a target that is assigned to.
    pub(super) fn assigned_name(&mut self, name: Identifier) -> Lowered<Target> {
        self.check_name(name.sym(), start_of(&name))?;
        let reference = self.reference(Name::Source(name.sym()));
        Ok(Target::Assign(reference, start_of(&name)))
    }

    /// What an assignment assigns to.
    pub(super) fn target(&mut self, target: &AssignTarget) -> Lowered<Target> {
        match target {
            AssignTarget::Identifier(name) => self.assigned_name(*name),
            AssignTarget::Access(access) => self.member_target(access),
            AssignTarget::Pattern(pattern) => self.pattern(pattern, &mut |lowering, name| lowering.assigned_name(name)),
        }
    }

    /// A member that is assigned to.
    pub(super) fn member_target(&mut self, access: &PropertyAccess) -> Lowered<Target> {
        let at = start_of(access);
        match access {
            PropertyAccess::Simple(access) => {
                let object = self.expression(access.target())?;
                let key = self.field(access.field())?;
                Ok(Target::Member(Box::new(object), Box::new(key), at))
            }
            PropertyAccess::Private(_) => self.unsupported("private name", at),
            PropertyAccess::Super(access) => {
                let key = Box::new(self.field(access.field())?);
                let (this, callee) = (self.hidden(Name::This, at)?, self.hidden(Name::Callee, at)?);
                Ok(Target::Super { this, callee, key, at })
            }
        }
    }

    /// A pattern.
    pub(super) fn pattern(&mut self, pattern: &Pattern, name: NameTarget<'_, 'b>) -> Lowered<Target> {
        let at = start_of(pattern);
        self.deeper(at, |lowering| match pattern {
            Pattern::Object(pattern) => {
                let mut properties = Vec::new();
                let mut rest = None;
                for element in pattern.bindings() {
                    let (key, target, default) = match element {
                        ObjectPatternElement::SingleName { name: key, ident, default_init } => {
                            (lowering.property_name(key)?, name(lowering, *ident)?, default_init)
                        }
                        ObjectPatternElement::AssignmentPropertyAccess { name: key, access, default_init } => {
                            (lowering.property_name(key)?, lowering.member_target(access)?, default_init)
                        }
                        ObjectPatternElement::Pattern { name: key, pattern, default_init } => {
                            (lowering.property_name(key)?, lowering.pattern(pattern, name)?, default_init)
                        }
                        ObjectPatternElement::RestProperty { ident } => {
                            rest = Some(Box::new(name(lowering, *ident)?));
                            continue;
                        }
                        ObjectPatternElement::AssignmentRestPropertyAccess { access } => {
                            rest = Some(Box::new(lowering.member_target(access)?));
                            continue;
                        }
                    };
                    let default = lowering.default_of(default.as_ref(), &target)?;
                    properties.push((key, target, default));
                }
                Ok(Target::Object(properties, rest, at))
            }
            Pattern::Array(pattern) => {
                let mut elements = Vec::new();
                let mut rest = None;
                for element in pattern.bindings() {
                    let (target, default) = match element {
                        ArrayPatternElement::Elision => {
                            elements.push(None);
                            continue;
                        }
                        ArrayPatternElement::SingleName { ident, default_init } => {
                            (name(lowering, *ident)?, default_init)
                        }
                        ArrayPatternElement::PropertyAccess { access, default_init } => {
                            (lowering.member_target(access)?, default_init)
                        }
                        ArrayPatternElement::Pattern { pattern, default_init } => {
                            (lowering.pattern(pattern, name)?, default_init)
                        }
                        ArrayPatternElement::SingleNameRest { ident } => {
                            rest = Some(Box::new(name(lowering, *ident)?));
                            continue;
                        }
                        ArrayPatternElement::PropertyAccessRest { access } => {
                            rest = Some(Box::new(lowering.member_target(access)?));
                            continue;
                        }
                        ArrayPatternElement::PatternRest { pattern } => {
                            rest = Some(Box::new(lowering.pattern(pattern, name)?));
                            continue;
                        }
                    };
                    let default = lowering.default_of(default.as_ref(), &target)?;
                    elements.push(Some((target, default)));
                }
                Ok(Target::Array(elements, rest, at))
            }
        })
    }

    fn default_of(&mut self, default: Option<&boa_ast::Expression>, target: &Target) -> Lowered<Option<Expression>> {
        let name = self.name_of_target(target);
        default.map(|default| self.named(default, name)).transpose()
    }

    /// The name that an anonymous function gets from what it is assigned to.
    pub(super) fn name_of_target(&self, target: &Target) -> Option<ConstantId> {
        match target {
            Target::Assign(reference, _) | Target::Initialise(reference) => Some(self.references[*reference].name),
            _ => None,
        }
    }

    /// The name that a function gets from its key. The name is empty for a computed key, whose value the interpreter
    /// names the function by.
    pub(super) fn name_of_key(&mut self, key: &Key) -> ConstantId {
        match key {
            Key::Name(name) => *name,
            Key::Index(index) => self.literal(&index.to_string()),
            Key::Computed(_) => self.literal(""),
        }
    }

    /// A property's name in a literal, a class or a pattern.
    pub(super) fn property_name(&mut self, name: &PropertyName) -> Lowered<Key> {
        match name {
            PropertyName::Literal(name) => {
                let units = self.text(name.sym());
                Ok(self.key_of_units(units))
            }
            PropertyName::Computed(expression) => self.computed(expression),
        }
    }

    /// A literal key: an index if it spells one.
    pub(super) fn key_of_units(&mut self, units: Vec<u16>) -> Key {
        match heaplab_objects::string::as_index(&units) {
            Some(index) => Key::Index(index),
            None => Key::Name(self.string(units)),
        }
    }
}
