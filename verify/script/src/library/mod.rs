//! The library: the global object, and the functions of the language that scripts find there.
//!
//! A function that the language has and the library has not must not be undefined, as if the language had none. In
//! its place is an accessor that stops the script and names the function ([`Interpreter::absent`]).

mod argument;
mod array;
mod array_callbacks;
mod console;
mod definition;
mod function;
mod global;
mod math;
mod number;
mod object;
mod result;
mod sort;
mod string;

use super::interpreter::{Interpreter, Root, Run, Unwind};
use heaplab::Scope;
use heaplab_objects::{kind, map};

/// Fields in a literal object, before it has an array of properties.
const LITERAL_FIELDS: usize = 4;

impl Interpreter {
    /// Makes the names, maps and prototypes that evaluating needs, and an empty global object. May collect.
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

    /// Makes everything: the core, and the library on the global object. May collect.
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
}
