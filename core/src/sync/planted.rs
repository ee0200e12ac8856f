//! Planted bugs: one missing step of the protocol each, for the twins of the loom models.
//!
//! A model that cannot fail proves nothing. Each model has a twin that plants one of these bugs and
//! must see loom find it. Outside of loom builds `planted` is the constant `false`.

/// One missing or wrong step of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(rkv_loom), expect(dead_code, reason = "only the loom models plant bugs"))]
pub(crate) enum Bug {
    /// A read trusts a match without reading the header again.
    NoRecheckOnRead = 1,
    /// A replace or delete trusts a match without reading the header again.
    NoRecheckOnWrite,
    /// A claim is not validated by reading the header again.
    NoClaimValidation,
    /// Empty slots carry no generation.
    NoGeneration,
    /// A claim is published by a store that ignores concurrent changes of the header.
    BlindPublish,
    /// A failed publish is not undone and not started again, but forced onto the new header.
    NoRestart,
    /// A deleter clears the published bit without looking at the slot and the header.
    BlindClear,
    /// A migration copies slots that it has not frozen.
    NoSlotFreeze,
    /// A late helper overwrites slots of the child bucket.
    BlindFill,
    /// A writer publishes into a frozen bucket.
    PublishIntoFrozen,
    /// A migration does not move the parents first.
    NoParentsFirst,
    /// Merging freezes one parent only.
    MergeOneParent,
    /// A child that passes its entries on says so before the grandchildren have them.
    PassedOnEarly,
    /// The link word is overwritten instead of claimed.
    BlindAttach,
    /// Record bytes are published without release.
    RelaxedPublish,
    /// A writer learns without acquire that a slot was emptied.
    RelaxedAbsence,
    /// The completeness of a resize rests on a count that one thread must bump.
    CountedCompletion,
    /// The root moves on before all of its array is moved.
    RootEarly,
    /// The floor of versions is loaded once, before the claim, and not again.
    FloorLoadedOnce,
    /// The floor is raised after the unlink.
    FloorRaisedLate,
    /// A retired record is freed at once.
    FreeAtOnce,
    /// A renewed guard does not pin.
    RenewUnpinned,
    /// A reader says that a dead record is absent, and leaves it where it is.
    DeadLeftThere,
    /// Whoever takes a dead record out takes out what stands under its key.
    EndedByKey,
    /// A record takes over an earlier one's timer, although that fires after its end.
    LateTimer,
    /// A token is parked before its record is published.
    ParkedEarly,
    /// A token is dropped when the record that it found is replaced meanwhile.
    TokenDropped,
    /// A token serves every record of its key, whatever timer that has.
    AnyTimer,
    /// Room of a bounded store is taken without a look at how much is left.
    UncheckedRoom,
    /// Room is given back without release.
    RelaxedRoom,
    /// A writer looks when the keeper wakes, without a fence after what it did.
    UnfencedBell,
    /// The keeper looks for what to do before it sleeps, without a fence after saying until when.
    UnfencedSleep,
    /// The keeper is told to stop, and not woken.
    StopUnheard,
    /// A token is put into an inbox without release.
    RelaxedPark,
    /// A thread's batch is dropped at its exit instead of handed over.
    LoseBatchAtExit,
}

#[cfg(not(rkv_loom))]
#[inline(always)]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(rkv_loom)]
mod switch {
    use super::Bug;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    static PLANTED: AtomicU32 = AtomicU32::new(0);

    /// Whether the running model has planted `bug`.
    pub(crate) fn planted(bug: Bug) -> bool {
        PLANTED.load(SeqCst) == bug as u32
    }

    /// Plants a bug, or none, for the model that runs next. Models run one at a time.
    pub(crate) fn plant(bug: Option<Bug>) {
        PLANTED.store(bug.map_or(0, |bug| bug as u32), SeqCst);
    }
}

#[cfg(rkv_loom)]
#[cfg_attr(not(test), expect(unused_imports, reason = "the models plant"))]
pub(crate) use switch::{plant, planted};
