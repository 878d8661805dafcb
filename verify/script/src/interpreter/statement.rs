//! Running statements. Each statement runs in a handle scope of its own; what it leaves behind is in the frame, in
//! contexts and in objects.

use super::assign::Source;
use super::call::Frame;
use super::code_text::iterable_text;
use super::{Interpreter, Js, Run, Unwind};
use crate::code::{Each, FRAME_RESULT, Label, Loop, Statement, Switch, Try};
use heaplab::Scope;
use heaplab_objects::context;

/// How a statement ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// The next statement follows.
    Next,
    Break(Label),
    Continue(Label),
    /// The result is in the frame.
    Return,
}

impl Interpreter {
    /// A list of statements.
    pub(super) fn statements<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        list: &[Statement],
    ) -> Run<Flow> {
        for statement in list {
            let flow = self.statement(scope, frame, statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// A statement, in a handle scope of its own.
    fn statement<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, statement: &Statement) -> Run<Flow> {
        scope.nested(|scope| self.statement_here(scope, frame, statement))
    }

    fn statement_here<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        statement: &Statement,
    ) -> Run<Flow> {
        let has_value = matches!(
            statement,
            Statement::If(..) | Statement::Loop(_) | Statement::Each(_) | Statement::Try(_) | Statement::Switch(_)
        );
        if frame.code.is_program && has_value {
            // Of the source as a whole, the value of such a statement is undefined unless something in it has one.
            scope.store(scope.get(frame.slots), FRAME_RESULT, scope.undefined());
        }
        match statement {
            Statement::Empty => Ok(Flow::Next),
            Statement::Expression(expression) => {
                let value = self.expression(scope, frame, expression)?;
                if frame.code.is_program {
                    scope.store(scope.get(frame.slots), FRAME_RESULT, scope.get(value));
                }
                Ok(Flow::Next)
            }
            Statement::Declare(target, value) => {
                match value {
                    Some(value) => {
                        self.assign_expression(scope, frame, target, value)?;
                    }
                    None => {
                        let value = scope.handle(scope.undefined());
                        self.assign(scope, frame, target, value)?;
                    }
                }
                Ok(Flow::Next)
            }
            Statement::Class(target, class) => {
                let value = self.class(scope, frame, class)?;
                self.assign(scope, frame, target, value)?;
                Ok(Flow::Next)
            }
            Statement::Block(id, list) => {
                let frame = self.enter_scope(scope, frame, *id)?;
                self.statements(scope, &frame, list)
            }
            Statement::If(test, then, otherwise) => {
                let test = self.expression(scope, frame, test)?;
                if self.to_boolean(scope, scope.get(test)) {
                    self.statement(scope, frame, then)
                } else if let Some(otherwise) = otherwise {
                    self.statement(scope, frame, otherwise)
                } else {
                    Ok(Flow::Next)
                }
            }
            Statement::Loop(looped) => self.looped(scope, frame, looped),
            Statement::Each(each) => self.each(scope, frame, each),
            Statement::Return(value) => {
                let value = match value {
                    Some(value) => self.expression(scope, frame, value)?,
                    None => scope.handle(scope.undefined()),
                };
                scope.store(scope.get(frame.slots), FRAME_RESULT, scope.get(value));
                Ok(Flow::Return)
            }
            Statement::Throw(value) => {
                let thrown = self.expression(scope, frame, value)?;
                self.at = value.at;
                Err(self.throw_value(scope, thrown))
            }
            Statement::Try(tried) => self.tried(scope, frame, tried),
            Statement::Switch(switch) => self.switch(scope, frame, switch),
            Statement::Break(label) => Ok(Flow::Break(*label)),
            Statement::Continue(label) => Ok(Flow::Continue(*label)),
            Statement::Labelled(label, inner) => match self.statement(scope, frame, inner)? {
                Flow::Break(to) if to == *label => Ok(Flow::Next),
                flow => Ok(flow),
            },
        }
    }

    fn looped<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, looped: &Loop) -> Run<Flow> {
        let mut frame = match looped.scope {
            Some(id) => self.enter_scope(scope, frame, id)?,
            None => *frame,
        };
        self.statements(scope, &frame, &looped.first)?;
        // Closures of one iteration share its variables, and no other's: each iteration has a copy of the context.
        let copies = looped.scope.is_some_and(|id| frame.unit.scopes[id].context_slots != 0);
        // The present iteration's context is held in an array, since a handle that is made within an iteration ends
        // with the iteration.
        let held = if copies { Some(scope.new_array(1)?) } else { None };
        let mut is_first = true;
        if let Some(held) = held {
            let context = frame.context.expect("a scope with captured variables has a context");
            scope.store(scope.get(held), 0, scope.get(context).into());
            frame.context = None;
        }
        loop {
            self.poll(scope)?;
            let flow = scope.nested(|scope| {
                let mut frame = frame;
                if let Some(held) = held {
                    let context = heaplab_objects::record(scope, scope.load(scope.get(held), 0));
                    let context = scope.handle(context.expect("a context"));
                    let map = self.map(scope, super::Root::ContextMap)?;
                    let copy = context::copy(scope, map, context)?;
                    scope.store(scope.get(held), 0, scope.get(copy).into());
                    frame.context = Some(copy);
                }
                if !is_first && let Some(update) = &looped.update {
                    self.expression(scope, &frame, update)?;
                }
                if !(is_first && looped.body_first)
                    && let Some(test) = &looped.test
                {
                    let test = self.expression(scope, &frame, test)?;
                    if !self.to_boolean(scope, scope.get(test)) {
                        return Ok(None);
                    }
                }
                self.statement(scope, &frame, &looped.body).map(Some)
            })?;
            is_first = false;
            match flow {
                None => return Ok(Flow::Next),
                Some(flow) => {
                    if let Some(flow) = leave(flow, &looped.labels) {
                        return Ok(flow);
                    }
                }
            }
        }
    }

    fn each<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, each: &Each) -> Run<Flow> {
        let object = {
            let frame = self.enter_scope(scope, frame, each.head_scope)?;
            self.expression(scope, &frame, &each.object)?
        };
        self.at = each.object.at;
        if each.keys {
            return self.each_key(scope, frame, each, object);
        }
        let mut flow = Flow::Next;
        let text = iterable_text(self, frame, &each.object);
        self.iterate(scope, object, text, |interpreter, scope, value| {
            let frame = interpreter.enter_scope(scope, frame, each.scope)?;
            interpreter.destructure(scope, &frame, &each.target, value, &Source::Text(None))?;
            let ended = interpreter.statement(scope, &frame, &each.body)?;
            match leave(ended, &each.labels) {
                None => Ok(true),
                Some(ended) => {
                    flow = ended;
                    Ok(false)
                }
            }
        })?;
        Ok(flow)
    }

    fn each_key<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        each: &Each,
        object: Js<'s>,
    ) -> Run<Flow> {
        for key in self.keys_for_in(scope, object) {
            self.poll(scope)?;
            let flow = scope.nested(|scope| {
                // A key that was deleted meanwhile is not met.
                if !self.is_key_of(scope, object, key) {
                    return Ok(Flow::Next);
                }
                let frame = self.enter_scope(scope, frame, each.scope)?;
                let key = self.key_value(scope, key)?;
                self.assign(scope, &frame, &each.target, key)?;
                self.statement(scope, &frame, &each.body)
            })?;
            if let Some(flow) = leave(flow, &each.labels) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn tried<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, tried: &Try) -> Run<Flow> {
        let mut ended = self.statement(scope, frame, &tried.block);
        if let Some((id, target, body)) = &tried.catch {
            ended = match ended {
                Ok(flow) => Ok(flow),
                Err(unwind) => scope.nested(|scope| {
                    let exception = self.caught(scope, unwind)?;
                    let frame = self.enter_scope(scope, frame, *id)?;
                    if let Some(target) = target {
                        let source = Source::Text(Some(".catch".to_owned()));
                        self.destructure(scope, &frame, target, exception, &source)?;
                    }
                    self.statement(scope, &frame, body)
                }),
            };
        }
        let Some(finally) = &tried.finally else { return ended };
        // What is under way is kept over the block: the exception, or the result in the frame.
        let (kept, flow) = match ended {
            Err(Unwind::Stopped(why)) => return Err(Unwind::Stopped(why)),
            Err(unwind) => (self.caught(scope, unwind)?, None),
            Ok(flow) => (scope.handle(scope.load(scope.get(frame.slots), FRAME_RESULT)), Some(flow)),
        };
        let thrown_at = self.thrown_at;
        let after = self.statement(scope, frame, finally)?;
        if after != Flow::Next {
            return Ok(after);
        }
        match flow {
            Some(flow) => {
                scope.store(scope.get(frame.slots), FRAME_RESULT, scope.get(kept));
                Ok(flow)
            }
            None => {
                let unwind = self.throw_value(scope, kept);
                self.thrown_at = thrown_at;
                Err(unwind)
            }
        }
    }

    fn switch<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, switch: &Switch) -> Run<Flow> {
        let value = self.expression(scope, frame, &switch.value)?;
        let frame = self.enter_scope(scope, frame, switch.scope)?;
        let mut start = None;
        for (index, (test, _)) in switch.cases.iter().enumerate() {
            let Some(test) = test else { continue };
            let is_it = scope.nested(|scope| {
                let test = self.expression(scope, &frame, test)?;
                Ok::<_, Unwind>(self.strict_equal(scope, scope.get(value), scope.get(test)))
            })?;
            if is_it {
                start = Some(index);
                break;
            }
        }
        let start = start.or_else(|| switch.cases.iter().position(|(test, _)| test.is_none()));
        for (_, body) in switch.cases.iter().skip(start.unwrap_or(switch.cases.len())) {
            match self.statements(scope, &frame, body)? {
                Flow::Next => {}
                Flow::Break(label) if label == switch.label => return Ok(Flow::Next),
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }
}

/// How a loop with these labels ends when its body has ended with `flow`. `None` if the next iteration follows.
fn leave(flow: Flow, labels: &[Label]) -> Option<Flow> {
    match flow {
        Flow::Next => None,
        Flow::Continue(label) if labels.contains(&label) => None,
        Flow::Break(label) if labels.contains(&label) => Some(Flow::Next),
        flow => Some(flow),
    }
}
