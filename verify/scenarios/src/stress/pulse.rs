//! Pulses: by them the watch sees whether a thread takes steps, and what the thread is doing when it takes none.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

macro_rules! acts {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// What a thread is doing.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is named after what it does")]
        pub enum Act { $($name),+ }

        impl Act {
            const ALL: &[Act] = &[$(Act::$name),+];

            /// The act in words.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Act::$name => $text),+ }
            }
        }
    };
}

acts! {
    Start = "starting",
    Attach = "attaching",
    Detach = "detaching",
    Churn = "churning",
    Grow = "growing its graph",
    Link = "linking",
    Cut = "cutting",
    CheckAll = "checking its graph",
    Post = "posting a parcel",
    Take = "taking a parcel",
    Park = "parking",
    Poll = "polling",
    Collect = "collecting",
    Scope = "in an always-allocate scope",
    Unwind = "unwinding out of a run",
    Simulate = "simulating a full space",
    Verify = "verifying",
    Statistics = "reading statistics",
    Flags = "setting flags",
    Sleep = "sleeping",
    Join = "joining the others",
    Finish = "emptying the heap",
}

/// One thread's pulse.
#[derive(Debug)]
pub struct Pulse {
    name: String,
    beats: AtomicU64,
    act: AtomicU8,
    done: AtomicBool,
}

impl Pulse {
    /// A pulse that has not beaten.
    #[must_use]
    pub fn new(name: String) -> Pulse {
        Pulse { name, beats: AtomicU64::new(0), act: AtomicU8::new(Act::Start as u8), done: AtomicBool::new(false) }
    }

    /// Says that the thread begins to do `act`.
    #[inline]
    pub fn beat(&self, act: Act) {
        // Relaxed, here and below: the watch shows what it reads, and orders nothing by it. There is one writer, so no
        // read-modify-write is needed.
        self.act.store(act as u8, Ordering::Relaxed);
        self.beats.store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Says that the thread has ended, by returning or by unwinding.
    pub fn end(&self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// Ends a pulse when its thread returns or unwinds.
pub(super) struct PulseGuard<'a>(pub(super) &'a Pulse);

impl Drop for PulseGuard<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Watches pulses.
pub(super) struct Watch<'a> {
    pulses: Vec<(&'a Pulse, u64, Instant)>,
    stall: Duration,
}

impl<'a> Watch<'a> {
    pub(super) fn new(pulses: impl IntoIterator<Item = &'a Pulse>, stall: Duration) -> Watch<'a> {
        let now = Instant::now();
        Watch { pulses: pulses.into_iter().map(|pulse| (pulse, u64::MAX, now)).collect(), stall }
    }

    /// Who is stuck now, and doing what. Threads that wait for a stuck thread may be stuck as well, so all are listed.
    pub(super) fn look(&mut self) -> Vec<String> {
        let now = Instant::now();
        let mut stuck = Vec::new();
        for (pulse, seen, since) in &mut self.pulses {
            let beats = pulse.beats.load(Ordering::Relaxed);
            if beats != *seen || pulse.done.load(Ordering::Relaxed) {
                (*seen, *since) = (beats, now);
            } else if now.duration_since(*since) >= self.stall {
                let act = Act::ALL[usize::from(pulse.act.load(Ordering::Relaxed))];
                let seconds = now.duration_since(*since).as_secs_f64();
                stuck.push(format!("{} hangs: {} for {seconds:.1} s, after {beats} steps", pulse.name, act.text()));
            }
        }
        stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The watch names the thread that does not move, and nobody else.
    #[test]
    fn a_stuck_thread_is_named() {
        let (moving, stuck, ended) =
            (Pulse::new("moving".to_owned()), Pulse::new("stuck".to_owned()), Pulse::new("ended".to_owned()));
        let mut watch = Watch::new([&moving, &stuck, &ended], Duration::from_millis(20));
        stuck.beat(Act::Park);
        ended.end();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            moving.beat(Act::Churn);
            let found = watch.look();
            if !found.is_empty() {
                assert_eq!(found.len(), 1);
                assert!(found[0].starts_with("stuck hangs: parking"), "{found:?}");
                return;
            }
            assert!(Instant::now() < deadline, "the watch sees nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
