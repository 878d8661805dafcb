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
//! `#` begins a comment. A file of a newer version is refused by its number. Whatever is not understood is refused by
//! its line.

use super::word::Word;
use super::words::Words;
use super::{Limits, Op, Program, Step, VERSION, World, WorldSize};
use core::fmt;
use core::str::FromStr;

const MAGIC: &str = "heaplab-ops";

/// Characters of a reason at most. The longest one without a word from the text lists all shapes, and fits.
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

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let concurrent = if self.world.concurrent { "" } else { " not-concurrent" };
        let verify = if self.world.verify { " verify" } else { "" };
        writeln!(f, "{MAGIC} {VERSION}\nworld {}{concurrent}{verify}", self.world.size.word())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{} {}", step.thread, step.op))
    }
}

impl Words<'_> {
    fn op(&mut self) -> Result<Op, String> {
        Op::read(self.next("operation")?, self)
    }

    fn step(&mut self, version: u32) -> Result<Step, String> {
        let step = Step { thread: self.number("thread", 0, Limits::ALL.threads_max - 1)?, op: self.op()? };
        let since = step.op.since();
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
        let mut world =
            World { size: WorldSize::from_word(self.next(WorldSize::WHAT)?)?, concurrent: true, verify: false };
        while let Some(word) = self.next_if_any() {
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
}

impl Program {
    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that is not understood, and why; a version newer than [`VERSION`]; an operation newer than the
    /// file's version; more steps than [`Limits::ALL`].
    pub fn parse(text: &str) -> Result<Program, ParseError> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        let mut lines = lines.enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.is_empty());
        let end = text.lines().count() + 1;
        let mut next = || lines.next().map_or((end, Words::of("")), |(at, line)| (at, Words::of(line)));
        let at = |line| move |reason| ParseError { line, reason: shortened(reason) };
        let (line, mut words) = next();
        let version = words.version().map_err(at(line))?;
        let (line, mut words) = next();
        let world = words.world().map_err(at(line))?;
        let mut steps = Vec::new();
        for (line, text) in lines {
            steps.push(Words::of(text).step(version).map_err(at(line))?);
            if steps.len() > Limits::ALL.steps_max {
                return Err(at(line)(format!("more than {} steps", Limits::ALL.steps_max)));
            }
        }
        Ok(Program { world, steps })
    }
}

/// Cuts a reason that is too long: it quotes a word of the text, which may be of any length.
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
