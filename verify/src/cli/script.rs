//! `heaplab script`: runs a script on a heap of its own.

use super::{ScriptOptions, complain};
use heaplab::{Heap, HeapConfig};
use heaplab_common::exit::Exit;
use heaplab_script::{Failure, Interpreter, STACK_BYTES};
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Local heaps beside the script's: the heap's own stress thread, and one to spare.
const THREADS_MAX: usize = 3;
/// The time between two looks at the trace of collections.
const TRACE_INTERVAL: Duration = Duration::from_millis(20);

/// Runs the script that the options name. Its output goes to the standard output, what is wrong with it to the error
/// stream, with the file, the line and the column.
pub(super) fn script(options: &ScriptOptions) -> Exit {
    let name = options.file.display().to_string();
    let source = match std::fs::read(&options.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&format!("{name}: cannot be read: {error}"));
            return Exit::Failed;
        }
    };
    let source = match String::from_utf8(source) {
        Ok(source) => source,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            complain(&format!("{name}: is no UTF-8: byte {at} begins no character"));
            return Exit::Failed;
        }
    };
    let mut config = HeapConfig::sized((options.heap_mib as usize) << 20, THREADS_MAX);
    config.verify_heap = options.verify_heap;
    config.handle_block_slots = 4095;
    let heap = match Heap::new(config) {
        Ok(heap) => heap,
        Err(error) => {
            complain(&format!("no heap can be built with --heap-mib {}: {error}", options.heap_mib));
            return Exit::BadUsage;
        }
    };
    let options = options.clone();
    match heaplab_script::on_large_stack(move || run(&heap, &source, &options)) {
        Ok(Ok(())) => Exit::Passed,
        Ok(Err(text)) => {
            complain(&format!("{name}:{text}"));
            Exit::Failed
        }
        Err(error) => {
            complain(&format!("no thread with {STACK_BYTES} bytes of stack: {error}"));
            Exit::BadUsage
        }
    }
}

/// Runs a source on the heap. Returns what is wrong with the source, if anything is.
fn run(heap: &Heap, source: &str, options: &ScriptOptions) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| format!(" {error}");
    let mut attachment = heap.attach().map_err(|error| text(&error))?;
    // The trace begins before anything that collects, so no collection is left out.
    let trace = if options.trace_gc { Some(Trace::begin(heap).map_err(|error| text(&error))?) } else { None };
    heap.set_gc_interval(options.gc_interval).map_err(|error| text(&error))?;
    if options.stress_concurrent_allocation {
        heap.set_stress_concurrent_allocation(true).map_err(|error| text(&error))?;
    }
    let mut interpreter = Interpreter::new(heap, Box::new(BufWriter::new(std::io::stdout())));
    interpreter.limit_stack(STACK_BYTES);
    if let Some(seconds) = options.seconds {
        interpreter.set_deadline(Instant::now() + Duration::from_secs(seconds));
    }
    let ran = heaplab_script::run_source(&mut attachment, &mut interpreter, source, |_, _| Ok(()));
    // The script's output comes before what is said of the script.
    drop(interpreter);
    drop(attachment);
    if let Some(trace) = trace {
        trace.end();
    }
    if options.stress_concurrent_allocation {
        heap.set_stress_concurrent_allocation(false).map_err(|error| text(&error))?;
    }
    // The heap is sound after every script, also after one that filled it.
    let verification = heap.verify().map_err(|error| text(&error))?;
    if !verification.is_sound() {
        return Err(format!(" the heap is not sound: {}", verification.describe()));
    }
    match ran {
        Ok(_) => Ok(()),
        Err(
            failure @ (Failure::Stopped(heaplab_script::Stopped::Interrupted | heaplab_script::Stopped::Output)
            | Failure::NoRoom(_)),
        ) => Err(text(&failure)),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Prints a line for each collection while the script runs.
struct Trace {
    heap: Heap,
    is_over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Trace {
    fn begin(heap: &Heap) -> Result<Trace, heaplab::FlagError> {
        heap.set_trace_collections(true)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (heap, is_over) = (heap.clone(), Arc::clone(&is_over));
            move || {
                // Relaxed: a request to end, which orders nothing; the join does.
                while !is_over.load(Ordering::Relaxed) {
                    print_trace(&heap);
                    std::thread::sleep(TRACE_INTERVAL);
                }
            }
        });
        Ok(Trace { heap: heap.clone(), is_over, thread })
    }

    fn end(self) {
        // Relaxed: see above.
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        print_trace(&self.heap);
    }
}

fn print_trace(heap: &Heap) {
    let mut err = std::io::stderr().lock();
    for one in heap.take_collection_trace().unwrap_or_default() {
        // Whoever closed the stream wants no line.
        let _ = writeln!(
            err,
            "collection {}: {:?}, {} -> {} KiB committed, {} bytes survived, {} promoted, {} evacuated, {} pages kept",
            one.number,
            one.kind,
            one.committed_bytes_before >> 10,
            one.committed_bytes_after >> 10,
            one.summary.survived_bytes,
            one.summary.promoted_bytes,
            one.summary.evacuated_bytes,
            one.summary.pages_kept,
        );
    }
}
