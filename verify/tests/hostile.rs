//! Goal: no configuration and no text does harm: each is refused by a message that says what to do, or works. Method:
//! drawn bytes ([`hostile`](heaplab_programs::hostile)), which reach every field's refusal, and inputs that are
//! empty, huge or made to be slow, within a time that says that they are not.
//! With the feature `loom` the heap is native here, too, and the same minutes would say nothing new.
#![cfg(not(feature = "loom"))]

use heaplab_programs::hostile::{Hostile, Outcome, read};
use heaplab_programs::ops::{Limits, Program, recorded};
use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const TEXT: &str =
    "heaplab-ops 2\nworld tiny\n0 allocate old array half\n1 allocate young array empty+8\n0 collect major\n";

#[test]
fn any_configuration_is_refused_by_name_or_works() {
    let mut dice = Pcg64Mcg::seed_from_u64(4);
    let (mut refused, mut measured, mut ran, mut allocated) = (BTreeSet::new(), 0, 0, 0);
    for _ in 0..6000 {
        let mut bytes = [0; 20];
        dice.fill_bytes(&mut bytes);
        // At most two edits: of more, a single one mostly decides the refusal.
        bytes[1] %= 3;
        let mut bytes = bytes[..2 + 3 * usize::from(bytes[1])].to_vec();
        bytes.extend(TEXT.bytes());
        match Hostile::decode(&bytes).check() {
            Outcome::Refused(field) => _ = refused.insert(field),
            Outcome::Measured => measured += 1,
            Outcome::Ran(tally, _) => {
                ran += 1;
                allocated += tally.allocated;
            }
        }
    }
    println!("refused by {refused:?}; {measured} measured, {ran} ran, {allocated} allocated");
    let fields = [
        "handle_block_slots",
        "hard_limit_bytes",
        "hard_limit_bytes_max",
        "new_space_bytes",
        "page_bytes",
        "page_set_bits",
        "page_source",
        "soft_limit_bytes",
        "threads_max",
        "worklist_entries",
    ];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), fields);
    assert!(measured > 30 && ran > 1000 && allocated > 5000, "{measured} measured, {ran} ran, {allocated} allocated");
}

/// Goal: a new space and a reservation that together are more than what words address are refused by name, whichever
/// of them is clamped to the other. Method: bytes of a configuration that, if it is not refused, has two objects at
/// one address; and the large heaps around it.
#[test]
fn a_new_space_beyond_the_reservation_is_refused_by_name() {
    let outcome = Hostile::decode(&[3, 2, 15, 8, 0, 4, 10, 1]).check();
    assert_eq!(outcome, Outcome::Refused("new_space_bytes"), "half of the reservation, beside limits of all of it");
    let (mut refused, mut measured) = (0, 0);
    for pages in 0..16 {
        for share in 0..18 {
            match Hostile::decode(&[3, 1, 16, pages, share]).check() {
                Outcome::Refused(_) => refused += 1,
                Outcome::Measured => measured += 1,
                Outcome::Ran(..) => panic!("a heap of 2^{} bytes a page and {share}/16 new space is built", 9 + pages),
            }
        }
    }
    println!("{refused} refused, {measured} measured");
    assert!(refused > 40 && measured > 40, "{refused} refused, {measured} measured");
}

/// Texts that are nearly a program: words exchanged, cut, repeated, and bytes that are none.
#[test]
fn any_text_is_refused_by_line_or_means_itself() {
    let texts: Vec<String> = recorded().values().map(Program::to_string).collect();
    let words: Vec<&str> = texts.iter().flat_map(|text| text.split_whitespace()).collect();
    let mut dice = Pcg64Mcg::seed_from_u64(4);
    let mut below = |count: usize| dice.next_u64() as usize % count;
    let (mut good, mut bad) = (0, 0);
    for round in 0..6000 {
        let text = &texts[below(texts.len())];
        let mut lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        for _ in 0..1 + round % 3 {
            let line = below(lines.len());
            let at = below(lines[line].len());
            match below(6) {
                0 => _ = lines[line].remove(at),
                1 => lines[line].insert(at, words[below(words.len())]),
                2 => lines[line][at] = ["99999999999999999999", "-1", "\u{1f9a5}", "#", "\0", "+"][below(6)],
                3 => lines[line].clear(),
                4 => lines[line] = lines[below(lines.len())].clone(),
                _ => lines[line][at] = words[below(words.len())],
            }
            lines[line].push("");
        }
        let text: String = lines.iter().map(|line| line.join(" ") + "\n").collect();
        match read(&text) {
            Some(_) => good += 1,
            None => bad += 1,
        }
    }
    println!("{good} programs, {bad} refused");
    assert!(good > 300 && bad > 300, "{good} programs, {bad} refused");
}

#[test]
fn empty_huge_and_adversarial_texts_take_little() {
    let huge = 1 << 20;
    let texts = [
        String::new(),
        "\n".repeat(huge),
        "#".repeat(huge),
        "heaplab-ops 2\nworld tiny\n".to_owned() + &"x".repeat(huge),
        "heaplab-ops 2\nworld tiny\n".to_owned() + &"\u{1f9a5}".repeat(huge / 4),
        "heaplab-ops 2\nworld tiny\n".to_owned() + &"0 poll\n".repeat(huge / 7),
        "heaplab-ops 2\nworld tiny\n0 allocate young array ".to_owned() + &"+".repeat(huge),
        "heaplab-ops 2\nworld ".to_owned() + &"tiny ".repeat(huge / 5),
        "heaplab-ops ".to_owned() + &"9".repeat(huge),
    ];
    let start = Instant::now();
    for text in &texts {
        assert_eq!(read(text), None);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // The longest text that is a program.
    let longest = "heaplab-ops 2\nworld tiny\n".to_owned() + &"0 poll\n".repeat(Limits::ALL.steps_max);
    assert_eq!(Program::parse(&longest).unwrap().steps.len(), Limits::ALL.steps_max);
}
