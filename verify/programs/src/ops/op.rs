//! The operations: one row of the [table](super::table) for each.

use super::operand::{Operand, bits_of, operand_of, write_operand};
use super::table::{CODES, Row, flaw, operations, row};
use super::words::Words;
use super::{NearLimitChoice, ObjectShape, ReserveChoice, Size, ValueChoice};
use core::fmt;
use heaplab::{AllocationType, CollectionKind, SpaceKind};

operations! {
    /// One operation of one thread.
    ///
    /// Handles, persistent handles, slots and indices are numbers that the executor takes modulo what there is, so an
    /// operation is valid in every state; where there is nothing to act on, it does nothing. The operand of a fault
    /// says how many requests, releases, threads or attempts succeed before the one that fails; `None` takes the fault
    /// back.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub enum Op {
        /// Allocates, and makes a handle to the object.
        Allocate {
            /// Where; maps and code know by themselves.
            ty[8..11]: AllocationType,
            /// What.
            object[0..8]: ObjectShape,
            /// How large, if the shape has a tail.
            size[11..24]: Size,
        }: 0..15, "allocate", since 1;
        /// Refuses the k-th release from now, once, whoever makes it: the system does not take the memory back.
        FailRelease(release[0..8]: Option<u8>): 15..16, "fail-release", since 4;
        /// Refuses the k-th page request from now, once, whoever makes it.
        FailCommit(page_request[0..8]: Option<u8>): 16..17, "fail-commit", since 2;
        /// Stores into a slot.
        Store {
            /// The object.
            host[0..8]: u8,
            /// The slot.
            slot[8..16]: u8,
            /// What.
            value[16..24]: ValueChoice,
        }: 17..25, "store", since 1;
        /// Refuses the k-th thread that the heap asks the system for from now, once. An engine that runs the program
        /// on one thread refuses the heap each of its threads anyway.
        FailSpawn(thread_of_the_heap[0..8]: Option<u8>): 25..26, "fail-spawn", since 4;
        /// Loads a slot, and makes a handle to what it holds; of an object without slots, reads raw words or bytes.
        Load {
            /// The object.
            host[0..8]: u8,
            /// The slot.
            slot[8..16]: u8,
        }: 26..29, "load", since 1;
        /// Writes raw words or bytes.
        Write {
            /// The object.
            host[0..8]: u8,
            /// Where.
            index[8..16]: u8,
            /// What.
            value[16..24]: u8,
        }: 29..31, "write", since 1;
        /// Makes a handle.
        Make(value[0..8]: ValueChoice): 31..32, "make", since 1;
        /// Makes a persistent handle out of a handle.
        Persist(handle[0..8]: u8): 32..34, "persist", since 1;
        /// Makes a handle out of a persistent handle.
        Open(persistent_handle[0..8]: u8): 34..35, "open", since 1;
        /// Drops a persistent handle.
        Drop(persistent_handle[0..8]: u8): 35..36, "drop", since 1;
        /// Stores into a slot of the root set.
        StoreRoot {
            /// The slot.
            slot[0..8]: u8,
            /// What.
            value[8..16]: ValueChoice,
        }: 36..38, "store-root", since 1;
        /// Makes a handle out of a slot of the root set.
        LoadRoot(slot[0..8]: u8): 38..39, "load-root", since 1;
        /// Drops the root set and makes another one.
        RenewRoots: 39..40, "renew-roots", since 1;
        /// Opens a handle scope.
        OpenScope switch {
            /// Whether the last handle made in it escapes.
            escaping[0..1] => "open-escaping-scope",
        }: 40..42, "open-scope", since 1;
        /// Closes the innermost handle scope.
        CloseScope: 42..44, "close-scope", since 1;
        /// Makes a space full.
        FullSpace(space[0..8]: SpaceKind): 44..45, "full", since 1;
        /// Fills a page but for some granules of 8 bytes.
        FillPage {
            /// The type whose space it is.
            ty[0..2]: AllocationType,
            /// What is left, in units of 8 bytes.
            granules[8..16]: u8,
        }: 45..46, "fill", since 1;
        /// Collects, running.
        Collect(kind[0..8]: CollectionKind): 46..49, "collect", since 1;
        /// Collects from outside, parked.
        CollectParked(kind[0..8]: CollectionKind): 49..50, "collect-parked", since 1;
        /// Enters an always-allocate scope.
        EnterAlways(reserve[0..16]: ReserveChoice): 50..51, "enter-always", since 1;
        /// Leaves the innermost always-allocate scope.
        LeaveAlways: 51..52, "leave-always", since 1;
        /// Collects at every n-th allocation; 0 switches that off.
        GcInterval(interval[0..8]: u8): 52..53, "gc-interval", since 1;
        /// Switches verification around collections.
        VerifyHeap(on[0..1]: bool): 53..54, "verify-heap", since 1;
        /// Switches concurrent allocation.
        Concurrent(on[0..1]: bool): 54..55, "concurrent", since 1;
        /// Switches the heap's own thread that allocates, if each thread of the program is a thread. An engine on one
        /// thread has the thread refused: beside it, a program would not do the same every time.
        Stress(on[0..1]: bool): 55..56, "stress", since 3;
        /// Fails the k-th attempt of each local heap from now, once.
        FailAttempt(attempt[0..8]: Option<u8>): 56..57, "fail-attempt", since 1;
        /// Sets what the near-heap-limit callback does.
        NearLimit(choice[0..8]: NearLimitChoice): 57..58, "near-limit", since 1;
        /// Attaches another local heap, which stays parked. If no more are allowed, attaching has to be refused by the
        /// right error.
        Attach: 58..59, "attach", since 1;
        /// Detaches the local heap that was attached last. If the thread has only its own, detaches that, and attaches
        /// another for the next operation.
        Detach: 59..60, "detach", since 1;
        /// Parks; another local heap of the same thread runs meanwhile, if there is one.
        Park: 60..61, "park", since 1;
        /// Polls.
        Poll: 61..62, "poll", since 1;
        /// Runs the verifier, and compares a survey with what it found.
        Verify: 62..63, "verify", since 1;
        /// Asks for statistics and compares them.
        Statistics: 63..64, "statistics", since 1;
    }
}

/// OT-1 to OT-4: a table that breaks one of them does not compile.
const _: () = {
    if let Some(flaw) = flaw(Op::ROWS) {
        panic!("{}", flaw);
    }
};
