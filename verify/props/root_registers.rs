//! The registers of persistent handles and of root sets, against maps.

use heaplab::Tagged;
use heaplab::thread::{PersistentCell, PersistentHandles, RootSetSlots, RootSets};
use heaplab::words::Offset;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Act {
    /// Adds a reference, or a small integer.
    Add(bool),
    Drop(Index),
    /// Visits what may be young, and moves it; this share of what moves, in thirds, stays young.
    VisitYoung(u8),
    VisitAll,
    ForgetYoung,
    Trim,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => prop::bool::weighted(0.9).prop_map(Act::Add),
        7 => any::<Index>().prop_map(Act::Drop),
        2 => (0u8..4).prop_map(Act::VisitYoung),
        1 => Just(Act::VisitAll),
        1 => Just(Act::ForgetYoung),
        1 => Just(Act::Trim),
    ]
}

/// Words, each of which is told from every other by its address or its number.
struct Words(usize);

impl Words {
    fn next(&mut self, is_reference: bool) -> Tagged {
        self.0 += 1;
        match is_reference {
            true => Tagged::reference(Offset::new(8 * self.0)),
            false => Tagged::small(i32::try_from(self.0).unwrap()).unwrap(),
        }
    }
}

fn stays_young(word: Tagged, share: u8) -> bool {
    word.is_reference() && (word.bits() >> 1) % 3 < u32::from(share)
}

fn sorted(mut words: Vec<Tagged>) -> Vec<u32> {
    words.sort_unstable_by_key(|word| word.bits());
    words.into_iter().map(Tagged::bits).collect()
}

proptest! {
    /// A handle holds its word until the handle is dropped; each visit sees exactly what it is to see; a slab is
    /// added when every cell is in use, and a trim keeps no slab without a handle.
    #[test]
    fn a_register_of_persistent_handles_is_a_map(slab_cells in 1usize..5, acts in vec(act(), 0..200)) {
        let register = PersistentHandles::new(slab_cells);
        let mut words = Words(32);
        // The handle, its word, and whether it may be young.
        let mut held: Vec<(PersistentCell, Tagged, bool)> = Vec::new();
        let mut slab_bytes = None;
        // The slabs that the last trim left, or as many as the handles have needed at once since, if these are more.
        let mut slabs = 0;
        for act in acts {
            match act {
                Act::Add(is_reference) => {
                    let word = words.next(is_reference);
                    // SAFETY: there is no heap.
                    held.push((unsafe { register.add(word) }.unwrap(), word, is_reference));
                    slab_bytes.get_or_insert(register.bytes());
                    slabs = slabs.max(held.len().div_ceil(slab_cells));
                }
                Act::Drop(_) if held.is_empty() => {}
                Act::Drop(index) => drop(held.swap_remove(index.index(held.len()))),
                Act::VisitYoung(share) => {
                    let mut seen = Vec::new();
                    // SAFETY: there is no heap.
                    unsafe {
                        register.visit_young(|word| {
                            seen.push(word);
                            let new = if word.is_reference() { words.next(true) } else { word };
                            (new, stays_young(new, share))
                        });
                    }
                    let expected = held.iter().filter(|(_, _, young)| *young).map(|&(_, word, _)| word).collect();
                    let seen: Vec<_> = seen.into_iter().filter(|word| word.is_reference()).collect();
                    prop_assert_eq!(sorted(seen), sorted(expected));
                    for (cell, word, young) in &mut held {
                        if *young {
                            prop_assert!(cell.tagged() != *word, "followed");
                        }
                        *word = cell.tagged();
                        *young = *young && stays_young(*word, share);
                    }
                }
                Act::VisitAll => {
                    let mut seen = Vec::new();
                    // SAFETY: there is no heap.
                    unsafe { register.visit(|word| { seen.push(word); word }) };
                    prop_assert_eq!(sorted(seen), sorted(held.iter().map(|&(_, word, _)| word).collect()));
                }
                Act::ForgetYoung => {
                    // SAFETY: there is no heap.
                    unsafe { register.forget_young() };
                    held.iter_mut().for_each(|(_, _, young)| *young = false);
                }
                Act::Trim => {
                    register.trim();
                    let left = register.bytes() / slab_bytes.unwrap_or(1);
                    prop_assert!(left <= slabs.min(held.len()), "each slab has a handle");
                    prop_assert!(left >= held.len().div_ceil(slab_cells), "each handle has a slab");
                    slabs = left;
                }
            }
            prop_assert_eq!(register.bytes(), slabs * slab_bytes.unwrap_or(0));
            prop_assert_eq!(register.len(), held.len());
            for (cell, word, _) in &held {
                prop_assert_eq!(cell.tagged(), *word);
            }
        }
    }

    /// A dropped cell is used again before memory is taken: as long as no slab is given back, there are as many cells
    /// as were in use at once.
    #[test]
    fn cells_are_used_again(slab_cells in 1usize..5, adds in vec(prop::bool::weighted(0.5), 0..300)) {
        let register = PersistentHandles::new(slab_cells);
        let (mut held, mut most) = (Vec::new(), 0);
        let mut slab_bytes = 0;
        for is_add in adds {
            if is_add {
                // SAFETY: there is no heap.
                held.push(unsafe { register.add(Tagged::small(7).unwrap()) }.unwrap());
                slab_bytes = if slab_bytes == 0 { register.bytes() } else { slab_bytes };
            } else if !held.is_empty() {
                held.swap_remove(held.len() / 2);
            }
            most = most.max(held.len());
            prop_assert_eq!(register.bytes(), most.div_ceil(slab_cells) * slab_bytes);
        }
    }

    /// A set is visited while somebody has it: all of the set, or the blocks of it that may be young.
    #[test]
    fn a_register_of_root_sets_is_a_map(
        lens in vec(0usize..200, 1..6),
        acts in vec((act(), any::<Index>(), any::<Index>()), 0..100),
    ) {
        let register = RootSets::new();
        let mut words = Words(32);
        type Held = (Arc<RootSetSlots>, Vec<(Tagged, bool)>);
        let mut held: Vec<Held> = Vec::new();
        for (act, which, slot) in acts {
            match act {
                Act::Add(true) if held.len() < lens.len() => {
                    let len = lens[held.len()];
                    held.push((register.add(len).unwrap(), vec![(Tagged::small(0).unwrap(), false); len]));
                }
                Act::Add(is_reference) => {
                    if let Some((set, model)) =
                        (!held.is_empty()).then(|| which.index(held.len())).map(|i| &mut held[i])
                        && !model.is_empty()
                    {
                        let (index, word) = (slot.index(model.len()), words.next(is_reference));
                        // SAFETY: there is no heap.
                        unsafe { set.store(index, word) };
                        model[index] = (word, is_reference);
                    }
                }
                Act::Drop(_) if held.is_empty() => {}
                Act::Drop(index) => drop(held.swap_remove(index.index(held.len()))),
                Act::VisitYoung(share) => {
                    let mut seen = Vec::new();
                    // SAFETY: there is no heap.
                    unsafe {
                        register.visit_young(|word| {
                            seen.push(word.bits());
                            let new = if word.is_reference() { words.next(true) } else { word };
                            (new, stays_young(new, share))
                        });
                    }
                    for (set, model) in &mut held {
                        for (index, (word, young)) in model.iter_mut().enumerate() {
                            prop_assert!(
                                !*young || seen.contains(&word.bits()),
                                "{} is young and was not visited",
                                index
                            );
                            *word = set.load(index);
                            *young = stays_young(*word, share) && !seen.is_empty() && *young;
                        }
                    }
                }
                Act::VisitAll => {
                    let mut seen = Vec::new();
                    // SAFETY: there is no heap.
                    unsafe { register.visit(|word| { seen.push(word); word }) };
                    let expected = held.iter().flat_map(|(_, model)| model).map(|&(word, _)| word).collect();
                    prop_assert_eq!(sorted(seen), sorted(expected));
                }
                Act::ForgetYoung => {
                    // SAFETY: there is no heap.
                    unsafe {
                        register.forget_young();
                        register.visit_young(|_| panic!("nothing is young"));
                    }
                    held.iter_mut().flat_map(|(_, model)| model).for_each(|(_, young)| *young = false);
                }
                Act::Trim => register.trim(),
            }
            let expected: usize = held.iter().map(|(set, _)| set.bytes()).sum();
            prop_assert_eq!(register.bytes(), expected);
        }
    }
}
