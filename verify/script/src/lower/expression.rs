//! Lowering expressions.

use super::{Lowered, Lowering, Name};
use crate::code::{
    Binary, Constant, ConstantId, Expression, Item, Key, Kind, Link, Logical, Member, Position, Step, Target, Unary,
};
use crate::parse::start_of;
use boa_ast::Expression as Tree;
use boa_ast::expression::access::{PropertyAccess, PropertyAccessField};
use boa_ast::expression::literal::{LiteralKind, PropertyDefinition, TemplateElement, TemplateLiteral};
use boa_ast::expression::operator::assign::{Assign, AssignOp};
use boa_ast::expression::operator::binary::{
    ArithmeticOp, Binary as BinaryTree, BinaryOp, BitwiseOp, LogicalOp, RelationalOp,
};
use boa_ast::expression::operator::unary::UnaryOp;
use boa_ast::expression::operator::update::{Update, UpdateOp, UpdateTarget};
use boa_ast::expression::{Identifier, Optional, OptionalOperationKind};
use boa_ast::property::MethodDefinitionKind;

/// Global names of the language and of its usual hosts that this interpreter has not got. A script that uses one is
/// refused or stopped: to say that the name is not defined would be wrong.
pub(crate) const ABSENT: &[&str] = &[
    "AggregateError",
    "ArrayBuffer",
    "Atomics",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Buffer",
    "DataView",
    "Date",
    "EvalError",
    "FinalizationRegistry",
    "Float32Array",
    "Float64Array",
    "Function",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Intl",
    "Iterator",
    "JSON",
    "Map",
    "Promise",
    "Proxy",
    "Reflect",
    "RegExp",
    "Set",
    "SharedArrayBuffer",
    "Symbol",
    "URIError",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "WebAssembly",
    "clearInterval",
    "clearTimeout",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "exports",
    "fetch",
    "gc",
    "global",
    "load",
    "module",
    "performance",
    "print",
    "process",
    "queueMicrotask",
    "require",
    "setImmediate",
    "setInterval",
    "setTimeout",
    "structuredClone",
    "unescape",
    "__dirname",
    "__filename",
    "crypto",
    "navigator",
    "URL",
    "TextEncoder",
    "TextDecoder",
    "AbortController",
    "Event",
    "EventTarget",
    "Blob",
    "DOMException",
    "clearImmediate",
    "btoa",
    "atob",
];

impl Lowering<'_> {
    /// An expression.
    pub(super) fn expression(&mut self, tree: &Tree) -> Lowered<Expression> {
        self.named(tree, None)
    }

    /// An expression. An anonymous function or class gets the name.
    pub(super) fn named(&mut self, tree: &Tree, name: Option<ConstantId>) -> Lowered<Expression> {
        let at = if matches!(tree, Tree::Debugger | Tree::FormalParameterList(_)) {
            Position::START
        } else {
            start_of(tree)
        };
        let kind = self.deeper(at, |lowering| lowering.kind(tree, name, at))?;
        Ok(Expression { at, kind })
    }

    fn boxed(&mut self, tree: &Tree) -> Lowered<Box<Expression>> {
        self.expression(tree).map(Box::new)
    }

    fn kind(&mut self, tree: &Tree, name: Option<ConstantId>, at: Position) -> Lowered<Kind> {
        Ok(match tree {
            Tree::Parenthesized(inner) => return self.kind_of_parenthesized(inner.expression(), name),
            Tree::This(_) => Kind::Read(self.hidden(Name::This, at)?),
            Tree::Identifier(identifier) => self.read(*identifier)?,
            Tree::Literal(literal) => self.literal_kind(literal.kind(), at)?,
            Tree::TemplateLiteral(template) => self.template(template, at)?,
            Tree::ArrayLiteral(array) => {
                let mut items = Vec::new();
                for element in array.as_ref() {
                    items.push(match element {
                        None => Item::Hole,
                        Some(element) => self.spreadable(element)?,
                    });
                }
                Kind::Array(items)
            }
            Tree::ObjectLiteral(object) => {
                let members = object.properties().iter().map(|property| self.member(property, at));
                Kind::Object(members.collect::<Lowered<Vec<_>>>()?)
            }
            Tree::FunctionExpression(function) => self.function_expression(function, name, at)?,
            Tree::ArrowFunction(arrow) => self.arrow(name, arrow.parameters(), arrow.body(), at)?,
            Tree::ClassExpression(class) => {
                let own = class.name().filter(|_| class.name_scope().is_some());
                let lowered = self.class(own, name, class.super_ref(), class.constructor(), class.elements(), at)?;
                Kind::Class(Box::new(lowered))
            }
            Tree::PropertyAccess(access) => self.access(access, at)?,
            Tree::New(new) => {
                let callee = self.boxed(new.constructor())?;
                Kind::New(callee, self.items(new.arguments())?)
            }
            Tree::Call(call) => {
                if let Tree::Identifier(name) = bare(call.function())
                    && self.spelling(name.sym()) == "eval"
                {
                    return self.unsupported("direct eval", at);
                }
                let callee = self.boxed(call.function())?;
                Kind::Call(callee, self.items(call.args())?)
            }
            Tree::SuperCall(call) => {
                let this = self.hidden(Name::This, at)?;
                let callee = self.hidden(Name::Callee, at)?;
                let new_target = self.hidden(Name::NewTarget, at)?;
                Kind::SuperCall { this, callee, new_target, arguments: self.items(call.arguments())? }
            }
            Tree::Optional(optional) => {
                let (target, links) = self.chain(optional)?;
                Kind::Chain(target, links)
            }
            Tree::Assign(assign) => self.assign(assign)?,
            Tree::Unary(unary) => return self.unary(unary.op(), unary.target(), at),
            Tree::Update(update) => self.update(update)?,
            Tree::Binary(binary) => self.binary(binary)?,
            Tree::Conditional(conditional) => Kind::Conditional(
                self.boxed(conditional.condition())?,
                self.boxed(conditional.if_true())?,
                self.boxed(conditional.if_false())?,
            ),
            Tree::RegExpLiteral(_) => return self.unsupported("regular expression", at),
            Tree::Spread(_) => return self.unsupported("spread", at),
            Tree::AsyncArrowFunction(_) => return self.unsupported("async arrow function", at),
            Tree::GeneratorExpression(_) => return self.unsupported("generator function", at),
            Tree::AsyncFunctionExpression(_) => return self.unsupported("async function", at),
            Tree::AsyncGeneratorExpression(_) => return self.unsupported("async generator function", at),
            Tree::ImportCall(_) => return self.unsupported("import()", at),
            Tree::TaggedTemplate(_) => return self.unsupported("tagged template", at),
            Tree::NewTarget(_) => return self.unsupported("new.target", at),
            Tree::ImportMeta(_) => return self.unsupported("import.meta", at),
            Tree::BinaryInPrivate(_) => return self.unsupported("private name", at),
            Tree::Await(_) => return self.unsupported("await", at),
            Tree::Yield(_) => return self.unsupported("yield", at),
            Tree::Debugger => return self.unsupported("debugger", at),
            Tree::FormalParameterList(_) => return self.unsupported("parameters without a function", at),
        })
    }

    fn template(&mut self, template: &TemplateLiteral, at: Position) -> Lowered<Kind> {
        let mut parts = Vec::new();
        for element in template.elements() {
            parts.push(match element {
                TemplateElement::String(text) => Expression { at, kind: Kind::Constant(self.symbol(*text)) },
                TemplateElement::Expr(expression) => self.expression(expression)?,
            });
        }
        Ok(Kind::Template(parts))
    }

    fn assign(&mut self, assign: &Assign) -> Lowered<Kind> {
        let target = self.target(assign.lhs())?;
        let name = self.name_of_target(&target);
        let target = Box::new(target);
        Ok(match assign.op() {
            AssignOp::Assign => Kind::Assign(target, Box::new(self.named(assign.rhs(), name)?)),
            AssignOp::BoolAnd => Kind::AssignLogical(Logical::And, target, Box::new(self.named(assign.rhs(), name)?)),
            AssignOp::BoolOr => Kind::AssignLogical(Logical::Or, target, Box::new(self.named(assign.rhs(), name)?)),
            AssignOp::Coalesce => {
                Kind::AssignLogical(Logical::Coalesce, target, Box::new(self.named(assign.rhs(), name)?))
            }
            op => Kind::AssignBinary(binary_of_assign(op), target, self.boxed(assign.rhs())?),
        })
    }

    fn update(&mut self, update: &Update) -> Lowered<Kind> {
        let target = match update.target() {
            UpdateTarget::Identifier(name) => self.assigned_name(*name)?,
            UpdateTarget::PropertyAccess(access) => self.member_target(access)?,
        };
        let (step, is_prefix) = match update.op() {
            UpdateOp::IncrementPost => (1, false),
            UpdateOp::IncrementPre => (1, true),
            UpdateOp::DecrementPost => (-1, false),
            UpdateOp::DecrementPre => (-1, true),
        };
        Ok(Kind::Update { target: Box::new(target), step, is_prefix })
    }

    fn binary(&mut self, binary: &BinaryTree) -> Lowered<Kind> {
        let (left, right) = (self.boxed(binary.lhs())?, self.boxed(binary.rhs())?);
        Ok(match binary.op() {
            BinaryOp::Comma => Kind::Comma(left, right),
            BinaryOp::Logical(LogicalOp::And) => Kind::Logical(Logical::And, left, right),
            BinaryOp::Logical(LogicalOp::Or) => Kind::Logical(Logical::Or, left, right),
            BinaryOp::Logical(LogicalOp::Coalesce) => Kind::Logical(Logical::Coalesce, left, right),
            op => Kind::Binary(binary_of(op), left, right),
        })
    }

    fn kind_of_parenthesized(&mut self, inner: &Tree, name: Option<ConstantId>) -> Lowered<Kind> {
        Ok(self.named(inner, name)?.kind)
    }

    /// A use of a name that reads it.
    fn read(&mut self, name: Identifier) -> Lowered<Kind> {
        let spelling = self.spelling(name.sym());
        let at = start_of(&name);
        if spelling == "arguments" {
            return self.unsupported("arguments", at);
        }
        let reference = self.reference(Name::Source(name.sym()));
        if self.references[reference].binding.is_none() {
            if spelling == "undefined" {
                self.references.pop();
                return Ok(Kind::Undefined);
            }
            if ABSENT.contains(&spelling.as_str()) {
                return self.unsupported(format!("the global {spelling}"), at);
            }
        }
        Ok(Kind::Read(reference))
    }

    fn literal_kind(&mut self, literal: &LiteralKind, at: Position) -> Lowered<Kind> {
        Ok(match literal {
            LiteralKind::String(text) => Kind::Constant(self.symbol(*text)),
            LiteralKind::Int(value) => self.number(f64::from(*value)),
            LiteralKind::Num(value) => self.number(*value),
            LiteralKind::Bool(value) => Kind::Boolean(*value),
            LiteralKind::Null => Kind::Null,
            LiteralKind::Undefined => Kind::Undefined,
            LiteralKind::BigInt(_) => return self.unsupported("BigInt", at),
        })
    }

    fn number(&mut self, value: f64) -> Kind {
        match heaplab_objects::number::as_small(value) {
            Some(small) if heaplab::Ref::small(small).is_some() => Kind::Small(small),
            _ => {
                self.unit.constants.push(Constant::Number(value));
                Kind::Constant(self.unit.constants.len() - 1)
            }
        }
    }

    fn member(&mut self, property: &PropertyDefinition, at: Position) -> Lowered<Member> {
        Ok(match property {
            PropertyDefinition::IdentifierReference(name) => {
                let value = Expression { at: start_of(name), kind: self.read(*name)? };
                Member::Value(Key::Name(self.symbol(name.sym())), value)
            }
            PropertyDefinition::Property(key, value) => {
                if key.literal().is_some_and(|name| self.spelling(name.sym()) == "__proto__") {
                    return self.unsupported("__proto__", start_of(value));
                }
                let key = self.property_name(key)?;
                let name = match key {
                    Key::Computed(_) => None,
                    ref key => Some(self.name_of_key(key)),
                };
                Member::Value(key, self.named(value, name)?)
            }
            PropertyDefinition::MethodDefinition(method) => {
                let at = self.start(method.linear_span());
                let key = self.property_name(method.name())?;
                let name = self.name_of_key(&key);
                let function = self.method(name, method.parameters(), method.body(), at)?;
                match method.kind() {
                    MethodDefinitionKind::Ordinary => Member::Method(key, function),
                    MethodDefinitionKind::Get => Member::Getter(key, function),
                    MethodDefinitionKind::Set => Member::Setter(key, function),
                    MethodDefinitionKind::Generator => return self.unsupported("generator method", at),
                    MethodDefinitionKind::Async => return self.unsupported("async method", at),
                    MethodDefinitionKind::AsyncGenerator => return self.unsupported("async generator method", at),
                }
            }
            PropertyDefinition::SpreadObject(value) => Member::Spread(self.expression(value)?),
            PropertyDefinition::CoverInitializedName(..) => {
                return Err(crate::SourceError::Syntax { message: "a default outside of a pattern".to_owned(), at });
            }
        })
    }

    fn access(&mut self, access: &PropertyAccess, at: Position) -> Lowered<Kind> {
        match access {
            PropertyAccess::Simple(access) => {
                let object = self.boxed(access.target())?;
                Ok(Kind::Member(object, Box::new(self.field(access.field())?)))
            }
            PropertyAccess::Private(_) => self.unsupported("private name", at),
            PropertyAccess::Super(access) => {
                let (this, callee) = (self.hidden(Name::This, at)?, self.hidden(Name::Callee, at)?);
                let key = Box::new(self.field(access.field())?);
                Ok(Kind::SuperMember { this, callee, key })
            }
        }
    }

    /// The key of a member.
    pub(super) fn field(&mut self, field: &PropertyAccessField) -> Lowered<Key> {
        match field {
            PropertyAccessField::Const(name) => Ok(Key::Name(self.symbol(name.sym()))),
            PropertyAccessField::Expr(expression) => self.computed(expression),
        }
    }

    /// The key in brackets. A literal one is known already, others are computed.
    pub(super) fn computed(&mut self, expression: &Tree) -> Lowered<Key> {
        if let Tree::Literal(literal) = expression {
            match literal.kind() {
                LiteralKind::String(text) => {
                    let units = self.text(*text);
                    return Ok(self.key_of_units(units));
                }
                LiteralKind::Int(value @ 0..) => return Ok(Key::Index(*value as u32)),
                _ => {}
            }
        }
        Ok(Key::Computed(self.expression(expression)?))
    }

    /// Arguments.
    fn items(&mut self, arguments: &[Tree]) -> Lowered<Vec<Item>> {
        arguments.iter().map(|argument| self.spreadable(argument)).collect()
    }

    fn spreadable(&mut self, tree: &Tree) -> Lowered<Item> {
        match tree {
            Tree::Spread(spread) => Ok(Item::Spread(self.expression(spread.target())?)),
            tree => Ok(Item::Value(self.expression(tree)?)),
        }
    }

    fn chain(&mut self, optional: &Optional) -> Lowered<(Box<Expression>, Vec<Link>)> {
        let target = self.boxed(optional.target())?;
        let mut links = Vec::new();
        for operation in optional.chain() {
            let at = start_of(operation);
            let step = match operation.kind() {
                OptionalOperationKind::SimplePropertyAccess { field } => Step::Member(self.field(field)?),
                OptionalOperationKind::PrivatePropertyAccess { .. } => return self.unsupported("private name", at),
                OptionalOperationKind::Call { args } => Step::Call(self.items(args)?),
            };
            links.push(Link { at, optional: operation.shorted(), step });
        }
        Ok((target, links))
    }

    fn unary(&mut self, op: UnaryOp, target: &Tree, at: Position) -> Lowered<Kind> {
        let op = match op {
            UnaryOp::Minus => Unary::Minus,
            UnaryOp::Plus => Unary::Plus,
            UnaryOp::Not => Unary::Not,
            UnaryOp::Tilde => Unary::Complement,
            UnaryOp::Void => Unary::Void,
            UnaryOp::TypeOf => match bare(target) {
                Tree::Identifier(name) => {
                    return Ok(match self.read(*name)? {
                        Kind::Read(reference) => Kind::TypeOfName(reference),
                        other => Kind::Unary(Unary::TypeOf, Box::new(Expression { at, kind: other })),
                    });
                }
                _ => Unary::TypeOf,
            },
            UnaryOp::Delete => return self.delete(bare(target), at),
        };
        if let (Unary::Minus, Tree::Literal(literal)) = (op, target) {
            match literal.kind() {
                LiteralKind::Int(value) => return Ok(self.number(-f64::from(*value))),
                LiteralKind::Num(value) => return Ok(self.number(-value)),
                _ => {}
            }
        }
        Ok(Kind::Unary(op, self.boxed(target)?))
    }

    fn delete(&mut self, target: &Tree, at: Position) -> Lowered<Kind> {
        match target {
            Tree::PropertyAccess(access) => match self.member_target(access)? {
                Target::Member(object, key, _) => Ok(Kind::Delete(object, key)),
                _ => self.unsupported("delete of super", at),
            },
            Tree::Optional(optional) => {
                let (target, links) = self.chain(optional)?;
                Ok(Kind::DeleteChain(target, links))
            }
            _ => self.unsupported("delete of something that is no property", at),
        }
    }
}

/// An expression without the parentheses around it.
fn bare(tree: &Tree) -> &Tree {
    match tree {
        Tree::Parenthesized(inner) => bare(inner.expression()),
        tree => tree,
    }
}

fn binary_of(op: BinaryOp) -> Binary {
    match op {
        BinaryOp::Arithmetic(op) => match op {
            ArithmeticOp::Add => Binary::Add,
            ArithmeticOp::Sub => Binary::Subtract,
            ArithmeticOp::Div => Binary::Divide,
            ArithmeticOp::Mul => Binary::Multiply,
            ArithmeticOp::Exp => Binary::Power,
            ArithmeticOp::Mod => Binary::Remainder,
        },
        BinaryOp::Bitwise(op) => match op {
            BitwiseOp::And => Binary::And,
            BitwiseOp::Or => Binary::Or,
            BitwiseOp::Xor => Binary::Xor,
            BitwiseOp::Shl => Binary::ShiftLeft,
            BitwiseOp::Shr => Binary::ShiftRight,
            BitwiseOp::UShr => Binary::ShiftRightUnsigned,
        },
        BinaryOp::Relational(op) => match op {
            RelationalOp::Equal => Binary::Equal,
            RelationalOp::NotEqual => Binary::NotEqual,
            RelationalOp::StrictEqual => Binary::StrictEqual,
            RelationalOp::StrictNotEqual => Binary::StrictNotEqual,
            RelationalOp::GreaterThan => Binary::Greater,
            RelationalOp::GreaterThanOrEqual => Binary::GreaterOrEqual,
            RelationalOp::LessThan => Binary::Less,
            RelationalOp::LessThanOrEqual => Binary::LessOrEqual,
            RelationalOp::In => Binary::In,
            RelationalOp::InstanceOf => Binary::InstanceOf,
        },
        BinaryOp::Logical(_) | BinaryOp::Comma => unreachable!("their operands are not both evaluated"),
    }
}

fn binary_of_assign(op: AssignOp) -> Binary {
    match op {
        AssignOp::Add => Binary::Add,
        AssignOp::Sub => Binary::Subtract,
        AssignOp::Mul => Binary::Multiply,
        AssignOp::Div => Binary::Divide,
        AssignOp::Mod => Binary::Remainder,
        AssignOp::Exp => Binary::Power,
        AssignOp::And => Binary::And,
        AssignOp::Or => Binary::Or,
        AssignOp::Xor => Binary::Xor,
        AssignOp::Shl => Binary::ShiftLeft,
        AssignOp::Shr => Binary::ShiftRight,
        AssignOp::Ushr => Binary::ShiftRightUnsigned,
        AssignOp::Assign | AssignOp::BoolAnd | AssignOp::BoolOr | AssignOp::Coalesce => {
            unreachable!("they have lowerings of their own")
        }
    }
}
