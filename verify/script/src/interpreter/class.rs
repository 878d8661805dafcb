//! Classes: their constructors, prototypes and elements.

use super::call::Frame;
use super::{Interpreter, Js, Root, Run};
use crate::code::{Class, ElementKind, Expression};
use heaplab::Scope;
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::Key;
use heaplab_objects::{Obj, function};

impl Interpreter {
    /// Evaluates a class, and returns its constructor. May do anything.
    ///
    /// # Errors
    /// What its heritage, its computed keys and its static fields throw.
    pub(super) fn class<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, class: &Class) -> Run<Js<'s>> {
        let frame = &self.enter_scope(scope, frame, class.scope)?;
        let (parent, prototype_parent) = match &class.heritage {
            None => (None, self.root_handle(scope, Root::ObjectPrototype)),
            Some(heritage) => {
                let (parent, prototype) = self.heritage(scope, frame, heritage)?;
                (Some(parent), prototype)
            }
        };
        let constructor = self.closure(scope, frame, class.constructor)?;
        if let Some(parent) = parent {
            let map = self.map(scope, Root::ClassMap)?;
            let map = map::with_prototype(scope, map, parent.any())?;
            map::set(scope, scope.get(constructor), scope.get(map));
        }
        let map = self.map(scope, Root::ObjectMap)?;
        let map = map::with_prototype(scope, map, prototype_parent)?;
        let prototype = map::new_object(scope, map)?;
        let name = self.root_record(scope, Root::Constructor);
        self.add_property(scope, prototype, name, Details::METHOD, constructor.any())?;
        let at = scope.get(constructor);
        scope.store_field(at, function::PROTOTYPE_OR_MAP, scope.get(prototype).into());
        scope.store_field(at, function::HOME, scope.get(prototype).into());
        let statics = self.elements(scope, frame, class, constructor, prototype)?;
        if let Some(own) = class.own_name {
            self.initialise(scope, frame, own, constructor.any());
        }
        // Static fields are computed when everything else is there.
        for (key, function) in statics {
            let value = self.call(scope, function.any(), constructor.any(), &[])?;
            self.define(scope, constructor, key, Details::PLAIN, value)?;
        }
        Ok(constructor.any())
    }

    /// The superclass, and the object that the prototypes of instances inherit from.
    fn heritage<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        heritage: &Expression,
    ) -> Run<(Obj<'s>, Js<'s>)> {
        let value = self.expression(scope, frame, heritage)?;
        self.at = heritage.at;
        if scope.get(value) == scope.null() {
            return Err(self.unsupported("class extends null"));
        }
        let Some(parent) = self.as_constructor(scope, value) else {
            if self.is_callable(scope, scope.get(value)) {
                return Err(self.unsupported("the text of a function, for the message of an error"));
            }
            let text = self.display(scope, value);
            let message = format!("Class extends value {text} is not a constructor or null");
            return Err(self.type_error(scope, message));
        };
        let prototype = self.get_named(scope, parent.any(), "prototype")?;
        if !self.is_object(scope, prototype) {
            return Err(self.unsupported("a superclass whose prototype is no object"));
        }
        Ok((parent, prototype))
    }

    /// Defines methods and accessors, and lists the fields of instances in the constructor. Returns the static fields,
    /// each with the function that computes its value.
    fn elements<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        class: &Class,
        constructor: Obj<'s>,
        prototype: Obj<'s>,
    ) -> Run<Vec<(Key<'s>, Obj<'s>)>> {
        let fields = self.new_array(scope, 0)?;
        let mut statics = Vec::new();
        for element in &class.elements {
            let home = if element.is_static { constructor } else { prototype };
            let prefix = match element.kind {
                ElementKind::Getter => "get ",
                ElementKind::Setter => "set ",
                ElementKind::Method | ElementKind::Field => "",
            };
            if element.kind == ElementKind::Field {
                let (key, function) = self.method(scope, frame, &element.key, element.function, home, prefix)?;
                if element.is_static {
                    statics.push((key, function));
                } else {
                    let key = self.key_value(scope, key)?;
                    self.push(scope, fields, key)?;
                    self.push(scope, fields, function.any())?;
                }
                continue;
            }
            scope.nested(|scope| {
                let (key, function) = self.method(scope, frame, &element.key, element.function, home, prefix)?;
                let undefined = scope.handle(scope.undefined());
                let accessor = Details::CLASS_ACCESSOR;
                match element.kind {
                    ElementKind::Getter => self.define_accessor(scope, home, key, accessor, function.any(), undefined),
                    ElementKind::Setter => self.define_accessor(scope, home, key, accessor, undefined, function.any()),
                    _ => self.define(scope, home, key, Details::METHOD, function.any()),
                }
            })?;
        }
        let count = heaplab_objects::elements::array_length(scope, scope.get(fields));
        if count != 0 {
            // An array of exactly the fields.
            let exact = scope.new_array(count)?;
            let (from, to) = (scope.get(fields), scope.get(exact));
            (0..count).for_each(|index| scope.store(to, index, self.element_or_undefined(scope, from, index)));
            scope.store_field(scope.get(constructor), function::FIELDS, to.into());
        }
        Ok(statics)
    }
}
