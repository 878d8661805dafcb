//! Digests that freeze what the byte form and the text form of a program mean: fuzzers keep bytes, and people keep
//! text.

use super::{Limits, Program};

/// The digest of 64 bits by Fowler, Noll and Vo.
struct Digest(u64);

impl Digest {
    fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// One step of each code, with every value of each of its three bytes.
fn programs() -> impl Iterator<Item = Program> {
    (0..64u8).flat_map(|code| {
        (0..=255u8).flat_map(move |x| {
            let (three, seven) = (x.wrapping_mul(3), x.wrapping_mul(7));
            [[x, 0, 0], [0, x, 0], [0, 0, x], [x, three, seven], [seven, x, three]]
                .map(|[a, b, c]| Program::decode(&[0, 0, code, a, b, c], &Limits::ALL))
        })
    })
}

/// Goal: bytes and text mean what they did.
/// Method: a digest over the text and the bytes of a step of each code, with every value of each byte.
#[test]
fn bytes_and_text_mean_what_they_did() {
    let mut digest = Digest::new();
    for program in programs() {
        digest.add(program.to_string().as_bytes());
        digest.add(&program.encode());
    }
    assert_eq!(
        digest.0, 0x9b42_c89a_9b3f_d158,
        "an operation reads or writes another text or other bytes than before; if a new one has \
                             taken codes of another on purpose, the digest is now {:#x}",
        digest.0
    );
}

/// Goal: what is no program is refused as before, in a file of each version.
/// Method: a digest over the answers to lines with a word left out, another one, or one too many.
#[test]
fn what_is_no_program_is_refused_as_before() {
    const OTHERS: [&str; 6] = ["zz", "300", "-1", "off", "handle", "young"];
    let mut digest = Digest::new();
    let mut line = |version: u32, line: &str| {
        let answer = Program::parse(&format!("heaplab-ops {version}\nworld tiny\n{line}\n"));
        match answer {
            Ok(program) => digest.add(&program.encode()),
            Err(error) => digest.add(error.to_string().as_bytes()),
        }
    };
    for program in programs().step_by(37) {
        let text = program.to_string();
        let words: Vec<&str> = text.lines().nth(2).expect("a step").split_whitespace().collect();
        for version in 1..=4 {
            line(version, &words.join(" "));
        }
        for index in 1..words.len() {
            let with = |word: &[&str]| [&words[..index], word, &words[index + 1..]].concat().join(" ");
            line(4, &with(&[]));
            OTHERS.iter().for_each(|other| line(4, &with(&[other])));
        }
        line(4, &(words.join(" ") + " zz"));
    }
    assert_eq!(
        digest.0, 0xdda1_fa97_8474_f6b7,
        "a line is refused for another reason, or not at all; if that is on purpose, the digest is \
                             now {:#x}",
        digest.0
    );
}
