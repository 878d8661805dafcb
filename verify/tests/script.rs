//! Goal: scripts print what they should, in every mode of the heap, and what is wrong with one is said with a place and
//! exit code 1. Method: the committed scripts and their outputs, `node` where there is one, and the binary with bad
//! input.
#![cfg(heaplab_scripts)]

use arbitrary::{Arbitrary, Unstructured};
use heaplab::{Heap, HeapConfig};
use heaplab_scenarios::{Mode, run};
use heaplab_script::generate::{Script, check};
use heaplab_script::{Failure, Interpreter, Printed, STACK_BYTES, Stopped, on_large_stack, run_source};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

/// The committed scripts, by name.
fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(scripts())
        .expect("the scripts are committed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    names
}

fn source(name: &str) -> String {
    std::fs::read_to_string(scripts().join(name).with_extension("js")).expect("a committed script")
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(scripts().join(name).with_extension("out")).expect("its committed output")
}

/// How a heap is set for a script.
#[derive(Clone, Copy)]
struct Plan {
    heap_bytes: usize,
    gc_interval: u64,
    stress: bool,
    verify_heap: bool,
    deadline: Option<Duration>,
}

const PLAIN: Plan = Plan { heap_bytes: 64 << 20, gc_interval: 0, stress: false, verify_heap: false, deadline: None };

/// What a run printed, how it ended, and whether memory ran out.
type Ran = (String, Result<String, Failure>, bool);

/// Runs a source. Returns what it printed, how it ended, and whether memory ran out. The heap is sound afterwards,
/// and serves a script.
fn run_on(source: &str, plan: Plan) -> Ran {
    run_counted(source, plan).0
}

/// As [`run_on`], with the number of collections.
fn run_counted(source: &str, plan: Plan) -> (Ran, u64) {
    let source = source.to_owned();
    let body = move || {
        let mut config = HeapConfig::sized(plan.heap_bytes, 4);
        config.verify_heap = plan.verify_heap;
        let heap = Heap::new(config).unwrap();
        heap.set_gc_interval(plan.gc_interval).unwrap();
        heap.set_stress_concurrent_allocation(plan.stress).unwrap();
        let one = |source: &str, deadline: Option<Duration>| {
            let printed = Printed::default();
            let mut interpreter = Interpreter::new(&heap, Box::new(printed.clone()));
            interpreter.limit_stack(STACK_BYTES - (1 << 20));
            if let Some(deadline) = deadline {
                interpreter.set_deadline(Instant::now() + deadline);
            }
            let mut attachment = heap.attach().unwrap();
            let ended = run_source(&mut attachment, &mut interpreter, source, |_, _| Ok(()));
            let out_of_memory = interpreter.times_out_of_memory() != 0;
            drop(interpreter);
            (printed.take(), ended.map(|finished| finished.value), out_of_memory)
        };
        let shown = one(&source, plan.deadline);
        let collections = heap.statistics().unwrap().collections.iter().sum::<u64>();
        assert_eq!(
            one("let s = 0; for (const x of [1, 2, 3].map((x) => ({ x }))) s += x.x; s", None).1,
            Ok("6".into())
        );
        heap.set_stress_concurrent_allocation(false).unwrap();
        let verification = heap.close().unwrap();
        assert!(verification.is_sound(), "{}", verification.describe());
        (shown, collections)
    };
    on_large_stack(body).expect("a thread with a large stack")
}

#[test]
fn scripts_print_what_is_committed() {
    for name in names() {
        let (printed, ended, _) = run_on(&source(&name), PLAIN);
        assert!(ended.is_ok(), "{name}: {ended:?}");
        assert_eq!(printed, expected(&name), "{name}");
    }
}

/// A collection at every allocation, verified before and after each. The scripts that make millions of objects would
/// take hours: their numbers are made smaller, and what they print without collections is what is expected.
#[test]
fn scripts_print_the_same_with_a_collection_at_every_allocation() {
    // Side by side: each has a heap of its own.
    std::thread::scope(|threads| {
        for name in names() {
            threads.spawn(move || prints_the_same_with_a_collection_at_every_allocation(&name));
        }
    });
}

fn prints_the_same_with_a_collection_at_every_allocation(name: &str) {
    let whole = source(name);
    let (source, expected) = match smaller(name) {
        None => (whole, expected(name)),
        Some(changes) => {
            let source = changes.iter().fold(whole, |source, (from, to)| {
                assert!(source.contains(from), "{name}: no {from:?}");
                source.replace(from, to)
            });
            let (printed, ended, _) = run_on(&source, PLAIN);
            assert!(ended.is_ok() && !printed.is_empty(), "{name}: {ended:?}");
            (source, printed)
        }
    };
    let start = Instant::now();
    let plan = Plan { gc_interval: 1, verify_heap: true, heap_bytes: 4 << 20, ..PLAIN };
    let (printed, ended, _) = run_on(&source, plan);
    assert!(ended.is_ok(), "{name}: {ended:?}");
    assert_eq!(printed, expected, "{name}");
    println!("{name}: {:.1} s", start.elapsed().as_secs_f64());
}

/// What makes a script that allocates much a small one.
fn smaller(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    match name {
        "closures" => Some(&[("i <= 1000", "i <= 100")]),
        "binary_trees" => Some(&[("const least = 4;", "const least = 2;"), ("const most = 12;", "const most = 4;")]),
        "splay" => Some(&[("const size = 800;", "const size = 20;"), ("const changes = 9000;", "const changes = 30;")]),
        "strings" => Some(&[("i < 5000", "i < 50"), ("i < 200", "i < 20"), ("charAt(4999)", "charAt(49)")]),
        "sorting" => Some(&[("[2, 63, 64, 65, 130, 400, 1000]", "[70]"), ("kind < 6", "kind < 1")]),
        _ => None,
    }
}

/// More than a million allocations each on a heap of 16 MiB, with the stress thread beside, verified. The allocations
/// are counted by the heap: a collection at every ten thousandth of them, where nothing else asks for so many.
#[test]
fn binary_trees_run_on_16_mib_beside_a_stress_thread() {
    runs_on_16_mib_beside_a_stress_thread("binary_trees");
}

/// As the test of `binary_trees`.
#[test]
fn a_splay_tree_runs_on_16_mib_beside_a_stress_thread() {
    runs_on_16_mib_beside_a_stress_thread("splay");
}

fn runs_on_16_mib_beside_a_stress_thread(name: &str) {
    const INTERVAL: u64 = 10_000;
    let collections = |gc_interval: u64| {
        let plan = Plan { heap_bytes: 1 << 30, gc_interval, ..PLAIN };
        let ((printed, ended, _), collections) = run_counted(&source(name), plan);
        assert!(ended.is_ok() && printed == expected(name), "{name}: {ended:?}");
        collections
    };
    let allocations = collections(INTERVAL).saturating_sub(collections(0)) * INTERVAL;
    assert!(allocations >= 1_000_000, "{name}: {allocations} allocations");
    println!("{name}: {allocations} allocations, rounded down to {INTERVAL}");
    let plan = Plan { heap_bytes: 16 << 20, stress: true, verify_heap: true, ..PLAIN };
    let start = Instant::now();
    let (printed, ended, _) = run_on(&source(name), plan);
    assert!(ended.is_ok(), "{name}: {ended:?}");
    assert_eq!(printed, expected(name), "{name}");
    println!("{name}: {:.1} s", start.elapsed().as_secs_f64());
}

/// Another implementation of the language prints the same, where there is one.
#[test]
fn node_prints_the_same() {
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    for name in names().into_iter().filter(|_| has_node) {
        let output = Command::new("node").arg(scripts().join(&name).with_extension("js")).output().expect("node runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected(&name), "{name}");
    }
}

/// The mission's second test in the mode that the scenarios' own tests have not: a collection at every allocation of
/// the whole run.
#[test]
fn stress_js_holds_with_a_collection_at_every_allocation() {
    for mode in [Mode::Off, Mode::On { rivals: 1 }, Mode::StressFlag] {
        let mut config = HeapConfig::sized(4 << 20, 8);
        config.verify_heap = true;
        let heap = Heap::new(config).unwrap();
        heap.set_gc_interval(1).unwrap();
        let report = run(heaplab_script::STRESS_JS, &heap, mode, 0);
        assert_eq!(report.violations, [""; 0], "{mode}: {report:?}");
        assert!(report.collections.iter().sum::<u64>() > 500, "{mode}: {report:?}");
        assert!(heap.close().unwrap().is_sound());
    }
}

/// Scripts of the grammar do the same on every heap: a fixed sample of what the fuzz target draws.
#[test]
fn drawn_scripts_do_the_same_on_every_heap() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..600)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect();
        check(&Script::arbitrary(&mut Unstructured::new(&bytes)).expect("every input is a script"));
    }
}

#[test]
fn deep_recursion_is_a_range_error() {
    let caught = "function f(n) { return f(n + 1) + 1; } let e; try { f(0); } catch (x) { e = x; } \
                  console.log(e instanceof RangeError, e.message); \
                  let o = {}; for (let i = 0; i < 100000; i++) o = { o }; \
                  class A { get g() { return this.g; } } try { new A().g; } catch (x) { console.log(x.message); }";
    let (printed, ended, _) = run_on(caught, PLAIN);
    assert!(ended.is_ok(), "{ended:?}");
    let message = "Maximum call stack size exceeded\n";
    assert_eq!(printed, format!("true {message}{message}"));
    let (_, ended, _) = run_on("const f = () => [1].map(f); f();", PLAIN);
    assert!(matches!(&ended, Err(Failure::Uncaught { text, .. }) if text.contains("RangeError")), "{ended:?}");
}

#[test]
fn an_endless_loop_is_interrupted() {
    for source in
        ["for (;;);", "try { for (;;) { [1, 2].map((x) => x); } } finally { for (;;); }", "while (true) new Object();"]
    {
        let plan = Plan { deadline: Some(Duration::from_millis(300)), ..PLAIN };
        let start = Instant::now();
        let (_, ended, _) = run_on(source, plan);
        assert_eq!(ended, Err(Failure::Stopped(Stopped::Interrupted)), "{source}");
        assert!(start.elapsed() < Duration::from_secs(20), "{source}");
    }
}

/// Out of memory is an exception that the script can catch; when it has dropped what it held, it goes on.
#[test]
fn out_of_memory_is_an_exception() {
    let plan = Plan { heap_bytes: 4 << 20, ..PLAIN };
    let source = "let kept = []; let caught = 0; \
                  function fill() { for (;;) kept.push({ a: 1, b: [1, 2, 3], c: 'text ' + kept.length }); } \
                  for (let i = 0; i < 3; i++) { try { fill(); } catch (e) { kept = null; kept = []; caught++; \
                  if (!(e instanceof RangeError)) throw e; } } console.log(caught, kept.length);";
    let (printed, ended, out_of_memory) = run_on(source, plan);
    assert!(ended.is_ok() && out_of_memory, "{ended:?}");
    assert_eq!(printed, "3 0\n");
    let (_, ended, _) = run_on("const a = []; for (;;) a.push([a.length]);", plan);
    assert!(matches!(&ended, Err(Failure::Uncaught { text, .. }) if text.contains("Out of memory")), "{ended:?}");
    let (_, ended, _) = run_on("let s = 'x'; for (;;) { s += s; s.charAt(0); }", plan);
    assert!(matches!(&ended, Err(Failure::Uncaught { .. })), "{ended:?}");
}

// ---- the front door -------------------------------------------------------------------------------------------------

fn heaplab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaplab")).args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
}

/// A file of this test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Asserts exit code 1, a message with each of `words` and no panic. Returns what was printed before.
fn fails(name: &str, bytes: &[u8], words: &[&str]) -> String {
    let path = file(name, bytes);
    let output = heaplab(&["script", path.to_str().unwrap()]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1), "{name}: {out}{err}");
    assert!(!err.contains("panicked"), "{name}: {err}");
    for word in words.iter().chain([&name]) {
        assert!(err.contains(word), "{name}: no {word:?} in {err}");
    }
    out.into_owned()
}

#[test]
fn options_reach_the_heap() {
    let path = scripts().join("closures.js");
    let output = heaplab(&[
        "script",
        path.to_str().unwrap(),
        "--heap-mib",
        "4",
        "--gc-interval",
        "100",
        "--stress-concurrent-allocation",
        "--verify-heap",
        "--trace-gc",
        "--seconds",
        "100",
    ]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert_eq!(out, expected("closures"));
    let lines: Vec<&str> = err.lines().filter(|line| line.starts_with("collection ")).collect();
    assert!(lines.len() > 20, "a line for each collection: {err}");
    assert!(lines[0].starts_with("collection 1: ") && lines[1].starts_with("collection 2: "), "{err}");
}

#[test]
fn bad_files_are_refused() {
    let output = heaplab(&["script", "no such file.js"]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("no such file.js") && err.contains("cannot be read"), "{err}");
    fails("latin1.js", b"console.log('\xe9');", &["UTF-8", "byte 13"]);
    // An empty file is a script.
    let path = file("empty.js", b"");
    assert_eq!(heaplab(&["script", path.to_str().unwrap()]).status.code(), Some(0));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let out = fails("syntax.js", b"console.log(1);\nlet x = ;\n", &[":2:9: syntax error"]);
    assert_eq!(out, "", "nothing runs of a script that is none");
    fails("end.js", b"function f() {", &["syntax error"]);
    for (name, source, at, construct) in [
        ("regular.js", "let a = 1;\n  a = /x/;", ":2:7:", "regular expression"),
        ("generator.js", "function* g() {}", ":1:", "generator function"),
        ("async.js", "const f = async () => 1;", ":1:11:", "async arrow function"),
        ("private.js", "class A { #x = 1; }", ":1:", "private name"),
        ("bigint.js", "1n;", ":1:1:", "BigInt"),
        ("with.js", "with ({}) {}", ":1:7:", "with"),
        ("arguments.js", "function f() { return arguments; }", ":1:23:", "arguments"),
        ("eval.js", "eval('1');", ":1:5:", "direct eval"),
        ("map.js", "\n\nnew Map();", ":3:5:", "the global Map"),
        ("this.js", "console.log(this);", ":1:13:", "`this` outside of a function"),
        ("sloppy.js", "if (1) { function f() {} }", ":1:", "not strict"),
    ] {
        let out = fails(name, source.as_bytes(), &[at, construct, "not supported"]);
        assert_eq!(out, "", "{name}: nothing runs");
    }
    // These are found only when the script reaches them; what was printed before stays.
    for (name, source, construct) in [
        ("member.js", "console.log(1); try { [].flatMap((x) => x); } catch (e) { console.log(e); }", "flatMap"),
        ("math.js", "console.log(1); Math.sin(1);", "sin"),
        ("sloppy-this.js", "console.log(1); (function () { return this; })();", "not strict"),
        ("sloppy-global.js", "console.log(1); x = 2;", "global made by assignment"),
        ("sloppy-set.js", "console.log(1); const o = { get x() { return 1; } }; o.x = 2;", "only a getter"),
        ("error-shown.js", "console.log(1); console.log(new Error('x'));", "console.log of an error"),
        ("circular.js", "console.log(1); const a = []; a.push({ a }); console.log(a);", "that contains itself"),
        ("quotes.js", "console.log(1); console.log(['\\'\"${']);", "a string that needs escapes"),
        ("named.js", "console.log(1); const a = []; a.x = a.y = 1; delete a.x; console.log(a);", "a short line"),
        ("tagged.js", "console.log(1); console.log(Math);", "console.log of an object of the library"),
        ("array.js", "console.log(1); console.log(Array.prototype);", "console.log of an object of the library"),
        ("no-array.js", "console.log(1); console.log(Object.setPrototypeOf([], {}));", "without an array's methods"),
        ("renamed.js", "console.log(1); console.log(new (class { static name = 'A'; })());", "name was changed"),
        ("anonymous.js", "console.log(1); console.log(class A extends (class {}) {});", "extends one without a name"),
        ("inexact.js", "console.log(1); 3 ** -1;", "a power that is not exact"),
        ("great.js", "console.log(1); Math.pow(10, 23);", "a power that is not exact"),
        ("root.js", "console.log(1); 2 ** 0.5;", "a power with a fraction"),
    ] {
        assert_eq!(fails(name, source.as_bytes(), &[construct, "not supported", ":1:"]), "1\n", "{name}");
    }
}

#[test]
fn what_nobody_catches_is_said_with_its_place() {
    let out = fails(
        "throws.js",
        b"\"use strict\";\nclass Foo { get get() { throw new TypeError('no'); } }\nconsole.log('before');\n\
          (new Foo).get;",
        &[":2:", "uncaught TypeError: no"],
    );
    assert_eq!(out, "before\n");
    fails(
        "constant.js",
        b"'use strict'; class Foo { get get() { return 1; } }\n(new Foo).get = 2;",
        &[":2:", "Cannot set property get of #<Foo> which has only a getter"],
    );
    fails("nothing.js", b"'use strict'; ({ get x() {} }).x.y;", &["Cannot read properties of undefined (reading 'y')"]);
    fails("value.js", b"throw 'text';", &["uncaught text", ":1:7"]);
    fails("memory.js", b"const a = []; for (;;) a.push([a]);", &["Out of memory"]);
    fails("deep.js", b"(function f() { f(); })();", &["RangeError", "Maximum call stack size exceeded"]);
    fails("nested.js", "(".repeat(100_000).as_bytes(), &["nesting as deep as this", "1:513"]);
    fails("operators.js", format!("{}1", "!".repeat(100_000)).as_bytes(), &["nesting as deep as this"]);
}

#[test]
fn an_endless_script_ends_in_time() {
    let path = file("endless.js", b"let n = 0; for (;;) { try { n++; } finally { continue; } }");
    let start = Instant::now();
    let output = heaplab(&["script", path.to_str().unwrap(), "--seconds", "1"]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert!(start.elapsed() < Duration::from_secs(30));
}
