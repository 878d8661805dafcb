//! Mutants of the engine: each leaves one of its rules out, and a test must turn red.
//!
//! A mutant is chosen by `Builder::mutant`, which is hidden. The place in the source that has the rule asks
//! `Graph::lacks` or `State::lacks`, a comparison of one byte. `tests/judge/mutants.rs` has the programs that tell
//! each mutant from the engine.

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A rule of the engine that is left out.
        #[doc(hidden)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$name,)*];
        }
    };
}

mutants! {
    // Coherence and atomicity: `consistency`.
    /// What is after a write reads it or a later one, and is written behind it.
    CoherenceOfWrites,
    /// What is after a read reads what that read or later, and is written behind it.
    CoherenceOfReads,
    /// No write stands between an RMW and what that reads.
    Atomicity,

    // Synchronisation: `consistency`, `runtime::threads`, `sync::mutex`.
    /// The message of a release write is what happens before it.
    ReleaseWrites,
    /// An RMW's write passes on the message that its read got.
    ReleaseSequences,
    /// An acquire read gets the message.
    AcquireReads,
    /// An RMW that fails has its failure ordering.
    FailureOrders,
    /// What happens before a release fence is in the messages of the writes after it.
    ReleaseFences,
    /// An acquire fence gets the messages of the reads before it.
    AcquireFences,
    /// A spawn happens before the begin of the thread.
    SpawnEdge,
    /// The end of a thread happens before its join.
    JoinEdge,
    /// Who locks a mutex knows what came before the unlock.
    LockAcquires,
    /// An unlock is a release.
    UnlockReleases,

    // Causes, by which revisits delete.
    /// A read's source is one of its causes.
    CausesOfSources,
    /// A spawn is one of the causes of the thread's events.
    CausesOfSpawns,
    /// The end of a thread is one of the causes of its join.
    CausesOfJoins,
    /// The notification is one of the causes of the end of the wait.
    CausesOfWakes,

    // The order of sequentially consistent events: `psc`.
    /// Sequentially consistent accesses have an order between them.
    ScAccesses,
    /// Program order is in that order.
    ScProgramOrder,
    /// Happens-before on one location is in that order.
    ScSameLocation,
    /// Happens-before between neighbours of other locations is in that order.
    ScNeighbours,
    /// The next neighbour is of another location.
    ScOtherNext,
    /// The last neighbour is of another location.
    ScOtherLast,
    /// Modification order and from-read are in that order.
    ScCoherence,
    /// An access is before a fence that is after a later write.
    ScCoherenceToFence,
    /// A fence is before an access that writes after what comes behind the fence.
    ScCoherenceFromFence,
    /// The extended coherence order between what fences reach is in that order.
    ScFencesCoherence,
    /// An event that is not sequentially consistent concerns the order if a fence reaches it.
    ScBehindFences,
    /// Another source of a read is tried only if the order has no cycle.
    ScOfSources,
    /// Another place of a write is tried only if the order has no cycle.
    ScOfPlaces,
    /// A revisit is done only if the order has no cycle.
    ScOfRevisits,

    // Maximality: `maximal`.
    /// A read is deleted only if it reads the newest write that was there.
    MaximalSources,
    /// A read is deleted only in its default variant.
    MaximalVariants,
    /// A write is deleted only if it is the newest that was there.
    MaximalPlaces,
    /// A write is deleted only if nobody who was there reads it.
    MaximalUnread,
    /// A choice is deleted only in its default.
    MaximalChoices,
    /// The read that is revisited must be maximal itself.
    MaximalRevisited,
    /// What is deleted must be maximal.
    MaximalDeleted,
    /// An event was there if it is older.
    WasThereBefore,
    /// An event was there if it is one of the causes of the write.
    WasThereAsCause,

    // Alternatives: `runtime::access`, `runtime::lock`, `explore`.
    /// A read has each source that coherence allows.
    Sources,
    /// A write has each place that coherence allows.
    Places,
    /// A read may read from a write that is added later.
    Revisits,
    /// It may read from the write of an RMW that is added later.
    RevisitsByRmws,
    /// A write does not revisit its causes.
    RevisitsOfCauses,
    /// A write has each place in a revisit.
    RevisitPlaces,
    /// A revisit does not let the read read what is older than what happens before it.
    RevisitCoherence,
    /// A revisited read has each of its variants.
    RevisitVariants,
    /// An RMW may take its source away from another one, which is revisited.
    RivalSources,
    /// That is tried only if the other one may be revisited.
    RivalsAreRevisitable,
    /// The graph in which two RMWs have one source is good for revisits only.
    RivalGraphs,
    /// Of such a graph those revisits count that take the other RMW away.
    RivalRevisits,
    /// A wait for what is over is no alternative.
    WaitsForOld,
    /// A choice has each of its numbers.
    Choices,

    /// A thread has the same number in all executions.
    ChildNames,

    // The bound of preemptions: `preemptions`.
    /// To end the turn of a thread that waits is no preemption.
    WaitsAreFree,
    /// A turn that ended with a yield ended without a preemption.
    YieldsAreFree,
    /// A turn may end before it ends another thread's wait.
    StopsBeforeHelp,
    /// Only what lasts is held against the bound before a graph is run.
    LastingAlone,
    /// An execution over the bound is not counted.
    BeyondTheBound,

    // Locks, condition variables, budgets: `sync`, `choice`, `runtime::schedule`.
    /// Whom `notify_one` wakes is a choice.
    NotifiedOthers,
    /// The first change without the waiter's bit ends the wait.
    WakeByFirst,
    /// Only a change without the waiter's bit ends the wait.
    WakeByClearing,
    /// After a store that somebody may wait for, the scheduler decides who is next.
    StoresReschedule,
    /// After an RMW that somebody waits for, the scheduler decides who is next.
    RmwsReschedule,
    /// A wait may end by itself.
    Wakeups,
    /// No more often than the budget allows.
    WakeupBudget,
    /// A weak exchange may fail without a reason.
    WeakFailures,
    /// No more often than the budget allows.
    WeakBudget,

    // Races: `cell`, `runtime::races`.
    /// A read of a cell must know of the last write.
    CellReadAfterWrite,
    /// A write of a cell must know of the last write.
    CellWriteAfterWrite,
    /// A write of a cell must know of the reads.
    CellWriteAfterRead,
    /// An access of a cell counts until its end.
    CellAccessLasts,
    /// A write of a cell is alone for as long as it lasts.
    CellOverlap,
    /// An atomic access must know of the last plain write.
    AtomicAfterPlainWrite,
    /// A store must know of the plain reads.
    StoreAfterPlainRead,
    /// The write of an RMW must know of the plain reads.
    RmwAfterPlainRead,
    /// A plain access must know of the last plain write.
    PlainAfterPlainWrite,
    /// A plain access must know of the atomic writes.
    PlainAfterWrite,
    /// A plain write must know of the atomic reads.
    PlainWriteAfterRead,
    /// A plain write must know of the plain reads.
    PlainWriteAfterPlainRead,
    /// A plain access conflicts only with what was performed.
    PlainBeforeLater,

    // The end of a run: `runtime::replay`, `runtime::flat`, `runtime::spin`.
    /// A run in which all wait on the newest values is a deadlock.
    Deadlocks,
    /// A run that waits for a lock that another execution gives back is blocked.
    BlockedLocks,
    /// A run that assumed what does not hold is blocked.
    BlockedAssumptions,
    /// A run whose loop could read something newer is blocked.
    BlockedSpins,
    /// The threads of a blocked run finish.
    Finishing,
    /// They read the newest values.
    FinishingReads,
    /// They wait for a lock that is held.
    FinishingLocks,
    /// An assumption that does not hold ends that.
    FinishingAssumptions,
    /// They wait for notifications.
    FinishingWakes,
    /// Threads that wait for each other as they finish are a deadlock.
    LateDeadlocks,
    /// A turn that only does what the one before did waits.
    IdleTurns,
    /// A loop with effects whose turns are alike waits, if the last one read something old.
    AlikeTurns,
    /// A loop that yields goes on where nobody else can, as often as the bound allows.
    Lifts,
    /// A thread that yields more often than the bound allows does not go on.
    YieldsEnd,
    /// A run that does something else than an earlier one fails.
    Nondeterminism,
}
