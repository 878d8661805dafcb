//! The library: the global object, and the functions of the language that scripts find there.
//!
//! A function of the language that is not here must not look as if the language had not got it: it is an accessor that
//! stops the script by name ([`Interpreter::absent`]).

mod array;
mod array_callbacks;
mod console;
mod function;
mod global;
mod math;
mod number;
mod object;
mod sort;
mod string;

use super::interpreter::{Call, ErrorKind, Interpreter, Native, NativeFn, Root, Run, Unwind};
use heaplab::Scope;
use heaplab_objects::accessor::{self, READ_ONLY, WRITABLE};
use heaplab_objects::function::{Code, Info, flag};
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::Key;
use heaplab_objects::{Js, Obj, function as functions, kind};

/// Fields in a literal object, before it has an array of properties.
const LITERAL_FIELDS: usize = 4;

impl Interpreter {
    /// The names, maps and prototypes that evaluating needs, and an empty global object.
    ///
    /// # Errors
    /// No memory.
    pub fn set_up_core(&mut self, scope: &mut Scope<'_, '_>) -> Run<()> {
        scope.nested(|scope| {
            for (root, text) in
                [(Root::EmptyString, ""), (Root::Prototype, "prototype"), (Root::Constructor, "constructor")]
            {
                let name = self.name(scope, text)?;
                self.set_root(scope, root, scope.get(name).into());
            }
            let null = scope.handle(scope.null());
            let map = map::new(scope, kind::OBJECT, 0, null, 0)?;
            let prototype = map::new_object(scope, map)?;
            self.set_root(scope, Root::ObjectPrototype, scope.get(prototype).into());
            let map = map::new(scope, kind::OBJECT, LITERAL_FIELDS, prototype.any(), 0)?;
            self.set_root(scope, Root::ObjectMap, scope.get(map).into());
            let global = map::new_object(scope, map)?;
            self.set_root(scope, Root::Global, scope.get(global).into());
            let map = map::new(scope, kind::FUNCTION, 0, prototype.any(), map::flag::CALLABLE)?;
            self.set_root(scope, Root::FunctionMap, scope.get(map).into());
            Ok(())
        })
    }

    /// Everything.
    ///
    /// # Errors
    /// No memory.
    pub fn set_up(&mut self, scope: &mut Scope<'_, '_>) -> Run<()> {
        self.set_up_core(scope)?;
        scope.nested(|scope| {
            for (root, text) in [
                (Root::Length, "length"),
                (Root::Name, "name"),
                (Root::Message, "message"),
                (Root::ToString, "toString"),
                (Root::ValueOf, "valueOf"),
            ] {
                let name = self.name(scope, text)?;
                self.set_root(scope, root, scope.get(name).into());
            }
            self.sentinel(scope, Root::Hole)?;
            self.sentinel(scope, Root::Uninitialised)?;
            let global = self.root_record(scope, Root::Global);
            self.to_dictionary(scope, global)?;
            Ok::<_, Unwind>(())
        })?;
        let parts: [fn(&mut Interpreter, &mut Scope<'_, '_>) -> Run<()>; 9] = [
            function::set_up,
            object::set_up,
            array::set_up,
            array_callbacks::set_up,
            string::set_up,
            number::set_up,
            math::set_up,
            global::set_up,
            console::set_up,
        ];
        for part in parts {
            scope.nested(|scope| part(self, scope))?;
        }
        Ok(())
    }

    /// A plain object whose prototype is that of all objects, in a root.
    fn new_prototype<'s>(&mut self, scope: &mut Scope<'s, '_>, root: Root) -> Run<Obj<'s>> {
        let prototype = self.new_object(scope)?;
        self.to_dictionary(scope, prototype)?;
        self.set_root(scope, root, scope.get(prototype).into());
        Ok(prototype)
    }

    /// A native function object. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn native_function<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        name: &str,
        length: usize,
        native: Native,
        flags: usize,
    ) -> Run<Obj<'s>> {
        let number = self.native(native);
        let name = self.name(scope, name)?;
        let map = self.map(scope, Root::SharedMap)?;
        let info = Info { length, code: Code::Native(number), flags };
        let shared = functions::new_shared(scope, map, name, info, None)?;
        let root = if flags & flag::CONSTRUCTOR != 0 { Root::FunctionMap } else { Root::MethodMap };
        let map = self.map(scope, root)?;
        Ok(functions::new(scope, map, shared, None)?)
    }

    /// Gives an object a native method.
    fn method_of<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        name: &str,
        length: usize,
        native: NativeFn,
    ) -> Run<()> {
        scope.nested(|scope| {
            let function = self.native_function(scope, name, length, Native::Function(native), 0)?;
            let name = self.name(scope, name)?;
            self.define(scope, object, Key::Name(name), Details::METHOD, function.any())
        })
    }

    /// Gives an object a number or another value that cannot be changed.
    fn constant_of<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, name: &str, value: f64) -> Run<()> {
        scope.nested(|scope| {
            let name = self.name(scope, name)?;
            let value = self.number(scope, value)?;
            self.define(scope, object, Key::Name(name), Details::FIXED, value)
        })
    }

    /// Gives the global object a property.
    ///
    /// # Errors
    /// No memory.
    pub fn define_global<'s>(&mut self, scope: &mut Scope<'s, '_>, name: &str, value: Js<'s>) -> Run<()> {
        let global = self.root_record(scope, Root::Global);
        let name = self.name(scope, name)?;
        self.define(scope, global, Key::Name(name), Details::METHOD, value)
    }

    /// A native constructor with its prototype, on the global object.
    fn constructor_of<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        name: &str,
        length: usize,
        native: NativeFn,
        prototype: Obj<'s>,
    ) -> Run<Obj<'s>> {
        let flags = flag::CONSTRUCTOR | flag::NATIVE_CONSTRUCTOR;
        let constructor = self.native_function(scope, name, length, Native::Function(native), flags)?;
        let at = scope.get(constructor);
        scope.store_field(at, functions::PROTOTYPE_OR_MAP, scope.get(prototype).into());
        let key = self.root_record(scope, Root::Constructor);
        self.define(scope, prototype, Key::Name(key), Details::METHOD, constructor.any())?;
        self.define_global(scope, name, constructor.any())?;
        Ok(constructor)
    }

    /// Gives an object accessors that stop the script: the language has these properties, this interpreter has not.
    fn absent<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, names: &[&str]) -> Run<()> {
        let getter = self.native(Native::Function(|interpreter, scope, call| {
            let name = scope.load_field(scope.get(call.callee), accessor::NAME);
            let name =
                heaplab_objects::string::cast(scope, name).map(|name| heaplab_objects::string::to_text(scope, name));
            Err(interpreter.unsupported(format!("the property {}", name.unwrap_or_default())))
        }));
        for name in names {
            scope.nested(|scope| {
                let name = self.name(scope, name)?;
                let map = self.map(scope, Root::AccessorInfoMap)?;
                let info = accessor::new_info(scope, map, name, Some(getter), Some(getter))?;
                let details = Details::new(true, false, false, true);
                self.add_accessor(scope, object, name, details, info)
            })?;
        }
        Ok(())
    }

    /// A native accessor in the descriptors of a map that has room for it.
    fn descriptor<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        map: heaplab::Handle<'s, heaplab::Map>,
        name: &str,
        (getter, setter): (NativeFn, Option<NativeFn>),
        details: Details,
    ) -> Run<()> {
        scope.nested(|scope| {
            let name = self.name(scope, name)?;
            let getter = self.native(Native::Function(getter));
            let like = if setter.is_some() { WRITABLE } else { READ_ONLY };
            let setter = setter.map(|setter| self.native(Native::Function(setter)));
            let info_map = self.map(scope, Root::AccessorInfoMap)?;
            let info = accessor::new_info(scope, info_map, name, Some(getter), setter)?;
            let like = heaplab::Ref::small(like).expect("a small integer");
            scope.store_field(scope.get(info), accessor::DATA, like);
            let descriptors = self.map(scope, Root::DescriptorsMap)?;
            map::ensure_slack(scope, descriptors, map, 1)?;
            map::append(scope, scope.get(map), scope.get(name), details, Some(scope.get(info).into()));
            Ok(())
        })
    }
}

/// The value undefined as a result.
fn undefined<'s>(scope: &Scope<'s, '_>) -> Run<Js<'s>> {
    Ok(scope.handle(scope.undefined()))
}

/// A truth value as a result.
fn boolean<'s>(scope: &Scope<'s, '_>, value: bool) -> Run<Js<'s>> {
    Ok(scope.handle(scope.boolean(value)))
}

/// A position in a sequence of `length`, from an argument that may count from the end.
fn relative<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    argument: Js<'s>,
    length: usize,
    default: usize,
) -> Run<usize> {
    if scope.get(argument) == scope.undefined() {
        return Ok(default);
    }
    let position = interpreter.to_integer(scope, argument)?;
    let position = if position < 0.0 { position + length as f64 } else { position };
    Ok(position.clamp(0.0, length as f64) as usize)
}

/// A callback, or a TypeError.
fn callback<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let callback = call.argument(scope, 0);
    if interpreter.is_callable(scope, scope.get(callback)) {
        return Ok(callback);
    }
    let text = interpreter.display(scope, callback);
    Err(interpreter.throw(scope, ErrorKind::Type, format!("{text} is not a function")))
}
