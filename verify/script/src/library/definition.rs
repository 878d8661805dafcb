//! What the library defines: native functions, constructors, constants and accessors, as properties of its objects.

use super::super::interpreter::{Interpreter, Native, NativeFn, Root, Run};
use heaplab::Scope;
use heaplab_objects::accessor::{self, READ_ONLY, WRITABLE};
use heaplab_objects::function::{Code, Info, flag};
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::Key;
use heaplab_objects::{Js, Obj, function as functions};

impl Interpreter {
    /// A plain object in dictionary mode, which becomes the prototype that `root` holds.
    pub(super) fn new_prototype<'s>(&mut self, scope: &mut Scope<'s, '_>, root: Root) -> Run<Obj<'s>> {
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
    pub(super) fn method_of<'s>(
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

    /// Gives an object a number that cannot be changed.
    pub(super) fn constant_of<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        name: &str,
        value: f64,
    ) -> Run<()> {
        scope.nested(|scope| {
            let name = self.name(scope, name)?;
            let value = self.number(scope, value)?;
            self.define(scope, object, Key::Name(name), Details::FIXED, value)
        })
    }

    /// Gives the global object a property that loops do not meet. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn define_global<'s>(&mut self, scope: &mut Scope<'s, '_>, name: &str, value: Js<'s>) -> Run<()> {
        let global = self.root_record(scope, Root::Global);
        let name = self.name(scope, name)?;
        self.define(scope, global, Key::Name(name), Details::METHOD, value)
    }

    /// Makes a native constructor with its prototype, on the global object.
    pub(super) fn constructor_of<'s>(
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
    pub(super) fn absent<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, names: &[&str]) -> Run<()> {
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

    /// Adds a native accessor to the descriptors of a map. With a setter it behaves like writable data.
    pub(super) fn descriptor<'s>(
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
