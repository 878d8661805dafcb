//! P5, thread state and safepoint: poll, park, unpark, attach and detach against stops.
//!
//! Goal: no running thread touches the heap in a stop, each thread is counted once, nobody waits for ever. Method:
//! each thread has a part of the heap in a plain cell, which it writes while it runs; a stop writes them all. So a
//! thread that runs in a stop, or a missing edge between its work and the stop's (O-3, O-4), is a race; a lost
//! wake-up is a deadlock; and a thread that is counted twice or never meets an assertion of the safepoint itself.

use super::worlds::race;
use heaplab::sync::{Arc, UnsafeCell, thread};
use heaplab::thread::{Local, LocalData, Safepoint, Stop};
use heaplab::words::{CollectionKind, SafepointKey};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "safepoint":
    park_vs_stop: Spec::two_threads(),
    poll_vs_stop: Spec::two_threads(),
    unpark_vs_stop: Spec::two_threads(),
    park_unpark_vs_stop: Spec::two_threads(),
    poll_vs_stop_stop: Spec::two_threads(),
    unpark_vs_stop_stop: Spec::two_threads(),
    attach_detach_vs_stop: Spec::two_threads(),
    abandon_vs_stop_detach: Spec::two_threads(),
    abandon_vs_detach: Spec::two_threads(),
    initiator_vs_poll: Spec::two_threads(),
    initiator_vs_unpark: Spec::two_threads(),
    initiator_vs_initiator: Spec::two_threads(),
    initiator_vs_attach_detach: Spec::two_threads(),
    poll_vs_park_vs_stop: Spec::bounded(3, 3),
    initiator_vs_initiator_vs_stop: Spec::bounded(3, 3),
    initiator_vs_initiator_vs_unpark: Spec::bounded(3, 3),
    park_vs_stop_with_a_spurious_wakeup: Spec::two_threads().with_fault(Fault::Wakeup),
    poll_vs_stop_stop_with_a_spurious_wakeup: Spec::two_threads().with_fault(Fault::Wakeup),
    initiator_vs_initiator_with_a_spurious_wakeup: Spec::two_threads().with_fault(Fault::Wakeup),
    poll_vs_park_vs_stop_with_a_spurious_wakeup: Spec::bounded(3, 3).with_fault(Fault::Wakeup),
}

/// What a stop adds to every part; a thread's own work adds 1.
const STOP: u32 = 100;

struct World {
    safepoint: Safepoint,
    locals: Vec<Arc<Local>>,
    parts: Vec<UnsafeCell<u32>>,
}

impl World {
    /// A world with `running` local heaps that run, then `parked` that are parked; a part for each, and one more.
    fn new(running: usize, parked: usize) -> Arc<World> {
        let mut world = World {
            safepoint: Safepoint::new(SafepointKey::new(), true),
            locals: Vec::new(),
            parts: (0..=running + parked).map(|_| UnsafeCell::new(0)).collect(),
        };
        for index in 0..running + parked {
            let local = world.safepoint.lock().attach(Local::new(1));
            if index < running {
                world.unpark(&local);
            }
            world.locals.push(local);
        }
        Arc::new(world)
    }

    fn park(&self, local: &Local) {
        // SAFETY: T-1: one thread of the model has it, and it runs.
        unsafe { self.safepoint.park(local) }
    }

    fn unpark(&self, local: &Local) {
        // SAFETY: T-1: one thread of the model has it, and it is parked.
        unsafe { self.safepoint.unpark(local) };
    }

    fn poll(&self, local: &Local) {
        // SAFETY: T-1: one thread of the model has it, and it runs.
        unsafe { self.safepoint.poll(local) };
    }

    /// Gives up `local`, which its thread has parked and does not use again.
    fn abandon(&self, local: &Local) {
        // SAFETY: T-1, as above.
        unsafe { self.safepoint.abandon(local) }
    }

    /// Does what a running thread does: changes its part of the heap and reads its own data.
    fn work(&self, index: usize, local: &Local) {
        // SAFETY: the thread runs, so part and data are its own; the model checks it.
        unsafe {
            self.parts[index].with_mut(|part| *part += 1);
            let stops = local.data().with(|data| (*data).counts.started(CollectionKind::Minor));
            // T-5: the copy is of the newest stop that this thread has been through.
            let seen = self.parts[index].with(|part| u64::from(*part / STOP));
            claim_eq!(stops, seen, "the copy of the count of stops, by what they left in the heap,");
        }
    }

    fn stop(&self, initiator: Option<&Local>) {
        let work = |stop: &mut Stop<'_>| {
            stop.count_collection(CollectionKind::Minor);
            for part in &self.parts {
                // SAFETY: nobody runs; the model checks it.
                unsafe { part.with_mut(|part| *part += STOP) };
            }
        };
        // SAFETY: T-1: the initiator is this thread's, and runs.
        let stopped = unsafe { self.safepoint.stop(initiator, |_| true, work) };
        assert!(stopped.is_some(), "a stop that is always wanted");
    }

    /// The parts and the number of stops counted, once every other thread has ended.
    fn end(&self) -> (Vec<u32>, u64) {
        let stops = self.safepoint.lock().counts().started(CollectionKind::Minor);
        // SAFETY: every other thread has ended.
        (self.parts.iter().map(|part| unsafe { part.with(|part| *part) }).collect(), stops)
    }
}

/// Asserts, at the end, what was done in each part, and the numbers of stops and of local heaps that are attached.
fn assert_end(world: &World, parts: &[u32], stops: u64, attached: usize) {
    let (found, counted) = world.end();
    claim_eq!(found, parts, "what was done in each part");
    claim_eq!(counted, stops, "the number of stops counted");
    claim_eq!(world.safepoint.lock().locals().len(), attached, "the number of local heaps attached");
}

/// Runs `mutator` for the first local heap on a thread of its own against `stops` stops that this thread begins, with
/// no local heap. In the end all of the mutator's work is done, and each stop has changed every part once.
fn against_stops(world: fn() -> Arc<World>, stops: u32, work: u32, mutator: fn(&World, &Local)) {
    let world = world();
    let there = world.clone();
    let ((), ()) = race(
        || (0..stops).for_each(|_| world.stop(None)),
        move || {
            let local = there.locals[0].clone();
            mutator(&there, &local);
        },
    );
    let (parts, counted) = world.end();
    claim_eq!(parts, [stops * STOP + work, stops * STOP], "what was done in each part");
    claim_eq!(counted, u64::from(stops), "the number of stops counted");
}

/// A running thread works and parks: the one stop comes after that, and waits for it.
fn park_vs_stop() {
    against_stops(
        || World::new(1, 0),
        1,
        1,
        |world, local| {
            world.work(0, local);
            world.park(local);
        },
    );
}

/// A running thread polls between its work: the stop comes at the poll, at the end, or after it, once.
fn poll_vs_stop() {
    against_stops(
        || World::new(1, 0),
        1,
        2,
        |world, local| {
            world.work(0, local);
            world.poll(local);
            world.work(0, local);
            world.park(local);
        },
    );
}

/// A parked thread begins to run: its work comes after the stop or the stop waits for it.
fn unpark_vs_stop() {
    against_stops(
        || World::new(0, 1),
        1,
        1,
        |world, local| {
            world.unpark(local);
            world.work(0, local);
            world.park(local);
        },
    );
}

/// A parked region around which the thread works: the stop comes before, in or after it, once.
fn park_unpark_vs_stop() {
    against_stops(
        || World::new(1, 0),
        1,
        2,
        |world, local| {
            world.work(0, local);
            world.park(local);
            world.unpark(local);
            world.work(0, local);
            world.park(local);
        },
    );
}

/// The second stop begins while the thread may still be on its way out of the first. Each of them is counted once.
fn poll_vs_stop_stop() {
    against_stops(
        || World::new(1, 0),
        2,
        2,
        |world, local| {
            world.work(0, local);
            world.poll(local);
            world.work(0, local);
            world.park(local);
        },
    );
}

/// Two stops against a thread that comes out of a parked region: before them, between them, or after them.
fn unpark_vs_stop_stop() {
    against_stops(
        || World::new(0, 1),
        2,
        1,
        |world, local| {
            world.unpark(local);
            world.work(0, local);
            world.park(local);
        },
    );
}

/// Attaches a local heap, works and detaches it; the last work is done before its record disappears.
fn visit(world: &World, part: usize) {
    let local = world.safepoint.lock().attach(Local::new(1));
    world.unpark(&local);
    world.work(part, &local);
    world.park(&local);
    let leave = |data: &mut LocalData| {
        data.requests += 1;
        // SAFETY: no stop runs while the lock is held, and the part is this thread's.
        unsafe { world.parts[part].with_mut(|part| *part += 1) };
    };
    // SAFETY: T-1: this thread's, parked.
    unsafe { world.safepoint.lock().detach(&local, leave) };
}

/// A whole visit against a stop, which comes before, between or after its two works; nobody is attached in the end.
fn attach_detach_vs_stop() {
    let world = World::new(0, 0);
    let there = world.clone();
    race(|| world.stop(None), move || visit(&there, 0));
    assert_end(&world, &[STOP + 2], 1, 0);
}

/// A local heap that is dropped where its thread may not wait for the lock: whoever takes the lock next detaches it,
/// and sees what its thread did last. It is detached once, by whichever of the two looks that finds it.
fn abandon_vs_stop_detach() {
    let world = World::new(1, 0);
    let there = world.clone();
    race(
        || {
            world.stop(None);
            detach_abandoned(&world);
        },
        move || {
            let local = there.locals[0].clone();
            there.work(0, &local);
            there.park(&local);
            there.abandon(&local);
        },
    );
    detach_abandoned(&world);
    assert_end(&world, &[STOP + 2, STOP], 1, 0);
}

fn detach_abandoned(world: &World) {
    world.safepoint.lock().detach_abandoned(|data| {
        data.requests += 1;
        // SAFETY: no stop runs while the lock is held, and the owner of the part has gone.
        unsafe { world.parts[0].with_mut(|part| *part += 1) };
    });
}

/// A local heap is abandoned and detached, without a stop in between that would order the two: it is detached once,
/// and no stop is counted.
fn abandon_vs_detach() {
    let world = World::new(1, 0);
    let there = world.clone();
    race(
        || detach_abandoned(&world),
        move || {
            let local = there.locals[0].clone();
            there.work(0, &local);
            there.park(&local);
            there.abandon(&local);
        },
    );
    detach_abandoned(&world);
    assert_end(&world, &[2, 0], 0, 0);
}

/// An attached thread begins the stop, and works on as soon as it is over (T-6).
fn initiate(world: &World, index: usize) {
    let local = &world.locals[index];
    world.work(index, local);
    world.stop(Some(local));
    world.work(index, local);
    world.park(local);
}

/// The other thread polls, and the stop waits for it: one stop, which both have been through.
fn initiator_vs_poll() {
    let world = World::new(2, 0);
    let there = world.clone();
    race(
        || initiate(&world, 0),
        move || {
            let local = there.locals[1].clone();
            there.work(1, &local);
            there.poll(&local);
            there.work(1, &local);
            there.park(&local);
        },
    );
    assert_end(&world, &[STOP + 2, STOP + 2, STOP], 1, 2);
}

/// The other thread comes out of a parked region, before, in or after the one stop.
fn initiator_vs_unpark() {
    let world = World::new(1, 1);
    let there = world.clone();
    race(
        || initiate(&world, 0),
        move || {
            let local = there.locals[1].clone();
            there.unpark(&local);
            there.work(1, &local);
            there.park(&local);
        },
    );
    assert_end(&world, &[STOP + 2, STOP + 1, STOP], 1, 2);
}

/// Both want a stop of their own: two stops, each of which waits for the other's initiator.
fn initiator_vs_initiator() {
    let world = World::new(2, 0);
    let there = world.clone();
    race(|| initiate(&world, 0), move || initiate(&there, 1));
    assert_end(&world, &[2 * STOP + 2, 2 * STOP + 2, 2 * STOP], 2, 2);
}

/// The other thread attaches, works and detaches meanwhile; the initiator alone is attached in the end.
fn initiator_vs_attach_detach() {
    let world = World::new(1, 0);
    let there = world.clone();
    race(|| initiate(&world, 0), move || visit(&there, 1));
    assert_end(&world, &[STOP + 2, STOP + 2], 1, 1);
}

/// Two threads are waited for, one of which parks because of the stop and one perhaps by itself. Each is counted once.
fn poll_vs_park_vs_stop() {
    let world = World::new(2, 0);
    let poller = thread::spawn({
        let world = world.clone();
        move || {
            let local = &world.locals[0];
            world.work(0, local);
            world.poll(local);
            world.work(0, local);
            world.park(local);
        }
    });
    let parker = thread::spawn({
        let world = world.clone();
        move || {
            world.work(1, &world.locals[1]);
            world.park(&world.locals[1]);
        }
    });
    world.stop(None);
    poller.join().unwrap();
    parker.join().unwrap();
    assert_end(&world, &[STOP + 2, STOP + 1, STOP], 1, 2);
}

/// Two initiators and a stranger who begins a stop of its own: three stops, one after the other.
fn initiator_vs_initiator_vs_stop() {
    let world = World::new(2, 0);
    let initiators: Vec<_> = (0..2)
        .map(|index| {
            let world = world.clone();
            thread::spawn(move || initiate(&world, index))
        })
        .collect();
    world.stop(None);
    for initiator in initiators {
        initiator.join().unwrap();
    }
    assert_end(&world, &[3 * STOP + 2, 3 * STOP + 2, 3 * STOP], 3, 2);
}

/// Both initiators' stops have to wait for a thread that leaves a parked region: two stops, in neither of which it
/// works.
fn initiator_vs_initiator_vs_unpark() {
    let world = World::new(2, 1);
    let initiators: Vec<_> = (0..2)
        .map(|index| {
            let world = world.clone();
            thread::spawn(move || initiate(&world, index))
        })
        .collect();
    let local = &world.locals[2];
    world.unpark(local);
    world.work(2, local);
    world.park(local);
    for initiator in initiators {
        initiator.join().unwrap();
    }
    assert_end(&world, &[2 * STOP + 2, 2 * STOP + 2, 2 * STOP + 1, 2 * STOP], 2, 3);
}

/// Whoever waits for the others is woken before they have parked, and goes on waiting.
fn park_vs_stop_with_a_spurious_wakeup() {
    park_vs_stop();
}

/// A spurious wake-up in either stop: the notification of the first stop is not taken for that of the second.
fn poll_vs_stop_stop_with_a_spurious_wakeup() {
    poll_vs_stop_stop();
}

/// Either of two initiators may be woken too early, while it waits for the other.
fn initiator_vs_initiator_with_a_spurious_wakeup() {
    initiator_vs_initiator();
}

/// Two are waited for, and one of them may have parked when the wake-up comes.
fn poll_vs_park_vs_stop_with_a_spurious_wakeup() {
    poll_vs_park_vs_stop();
}
