//! `heaplab script`: runs a script on a heap of its own.

use super::{BAD_USAGE, FAILED, PASSED, ScriptOptions, complain};
use crate::script::{self, Failure, Interpreter, STACK_BYTES};
use heaplab::{Heap, HeapConfig};
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

/// Local heaps beside the script's: the heap's own stress thread, and one to spare.
const THREADS_MAX: usize = 3;

/// Runs the script that the options name. Its output goes to the standard output, what is wrong with it to the error
/// stream, with the file, the line and the column.
#[must_use]
pub(super) fn script(options: &ScriptOptions) -> u8 {
    let name = options.file.display().to_string();
    let source = match std::fs::read(&options.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&format!("{name}: cannot be read: {error}"));
            return FAILED;
        }
    };
    let source = match String::from_utf8(source) {
        Ok(source) => source,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            complain(&format!("{name}: is no UTF-8: byte {at} begins no character"));
            return FAILED;
        }
    };
    let mut config = HeapConfig::sized((options.heap_mib as usize) << 20, THREADS_MAX);
    config.verify_heap = options.verify_heap;
    config.handle_block_slots = 4095;
    let heap = match Heap::new(config) {
        Ok(heap) => heap,
        Err(error) => {
            complain(&format!("no heap can be built with --heap-mib {}: {error}", options.heap_mib));
            return BAD_USAGE;
        }
    };
    let options = options.clone();
    match script::on_large_stack(move || run(&heap, &source, &options)) {
        Ok(Ok(())) => PASSED,
        Ok(Err(text)) => {
            complain(&format!("{name}:{text}"));
            FAILED
        }
        Err(error) => {
            complain(&format!("no thread with {STACK_BYTES} bytes of stack: {error}"));
            BAD_USAGE
        }
    }
}

/// Runs a source on the heap; what is wrong, if anything.
fn run(heap: &Heap, source: &str, options: &ScriptOptions) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| format!(" {error}");
    let mut attachment = heap.attach().map_err(|error| text(&error))?;
    heap.set_gc_interval(options.gc_interval).map_err(|error| text(&error))?;
    if options.stress_concurrent_allocation {
        heap.set_stress_concurrent_allocation(true).map_err(|error| text(&error))?;
    }
    let out = Output(BufWriter::new(std::io::stdout()));
    let mut interpreter = Interpreter::new(heap, Box::new(out));
    interpreter.limit_stack(STACK_BYTES);
    if let Some(seconds) = options.seconds {
        interpreter.set_deadline(Instant::now() + Duration::from_secs(seconds));
    }
    let ran = script::run_source(&mut attachment, &mut interpreter, source, |_, _| Ok(()));
    drop(interpreter);
    drop(attachment);
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
            failure @ (Failure::Stopped(crate::script::Stopped::Interrupted | crate::script::Stopped::Output)
            | Failure::NoRoom(_)),
        ) => Err(text(&failure)),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The standard output, buffered, and flushed when the script is over.
struct Output(BufWriter<std::io::Stdout>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
