//! Calls: frames, functions of the script and native ones, constructors.
//!
//! A frame is an array in the heap: the result, the function, and the variables that no closure captures. A [`Frame`]
//! is the handles of that array, of the unit's constants and of the present context, with the code that runs.

use super::{Call, DEPTH_MAX, Interpreter, Js, Native, Obj, Root, Run, Unwind};
use crate::code::{self, FRAME_RESULT, Function, Unit};
use heaplab::{Array, Handle, Map, Record, Ref, Scope, Value};
use heaplab_objects::function::{self, Code, flag};
use heaplab_objects::map::{self, Details};
use heaplab_objects::{elements, is_object, kind, object_handle};
use std::rc::Rc;

/// Fields in an object that a constructor makes, before it has an array of properties.
const IN_OBJECT: usize = 4;

/// A running function of the script.
#[derive(Clone, Copy)]
pub struct Frame<'s, 'c> {
    pub(super) unit: &'c Unit,
    pub(super) code: &'c Function,
    pub(super) slots: Handle<'s, Array>,
    pub(super) constants: Handle<'s, Array>,
    pub(super) context: Option<Obj<'s>>,
}

impl Interpreter {
    /// Runs `f` one call deeper.
    fn deeper<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        is_strict: bool,
        f: impl for<'i> FnOnce(&mut Interpreter, &mut Scope<'i, 's>) -> Run<Js<'i>>,
    ) -> Run<Js<'s>> {
        if self.depth >= DEPTH_MAX || self.is_stack_low() {
            return Err(self.range_error(scope, "Maximum call stack size exceeded"));
        }
        let before = (self.at, core::mem::replace(&mut self.is_strict, is_strict));
        self.depth += 1;
        let result = self.escape(scope, f);
        self.depth -= 1;
        (self.at, self.is_strict) = before;
        result
    }

    /// Calls native function number `native`. May do anything.
    ///
    /// # Errors
    /// What the function throws.
    ///
    /// # Panics
    /// If there is no such native function.
    pub fn call_native<'s>(&mut self, scope: &mut Scope<'s, '_>, native: usize, call: &Call<'s, '_>) -> Run<Js<'s>> {
        let native = self.natives[native].clone();
        self.deeper(scope, true, |interpreter, scope| match &native {
            Native::Function(native) => native(interpreter, scope, call),
            Native::Host(native) => native(interpreter, scope, call),
        })
    }

    /// Calls a value. May do anything.
    ///
    /// # Errors
    /// What the function throws; a TypeError if the value cannot be called.
    pub fn call<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        callee: Js<'s>,
        this: Js<'s>,
        arguments: &[Js<'s>],
    ) -> Run<Js<'s>> {
        let Some(function) = function::cast(scope, scope.get(callee)) else {
            return Err(self.is_no(scope, None, "a function"));
        };
        let callee = scope.handle(function);
        if function::flags(scope, scope.get(callee)) & flag::CLASS != 0 {
            let name = self.name_of_function(scope, scope.get(callee));
            let message = match name.as_str() {
                "" => "Class constructors cannot be invoked without 'new'".to_owned(),
                name => format!("Class constructor {name} cannot be invoked without 'new'"),
            };
            return Err(self.type_error(scope, message));
        }
        match function::code(scope, scope.get(callee)) {
            Code::Native(native) => {
                self.call_native(scope, native, &Call { this, arguments, new_target: None, holder: None, callee })
            }
            Code::Script { unit, function } => self.run(scope, callee, (unit, function), Some(this), arguments, None),
        }
    }

    /// Constructs an object. May do anything.
    ///
    /// # Errors
    /// What the constructor throws.
    pub fn construct<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        callee: Obj<'s>,
        arguments: &[Js<'s>],
        new_target: Obj<'s>,
    ) -> Run<Js<'s>> {
        let flags = function::flags(scope, scope.get(callee));
        match function::code(scope, scope.get(callee)) {
            Code::Native(native) => {
                let this = if flags & flag::NATIVE_CONSTRUCTOR != 0 {
                    scope.handle(scope.undefined())
                } else {
                    self.allocate_this(scope, new_target)?.any()
                };
                let call = Call { this, arguments, new_target: Some(new_target), holder: None, callee };
                let result = self.call_native(scope, native, &call)?;
                Ok(if is_object(scope, scope.get(result)) { result } else { this })
            }
            Code::Script { .. } if flags & (flag::DERIVED | flag::DEFAULT) == flag::DERIVED | flag::DEFAULT => {
                let parent = self.super_constructor(scope, callee)?;
                if self.depth >= DEPTH_MAX || self.is_stack_low() {
                    return Err(self.range_error(scope, "Maximum call stack size exceeded"));
                }
                self.depth += 1;
                let this = self.construct(scope, parent, arguments, new_target);
                self.depth -= 1;
                let this = this?;
                self.initialise_fields(scope, callee, this)?;
                Ok(this)
            }
            Code::Script { unit, function } if flags & flag::DERIVED != 0 => {
                self.run(scope, callee, (unit, function), None, arguments, Some(new_target))
            }
            Code::Script { unit, function } => {
                let this = self.allocate_this(scope, new_target)?;
                self.initialise_fields(scope, callee, this.any())?;
                if flags & flag::DEFAULT != 0 {
                    return Ok(this.any());
                }
                let code = (unit, function);
                let result = self.run(scope, callee, code, Some(this.any()), arguments, Some(new_target))?;
                Ok(if is_object(scope, scope.get(result)) { result } else { this.any() })
            }
        }
    }

    /// What `super(...)` calls.
    ///
    /// # Errors
    /// A TypeError if the function's prototype is no constructor.
    pub(super) fn super_constructor<'s>(&mut self, scope: &mut Scope<'s, '_>, callee: Obj<'s>) -> Run<Obj<'s>> {
        let parent = self.prototype_of(scope, callee);
        match self.as_constructor(scope, parent) {
            Some(parent) => Ok(parent),
            None => {
                let text = self.display(scope, parent);
                Err(self.type_error(scope, format!("Super constructor {text} of anonymous class is not a constructor")))
            }
        }
    }

    /// The value as a function that `new` may name, if it is one.
    pub(super) fn as_constructor<'s>(&self, scope: &Scope<'s, '_>, value: Js<'s>) -> Option<Obj<'s>> {
        let function = function::cast(scope, scope.get(value))?;
        (function::flags(scope, function) & flag::CONSTRUCTOR != 0).then(|| scope.handle(function))
    }

    /// A new object as `new_target` makes it.
    fn allocate_this<'s>(&mut self, scope: &mut Scope<'s, '_>, new_target: Obj<'s>) -> Run<Obj<'s>> {
        let map = self.initial_map(scope, new_target, kind::OBJECT, IN_OBJECT)?;
        Ok(map::new_object(scope, map)?)
    }

    /// The map of what `new_target` makes, with its prototype; made when it is first needed. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn initial_map<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        new_target: Obj<'s>,
        kind: u16,
        in_object: usize,
    ) -> Run<Handle<'s, Map>> {
        let cached = scope.load_field(scope.get(new_target), function::PROTOTYPE_OR_MAP);
        if let Some(map) = scope.downcast::<Map>(cached)
            && scope.shape_of(map).kind() == kind
        {
            return Ok(scope.handle(map));
        }
        let prototype = self.prototype_property(scope, new_target)?;
        let map = if kind == kind::OBJECT {
            map::new(scope, kind, in_object, prototype, 0)?
        } else {
            // The map of a subclass's arrays or errors is the one of the class itself, but for the prototype.
            let root = if kind == kind::ARRAY { Root::ArrayMap } else { Root::ErrorMap };
            let map = self.map(scope, root)?;
            map::with_prototype(scope, map, prototype)?
        };
        scope.store_field(scope.get(new_target), function::PROTOTYPE_OR_MAP, scope.get(map).into());
        Ok(map)
    }

    /// The property `prototype` of a constructor; made when it is first needed. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn prototype_property<'s>(&mut self, scope: &mut Scope<'s, '_>, constructor: Obj<'s>) -> Run<Js<'s>> {
        let held = scope.load_field(scope.get(constructor), function::PROTOTYPE_OR_MAP);
        if let Some(map) = scope.downcast::<Map>(held) {
            return Ok(scope.handle(map::prototype(scope, map)));
        }
        if held.as_small().is_none() {
            return Ok(scope.handle(held));
        }
        let map = self.map(scope, Root::ObjectMap)?;
        let prototype = map::new_object(scope, map)?;
        let name = self.root_record(scope, Root::Constructor);
        self.add_property(scope, prototype, name, Details::METHOD, constructor.any())?;
        let at = scope.get(constructor);
        scope.store_field(at, function::PROTOTYPE_OR_MAP, scope.get(prototype).into());
        Ok(prototype.any())
    }

    /// Runs a function of the script. `this` is `None` for a derived constructor.
    fn run<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        callee: Obj<'s>,
        (unit, function): (usize, usize),
        this: Option<Js<'s>>,
        arguments: &[Js<'s>],
        new_target: Option<Obj<'s>>,
    ) -> Run<Js<'s>> {
        let unit = Rc::clone(&self.units[unit]);
        let code = &unit.functions[function];
        self.deeper(scope, code.is_strict, |interpreter, scope| {
            let frame = interpreter.enter(scope, &unit, code, callee)?;
            let frame = interpreter.enter_scope(scope, &frame, code.scope)?;
            interpreter.bind_hidden(scope, &frame, this, callee, new_target)?;
            let frame = match code.parameter_scope {
                Some(inner) => interpreter.enter_scope(scope, &frame, inner)?,
                None => frame,
            };
            interpreter.bind_parameters(scope, &frame, &code.parameters, arguments)?;
            let frame = match code.body_scope {
                Some(inner) => interpreter.enter_scope(scope, &frame, inner)?,
                None => frame,
            };
            interpreter.statements(scope, &frame, &code.body)?;
            let result = scope.handle(scope.load(scope.get(frame.slots), FRAME_RESULT));
            if this.is_none() {
                return interpreter.result_of_derived(scope, &frame, result);
            }
            Ok(result)
        })
    }

    /// What a derived constructor returns: the object that its code returns, or its `this`.
    fn result_of_derived<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        result: Js<'s>,
    ) -> Run<Js<'s>> {
        if is_object(scope, scope.get(result)) {
            return Ok(result);
        }
        if scope.get(result) != scope.undefined() {
            return Err(self.type_error(scope, "Derived constructors may only return object or undefined"));
        }
        let this = frame.code.this.expect("a derived constructor binds `this`");
        // `this` is a reference in the function's own scope, which is around its body's.
        let outer = Frame { context: self.context_of_function(scope, frame), ..*frame };
        self.read(scope, &outer, this)
    }

    /// Gives a new object the fields of its class.
    ///
    /// # Errors
    /// What computing them throws.
    pub(super) fn initialise_fields<'s>(&mut self, scope: &mut Scope<'s, '_>, class: Obj<'s>, this: Js<'s>) -> Run<()> {
        let fields = scope.downcast::<Array>(scope.load_field(scope.get(class), function::FIELDS));
        let Some(fields) = fields.map(|fields| scope.handle(fields)) else { return Ok(()) };
        let Some(target) = object_handle(scope, this) else { return Ok(()) };
        for index in 0..scope.len(scope.get(fields)) / 2 {
            scope.nested(|scope| {
                let key = scope.handle(scope.load(scope.get(fields), 2 * index));
                let function = scope.handle(scope.load(scope.get(fields), 2 * index + 1));
                let value = self.call(scope, function, this, &[])?;
                let key = self.to_key(scope, key)?;
                self.define(scope, target, key, Details::PLAIN, value)
            })?;
        }
        Ok(())
    }

    /// Loads a unit: makes its constants, and returns its number. May collect.
    ///
    /// # Errors
    /// No memory.
    fn load_unit(&mut self, scope: &mut Scope<'_, '_>, mut unit: Unit) -> Run<usize> {
        scope.nested(|scope| {
            let index = self.units.len();
            unit.index = index;
            let constants =
                scope.new_array_in(unit.constants.len() + unit.functions.len(), heaplab::AllocationType::Old)?;
            for (id, constant) in unit.constants.iter().enumerate() {
                scope.nested(|scope| {
                    let value = match constant {
                        code::Constant::String(units) => self.name_of_units(scope, units)?.any(),
                        code::Constant::Number(value) => self.number(scope, *value)?,
                    };
                    scope.store(scope.get(constants), id, scope.get(value));
                    Ok::<_, Unwind>(())
                })?;
            }
            self.set_root(scope, Root::Constants, scope.get(constants).into());
            self.units.push(Rc::new(unit));
            Ok(index)
        })
    }

    /// Runs a source: function 0 of its unit. Returns the value of its last expression statement. May do anything.
    ///
    /// # Errors
    /// What the script throws.
    pub fn run_unit<'s>(&mut self, scope: &mut Scope<'s, '_>, unit: Unit) -> Run<Js<'s>> {
        let index = self.load_unit(scope, unit)?;
        let unit = Rc::clone(&self.units[index]);
        let code = &unit.functions[0];
        self.deeper(scope, code.is_strict, |interpreter, scope| {
            let constants = scope.downcast::<Array>(interpreter.root(scope, Root::Constants)).expect("just loaded");
            let constants = scope.handle(constants);
            let slots = scope.new_array(code.frame_slots)?;
            (0..code.frame_slots).for_each(|slot| scope.store(scope.get(slots), slot, scope.undefined()));
            let frame = Frame { unit: &unit, code, slots, constants, context: None };
            let frame = interpreter.enter_scope(scope, &frame, code.scope)?;
            interpreter.statements(scope, &frame, &code.body)?;
            Ok(scope.handle(scope.load(scope.get(slots), FRAME_RESULT)))
        })
    }

    /// An element of an array; undefined for a hole, and where the elements end before it.
    pub fn element_or_undefined<'a>(
        &self,
        scope: &'a Scope<'_, '_>,
        array: Ref<'a, Record>,
        index: usize,
    ) -> Ref<'a, Value> {
        elements::get(scope, self.hole(scope), array, index).unwrap_or(scope.undefined())
    }
}
