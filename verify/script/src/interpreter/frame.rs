//! Frames: entering scopes, binding parameters, reading and writing names, making closures.

use super::call::Frame;
use super::{ErrorKind, Interpreter, Js, Obj, Root, Run};
use crate::code::{self, FRAME_CALLEE, Function, Parameter, Place, ReferenceId, ScopeId, Unit};
use heaplab::{Array, Ref, Scope, Value};
use heaplab_objects::function::{self, Code, flag};
use heaplab_objects::property::Key;
use heaplab_objects::{context, is_object, object, record, string};

impl Interpreter {
    /// The context of the function's own scope, from within its body.
    pub(super) fn context_of_function<'s>(&self, scope: &Scope<'s, '_>, frame: &Frame<'s, '_>) -> Option<Obj<'s>> {
        let inner = [frame.code.parameter_scope, frame.code.body_scope];
        let steps = inner.iter().flatten().filter(|&&id| frame.unit.scopes[id].context_slots != 0).count();
        frame.context.map(|context| scope.handle(context::outward(scope, scope.get(context), steps as u32)))
    }

    /// Makes the frame of a call, in the context that the function was made in. Polls (IN-1). May collect.
    pub(super) fn enter<'s, 'c>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        unit: &'c Unit,
        code: &'c Function,
        callee: Obj<'s>,
    ) -> Run<Frame<'s, 'c>> {
        self.poll(scope)?;
        let slots = scope.new_array(code.frame_slots)?;
        let at = scope.get(slots);
        (0..code.frame_slots).for_each(|slot| scope.store(at, slot, scope.undefined()));
        scope.store(at, FRAME_CALLEE, scope.get(callee).into());
        let shared = function::shared(scope, scope.get(callee));
        let constants = scope.downcast::<Array>(scope.load_field(shared, function::CONSTANTS)).expect("constants");
        let context = record(scope, scope.load_field(scope.get(callee), function::CONTEXT));
        let (constants, context) = (scope.handle(constants), context.map(|context| scope.handle(context)));
        Ok(Frame { unit, code, slots, constants, context })
    }

    /// The frame with the scope's context, its late bindings uninitialised and its functions made. May collect.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn enter_scope<'s, 'c>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, 'c>,
        id: ScopeId,
    ) -> Run<Frame<'s, 'c>> {
        let info: &'c code::Scope = &frame.unit.scopes[id];
        let mut frame = *frame;
        if info.context_slots != 0 {
            let map = self.map(scope, Root::ContextMap)?;
            frame.context = Some(context::new(scope, map, frame.context, info.context_slots)?);
        }
        if !info.late.is_empty() {
            let uninitialised = self.sentinel(scope, Root::Uninitialised)?;
            info.late.iter().for_each(|&place| self.store(scope, &frame, place, uninitialised));
        }
        for &(reference, function) in &info.functions {
            scope.nested(|scope| {
                let function = self.closure(scope, &frame, function)?;
                self.initialise(scope, &frame, reference, function.any());
                Ok::<_, super::Unwind>(())
            })?;
        }
        Ok(frame)
    }

    pub(super) fn bind_hidden<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        this: Option<Js<'s>>,
        callee: Obj<'s>,
        new_target: Option<Obj<'s>>,
    ) -> Run<()> {
        let code = frame.code;
        if let (Some(reference), Some(this)) = (code.this, this) {
            if !code.is_strict && !is_object(scope, scope.get(this)) {
                self.at = code.at.unwrap_or(self.at);
                let construct = "`this` in a function that is not strict and is called without an object \
                     (begin the script with \"use strict\")";
                return Err(self.unsupported(construct));
            }
            self.initialise(scope, frame, reference, this);
        }
        if let Some(reference) = code.callee {
            self.initialise(scope, frame, reference, callee.any());
        }
        if let Some(reference) = code.own_name {
            self.initialise(scope, frame, reference, callee.any());
        }
        if let (Some(reference), Some(new_target)) = (code.new_target, new_target) {
            self.initialise(scope, frame, reference, new_target.any());
        }
        Ok(())
    }

    pub(super) fn bind_parameters<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        parameters: &[Parameter],
        arguments: &[Js<'s>],
    ) -> Run<()> {
        for (index, parameter) in parameters.iter().enumerate() {
            let value = if parameter.is_rest {
                self.array_of(scope, arguments.get(index..).unwrap_or(&[]))?.any()
            } else {
                arguments.get(index).copied().unwrap_or_else(|| scope.handle(scope.undefined()))
            };
            let value = match &parameter.default {
                Some(default) if scope.get(value) == scope.undefined() => self.expression(scope, frame, default)?,
                _ => value,
            };
            self.assign(scope, frame, &parameter.target, value)?;
        }
        Ok(())
    }

    fn store<'s>(&self, scope: &Scope<'s, '_>, frame: &Frame<'s, '_>, place: Place, value: Js<'s>) {
        match place {
            Place::Local(slot) => scope.store(scope.get(frame.slots), slot, scope.get(value)),
            Place::Context { hops, slot } => {
                let context = frame.context.expect("a scope with captured variables has a context");
                scope.store_element(context::outward(scope, scope.get(context), hops), slot, scope.get(value));
            }
            Place::Global => unreachable!("globals are properties"),
        }
    }

    /// Gives a binding its first value.
    pub(super) fn initialise<'s>(
        &self,
        scope: &Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        reference: ReferenceId,
        value: Js<'s>,
    ) {
        self.store(scope, frame, frame.unit.references[reference].place, value);
    }

    /// A handle to what the place of a binding holds, whatever it is.
    pub(super) fn read_raw<'s>(&self, scope: &Scope<'s, '_>, frame: &Frame<'s, '_>, place: Place) -> Js<'s> {
        scope.handle(self.load(scope, frame, place))
    }

    /// What the place of a binding holds.
    fn load<'s, 'a>(&self, scope: &'a Scope<'s, '_>, frame: &Frame<'s, '_>, place: Place) -> Ref<'a, Value> {
        match place {
            Place::Local(slot) => scope.load(scope.get(frame.slots), slot),
            Place::Context { hops, slot } => {
                let context = frame.context.expect("a scope with captured variables has a context");
                scope.load_element(context::outward(scope, scope.get(context), hops), slot)
            }
            Place::Global => unreachable!("globals are properties"),
        }
    }

    /// The value of a name. May call the script, for a global accessor.
    ///
    /// # Errors
    /// A ReferenceError if there is no such binding, or if it is uninitialised; what a global accessor throws.
    #[inline]
    pub(super) fn read<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: ReferenceId,
    ) -> Run<Js<'s>> {
        let reference = &frame.unit.references[id];
        if reference.place == Place::Global {
            return self.read_global(scope, frame, id);
        }
        let value = scope.handle(self.load(scope, frame, reference.place));
        if reference.binding.is_late() && scope.get(value) == self.root(scope, Root::Uninitialised) {
            return Err(self.uninitialised(scope, frame, id));
        }
        Ok(value)
    }

    #[cold]
    fn uninitialised<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: ReferenceId,
    ) -> super::Unwind {
        let reference = &frame.unit.references[id];
        if reference.binding == code::Binding::DerivedThis {
            let message = "Must call super constructor in derived class before accessing 'this' or returning from \
                 derived constructor";
            return self.throw(scope, ErrorKind::Reference, message);
        }
        let name = self.constant_text(frame, reference.name);
        self.throw(scope, ErrorKind::Reference, format!("Cannot access '{name}' before initialization"))
    }

    fn read_global<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, id: ReferenceId) -> Run<Js<'s>> {
        let name = self.constant_name(scope, frame, frame.unit.references[id].name);
        let global = self.root_handle(scope, Root::Global);
        let is_there = object(scope, scope.get(global)).is_some_and(|global| self.has(scope, global, Key::Name(name)));
        if !is_there {
            let name = string::to_text(scope, scope.get(name));
            return Err(self.throw(scope, ErrorKind::Reference, format!("{name} is not defined")));
        }
        self.get(scope, global, Key::Name(name))
    }

    /// Whether a name has a binding, initialised or not.
    pub(super) fn is_defined<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, id: ReferenceId) -> bool {
        let reference = &frame.unit.references[id];
        if reference.place != Place::Global {
            return true;
        }
        let name = self.constant_name(scope, frame, reference.name);
        let global = object(scope, self.root(scope, Root::Global));
        global.is_some_and(|global| self.has(scope, global, Key::Name(name)))
    }

    /// Assigns to a name. May call the script, for a global accessor.
    ///
    /// # Errors
    /// An error if the binding does not allow the assignment; what a global accessor throws.
    pub(super) fn write<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: ReferenceId,
        value: Js<'s>,
    ) -> Run<()> {
        let reference = &frame.unit.references[id];
        if reference.place == Place::Global {
            if !self.is_defined(scope, frame, id) {
                let name = self.constant_text(frame, reference.name);
                if !frame.code.is_strict {
                    return Err(self.unsupported(format!("a global made by assignment: {name}")));
                }
                return Err(self.throw(scope, ErrorKind::Reference, format!("{name} is not defined")));
            }
            let name = self.constant_name(scope, frame, reference.name);
            let global = self.root_handle(scope, Root::Global);
            return self.set(scope, global, Key::Name(name), value);
        }
        if reference.binding.is_late()
            && self.load(scope, frame, reference.place) == self.root(scope, Root::Uninitialised)
        {
            return Err(self.uninitialised(scope, frame, id));
        }
        match reference.binding {
            code::Binding::Const => Err(self.type_error(scope, "Assignment to constant variable.")),
            code::Binding::FunctionName if frame.code.is_strict => {
                Err(self.type_error(scope, "Assignment to constant variable."))
            }
            // Code that is not strict ignores the assignment.
            code::Binding::FunctionName => Ok(()),
            _ => {
                self.store(scope, frame, reference.place, value);
                Ok(())
            }
        }
    }

    /// A closure: a function object in the present context. May collect.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn closure<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, id: usize) -> Run<Obj<'s>> {
        // The shared infos of a unit's functions are behind its constants; each is made when it is first needed.
        let slot = frame.unit.constants.len() + id;
        let known = record(scope, scope.load(scope.get(frame.constants), slot)).map(|shared| scope.handle(shared));
        let shared = match known {
            Some(shared) => shared,
            None => {
                let name = self.constant_name(scope, frame, frame.unit.functions[id].name);
                let shared = self.new_shared(scope, frame, id, name)?;
                scope.store(scope.get(frame.constants), slot, scope.get(shared).into());
                shared
            }
        };
        self.function_of(scope, frame, id, shared)
    }

    /// A closure whose name was computed. May collect.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn closure_named<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: usize,
        name: Obj<'s>,
    ) -> Run<Obj<'s>> {
        let shared = self.new_shared(scope, frame, id, name)?;
        self.function_of(scope, frame, id, shared)
    }

    fn new_shared<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: usize,
        name: Obj<'s>,
    ) -> Run<Obj<'s>> {
        let code = &frame.unit.functions[id];
        let map = self.map(scope, Root::SharedMap)?;
        let info = function::Info {
            length: code.length,
            code: Code::Script { unit: frame.unit.index, function: id },
            flags: code.flags,
        };
        Ok(function::new_shared(scope, map, name, info, Some(frame.constants))?)
    }

    fn function_of<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        id: usize,
        shared: Obj<'s>,
    ) -> Run<Obj<'s>> {
        let flags = frame.unit.functions[id].flags;
        let map = if flags & flag::CLASS != 0 {
            Root::ClassMap
        } else if flags & flag::CONSTRUCTOR != 0 {
            Root::FunctionMap
        } else {
            Root::MethodMap
        };
        let map = self.map(scope, map)?;
        Ok(function::new(scope, map, shared, frame.context)?)
    }

    /// A constant of the unit that is a name.
    pub(super) fn constant_name<'s>(&self, scope: &Scope<'s, '_>, frame: &Frame<'s, '_>, id: usize) -> Obj<'s> {
        let name = record(scope, scope.load(scope.get(frame.constants), id));
        scope.handle(name.expect("a constant that is a name"))
    }

    /// A constant that is a name, as text.
    pub(super) fn constant_text(&self, frame: &Frame<'_, '_>, id: usize) -> String {
        match &frame.unit.constants[id] {
            code::Constant::String(units) => String::from_utf16_lossy(units),
            code::Constant::Number(value) => heaplab_objects::number::to_text(*value),
        }
    }
}
