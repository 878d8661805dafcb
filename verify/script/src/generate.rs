//! Drawn scripts, and the oracle that they are run against.
//!
//! A script is drawn from bytes by a grammar, so that every input is a script and most changes of an input are
//! changes of a script. A drawn script always ends: loops count to five at most, functions call only those above
//! them, and the fuel bounds the rest.
//!
//! The oracle needs no second implementation: a script must do the same on every heap.
//!
//! | run | heap | collections |
//! |---|---|---|
//! | 1 | large | when needed |
//! | 2 | large | at every allocation |
//! | 3 | small | when needed, verified before and after each |
//!
//! * **GN-1** The three runs print the same and end the same: with the same value, the same exception, or the same
//!   refusal. A run in which memory ran out is not compared, since the small heap is full earlier.
//! * **GN-2** The heap is sound after each run.

use super::interpreter::Interpreter;
use super::run::{Failure, Finished, Printed, run_lowered};
use super::{SourceError, lower};
use arbitrary::{Arbitrary, Result, Unstructured};
use core::fmt::Write as _;
use heaplab::{Heap, HeapConfig};

/// The most calls and iterations of a drawn script.
const FUEL: u64 = 400;
/// The most statements of a list.
const STATEMENTS_MAX: usize = 6;
/// The deepest nesting of blocks, and of expressions.
const DEPTH_MAX: usize = 4;

/// A drawn script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script(
    /// Its source.
    pub String,
);

impl Arbitrary<'_> for Script {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Script> {
        let mut writer =
            Writer { out: "\"use strict\";\n".to_owned(), scopes: vec![Vec::new()], names: 0, indent: 0, functions: 0 };
        for _ in 0..u.int_in_range(0..=3)? {
            writer.function(u)?;
        }
        if u.ratio(1, 2)? {
            writer.class(u)?;
        }
        writer.statements(u, 0)?;
        let value = writer.expression(u, 0)?;
        writer.line(&format!("console.log(String({value}));"));
        Ok(Script(writer.out))
    }
}

/// Writes a script line by line.
struct Writer {
    out: String,
    /// Variables in scope.
    scopes: Vec<Vec<String>>,
    names: usize,
    indent: usize,
    /// Functions that may be called.
    functions: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:width$}{text}", "", width = 2 * self.indent);
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn declare(&mut self, name: String) {
        self.scopes.last_mut().expect("a scope").push(name);
    }

    /// A variable in scope, or a literal if there is none.
    fn variable(&mut self, u: &mut Unstructured<'_>) -> Result<String> {
        let all: Vec<&String> = self.scopes.iter().flatten().collect();
        if all.is_empty() { Ok("(0)".to_owned()) } else { Ok((*u.choose(&all)?).clone()) }
    }

    /// A block with a scope of its own.
    fn block(&mut self, u: &mut Unstructured<'_>, depth: usize, names: &[String]) -> Result<()> {
        self.indent += 1;
        self.scopes.push(names.to_vec());
        let written = self.statements(u, depth);
        self.scopes.pop();
        self.indent -= 1;
        written
    }

    fn function(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let name = format!("f{}", self.functions);
        let (a, b) = (self.fresh(), self.fresh());
        let default = *u.choose(&["", " = 2", " = \"d\"", " = []"])?;
        self.line(&format!("function {name}({a}, {b}{default}) {{"));
        let outer = core::mem::replace(&mut self.scopes, vec![vec![a.clone(), b.clone()]]);
        self.block(u, 2, &[])?;
        let result = self.expression(u, 1)?;
        self.scopes = outer;
        self.line(&format!("  return {result};"));
        self.line("}");
        self.functions += 1;
        Ok(())
    }

    fn class(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let outer = core::mem::replace(&mut self.scopes, vec![vec!["this.x".to_owned()]]);
        let (made, got) = (self.expression(u, 2)?, self.expression(u, 2)?);
        self.line("class A {");
        self.line(&format!("  constructor(x) {{ this.x = x; this.y = {made}; }}"));
        self.line(&format!("  get g() {{ return {got}; }}"));
        let set = self.expression(u, 2)?;
        self.line(&format!("  set g(v) {{ this.y = v; this.x = {set}; }}"));
        self.line("  m(...r) { return [this.x, ...r].join(\"-\"); }");
        self.line("}");
        let inner = self.expression(u, 2)?;
        self.line("class B extends A {");
        self.line("  constructor(x) { super(x); this.z = [x]; }");
        self.line(&format!("  get g() {{ return super.g + String({inner}); }}"));
        self.line("  set g(v) { super.g = v; }");
        self.line("  m(r) { return super.m(r, this.z); }");
        self.line("}");
        self.scopes = outer;
        for class in ["A", "B"] {
            let (name, value) = (self.fresh(), self.expression(u, 2)?);
            self.line(&format!("let {name} = new {class}({value});"));
            self.declare(name.clone());
            let value = self.expression(u, 2)?;
            self.line(&format!(
                "try {{ {name}.g = {value}; console.log({name}.m({name}.g)); }} catch (e) {{ console.log(String(e)); }}"
            ));
        }
        Ok(())
    }

    fn statements(&mut self, u: &mut Unstructured<'_>, depth: usize) -> Result<()> {
        for _ in 0..u.int_in_range(0..=STATEMENTS_MAX - depth.min(STATEMENTS_MAX - 1))? {
            if u.is_empty() {
                break;
            }
            self.statement(u, depth)?;
        }
        Ok(())
    }

    fn statement(&mut self, u: &mut Unstructured<'_>, depth: usize) -> Result<()> {
        let choices = if depth >= DEPTH_MAX { 6 } else { 13 };
        match u.int_in_range(0..=choices - 1)? {
            0 | 1 => {
                let value = self.expression(u, 0)?;
                let (name, keyword) = (self.fresh(), u.choose(&["let", "const", "var"])?);
                self.line(&format!("{keyword} {name} = {value};"));
                self.declare(name);
            }
            2 => {
                let (target, value) = (self.target(u)?, self.expression(u, 0)?);
                let op = u.choose(&["=", "+=", "-=", "*=", "|=", "&&=", "??="])?;
                self.line(&format!("try {{ {target} {op} {value}; }} catch (e) {{ console.log(\"!\" + e); }}"));
            }
            3 => {
                let value = self.expression(u, 0)?;
                self.line(&format!("console.log(String({value}));"));
            }
            4 => {
                let (value, name) = (self.expression(u, 1)?, self.fresh());
                let rest = self.fresh();
                self.line(&format!("let [{name} = 1, ...{rest}] = [{value}, {value}, 2];"));
                self.declare(name);
                self.declare(rest);
            }
            5 => {
                let (target, value) = (self.variable(u)?, self.expression(u, 1)?);
                self.line(&format!("if (Array.isArray({target})) {target}.push({value}, {target}.length);"));
            }
            6 => {
                let test = self.expression(u, 1)?;
                self.line(&format!("if ({test}) {{"));
                self.block(u, depth + 1, &[])?;
                self.line("} else {");
                self.block(u, depth + 1, &[])?;
                self.line("}");
            }
            7 | 8 => {
                let (index, times) = (self.fresh(), u.int_in_range(1..=5)?);
                let keyword = u.choose(&["let", "var"])?;
                self.line(&format!("for ({keyword} {index} = 0; {index} < {times}; {index}++) {{"));
                // Not the index itself: a script that sets it back would not end.
                self.block(u, depth + 1, &[format!("({index} + 0)")])?;
                if u.ratio(1, 3)? {
                    let jump = u.choose(&["break", "continue"])?;
                    self.line(&format!("  if ({index} === 2) {jump};"));
                }
                self.line("}");
            }
            9 => {
                let (element, list) = (self.fresh(), self.expression(u, 1)?);
                let head = u.choose(&["of [1, \"two\", [3]]", "in ({ a: 1, 2: 3 })", "of \"xyz\""])?;
                self.line(&format!("for (const {element} {head}) {{"));
                self.block(u, depth + 1, core::slice::from_ref(&element))?;
                self.line(&format!("  console.log(String({element}), String({list}));"));
                self.line("}");
            }
            10 => {
                let thrown = self.expression(u, 1)?;
                let error = self.fresh();
                self.line("try {");
                self.block(u, depth + 1, &[])?;
                self.line(&format!("  if ({thrown}) throw {thrown};"));
                self.line(&format!("}} catch ({error}) {{"));
                self.block(u, depth + 1, core::slice::from_ref(&error))?;
                self.line(&format!("  console.log(\"caught \" + {error});"));
                self.line("} finally {");
                self.block(u, depth + 1, &[])?;
                self.line("}");
            }
            11 => {
                let (name, parameter) = (self.fresh(), self.fresh());
                self.scopes.push(vec![parameter.clone()]);
                let body = self.expression(u, 1)?;
                self.scopes.pop();
                self.line(&format!("const {name} = ({parameter}) => {body};"));
                let argument = self.expression(u, 2)?;
                self.line(&format!("console.log(String({name}({argument})), String([1, 2].map({name})));"));
            }
            _ => {
                let value = self.expression(u, 1)?;
                self.line(&format!("switch ({value}) {{ case 0: console.log(\"zero\"); case \"a\":"));
                self.block(u, depth + 1, &[])?;
                self.line("  break;");
                self.line("  default: console.log(\"default\");");
                self.line("}");
            }
        }
        Ok(())
    }

    /// What may be assigned to; assignment to a constant throws.
    fn target(&mut self, u: &mut Unstructured<'_>) -> Result<String> {
        let name = self.variable(u)?;
        if name.starts_with('(') {
            return Ok("[].x".to_owned());
        }
        let index = u.int_in_range(0..=40)?;
        Ok(match u.int_in_range(0..=3)? {
            0 => name,
            1 => format!("{name}.p{}", index % 4),
            2 => format!("{name}[{index}]"),
            _ => format!("{name}[\"k\" + {index}]"),
        })
    }

    fn expression(&mut self, u: &mut Unstructured<'_>, depth: usize) -> Result<String> {
        if depth >= DEPTH_MAX || u.is_empty() {
            return self.leaf(u);
        }
        let next = depth + 1;
        Ok(match u.int_in_range(0..=19)? {
            0..=4 => self.leaf(u)?,
            5 | 6 => {
                let op = u.choose(&["+", "-", "*", "%", "|", "&", "<<", ">>>", "===", "!=", "<", ">=", "+", "/"])?;
                format!("({} {op} {})", self.expression(u, next)?, self.expression(u, next)?)
            }
            7 => {
                let op = u.choose(&["&&", "||", "??"])?;
                format!("({} {op} {})", self.expression(u, next)?, self.expression(u, next)?)
            }
            8 => format!("[{}, , {}]", self.expression(u, next)?, self.expression(u, next)?),
            9 => format!("({{ p0: {}, [\"p\" + 1]: {}, 7: 1 }})", self.expression(u, next)?, self.expression(u, next)?),
            10 => format!("({{ p2: 1, get p0() {{ return {}; }} }})", self.expression(u, next)?),
            11 => {
                let key = u.choose(&["p0", "p1", "length", "y", "g", "name"])?;
                format!("({})?.{key}", self.expression(u, next)?)
            }
            12 => format!("[{}][{} & 1]", self.expression(u, next)?, self.expression(u, next)?),
            13 if self.functions != 0 => {
                let function = u.int_in_range(0..=self.functions - 1)?;
                format!("f{function}({}, {})", self.expression(u, next)?, self.expression(u, next)?)
            }
            14 => format!("`<${{{}}}|${{{}}}>`", self.expression(u, next)?, self.expression(u, next)?),
            15 => {
                let method = u.choose(&["slice(1)", "concat(\"x\")", "includes(\"1\")", "indexOf(\"a\")", "at(-1)"])?;
                format!("String({}).{method}", self.expression(u, next)?)
            }
            16 => {
                let method = u.choose(&[
                    "map((q) => [q])",
                    "filter((q) => q)",
                    "join(\"+\")",
                    "reverse()",
                    "sort()",
                    "concat([1, [2]])",
                    "flat()",
                    "reduce((q, r) => q + String(r), \"\")",
                    "slice(-2)",
                    "some((q) => q === 1)",
                ])?;
                format!("[{}, {}, 1].{method}", self.expression(u, next)?, self.expression(u, next)?)
            }
            17 => {
                let op = u.choose(&["!", "-", "~", "typeof ", "void ", "+"])?;
                format!("{op}({})", self.expression(u, next)?)
            }
            18 => format!("Object.keys(Object({} || {{}}))", self.object(u, next)?),
            _ => {
                let (test, then, otherwise) =
                    (self.expression(u, next)?, self.expression(u, next)?, self.expression(u, next)?);
                format!("({test} ? {then} : {otherwise})")
            }
        })
    }

    fn object(&mut self, u: &mut Unstructured<'_>, depth: usize) -> Result<String> {
        let value = self.expression(u, depth)?;
        Ok(format!("{{ ...{{ a: 1 }}, b: {value} }}"))
    }

    fn leaf(&mut self, u: &mut Unstructured<'_>) -> Result<String> {
        const LEAVES: [&str; 17] = [
            "0",
            "1",
            "-1",
            "0.5",
            "1073741823",
            "-1073741824",
            "4294967296",
            "1e300",
            "NaN",
            "\"\"",
            "\"a\"",
            "\"a longer string, \\u4e2d\\ud83d\\ude00, that is not flat\"",
            "null",
            "undefined",
            "true",
            "[]",
            "({})",
        ];
        if u.ratio(1, 2)? { self.variable(u) } else { Ok((*u.choose(&LEAVES)?).to_owned()) }
    }
}

/// What a run showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// What it printed.
    pub printed: String,
    /// How it ended.
    pub ended: core::result::Result<Finished, Failure>,
    /// Whether memory ran out meanwhile.
    pub out_of_memory: bool,
}

/// How a heap collects. No mode verifies at every allocation: verifying the library's objects before and after a
/// collection takes a hundred times as long as the collection, and the time is better spent on more scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// When memory is short.
    Plain,
    /// At every allocation.
    Every,
    /// When memory is short, and the heap is verified before and after.
    Verified,
}

/// Runs a source on a heap of `heap_bytes`. The heap is verified afterwards in every mode.
///
/// # Errors
/// The source is refused before it runs.
///
/// # Panics
/// If the heap is not sound afterwards (GN-2), or has no room for the library.
pub fn show(source: &str, heap_bytes: usize, mode: Mode, fuel: u64) -> core::result::Result<Shown, SourceError> {
    let unit = lower(source, false)?;
    let mut config = HeapConfig::sized(heap_bytes, 2);
    config.verify_heap = mode == Mode::Verified;
    let heap = Heap::new(config).expect("a heap of a usual size");
    let printed = Printed::default();
    let mut interpreter = Interpreter::new(&heap, Box::new(printed.clone()));
    let mut attachment = heap.attach().expect("a place");
    attachment
        .run(|scope| interpreter.set_up(scope).map_err(|unwind| interpreter.failure(scope, unwind)))
        .expect("a sound heap")
        .expect("room for the library");
    // Frequent collections begin after the library is made, which allocates the same in every run.
    heap.set_gc_interval(u64::from(mode == Mode::Every)).expect("no local heap runs");
    interpreter.set_fuel(fuel);
    let ended = run_lowered(&mut attachment, &mut interpreter, unit);
    let out_of_memory = interpreter.times_out_of_memory() != 0;
    drop((attachment, interpreter));
    let verification = heap.verify().expect("no local heap runs");
    assert!(verification.is_sound(), "GN-2: {}", verification.describe());
    Ok(Shown { printed: printed.take(), ended, out_of_memory })
}

/// Runs a drawn script on the three heaps.
///
/// # Panics
/// If GN-1 or GN-2 is broken, or the script is refused before it runs.
pub fn check(script: &Script) {
    let runs = [(8 << 20, Mode::Plain), (8 << 20, Mode::Every), (2 << 20, Mode::Verified)];
    let shown = runs.map(|(bytes, mode)| show(&script.0, bytes, mode, FUEL));
    let [Ok(first), rest @ ..] = &shown else {
        panic!("the grammar draws scripts that are refused: {:?}\n{}", shown[0], script.0)
    };
    for other in rest.iter().flatten() {
        if !first.out_of_memory && !other.out_of_memory {
            assert_eq!(first, other, "GN-1:\n{}", script.0);
        }
    }
}
