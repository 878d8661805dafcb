//! Functions, classes, and the source as a whole.

use super::{Lowered, Lowering, Name, OpenFunction, ThisKind};
use crate::code::{
    Binding, Class, ClassElement, ConstantId, ElementKind, Function, FunctionId, Kind, Parameter, Position, Statement,
};
use crate::parse::start_of;
use boa_ast::expression::Identifier;
use boa_ast::function::{
    ClassElement as Element, ClassElementName, FormalParameterList, FunctionBody, FunctionExpression,
};
use boa_ast::operations::var_declared_names;
use boa_ast::property::MethodDefinitionKind;
use boa_ast::{Declaration, Script, StatementList, StatementListItem};
use boa_interner::Sym;
use heaplab_objects::function::flag;

/// What kind of function is lowered.
pub(super) struct Plan {
    pub(super) name: ConstantId,
    pub(super) flags: usize,
    pub(super) this: ThisKind,
    pub(super) is_arrow: bool,
    pub(super) is_method: bool,
    pub(super) at: Position,
}

impl Lowering<'_> {
    /// Lowers the source as a whole, as function 0.
    pub(super) fn program(&mut self, script: &Script, is_eval: bool) -> Lowered<()> {
        let name = self.literal("");
        self.unit.functions.push(Function { is_program: true, name, ..Function::default() });
        let scope = self.open_scope();
        let is_strict = script.strict();
        self.functions.push(OpenFunction { id: 0, this: ThisKind::Program, is_arrow: false, is_strict, scope });
        let list = script.statements();
        if is_eval && !is_strict {
            let declares = !var_declared_names(list).is_empty()
                || list.statements().iter().any(|item| matches!(item, StatementListItem::Declaration(_)));
            if declares {
                return self.unsupported("declarations in eval code that is not strict", Position::START);
            }
        }
        self.declare_vars(list)?;
        self.declare_lexical(list)?;
        let body = self.statements(list)?;
        let function = &mut self.unit.functions[0];
        (function.scope, function.body, function.is_strict) = (scope, body, is_strict);
        Ok(())
    }

    /// Declares the `var`s of a function or a source in the present scope.
    fn declare_vars(&mut self, list: &StatementList) -> Lowered<()> {
        for name in sorted(var_declared_names(list)) {
            self.check_name(name, Position::START)?;
            self.declare(Name::Source(name), Binding::Var);
        }
        Ok(())
    }

    /// Declares the lexical names of a list in the present scope, and its functions.
    pub(super) fn declare_lexical(&mut self, list: &StatementList) -> Lowered<()> {
        for item in list.statements() {
            let StatementListItem::Declaration(declaration) = item else { continue };
            match &**declaration {
                Declaration::FunctionDeclaration(function) => {
                    self.check_name(function.name().sym(), start_of(&function.name()))?;
                    self.declare(Name::Source(function.name().sym()), Binding::Var);
                }
                Declaration::ClassDeclaration(class) => {
                    self.check_name(class.name().sym(), start_of(&class.name()))?;
                    self.declare(Name::Source(class.name().sym()), Binding::Let);
                }
                Declaration::Lexical(lexical) => {
                    let kind = if lexical.is_const() { Binding::Const } else { Binding::Let };
                    for variable in lexical.variable_list().as_ref() {
                        self.declare_bound(variable.binding(), kind)?;
                    }
                }
                Declaration::GeneratorDeclaration(function) => {
                    return self.unsupported("generator function", start_of(&function.name()));
                }
                Declaration::AsyncFunctionDeclaration(function) => {
                    return self.unsupported("async function", start_of(&function.name()));
                }
                Declaration::AsyncGeneratorDeclaration(function) => {
                    return self.unsupported("async generator function", start_of(&function.name()));
                }
            }
        }
        Ok(())
    }

    /// Has the functions that a list declares made when the present scope is entered; the last one of a name wins.
    fn hoist_functions(&mut self, list: &StatementList) -> Lowered<()> {
        for item in list.statements() {
            let StatementListItem::Declaration(declaration) = item else { continue };
            let Declaration::FunctionDeclaration(function) = &**declaration else { continue };
            let name = self.symbol(function.name().sym());
            let plan = Plan {
                name,
                flags: flag::CONSTRUCTOR,
                this: ThisKind::Ordinary,
                is_arrow: false,
                is_method: false,
                at: start_of(&function.name()),
            };
            let id = self.function(&plan, function.parameters(), function.body())?;
            let reference = self.reference(Name::Source(function.name().sym()));
            self.unit.scopes[self.scope].functions.push((reference, id));
        }
        Ok(())
    }

    /// The statements of a list whose names are declared in the present scope.
    pub(super) fn statements(&mut self, list: &StatementList) -> Lowered<Vec<Statement>> {
        self.hoist_functions(list)?;
        let mut statements = Vec::new();
        for item in list.statements() {
            statements.push(self.item(item)?);
        }
        Ok(statements)
    }

    /// Lowers a function, and returns its number.
    pub(super) fn function(
        &mut self,
        plan: &Plan,
        parameters: &FormalParameterList,
        body: &FunctionBody,
    ) -> Lowered<FunctionId> {
        self.function_with(plan, |lowering| lowering.parameters_and_body(parameters, body), body.strict())
    }

    /// Lowers a function whose parameters and body `inside` lowers, and returns its number.
    pub(super) fn function_with(
        &mut self,
        plan: &Plan,
        inside: impl FnOnce(&mut Self) -> Lowered<Function>,
        is_strict: bool,
    ) -> Lowered<FunctionId> {
        let id = self.unit.functions.len();
        self.unit.functions.push(Function::default());
        let is_strict = is_strict || self.is_strict();
        let outside = self.scope;
        let labels = core::mem::take(&mut self.labels);
        let (breaks, continues) = (core::mem::take(&mut self.breaks), core::mem::take(&mut self.continues));
        self.functions.push(OpenFunction { id, this: plan.this, is_arrow: plan.is_arrow, is_strict, scope: 0 });
        let scope = self.open_scope();
        self.functions.last_mut().expect("just pushed").scope = scope;
        let lowered = self.deeper(plan.at, inside);
        self.scope = outside;
        self.functions.pop();
        (self.labels, self.breaks, self.continues) = (labels, breaks, continues);
        let mut function = lowered?;
        let known = &self.unit.functions[id];
        (function.this, function.callee, function.new_target) = (known.this, known.callee, known.new_target);
        function.at = Some(plan.at);
        (function.name, function.flags, function.is_strict) = (plan.name, plan.flags, is_strict);
        (function.is_arrow, function.is_method, function.scope) = (plan.is_arrow, plan.is_method, scope);
        self.unit.functions[id] = function;
        Ok(id)
    }

    fn parameters_and_body(&mut self, parameters: &FormalParameterList, body: &FunctionBody) -> Lowered<Function> {
        let list = body.statement_list();
        let mut function = Function { length: parameters.length() as usize, ..Function::default() };
        let at = start_of(body);
        if parameters.has_duplicates() {
            return self.unsupported("parameters of the same name", at);
        }
        for parameter in parameters.as_ref() {
            // With defaults, parameters are uninitialised until their turn comes.
            let kind = if parameters.has_expressions() { Binding::Let } else { Binding::Var };
            self.declare_bound(parameter.variable().binding(), kind)?;
        }
        for parameter in parameters.as_ref() {
            let target = self.binding_target(parameter.variable().binding())?;
            let name = self.name_of_target(&target);
            let default = match parameter.init() {
                Some(default) => Some(self.named(default, name)?),
                None => None,
            };
            function.parameters.push(Parameter { target, default, is_rest: parameter.is_rest_param() });
        }
        if parameters.has_expressions() {
            // The defaults do not see what the body declares.
            let parameters = self.scope;
            let scope = self.open_scope();
            for name in sorted(var_declared_names(list)) {
                if self.scopes[parameters].names.contains_key(&Name::Source(name)) {
                    return self.unsupported("a variable with the name of a parameter that has defaults", at);
                }
            }
            self.declare_vars(list)?;
            self.declare_lexical(list)?;
            function.body = self.statements(list)?;
            self.close_scope(scope);
            function.body_scope = Some(scope);
        } else {
            self.declare_vars(list)?;
            self.declare_lexical(list)?;
            function.body = self.statements(list)?;
        }
        Ok(function)
    }

    /// A use of `this`, of the function for `super`, or of what `new` named: bound in the innermost function that is no
    /// arrow.
    pub(super) fn hidden(&mut self, name: Name, at: Position) -> Lowered<usize> {
        let Some(owner) = self.functions.iter().rposition(|function| !function.is_arrow) else {
            return self.unsupported("this", at);
        };
        let (id, this, scope) = {
            let owner = &self.functions[owner];
            (owner.id, owner.this, owner.scope)
        };
        if this == ThisKind::Program {
            return self.unsupported("`this` outside of a function", at);
        }
        let here = core::mem::replace(&mut self.scope, scope);
        if !self.is_declared_here(name) {
            let kind = match (name, this) {
                (Name::This, ThisKind::Derived) => Binding::DerivedThis,
                (Name::This, _) => Binding::This,
                _ => Binding::Hidden,
            };
            self.declare(name, kind);
            let own = self.reference(name);
            let function = &mut self.unit.functions[id];
            match name {
                Name::This => function.this = Some(own),
                Name::Callee => function.callee = Some(own),
                _ => function.new_target = Some(own),
            }
        }
        self.scope = here;
        Ok(self.reference(name))
    }

    /// A function expression. `name` is what a function without a name gets from where it stands.
    pub(super) fn function_expression(
        &mut self,
        function: &FunctionExpression,
        name: Option<ConstantId>,
        at: Position,
    ) -> Lowered<Kind> {
        let own = function.name().filter(|_| function.has_binding_identifier());
        let plan = |name| Plan {
            name,
            flags: flag::CONSTRUCTOR,
            this: ThisKind::Ordinary,
            is_arrow: false,
            is_method: false,
            at,
        };
        let Some(own) = own else {
            let name = name.unwrap_or_else(|| self.literal(""));
            return Ok(Kind::Function(self.function(&plan(name), function.parameters(), function.body())?));
        };
        self.check_name(own.sym(), start_of(&own))?;
        let name = self.symbol(own.sym());
        // The function's own name is in a scope between; each call binds the name to the function.
        let id = self.function_with(
            &plan(name),
            |lowering| {
                let name = Name::Source(own.sym());
                lowering.declare(name, Binding::FunctionName);
                let reference = lowering.reference(name);
                let scope = lowering.open_scope();
                let mut inner = lowering.parameters_and_body(function.parameters(), function.body())?;
                lowering.close_scope(scope);
                inner.own_name = Some(reference);
                inner.parameter_scope = Some(scope);
                Ok(inner)
            },
            function.body().strict(),
        )?;
        Ok(Kind::Function(id))
    }

    /// A method, getter or setter.
    pub(super) fn method(
        &mut self,
        name: ConstantId,
        parameters: &FormalParameterList,
        body: &FunctionBody,
        at: Position,
    ) -> Lowered<FunctionId> {
        let plan = Plan { name, flags: 0, this: ThisKind::Ordinary, is_arrow: false, is_method: true, at };
        self.function(&plan, parameters, body)
    }

    /// A class, declared or as an expression.
    pub(super) fn class(
        &mut self,
        own: Option<Identifier>,
        name: Option<ConstantId>,
        heritage: Option<&boa_ast::Expression>,
        constructor: Option<&FunctionExpression>,
        elements: &[Element],
        at: Position,
    ) -> Lowered<Class> {
        let was_strict = core::mem::replace(&mut self.functions.last_mut().expect("a function").is_strict, true);
        let lowered = self.in_scope(|lowering, scope| {
            let own_name = match own {
                Some(own) => {
                    lowering.check_name(own.sym(), start_of(&own))?;
                    lowering.declare(Name::Source(own.sym()), Binding::Const);
                    Some(lowering.reference(Name::Source(own.sym())))
                }
                None => None,
            };
            let name = match own {
                Some(own) => lowering.symbol(own.sym()),
                None => name.unwrap_or_else(|| lowering.literal("")),
            };
            let heritage = heritage.map(|heritage| lowering.expression(heritage)).transpose()?;
            let constructor = lowering.constructor(name, heritage.is_some(), constructor, at)?;
            let elements = elements.iter().map(|element| lowering.element(element, at)).collect::<Lowered<Vec<_>>>()?;
            Ok(Class { name, scope, own_name, heritage, constructor, elements })
        });
        self.functions.last_mut().expect("a function").is_strict = was_strict;
        lowered
    }

    fn constructor(
        &mut self,
        name: ConstantId,
        is_derived: bool,
        written: Option<&FunctionExpression>,
        at: Position,
    ) -> Lowered<FunctionId> {
        let derived = if is_derived { flag::DERIVED } else { 0 };
        let mut plan = Plan {
            name,
            flags: flag::CONSTRUCTOR | flag::CLASS | derived,
            this: if is_derived { ThisKind::Derived } else { ThisKind::Ordinary },
            is_arrow: false,
            is_method: true,
            at,
        };
        match written {
            Some(function) => {
                let id = self.function_with(
                    &plan,
                    |lowering| {
                        // A derived constructor may return its `this`, even if the source does not name it.
                        if is_derived {
                            lowering.hidden(Name::This, at)?;
                        }
                        lowering.parameters_and_body(function.parameters(), function.body())
                    },
                    true,
                )?;
                Ok(id)
            }
            None => {
                plan.flags |= flag::DEFAULT;
                self.function_with(&plan, |_| Ok(Function::default()), true)
            }
        }
    }

    fn element(&mut self, element: &Element, class_at: Position) -> Lowered<ClassElement> {
        match element {
            Element::MethodDefinition(method) => {
                let at = self.start(method.linear_span());
                let ClassElementName::PropertyName(name) = method.name() else {
                    return self.unsupported("private name", at);
                };
                let kind = match method.kind() {
                    MethodDefinitionKind::Get => ElementKind::Getter,
                    MethodDefinitionKind::Set => ElementKind::Setter,
                    MethodDefinitionKind::Ordinary => ElementKind::Method,
                    MethodDefinitionKind::Generator => return self.unsupported("generator method", at),
                    MethodDefinitionKind::Async => return self.unsupported("async method", at),
                    MethodDefinitionKind::AsyncGenerator => return self.unsupported("async generator method", at),
                };
                let key = self.property_name(name)?;
                let name = self.name_of_key(&key);
                let function = self.method(name, method.parameters(), method.body(), at)?;
                Ok(ClassElement { is_static: method.is_static(), kind, key, function })
            }
            Element::FieldDefinition(field) | Element::StaticFieldDefinition(field) => {
                let key = self.property_name(field.name())?;
                let name = self.name_of_key(&key);
                let at = field.initializer().map_or(class_at, start_of);
                let plan = Plan { name, flags: 0, this: ThisKind::Ordinary, is_arrow: false, is_method: true, at };
                let value = field.initializer();
                let function = self.function_with(
                    &plan,
                    |lowering| {
                        let value = match value {
                            Some(value) => Some(lowering.named(value, Some(name))?),
                            None => None,
                        };
                        Ok(Function { body: vec![Statement::Return(value)], ..Function::default() })
                    },
                    true,
                )?;
                let is_static = matches!(element, Element::StaticFieldDefinition(_));
                Ok(ClassElement { is_static, kind: ElementKind::Field, key, function })
            }
            Element::PrivateFieldDefinition(field) => self.unsupported("private name", start_of(field.name())),
            Element::PrivateStaticFieldDefinition(field) => self.unsupported("private name", start_of(field.name())),
            Element::StaticBlock(block) => self.unsupported("static block", start_of(block.statements())),
        }
    }

    /// Refuses variables whose names mean something special.
    pub(super) fn check_name(&self, name: Sym, at: Position) -> Lowered<()> {
        match self.spelling(name).as_str() {
            "arguments" => self.unsupported("arguments", at),
            "undefined" | "eval" => self.unsupported(format!("a variable named {}", self.spelling(name)), at),
            _ => Ok(()),
        }
    }

    /// An arrow function.
    pub(super) fn arrow(
        &mut self,
        name: Option<ConstantId>,
        parameters: &FormalParameterList,
        body: &FunctionBody,
        at: Position,
    ) -> Lowered<Kind> {
        let name = name.unwrap_or_else(|| self.literal(""));
        let plan = Plan { name, flags: 0, this: ThisKind::Ordinary, is_arrow: true, is_method: false, at };
        Ok(Kind::Function(self.function(&plan, parameters, body)?))
    }
}

/// The names in an order that does not depend on how they are hashed.
fn sorted(names: impl IntoIterator<Item = Sym>) -> Vec<Sym> {
    let mut names: Vec<Sym> = names.into_iter().collect();
    names.sort_unstable_by_key(|name| name.get());
    names
}
