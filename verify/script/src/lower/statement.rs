//! Lowering statements.

use super::{Lowered, Lowering, Name};
use crate::code::{Binding, Each, Label, Loop, Position, Statement, Switch, Try};
use crate::parse::start_of;
use boa_ast::statement::iteration::{ForLoopInitializer, IterableLoopInitializer};
use boa_ast::statement::{Block, LabelledItem};
use boa_ast::{Declaration, Statement as Tree, StatementList, StatementListItem};
use boa_interner::Sym;

impl Lowering<'_> {
    /// An item of a list whose names are declared.
    pub(super) fn item(&mut self, item: &StatementListItem) -> Lowered<Statement> {
        match item {
            StatementListItem::Statement(statement) => self.statement(statement),
            StatementListItem::Declaration(declaration) => match &**declaration {
                // The function is made when its scope is entered.
                Declaration::FunctionDeclaration(_) => Ok(Statement::Empty),
                Declaration::ClassDeclaration(class) => {
                    let own = class.name();
                    let lowered = self.class(
                        Some(own),
                        None,
                        class.super_ref(),
                        class.constructor(),
                        class.elements(),
                        start_of(&own),
                    )?;
                    let target = self.initialise(own.sym());
                    Ok(Statement::Class(target, Box::new(lowered)))
                }
                Declaration::Lexical(lexical) => self.variables(lexical.variable_list().as_ref(), true),
                _ => unreachable!("refused when names were declared"),
            },
        }
    }

    /// Declarations. One without a value initialises a lexical binding to undefined, and leaves a `var` as it is.
    fn variables(&mut self, variables: &[boa_ast::declaration::Variable], is_lexical: bool) -> Lowered<Statement> {
        let mut statements = Vec::new();
        for variable in variables {
            let target = if is_lexical {
                self.binding_target(variable.binding())?
            } else {
                self.var_target(variable.binding())?
            };
            match variable.init() {
                None if !is_lexical => {}
                init => {
                    let name = self.name_of_target(&target);
                    let init = init.map(|init| self.named(init, name)).transpose()?;
                    statements.push(Statement::Declare(target, init));
                }
            }
        }
        Ok(match statements.len() {
            0 => Statement::Empty,
            1 => statements.remove(0),
            // The block's scope has no names, so entering it does nothing.
            _ => {
                let scope = self.in_scope(|_, scope| Ok(scope))?;
                Statement::Block(scope, statements)
            }
        })
    }

    fn fresh_label(&mut self) -> Label {
        self.label_count += 1;
        self.label_count
    }

    pub(super) fn statement(&mut self, tree: &Tree) -> Lowered<Statement> {
        self.deeper(Position::START, |lowering| lowering.statement_here(tree))
    }

    fn statement_here(&mut self, tree: &Tree) -> Lowered<Statement> {
        let pending = core::mem::take(&mut self.pending);
        Ok(match tree {
            Tree::Empty => Statement::Empty,
            Tree::Block(block) => self.block(block)?,
            Tree::Var(var) => self.variables(var.0.as_ref(), false)?,
            Tree::Expression(expression) => Statement::Expression(self.expression(expression)?),
            Tree::If(tree) => {
                let test = self.expression(tree.cond())?;
                let then = self.statement(tree.body())?;
                let otherwise = tree.else_node().map(|tree| self.statement(tree)).transpose()?;
                Statement::If(test, Box::new(then), otherwise.map(Box::new))
            }
            Tree::DoWhileLoop(tree) => self.looped(pending, |lowering, labels| {
                let body = lowering.body(tree.body(), &labels)?;
                let test = Some(lowering.expression(tree.cond())?);
                Ok(Loop { labels, scope: None, first: Vec::new(), test, update: None, body, body_first: true })
            })?,
            Tree::WhileLoop(tree) => self.looped(pending, |lowering, labels| {
                let test = Some(lowering.expression(tree.condition())?);
                let body = lowering.body(tree.body(), &labels)?;
                Ok(Loop { labels, scope: None, first: Vec::new(), test, update: None, body, body_first: false })
            })?,
            Tree::ForLoop(tree) => self.looped(pending, |lowering, labels| {
                let lexical = matches!(tree.init(), Some(ForLoopInitializer::Lexical(_)));
                lowering.in_scope(|lowering, scope| {
                    let first = match tree.init() {
                        None => Vec::new(),
                        Some(ForLoopInitializer::Expression(init)) => {
                            vec![Statement::Expression(lowering.expression(init)?)]
                        }
                        Some(ForLoopInitializer::Var(var)) => vec![lowering.variables(var.0.as_ref(), false)?],
                        Some(ForLoopInitializer::Lexical(init)) => {
                            let declaration = init.declaration();
                            let kind = if declaration.is_const() { Binding::Const } else { Binding::Let };
                            let variables = declaration.variable_list().as_ref();
                            for variable in variables {
                                lowering.declare_bound(variable.binding(), kind)?;
                            }
                            vec![lowering.variables(variables, true)?]
                        }
                    };
                    let test = tree.condition().map(|test| lowering.expression(test)).transpose()?;
                    let update = tree.final_expr().map(|update| lowering.expression(update)).transpose()?;
                    let body = lowering.body(tree.body(), &labels)?;
                    let scope = lexical.then_some(scope);
                    Ok(Loop { labels, scope, first, test, update, body, body_first: false })
                })
            })?,
            Tree::ForInLoop(tree) => self.each(pending, tree.initializer(), tree.target(), tree.body(), true)?,
            Tree::ForOfLoop(tree) => {
                if tree.r#await() {
                    return self.unsupported("for await", start_of(tree.iterable()));
                }
                self.each(pending, tree.initializer(), tree.iterable(), tree.body(), false)?
            }
            Tree::Switch(tree) => {
                let value = self.expression(tree.val())?;
                let label = self.fresh_label();
                self.breaks.push(label);
                let (scope, cases) = self.in_scope(|lowering, scope| {
                    for case in tree.cases() {
                        lowering.refuse_functions(case.body())?;
                        lowering.declare_lexical(case.body())?;
                    }
                    let mut cases = Vec::new();
                    for case in tree.cases() {
                        let test = case.condition().map(|test| lowering.expression(test)).transpose()?;
                        cases.push((test, lowering.statements(case.body())?));
                    }
                    Ok((scope, cases))
                })?;
                self.breaks.pop();
                Statement::Switch(Box::new(Switch { label, scope, value, cases }))
            }
            Tree::Break(tree) => Statement::Break(self.jump(tree.label(), true)?),
            Tree::Continue(tree) => Statement::Continue(self.jump(tree.label(), false)?),
            Tree::Return(tree) => Statement::Return(tree.target().map(|value| self.expression(value)).transpose()?),
            Tree::Throw(tree) => Statement::Throw(self.expression(tree.target())?),
            Tree::Try(tree) => {
                let block = self.block(tree.block())?;
                let catch = match tree.catch() {
                    None => None,
                    Some(catch) => Some(self.in_scope(|lowering, scope| {
                        let target = match catch.parameter() {
                            None => None,
                            Some(parameter) => {
                                lowering.declare_bound(parameter, Binding::Let)?;
                                Some(lowering.binding_target(parameter)?)
                            }
                        };
                        Ok((scope, target, lowering.block(catch.block())?))
                    })?),
                };
                let finally = tree.finally().map(|finally| self.block(finally.block())).transpose()?;
                Statement::Try(Box::new(Try { block, catch, finally }))
            }
            Tree::Labelled(tree) => {
                let LabelledItem::Statement(inner) = tree.item() else {
                    return self.unsupported("a labelled function", Position::START);
                };
                let label = self.fresh_label();
                self.labels.push((tree.label(), label));
                self.pending = pending;
                self.pending.push(label);
                let is_loop = is_loop(inner);
                let lowered = self.statement(inner)?;
                self.labels.pop();
                if is_loop { lowered } else { Statement::Labelled(label, Box::new(lowered)) }
            }
            Tree::With(tree) => return self.unsupported("with", start_of(tree.expression())),
        })
    }

    pub(super) fn block(&mut self, block: &Block) -> Lowered<Statement> {
        let list = block.statement_list();
        self.in_scope(|lowering, scope| {
            lowering.refuse_functions(list)?;
            lowering.declare_lexical(list)?;
            Ok(Statement::Block(scope, lowering.statements(list)?))
        })
    }

    /// Refuses functions in a block of code that is not strict, where each is also a variable of the function around
    /// it.
    fn refuse_functions(&self, list: &StatementList) -> Lowered<()> {
        if self.is_strict() {
            return Ok(());
        }
        for item in list.statements() {
            if let StatementListItem::Declaration(declaration) = item
                && let Declaration::FunctionDeclaration(function) = &**declaration
            {
                let construct =
                    "a function in a block of code that is not strict (begin the script with \"use strict\")";
                return self.unsupported(construct, start_of(&function.name()));
            }
        }
        Ok(())
    }

    fn body(&mut self, tree: &Tree, labels: &[Label]) -> Lowered<Statement> {
        let own = labels[0];
        self.breaks.push(own);
        self.continues.push(own);
        let body = self.statement(tree);
        self.breaks.pop();
        self.continues.pop();
        body
    }

    fn looped(
        &mut self,
        mut labels: Vec<Label>,
        lower: impl FnOnce(&mut Self, Vec<Label>) -> Lowered<Loop>,
    ) -> Lowered<Statement> {
        let own = self.fresh_label();
        labels.insert(0, own);
        Ok(Statement::Loop(Box::new(lower(self, labels)?)))
    }

    fn each(
        &mut self,
        mut labels: Vec<Label>,
        init: &IterableLoopInitializer,
        object: &boa_ast::Expression,
        body: &Tree,
        keys: bool,
    ) -> Lowered<Statement> {
        let own = self.fresh_label();
        labels.insert(0, own);
        let declared = match init {
            IterableLoopInitializer::Let(binding) => Some((binding, Binding::Let)),
            IterableLoopInitializer::Const(binding) => Some((binding, Binding::Const)),
            _ => None,
        };
        let (head_scope, object) = self.in_scope(|lowering, scope| {
            if let Some((binding, kind)) = declared {
                lowering.declare_bound(binding, kind)?;
            }
            Ok((scope, lowering.expression(object)?))
        })?;
        self.in_scope(|lowering, scope| {
            if let Some((binding, kind)) = declared {
                lowering.declare_bound(binding, kind)?;
            }
            let target = match init {
                IterableLoopInitializer::Let(binding) | IterableLoopInitializer::Const(binding) => {
                    lowering.binding_target(binding)?
                }
                IterableLoopInitializer::Var(variable) => {
                    if let Some(init) = variable.init() {
                        return lowering.unsupported("a value in the head of for-in", start_of(init));
                    }
                    lowering.var_target(variable.binding())?
                }
                IterableLoopInitializer::Identifier(name) => lowering.assigned_name(*name)?,
                IterableLoopInitializer::Access(access) => lowering.member_target(access)?,
                IterableLoopInitializer::Pattern(pattern) => {
                    lowering.pattern(pattern, &mut |lowering, name| lowering.assigned_name(name))?
                }
            };
            let body = lowering.body(body, &labels)?;
            Ok(Statement::Each(Box::new(Each { labels, head_scope, scope, target, object, body, keys })))
        })
    }

    fn jump(&mut self, label: Option<Sym>, is_break: bool) -> Lowered<Label> {
        let found = match label {
            Some(name) => self.labels.iter().rev().find(|(known, _)| *known == name).map(|&(_, label)| label),
            None if is_break => self.breaks.last().copied(),
            None => self.continues.last().copied(),
        };
        match found {
            Some(label) => Ok(label),
            None => self.unsupported("a jump out of everything", Position::START),
        }
    }

    pub(super) fn initialise(&mut self, name: Sym) -> crate::code::Target {
        crate::code::Target::Initialise(self.reference(Name::Source(name)))
    }
}

/// Whether a labelled statement is, behind further labels, a loop.
fn is_loop(tree: &Tree) -> bool {
    match tree {
        Tree::Labelled(tree) => matches!(tree.item(), LabelledItem::Statement(inner) if is_loop(inner)),
        Tree::DoWhileLoop(_) | Tree::WhileLoop(_) | Tree::ForLoop(_) | Tree::ForInLoop(_) | Tree::ForOfLoop(_) => true,
        _ => false,
    }
}
