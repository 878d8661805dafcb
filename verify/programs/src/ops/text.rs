//! The text form, `.ops`: a line of version, a line of world, then a line to a step.
//!
//! ```text
//! heaplab-ops 4
//! world tiny                      # or snug, small, mite; then, if wanted: not-concurrent, verify
//! 0 allocate young array half+8   # thread, operation, operands
//! 0 store 0 1 handle 0
//! 0 collect minor
//! ```
//!
//! `#` begins a comment. A file of a newer version is refused by its number, and whatever is not understood by its line.

use super::{
    Limits, NearLimitChoice, ObjectShape, Op, Operand, Program, RecordShape, ReserveChoice, Size, SizeBase, Step,
    World, WorldSize,
};
use core::fmt;
use core::str::FromStr;
use heaplab::{AllocationType, CollectionKind, SpaceKind};

/// The version that is written, and the greatest that is read: older ones mean the same.
///
/// | version | has |
/// |---|---|
/// | 1 | all operations but those below |
/// | 2 | `fail-commit` |
/// | 3 | `stress`, and the size `small-hole` |
/// | 4 | `fail-release`, `fail-spawn` |
///
/// What a version has not is refused in its files: an older build would call them damaged, and not newer.
pub const VERSION: u32 = 4;

const MAGIC: &str = "heaplab-ops";

/// Enough for the longest reason without a word from the text: that of a shape, which lists them all.
const REASON_CHARS_MAX: usize = 300;

/// Why a text is no program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl core::error::Error for ParseError {}

/// A value that is one word of text.
trait Word: Copy + PartialEq + 'static {
    const WHAT: &'static str;
    const WORDS: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).expect("the table is complete").0
    }

    fn from_word(word: &str) -> Result<Self, String> {
        let known = || Self::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value).ok_or_else(|| format!("`{word}` is no {}: one of {}", Self::WHAT, known()))
    }
}

macro_rules! words {
    ($type:ty, $what:literal, $($word:literal => $value:expr),+ $(,)?) => {
        impl Word for $type {
            const WHAT: &'static str = $what;
            const WORDS: &'static [(&'static str, $type)] = &[$(($word, $value)),+];
        }
    };
}

words!(
    WorldSize, "world",
    "tiny" => WorldSize::Tiny, "snug" => WorldSize::Snug, "small" => WorldSize::Small, "mite" => WorldSize::Mite,
);
words!(
    AllocationType, "allocation type",
    "young" => AllocationType::Young, "old" => AllocationType::Old,
    "map" => AllocationType::Map, "code" => AllocationType::Code,
);
words!(
    SpaceKind, "space",
    "new" => SpaceKind::New, "old" => SpaceKind::Old, "map" => SpaceKind::Map,
    "code" => SpaceKind::Code, "large" => SpaceKind::Large,
);
words!(
    CollectionKind, "kind of collection",
    "minor" => CollectionKind::Minor, "major" => CollectionKind::Major,
    "memory-reducing" => CollectionKind::MemoryReducing,
);
words!(
    SizeBase, "size",
    "empty" => SizeBase::Empty, "lab" => SizeBase::Lab, "half" => SizeBase::Half, "page" => SizeBase::Page,
    "two-pages" => SizeBase::TwoPages, "five-pages" => SizeBase::FivePages,
    "greatest" => SizeBase::Greatest, "absurd" => SizeBase::Absurd, "whole" => SizeBase::Whole,
    "small-hole" => SizeBase::SmallHole,
);
words!(
    NearLimitChoice, "answer of the callback",
    "none" => NearLimitChoice::None, "raise" => NearLimitChoice::Raise, "raise-max" => NearLimitChoice::RaiseMax,
    "refuse" => NearLimitChoice::Refuse, "lower" => NearLimitChoice::Lower, "unwind" => NearLimitChoice::Unwind,
);
words!(
    ObjectShape, "shape",
    "array" => ObjectShape::Array, "bytes" => ObjectShape::Bytes, "code" => ObjectShape::Code,
    "record-fields" => ObjectShape::Record(RecordShape::Fields),
    "record-mixed" => ObjectShape::Record(RecordShape::Mixed),
    "record-raw" => ObjectShape::Record(RecordShape::Raw),
    "record-slots" => ObjectShape::Record(RecordShape::Slots),
    "record-bytes" => ObjectShape::Record(RecordShape::Bytes),
    "record-wide" => ObjectShape::Record(RecordShape::Wide),
    "map-fields" => ObjectShape::Map(RecordShape::Fields),
    "map-mixed" => ObjectShape::Map(RecordShape::Mixed),
    "map-raw" => ObjectShape::Map(RecordShape::Raw),
    "map-slots" => ObjectShape::Map(RecordShape::Slots),
    "map-bytes" => ObjectShape::Map(RecordShape::Bytes),
    "map-wide" => ObjectShape::Map(RecordShape::Wide),
);
words!(bool, "switch", "on" => true, "off" => false);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delta {
            0 => f.write_str(self.base.word()),
            delta => write!(f, "{}{delta:+}", self.base.word()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Handle(n) => write!(f, "handle {n}"),
            Operand::Small(n) => write!(f, "small {n}"),
            Operand::Immortal(n) => write!(f, "immortal {n}"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Op::Attach => f.write_str("attach"),
            Op::Detach => f.write_str("detach"),
            Op::Park => f.write_str("park"),
            Op::Poll => f.write_str("poll"),
            Op::Allocate { ty, object, size } => write!(f, "allocate {} {} {size}", ty.word(), object.word()),
            Op::Load { host, slot } => write!(f, "load {host} {slot}"),
            Op::Store { host, slot, value } => write!(f, "store {host} {slot} {value}"),
            Op::Write { host, index, value } => write!(f, "write {host} {index} {value}"),
            Op::Handle(value) => write!(f, "make {value}"),
            Op::Persist(handle) => write!(f, "persist {handle}"),
            Op::Open(persistent) => write!(f, "open {persistent}"),
            Op::Drop(persistent) => write!(f, "drop {persistent}"),
            Op::StoreRoot { slot, value } => write!(f, "store-root {slot} {value}"),
            Op::LoadRoot(slot) => write!(f, "load-root {slot}"),
            Op::RenewRoots => f.write_str("renew-roots"),
            Op::OpenScope { escaping: false } => f.write_str("open-scope"),
            Op::OpenScope { escaping: true } => f.write_str("open-escaping-scope"),
            Op::CloseScope => f.write_str("close-scope"),
            Op::Full(space) => write!(f, "full {}", space.word()),
            Op::Fill { ty, granules } => write!(f, "fill {} {granules}", ty.word()),
            Op::Collect(kind) => write!(f, "collect {}", kind.word()),
            Op::CollectParked(kind) => write!(f, "collect-parked {}", kind.word()),
            Op::EnterAlways(ReserveChoice { pages: [young, old, map, code], large_half_pages }) => {
                write!(f, "enter-always {young} {old} {map} {code} {large_half_pages}")
            }
            Op::LeaveAlways => f.write_str("leave-always"),
            Op::GcInterval(interval) => write!(f, "gc-interval {interval}"),
            Op::VerifyHeap(on) => write!(f, "verify-heap {}", on.word()),
            Op::Concurrent(on) => write!(f, "concurrent {}", on.word()),
            Op::Stress(on) => write!(f, "stress {}", on.word()),
            Op::FailAttempt(Some(k)) => write!(f, "fail-attempt {k}"),
            Op::FailAttempt(None) => f.write_str("fail-attempt off"),
            Op::FailCommit(Some(k)) => write!(f, "fail-commit {k}"),
            Op::FailCommit(None) => f.write_str("fail-commit off"),
            Op::FailRelease(Some(k)) => write!(f, "fail-release {k}"),
            Op::FailRelease(None) => f.write_str("fail-release off"),
            Op::FailSpawn(Some(k)) => write!(f, "fail-spawn {k}"),
            Op::FailSpawn(None) => f.write_str("fail-spawn off"),
            Op::NearLimit(choice) => write!(f, "near-limit {}", choice.word()),
            Op::Verify => f.write_str("verify"),
            Op::Statistics => f.write_str("statistics"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let concurrent = if self.world.concurrent { "" } else { " not-concurrent" };
        let verify = if self.world.verify { " verify" } else { "" };
        writeln!(f, "{MAGIC} {VERSION}\nworld {}{concurrent}{verify}", self.world.size.word())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{} {}", step.thread, step.op))
    }
}

/// The words of a line that are still to be read.
struct Words<'a>(core::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn word<T: Word>(&mut self) -> Result<T, String> {
        T::from_word(self.next(T::WHAT)?)
    }

    fn number<T: FromStr + PartialOrd + fmt::Display>(&mut self, what: &str, min: T, max: T) -> Result<T, String> {
        let word = self.next(what)?;
        let in_range = word.parse().ok().filter(|number| (&min..=&max).contains(&number));
        in_range.ok_or_else(|| format!("{what}: `{word}` is no number within {min}..={max}"))
    }

    fn byte(&mut self, what: &str) -> Result<u8, String> {
        self.number(what, 0, u8::MAX)
    }

    /// How many succeed before one fails, or `off`.
    fn countdown(&mut self, what: &str) -> Result<Option<u8>, String> {
        if self.0.clone().next() == Some("off") {
            return self.next(what).map(|_| None);
        }
        self.number(what, 0, 254).map(Some)
    }

    fn size(&mut self) -> Result<Size, String> {
        let word = self.next("size")?;
        // The names of boundaries have hyphens too: the last sign before a digit is the distance's.
        let sign = word.rfind(['+', '-']).filter(|&at| word[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let (base, delta) = match sign {
            Some(at) => {
                let digits = word[at..].strip_prefix('+').unwrap_or(&word[at..]);
                let reason = || format!("size: `{}` is no distance within -128..=127", &word[at..]);
                (&word[..at], digits.parse().map_err(|_| reason())?)
            }
            None => (word, 0),
        };
        Ok(Size { base: SizeBase::from_word(base)?, delta })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        Ok(match self.next("operand")? {
            "handle" => Operand::Handle(self.number("handle", 0, Operand::HANDLE_MAX)?),
            "small" => Operand::Small(self.number("small", *Operand::SMALL.start(), *Operand::SMALL.end())?),
            "immortal" => Operand::Immortal(self.number("immortal", 0, 3)?),
            word => return Err(format!("`{word}` is no operand: one of handle, small, immortal")),
        })
    }

    fn op(&mut self) -> Result<Op, String> {
        Ok(match self.next("operation")? {
            "attach" => Op::Attach,
            "detach" => Op::Detach,
            "park" => Op::Park,
            "poll" => Op::Poll,
            "allocate" => Op::Allocate { ty: self.word()?, object: self.word()?, size: self.size()? },
            "load" => Op::Load { host: self.byte("host")?, slot: self.byte("slot")? },
            "store" => Op::Store { host: self.byte("host")?, slot: self.byte("slot")?, value: self.operand()? },
            "write" => Op::Write { host: self.byte("host")?, index: self.byte("index")?, value: self.byte("value")? },
            "make" => Op::Handle(self.operand()?),
            "persist" => Op::Persist(self.byte("handle")?),
            "open" => Op::Open(self.byte("persistent handle")?),
            "drop" => Op::Drop(self.byte("persistent handle")?),
            "store-root" => Op::StoreRoot { slot: self.byte("slot")?, value: self.operand()? },
            "load-root" => Op::LoadRoot(self.byte("slot")?),
            "renew-roots" => Op::RenewRoots,
            "open-scope" => Op::OpenScope { escaping: false },
            "open-escaping-scope" => Op::OpenScope { escaping: true },
            "close-scope" => Op::CloseScope,
            "full" => Op::Full(self.word()?),
            "fill" => Op::Fill { ty: self.word()?, granules: self.byte("granules")? },
            "collect" => Op::Collect(self.word()?),
            "collect-parked" => Op::CollectParked(self.word()?),
            "enter-always" => {
                let mut pages = [0; 4];
                for (count, ty) in pages.iter_mut().zip(AllocationType::ALL) {
                    *count = self.number(ty.word(), 0, 3)?;
                }
                Op::EnterAlways(ReserveChoice { pages, large_half_pages: self.byte("half pages")? })
            }
            "leave-always" => Op::LeaveAlways,
            "gc-interval" => Op::GcInterval(self.byte("interval")?),
            "verify-heap" => Op::VerifyHeap(self.word()?),
            "concurrent" => Op::Concurrent(self.word()?),
            "stress" => Op::Stress(self.word()?),
            "fail-attempt" => Op::FailAttempt(self.countdown("attempt")?),
            "fail-commit" => Op::FailCommit(self.countdown("page request")?),
            "fail-release" => Op::FailRelease(self.countdown("release")?),
            "fail-spawn" => Op::FailSpawn(self.countdown("thread of the heap")?),
            "near-limit" => Op::NearLimit(self.word()?),
            "verify" => Op::Verify,
            "statistics" => Op::Statistics,
            word => return Err(format!("`{word}` is no operation")),
        })
    }

    fn step(&mut self, version: u32) -> Result<Step, String> {
        let step = Step { thread: self.number("thread", 0, Limits::ALL.threads_max - 1)?, op: self.op()? };
        let since = match step.op {
            Op::FailRelease(_) | Op::FailSpawn(_) => 4,
            Op::Stress(_) => 3,
            Op::Allocate { size: Size { base: SizeBase::SmallHole, .. }, .. } => 3,
            Op::FailCommit(_) => 2,
            _ => 1,
        };
        if since > version {
            return Err(format!("`{}` is of version {since}, and the file says {version}", step.op));
        }
        self.end().map(|()| step)
    }

    fn world(&mut self) -> Result<World, String> {
        match self.next("the line `world`")? {
            "world" => {}
            word => return Err(format!("`{word}` stands where the line `world tiny` (or snug, small, mite) belongs")),
        }
        let mut world = World { size: self.word()?, concurrent: true, verify: false };
        for word in self.0.by_ref() {
            match word {
                "not-concurrent" => world.concurrent = false,
                "verify" => world.verify = true,
                _ => return Err(format!("`{word}` says nothing about a world: not-concurrent or verify")),
            }
        }
        Ok(world)
    }

    fn version(&mut self) -> Result<u32, String> {
        match self.next("the line of the version")? {
            MAGIC => {}
            word => return Err(format!("`{word}` stands where `{MAGIC} {VERSION}` belongs")),
        }
        match self.number("version", 1, u32::MAX)? {
            version @ ..=VERSION => self.end().map(|()| version),
            newer => Err(format!("version {newer} is newer than {VERSION}, the newest that this build reads")),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is one word too many")))
    }
}

impl Program {
    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that is not understood, and why; a newer version; more steps than [`Limits::ALL`].
    pub fn parse(text: &str) -> Result<Program, ParseError> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        let mut lines = lines.enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.is_empty());
        let end = text.lines().count() + 1;
        let mut next =
            || lines.next().map_or((end, Words("".split_whitespace())), |(at, l)| (at, Words(l.split_whitespace())));
        let at = |line| move |reason| ParseError { line, reason: shortened(reason) };
        let (line, mut words) = next();
        let version = words.version().map_err(at(line))?;
        let (line, mut words) = next();
        let world = words.world().map_err(at(line))?;
        let mut steps = Vec::new();
        for (line, text) in lines {
            steps.push(Words(text.split_whitespace()).step(version).map_err(at(line))?);
            if steps.len() > Limits::ALL.steps_max {
                return Err(at(line)(format!("more than {} steps", Limits::ALL.steps_max)));
            }
        }
        Ok(Program { world, steps })
    }
}

/// A reason quotes the word that it is about, which may be of any length.
fn shortened(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(REASON_CHARS_MAX) {
        reason.truncate(end);
        reason.push_str(" ...");
    }
    reason
}

impl FromStr for Program {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Program, ParseError> {
        Program::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation code of the byte form survives the way through the text form.
    #[test]
    fn every_operation_survives_text_and_bytes() {
        for code in 0..64 {
            for operand in (0..=255u8).step_by(3) {
                let bytes = [0, 1, code | (operand & 0xc0), operand, operand.wrapping_mul(3), operand.wrapping_mul(7)];
                let program = Program::decode(&bytes, &Limits::ALL);
                assert_eq!(Program::parse(&program.to_string()), Ok(program.clone()));
                assert_eq!(Program::decode(&program.encode(), &Limits::ALL), program);
            }
        }
    }

    #[test]
    fn each_bad_text_is_refused_by_line_and_reason() {
        let cases = [
            ("", 1, "version is missing"),
            ("heaplab-ops 5\nworld tiny", 1, "version 5 is newer than 4"),
            ("heaplab-ops 1\nworld tiny\n0 fail-commit 1", 3, "`fail-commit 1` is of version 2, and the file says 1"),
            ("heaplab-ops 3\nworld tiny\n0 fail-release 1", 3, "`fail-release 1` is of version 4, and the file says 3"),
            ("heaplab-ops 3\nworld tiny\n0 fail-spawn off", 3, "`fail-spawn off` is of version 4"),
            ("heaplab-ops 4\nworld tiny\n0 fail-release 255", 3, "release: `255`"),
            ("heaplab-ops 4\nworld tiny\n0 fail-spawn", 3, "thread of the heap is missing"),
            ("heaplab-ops 2\nworld tiny\n0 poll\n0 stress on", 4, "`stress on` is of version 3"),
            ("heaplab-ops 2\nworld tiny\n0 allocate old array small-hole-4", 3, "is of version 3"),
            ("heaplab-ops 0\nworld tiny", 1, "version: `0`"),
            ("heaplab-ops x", 1, "version: `x`"),
            ("ops 1", 1, "`ops` stands where"),
            ("heaplab-ops 1", 2, "`world` is missing"),
            ("heaplab-ops 1\n\nworld huge", 3, "`huge` is no world"),
            ("heaplab-ops 1\nworld tiny loud", 2, "`loud` says nothing"),
            ("heaplab-ops 1\nworld tiny\n0 juggle", 3, "`juggle` is no operation"),
            ("heaplab-ops 1\nworld tiny\n# yes\n9 poll", 4, "thread: `9`"),
            ("heaplab-ops 1\nworld tiny\n0 poll 1", 3, "one word too many"),
            ("heaplab-ops 1\nworld tiny\n0 allocate young array", 3, "size is missing"),
            ("heaplab-ops 1\nworld tiny\n0 allocate young array half+999", 3, "no distance"),
            ("heaplab-ops 1\nworld tiny\n0 allocate young array third", 3, "`third` is no size"),
            ("heaplab-ops 1\nworld tiny\n0 store 1 2 three", 3, "`three` is no operand"),
            ("heaplab-ops 1\nworld tiny\n0 store 1 2 small 26", 3, "within -26..=25"),
            ("heaplab-ops 2\nworld tiny\n0 fail-commit 255", 3, "page request: `255`"),
            ("heaplab-ops 2\nworld tiny\n0 fail-commit off 1", 3, "one word too many"),
            ("heaplab-ops 1\nworld tiny\n0 enter-always 4 0 0 0 0", 3, "young: `4`"),
        ];
        for (text, line, reason) in cases {
            let error = Program::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
        let long = format!("heaplab-ops 1\nworld tiny\n{}", "0 poll\n".repeat(Limits::ALL.steps_max + 1));
        assert!(Program::parse(&long).unwrap_err().reason.contains("more than 4096 steps"));
    }
}
