//! Evaluating expressions.

use super::call::Frame;
use super::code_text::{code_text, iterable_text};
use super::{Interpreter, Js, Obj, Root, Run};
use crate::code::{self, Expression, Item, Kind, Link, Member, ReferenceId, Step};
use heaplab::{Ref, Scope};
use heaplab_objects::map::Details;
use heaplab_objects::property::Key;
use heaplab_objects::{function, object, object_handle};

impl Interpreter {
    /// The value of an expression. May do anything.
    ///
    /// # Errors
    /// What the expression throws.
    pub(super) fn expression<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        expression: &Expression,
    ) -> Run<Js<'s>> {
        match &expression.kind {
            Kind::Small(value) => Ok(scope.handle(Ref::small(*value).expect("the lowering has checked it"))),
            Kind::Constant(id) => Ok(scope.handle(scope.load(scope.get(frame.constants), *id))),
            Kind::Undefined => Ok(scope.handle(scope.undefined())),
            Kind::Null => Ok(scope.handle(scope.null())),
            Kind::Boolean(value) => Ok(scope.handle(scope.boolean(*value))),
            Kind::Read(reference) => {
                self.at = expression.at;
                self.read(scope, frame, *reference)
            }
            _ => self.composite(scope, frame, expression),
        }
    }

    fn composite<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        expression: &Expression,
    ) -> Run<Js<'s>> {
        if self.is_stack_low() {
            return Err(self.range_error(scope, "Maximum call stack size exceeded"));
        }
        match &expression.kind {
            Kind::Small(_) | Kind::Constant(_) | Kind::Undefined | Kind::Null | Kind::Boolean(_) | Kind::Read(_) => {
                self.expression(scope, frame, expression)
            }
            Kind::TypeOfName(reference) => {
                let value = if self.is_defined(scope, frame, *reference) {
                    self.at = expression.at;
                    self.read(scope, frame, *reference)?
                } else {
                    scope.handle(scope.undefined())
                };
                let name = self.type_of(scope, scope.get(value));
                Ok(self.name(scope, name)?.any())
            }
            Kind::Template(parts) => self.template(scope, frame, parts),
            Kind::Array(items) => self.array_literal(scope, frame, items),
            Kind::Object(members) => self.object_literal(scope, frame, members),
            Kind::Function(id) => Ok(self.closure(scope, frame, *id)?.any()),
            Kind::Class(class) => self.class(scope, frame, class),
            Kind::Unary(op, operand) => {
                let operand = self.expression(scope, frame, operand)?;
                self.at = expression.at;
                self.unary(scope, *op, operand)
            }
            Kind::Binary(op, left, right) => {
                let left = self.expression(scope, frame, left)?;
                let right = self.expression(scope, frame, right)?;
                self.at = expression.at;
                self.binary(scope, *op, left, right)
            }
            Kind::Logical(op, left, right) => {
                let left = self.expression(scope, frame, left)?;
                if self.is_decided(scope, *op, left) { Ok(left) } else { self.expression(scope, frame, right) }
            }
            Kind::Conditional(test, then, otherwise) => {
                let test = self.expression(scope, frame, test)?;
                let chosen = if self.to_boolean(scope, scope.get(test)) { then } else { otherwise };
                self.expression(scope, frame, chosen)
            }
            Kind::Comma(left, right) => {
                self.expression(scope, frame, left)?;
                self.expression(scope, frame, right)
            }
            Kind::Assign(target, value) => self.assign_expression(scope, frame, target, value),
            Kind::AssignBinary(op, target, value) => self.assign_binary(scope, frame, *op, target, value),
            Kind::AssignLogical(op, target, value) => self.assign_logical(scope, frame, *op, target, value),
            Kind::Update { target, step, is_prefix } => self.update(scope, frame, target, *step, *is_prefix),
            Kind::Member(object, key) => {
                let object = self.expression(scope, frame, object)?;
                self.member(scope, frame, object, key, expression.at)
            }
            Kind::SuperMember { this, callee, key } => {
                let this = self.read(scope, frame, *this)?;
                self.super_member(scope, frame, this, *callee, key)
            }
            Kind::Call(callee, items) => self.call_expression(scope, frame, callee, items, expression.at),
            Kind::New(callee, items) => {
                let constructor = self.expression(scope, frame, callee)?;
                let arguments = self.arguments(scope, frame, items)?;
                self.at = expression.at;
                let Some(constructor) = self.as_constructor(scope, constructor) else {
                    let text = code_text(self, frame, callee);
                    return Err(self.is_no(scope, text, "a constructor"));
                };
                self.construct(scope, constructor, &arguments, constructor)
            }
            Kind::SuperCall { this, callee, new_target, arguments } => {
                let references = (*this, *callee, *new_target);
                self.super_call(scope, frame, references, arguments, expression.at)
            }
            Kind::Chain(target, links) => match self.chain(scope, frame, target, links)? {
                Some(value) => Ok(value),
                None => Ok(scope.handle(scope.undefined())),
            },
            Kind::Delete(object, key) => {
                let object = self.expression(scope, frame, object)?;
                self.at = expression.at;
                self.delete_member(scope, frame, object, key)
            }
            Kind::DeleteChain(target, links) => {
                let (last, before) = links.split_last().expect("a chain has links");
                let Step::Member(key) = &last.step else {
                    return Err(self.unsupported("delete of something that is no property"));
                };
                let Some(object) = self.chain(scope, frame, target, before)? else {
                    return Ok(scope.handle(scope.boolean(true)));
                };
                if last.optional && self.is_nullish(scope, scope.get(object)) {
                    return Ok(scope.handle(scope.boolean(true)));
                }
                self.delete_member(scope, frame, object, key)
            }
        }
    }

    /// The key of a literal, a member or a class.
    pub(super) fn key<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        key: &code::Key,
    ) -> Run<Key<'s>> {
        match key {
            code::Key::Name(name) => Ok(Key::Name(self.constant_name(scope, frame, *name))),
            code::Key::Index(index) => Ok(Key::Index(*index)),
            code::Key::Computed(expression) => {
                let value = self.expression(scope, frame, expression)?;
                self.to_key(scope, value)
            }
        }
    }

    fn member<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        object: Js<'s>,
        key: &code::Key,
        at: code::Position,
    ) -> Run<Js<'s>> {
        let key = match key {
            code::Key::Computed(key) => {
                let key = self.expression(scope, frame, key)?;
                self.at = at;
                self.key_of_member(scope, object, key, "read")?
            }
            known => self.key(scope, frame, known)?,
        };
        self.at = at;
        self.get(scope, object, key)
    }

    fn super_member<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        this: Js<'s>,
        callee: ReferenceId,
        key: &code::Key,
    ) -> Run<Js<'s>> {
        let key = self.key(scope, frame, key)?;
        let start = self.super_start(scope, frame, callee)?;
        self.get_from(scope, start, this, key)
    }

    fn call_expression<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        callee: &Expression,
        items: &[Item],
        at: code::Position,
    ) -> Run<Js<'s>> {
        let (function, this) = self.callee(scope, frame, callee)?;
        self.finish_call(scope, frame, Some(callee), (function, this), items, at)
    }

    /// A callee and its `this`.
    fn callee<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        callee: &Expression,
    ) -> Run<(Js<'s>, Js<'s>)> {
        match &callee.kind {
            Kind::Member(object, key) => {
                let this = self.expression(scope, frame, object)?;
                Ok((self.member(scope, frame, this, key, callee.at)?, this))
            }
            Kind::SuperMember { this, callee, key } => {
                let this = self.read(scope, frame, *this)?;
                Ok((self.super_member(scope, frame, this, *callee, key)?, this))
            }
            _ => {
                let function = self.expression(scope, frame, callee)?;
                Ok((function, scope.handle(scope.undefined())))
            }
        }
    }

    fn finish_call<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        callee: Option<&Expression>,
        (function, this): (Js<'s>, Js<'s>),
        items: &[Item],
        at: code::Position,
    ) -> Run<Js<'s>> {
        let arguments = self.arguments(scope, frame, items)?;
        self.at = at;
        if !self.is_callable(scope, scope.get(function)) {
            let text = callee.and_then(|callee| code_text(self, frame, callee));
            return Err(self.is_no(scope, text, "a function"));
        }
        self.call(scope, function, this, &arguments)
    }

    fn arguments<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, items: &[Item]) -> Run<Vec<Js<'s>>> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Hole => values.push(scope.handle(scope.undefined())),
                Item::Value(expression) => values.push(self.expression(scope, frame, expression)?),
                Item::Spread(expression) => {
                    let value = self.expression(scope, frame, expression)?;
                    self.at = expression.at;
                    values.extend(self.list_of(scope, value)?);
                }
            }
        }
        Ok(values)
    }

    fn template<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, parts: &[Expression]) -> Run<Js<'s>> {
        let mut text = self.name(scope, "")?;
        for part in parts {
            let value = self.expression(scope, frame, part)?;
            self.at = part.at;
            let part = self.to_string(scope, value)?;
            text = self.concat(scope, text, part)?;
        }
        Ok(text.any())
    }

    fn array_literal<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, items: &[Item]) -> Run<Js<'s>> {
        // Without holes and spreads the values are known before the array is made.
        if items.iter().all(|item| matches!(item, Item::Value(_))) && items.len() <= 64 {
            let values = self.arguments(scope, frame, items)?;
            return Ok(self.array_of(scope, &values)?.any());
        }
        let array = self.new_array(scope, 0)?;
        for item in items {
            scope.nested(|scope| match item {
                Item::Hole => {
                    let length = heaplab_objects::elements::array_length(scope, scope.get(array));
                    self.set_array_length(scope, array, length + 1)
                }
                Item::Value(expression) => {
                    let value = self.expression(scope, frame, expression)?;
                    self.push(scope, array, value)
                }
                Item::Spread(expression) => {
                    let value = self.expression(scope, frame, expression)?;
                    self.at = expression.at;
                    let text = iterable_text(self, frame, expression);
                    self.iterate(scope, value, text, |interpreter, scope, value| {
                        interpreter.push(scope, array, value)?;
                        Ok(true)
                    })
                }
            })?;
        }
        Ok(array.any())
    }

    fn object_literal<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        members: &[Member],
    ) -> Run<Js<'s>> {
        let object = self.new_object(scope)?;
        for member in members {
            scope.nested(|scope| match member {
                Member::Value(key, value) => {
                    let is_computed = matches!(key, code::Key::Computed(_));
                    let key = self.key(scope, frame, key)?;
                    let value = match (&value.kind, is_computed) {
                        (Kind::Function(id), true) => self.named_closure(scope, frame, *id, key, "")?.any(),
                        _ => self.expression(scope, frame, value)?,
                    };
                    self.define(scope, object, key, Details::PLAIN, value)
                }
                Member::Method(key, id) => {
                    let (key, function) = self.method(scope, frame, key, *id, object, "")?;
                    self.define(scope, object, key, Details::PLAIN, function.any())
                }
                Member::Getter(key, id) => {
                    let (key, function) = self.method(scope, frame, key, *id, object, "get ")?;
                    let undefined = scope.handle(scope.undefined());
                    self.define_accessor(scope, object, key, Details::ACCESSOR, function.any(), undefined)
                }
                Member::Setter(key, id) => {
                    let (key, function) = self.method(scope, frame, key, *id, object, "set ")?;
                    let undefined = scope.handle(scope.undefined());
                    self.define_accessor(scope, object, key, Details::ACCESSOR, undefined, function.any())
                }
                Member::Spread(value) => {
                    let value = self.expression(scope, frame, value)?;
                    self.copy_properties(scope, object, value, &[])
                }
            })?;
        }
        Ok(object.any())
    }

    /// A method or accessor whose home is `home`, and its key.
    pub(super) fn method<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        key: &code::Key,
        id: usize,
        home: Obj<'s>,
        prefix: &str,
    ) -> Run<(Key<'s>, Obj<'s>)> {
        let is_computed = matches!(key, code::Key::Computed(_));
        let key = self.key(scope, frame, key)?;
        let function = if is_computed || !prefix.is_empty() {
            self.named_closure(scope, frame, id, key, prefix)?
        } else {
            self.closure(scope, frame, id)?
        };
        scope.store_field(scope.get(function), function::HOME, scope.get(home).into());
        Ok((key, function))
    }

    fn named_closure<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: usize,
        key: Key<'s>,
        prefix: &str,
    ) -> Run<Obj<'s>> {
        if frame
            .unit
            .constants
            .get(frame.unit.functions[id].name)
            .is_some_and(|name| prefix.is_empty() && *name != code::Constant::String(Vec::new()))
        {
            return self.closure(scope, frame, id);
        }
        let name = format!("{prefix}{}", self.key_text(scope, key));
        let name = self.name(scope, &name)?;
        self.closure_named(scope, frame, id, name)
    }

    fn super_call<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        (this, callee, new_target): (ReferenceId, ReferenceId, ReferenceId),
        items: &[Item],
        at: code::Position,
    ) -> Run<Js<'s>> {
        let callee = self.read(scope, frame, callee)?;
        let new_target = self.read(scope, frame, new_target)?;
        let arguments = self.arguments(scope, frame, items)?;
        self.at = at;
        let (Some(callee), Some(new_target)) = (object_handle(scope, callee), object_handle(scope, new_target)) else {
            return Err(self.unsupported("super outside of a constructor"));
        };
        let parent = self.super_constructor(scope, callee)?;
        let made = self.construct(scope, parent, &arguments, new_target)?;
        let place = &frame.unit.references[this];
        let bound = self.read_raw(scope, frame, place.place);
        if scope.get(bound) != self.root(scope, Root::Uninitialised) {
            return Err(self.throw(scope, super::ErrorKind::Reference, "Super constructor may only be called once"));
        }
        self.initialise(scope, frame, this, made);
        self.initialise_fields(scope, callee, made)?;
        Ok(made)
    }

    /// An optional chain. `None` if the chain ends early.
    fn chain<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Expression,
        links: &[Link],
    ) -> Run<Option<Js<'s>>> {
        let is_call = links.first().is_some_and(|link| matches!(link.step, Step::Call(_)));
        let (mut value, mut this) = if is_call {
            self.callee(scope, frame, target)?
        } else {
            (self.expression(scope, frame, target)?, scope.handle(scope.undefined()))
        };
        for link in links {
            if link.optional && self.is_nullish(scope, scope.get(value)) {
                return Ok(None);
            }
            match &link.step {
                Step::Member(key) => {
                    this = value;
                    value = self.member(scope, frame, value, key, link.at)?;
                }
                Step::Call(items) => {
                    value = self.finish_call(scope, frame, None, (value, this), items, link.at)?;
                    this = scope.handle(scope.undefined());
                }
            }
        }
        Ok(Some(value))
    }

    fn delete_member<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: Js<'s>,
        key: &code::Key,
    ) -> Run<Js<'s>> {
        let key = self.key(scope, frame, key)?;
        match object(scope, scope.get(target)) {
            Some(target) => {
                let target = scope.handle(target);
                self.delete(scope, target, key)?;
            }
            None if self.is_nullish(scope, scope.get(target)) => {
                return Err(self.type_error(scope, "Cannot convert undefined or null to object"));
            }
            None => return Err(self.unsupported("delete of a primitive's property")),
        }
        Ok(scope.handle(scope.boolean(true)))
    }
}
