//! Hostile input: any configuration, and any text.
//!
//! ```text
//! byte 0       which configuration it starts from; how it is driven; whether verified
//! byte 1       how many edits, modulo 9
//! edit         [field, kind of value, operand]
//! the rest     text, perhaps a program
//! ```
//!
//! A configuration that was good but for a few fields gets further than a random one, so the input is a list of edits.
//! The values are those at which something changes: 0, 1, powers of two and their neighbours, multiples of small
//! pages, the greatest reservation, and the greatest number there is.
//!
//! What has to come of an input:
//! * the text is refused by the number of one of its lines and a reason, or is a program that its own text gives back;
//! * the configuration is refused by a message that names the field, or the heap works: it does what the shadow says,
//!   and ends empty.
//!
//! Nothing here takes long. A heap of more than [`TABLES_BYTES_MAX`] of side tables, or of too long a work list or
//! block of handles, is measured and not built. A heap whose reservation is greater than [`WHOLE_BYTES_MAX`] runs a
//! short program only.

use crate::ops::{Limits, Program, World, WorldSize};
use crate::shadow::{Driver, Tally};
use arbitrary::{Arbitrary, Unstructured};
use heaplab::memory::PageSource;
use heaplab::words::{Layout, RESERVATION_BYTES_MAX};
use heaplab::{BuildError, Heap, HeapConfig};
use heaplab_common::claim_eq;

/// Bytes of side tables at most, for a heap to be built.
pub const TABLES_BYTES_MAX: usize = 4 << 20;
/// Bytes of the reservation at most, for a heap to run the program of the text.
pub const WHOLE_BYTES_MAX: usize = 2 << 20;
/// Entries of the work list, and slots of a block of handles, at most, for a heap to be built.
const ENTRIES_MAX: usize = 1 << 20;
const EDITS_MAX: usize = 8;
/// Texts are read up to so many bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What is run where the text is no program, and on large heaps: each space, each kind of collection.
const SHORT: &str = "heaplab-ops 2
world tiny
0 allocate young array empty+8
0 allocate old array empty+8
0 store 0 0 handle 1
0 allocate map map-fields empty
0 allocate code code empty+4
0 allocate young bytes half+8
0 collect minor
1 allocate young array empty+16
1 store 0 0 small 3
1 enter-always 1 1 0 0 0
1 allocate old array empty
1 leave-always
0 full old
0 fill young 2
0 collect major
0 allocate old array lab
0 collect memory-reducing
0 verify
";

/// A configuration and a text.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// The configuration.
    pub config: HeapConfig,
    /// How a program is driven.
    pub driver: Driver,
    /// The text.
    pub text: String,
}

/// What came of an input.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The configuration was refused, by this field or for want of memory.
    Refused(&'static str),
    /// The configuration was good, and its heap too great to be built here.
    Measured,
    /// A heap was built and ran a program: what the program did, and whether it was the text's.
    Ran(Tally, bool),
}

/// A number at which something changes.
fn number(kind: u8, operand: u8) -> usize {
    let small = usize::from(operand);
    let power = 1usize << (operand % 64);
    match kind % 15 {
        0 => small,
        1 => power,
        2 => power - 1,
        3 => power.wrapping_add(1),
        4 => usize::MAX - small,
        5 => small * 8,
        6 => small * 128,
        7 => small * (16 << 10),
        8 => RESERVATION_BYTES_MAX,
        9 => RESERVATION_BYTES_MAX + 1 + small,
        10 => RESERVATION_BYTES_MAX / (1 + small),
        11 => (small * 128) ^ 1,
        12 => small << 20,
        13 => small << 28,
        _ => RESERVATION_BYTES_MAX / 16 * (small % 18),
    }
}

fn set_limits(config: &mut HeapConfig, bytes: usize, new_space_bytes: usize) {
    config.soft_limit_bytes = bytes;
    config.hard_limit_bytes = bytes;
    config.hard_limit_bytes_max = bytes;
    config.new_space_bytes = new_space_bytes;
}

fn edit(config: &mut HeapConfig, [field, kind, operand]: [u8; 3]) {
    let value = number(kind, operand);
    let perhaps = (operand != 255).then_some(value);
    match field % 18 {
        0 => config.page_bytes = perhaps,
        1 => config.soft_limit_bytes = value,
        2 => config.hard_limit_bytes = value,
        3 => config.hard_limit_bytes_max = value,
        4 => config.new_space_bytes = value,
        5 => config.young_lab_bytes = value,
        6 => config.small_hole_bytes = perhaps,
        7 => config.pool_bytes_max = value,
        8 => config.threads_max = value,
        9 => config.pages_per_thread_min = value,
        10 => config.worklist_entries = value,
        11 => config.handle_block_slots = value,
        12 => config.page_set_bits = value,
        13 => config.concurrent_allocation = operand & 1 == 0,
        14 => {
            let sources = [PageSource::Mapped, PageSource::Owned, PageSource::Simulated];
            config.page_source = sources[usize::from(operand) % sources.len()];
        }
        // All limits at once: a greater or smaller heap of the same proportions.
        15 => set_limits(config, value, value / 8),
        // The greatest heap of this page size, with a new space of 0 to 17 sixteenths of it: the number of pages is
        // clamped to the reservation after others were derived from the limits.
        16 => {
            config.page_bytes = Some(512 << (kind % 16));
            set_limits(config, RESERVATION_BYTES_MAX, RESERVATION_BYTES_MAX / 16 * usize::from(operand % 18));
        }
        // Limits that stand in the wrong order, or nearly: soft, hard and greatest, of 0 to 3 halves of the hard
        // limit.
        _ => {
            let limit = |shift: u8| config.hard_limit_bytes / 2 * usize::from((operand >> shift) & 3);
            (config.soft_limit_bytes, config.hard_limit_bytes, config.hard_limit_bytes_max) =
                (limit(0), limit(2), limit(4));
        }
    }
}

impl Hostile {
    /// The input that these bytes are. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Hostile {
        let (&head, bytes) = bytes.split_first().unwrap_or((&0, &[]));
        let (&count, bytes) = bytes.split_first().unwrap_or((&0, &[]));
        let mut config = match head & 3 {
            0 => HeapConfig::tiny(),
            1 => World { size: WorldSize::Snug, concurrent: true, verify: false }.config(1, PageSource::default()),
            2 => HeapConfig::sized(512 << 10, 1),
            _ => HeapConfig::sized(8 << 20, 3),
        };
        config.verify_heap = head & 8 != 0;
        let edits = 3 * (usize::from(count) % (EDITS_MAX + 1));
        let (edits, text) = bytes.split_at(edits.min(bytes.len()));
        for bytes in edits.chunks_exact(3) {
            edit(&mut config, [bytes[0], bytes[1], bytes[2]]);
        }
        let text = String::from_utf8_lossy(&text[..text.len().min(TEXT_BYTES_MAX)]).into_owned();
        let driver = if head & 4 == 0 { Driver::Single } else { Driver::Interleaved };
        Hostile { config, driver, text }
    }

    /// Reads the text, builds the heap, and runs a program on it.
    ///
    /// # Panics
    /// If what comes of it is neither good nor a proper refusal.
    pub fn check(&self) -> Outcome {
        let program = read(&self.text);
        match self.config.layout() {
            Ok(layout) if is_built(&self.config, &layout) => self.build(program, &layout),
            Ok(layout) => {
                layout.check().expect("what was derived holds its own predicate");
                Outcome::Measured
            }
            Err(error) => {
                let (field, message) = (error.field(), error.to_string());
                assert!(message.contains(field) && message.len() > field.len() + 30, "a bare message: {message}");
                claim_eq!(
                    Heap::new(self.config.clone()).err(),
                    Some(BuildError::Config(error)),
                    "the refusal of the heap itself"
                );
                Outcome::Refused(field)
            }
        }
    }

    fn build(&self, program: Option<Program>, layout: &Layout) -> Outcome {
        layout.check().expect("what was derived holds its own predicate");
        let heap = match Heap::new(self.config.clone()) {
            Ok(heap) => heap,
            Err(BuildError::Memory(error)) => {
                assert!(error.to_string().len() > 40, "a bare message: {error}");
                return Outcome::Refused("page_source");
            }
            Err(error) => panic!("the layout is good, and the heap is refused: {error}"),
        };
        let is_small = layout.pages() * layout.page_bytes() <= WHOLE_BYTES_MAX;
        let (mut program, is_the_texts) = match program.filter(|_| is_small) {
            Some(program) => (program, true),
            None => (Program::parse(SHORT).expect("a program"), false),
        };
        program.fix_up(&Limits::FUZZ);
        program.world.concurrent = self.config.concurrent_allocation;
        program.world.verify = self.config.verify_heap;
        let tallies = self.driver.rounds_on(heap, &program, &[None]);
        Outcome::Ran(tallies[0], is_the_texts)
    }
}

/// The program that a text is, if it is one.
///
/// # Panics
/// If its own text does not give it back, or an error does not say where and why.
pub fn read(text: &str) -> Option<Program> {
    match Program::parse(text) {
        Ok(program) => {
            claim_eq!(Program::parse(&program.to_string()).as_ref(), Ok(&program), "what the text of a program means");
            Some(program)
        }
        Err(error) => {
            assert!((1..=text.lines().count() + 1).contains(&error.line), "no such line: {error}");
            assert!((10..400).contains(&error.reason.chars().count()), "a bare or endless reason: {error}");
            None
        }
    }
}

/// Whether a heap of this layout takes little enough to be built.
fn is_built(config: &HeapConfig, layout: &Layout) -> bool {
    // Estimated: kind, information and bits of each page; marks, holes and remembered bits of each granule.
    let tables = layout.pages() * 32 + layout.pages() * layout.page_bytes() / 16;
    tables <= TABLES_BYTES_MAX && config.worklist_entries <= ENTRIES_MAX && config.handle_block_slots <= ENTRIES_MAX
}

impl<'a> Arbitrary<'a> for Hostile {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Hostile> {
        let bytes = u.len();
        Ok(Hostile::decode(u.bytes(bytes)?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<Hostile> {
        Ok(Hostile::decode(u.take_rest()))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}
