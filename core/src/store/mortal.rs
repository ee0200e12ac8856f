//! Dead or alive: what a deadline means to those who read and write.
//!
//! A record with a deadline is live as long as the clock shows less. The order matters: the slot,
//! then the record's deadline, then the clock. Who finds a record dead and means to say that the
//! key is absent takes that very record out of its slot first; otherwise a writer that read its
//! clock earlier could still build on it, after others were told that it is gone. A writer that
//! puts something there needs no such step: its exchange takes the dead record out.
//!
//! The protocol is written for any records and tables, so that loom can run it on its own.

use super::deadline::Deadline;
use super::version::Floors;
use crate::clock::Moment;
use crate::epoch::Retire;
use crate::sync::planted::{Bug, planted};
use crate::table::{Change, Decision, Record, Refused};
use crate::wheel::Token;

/// A record that may have a deadline.
pub(crate) trait Mortal: Record {
    fn version(shown: Self::Shown<'_>) -> u64;

    fn deadline(shown: Self::Shown<'_>) -> Deadline;

    /// Whether both are the very same record.
    fn is_same(one: Self::Shown<'_>, other: Self::Shown<'_>) -> bool;

    /// Whether both have the same key.
    fn is_of_same_key(one: Self::Shown<'_>, other: Self::Shown<'_>) -> bool;
}

/// How a record is shown by the table of `M`.
pub(crate) type Shown<'g, M> = <<M as Mortals>::Record as Record>::Shown<'g>;

/// What stands under a key, as a writer meets it.
#[derive(Clone, Copy)]
pub(crate) enum Seen<E> {
    Nothing,
    Live(E),
    Dead(E),
}

impl<E> Seen<E> {
    /// The entry that counts.
    #[inline(always)]
    pub(crate) fn live(self) -> Option<E> {
        match self {
            Seen::Live(entry) => Some(entry),
            Seen::Nothing | Seen::Dead(_) => None,
        }
    }
}

/// Who took a dead record out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Who looked its key up.
    Reader,
    /// Its timer, at this millisecond.
    Timer { now: u64 },
}

/// What a write did. Dead records count as nothing: replaced, they make a creation of it.
pub(crate) struct Written<E> {
    pub(crate) change: Change<E>,
    /// The dead record that it took out.
    pub(crate) ended: Option<E>,
}

/// A table of records with deadlines, and the clock that they are held against.
pub(crate) trait Mortals {
    type Record: Mortal;
    type Guard: Retire;

    /// The record of a key.
    fn look<'g>(
        &'g self,
        guard: &'g Self::Guard,
        hash: u64,
        is_key: impl Fn(Shown<'g, Self>) -> bool + Copy,
    ) -> Option<Shown<'g, Self>>;

    /// The record that `is_meant` knows, in one shard, by the hash of a token.
    fn look_for<'g>(
        &'g self,
        guard: &'g Self::Guard,
        shard: usize,
        token: Token,
        is_meant: impl Fn(Shown<'g, Self>) -> bool + Copy,
    ) -> Option<Shown<'g, Self>>;

    /// Changes the record of a key by one atomic step.
    fn exchange<'g>(
        &'g self,
        guard: &'g Self::Guard,
        hash: u64,
        is_key: impl Fn(Shown<'g, Self>) -> bool + Copy,
        decide: impl FnMut(Option<Shown<'g, Self>>) -> Decision<Self::Record>,
    ) -> Result<Change<Shown<'g, Self>>, Refused>;

    fn hash_of(&self, entry: Shown<'_, Self>) -> u64;

    fn floors(&self) -> &Floors;

    fn now(&self) -> Moment;

    /// This thread, and no other, has taken out a dead record, and put nothing in its place.
    fn ended(&self, hash: u64, entry: Shown<'_, Self>, by: EndedBy);

    /// Whether the deadline of an entry, which was loaded before this call, has passed.
    #[inline(always)]
    fn is_dead(&self, entry: Shown<'_, Self>) -> bool {
        let deadline = Self::Record::deadline(entry);
        !deadline.is_never() && self.has_passed(deadline)
    }

    #[inline(never)]
    fn has_passed(&self, deadline: Deadline) -> bool {
        self.now().ms() >= deadline.ms()
    }

    /// The entry if it is live; else it is taken out, and what stands there then is what counts.
    fn live_or_gone<'g>(
        &'g self,
        guard: &'g Self::Guard,
        hash: u64,
        mut entry: Shown<'g, Self>,
    ) -> Option<Shown<'g, Self>> {
        let met = entry;
        let is_key = |other| Self::Record::is_of_same_key(met, other);
        while self.is_dead(entry) {
            if planted(Bug::DeadLeftThere) {
                return None;
            }
            match self.take_out(guard, hash, entry) {
                Ok(true) => {
                    self.ended(hash, entry, EndedBy::Reader);
                    return None;
                }
                // To remove a record, memory is asked for only to move its bucket, whose slots are
                // frozen by then: if this record still stands there, who read the clock before
                // cannot change it any more, and who moves it reads the clock anew. (Or for the
                // rest of a list of keys with the same 64 bits of hash, of which the answer may
                // come too early.)
                Err(_) => {
                    let found = self.look(guard, hash, is_key)?;
                    if Self::Record::is_same(found, entry) {
                        return None;
                    }
                    entry = found;
                }
                Ok(false) => entry = self.look(guard, hash, is_key)?,
            }
        }
        Some(entry)
    }

    /// Takes this very record out; whether it was this call that did.
    fn take_out<'g>(
        &'g self,
        guard: &'g Self::Guard,
        hash: u64,
        entry: Shown<'g, Self>,
    ) -> Result<bool, Refused> {
        let is_key = |other| Self::Record::is_of_same_key(entry, other);
        let change = self.exchange(guard, hash, is_key, |found| match found {
            Some(found) if Self::Record::is_same(found, entry) || planted(Bug::EndedByKey) => {
                self.floors().removing(hash, Self::Record::version(entry));
                Decision::Remove
            }
            _ => Decision::Keep,
        })?;
        Ok(matches!(change, Change::Removed(_)))
    }

    /// Changes the entry of a key by one atomic step, as `decide` answers, which is told the moment
    /// that the entry was found live or dead at, if it has a deadline. Dead records count as
    /// nothing, and are out of the way when this returns.
    #[inline(always)]
    fn change<'g>(
        &'g self,
        guard: &'g Self::Guard,
        hash: u64,
        is_key: impl Fn(Shown<'g, Self>) -> bool + Copy,
        mut decide: impl FnMut(Seen<Shown<'g, Self>>, Option<Moment>) -> Decision<Self::Record>,
    ) -> Result<Written<Shown<'g, Self>>, Refused> {
        let mut ended = None;
        let change = self.exchange(guard, hash, is_key, |found| {
            let (seen, now) = self.met(found);
            ended = if let Seen::Dead(entry) = seen { Some(entry) } else { None };
            match (decide(seen, now), seen) {
                (Decision::Keep | Decision::Remove, Seen::Dead(entry))
                | (Decision::Remove, Seen::Live(entry)) => {
                    self.floors().removing(hash, Self::Record::version(entry));
                    Decision::Remove
                }
                (decision, _) => decision,
            }
        })?;
        let change = match (ended, change) {
            (Some(_), Change::Replaced(_)) => Change::Created,
            (Some(_), Change::Removed(_)) => Change::Kept(None),
            (_, change) => change,
        };
        Ok(Written { change, ended })
    }

    /// What was found, held against the clock, which is read only if that has a deadline.
    #[inline(always)]
    fn met<'g>(&self, found: Option<Shown<'g, Self>>) -> (Seen<Shown<'g, Self>>, Option<Moment>) {
        let Some(entry) = found else { return (Seen::Nothing, None) };
        let deadline = Self::Record::deadline(entry);
        if deadline.is_never() {
            return (Seen::Live(entry), None);
        }
        let now = self.now();
        let is_dead = now.ms() >= deadline.ms();
        (if is_dead { Seen::Dead(entry) } else { Seen::Live(entry) }, Some(now))
    }

    /// The version of what takes the place of `seen`.
    #[inline(always)]
    fn next_version(&self, seen: Seen<Shown<'_, Self>>, hash: u64) -> u64 {
        match seen {
            Seen::Nothing => self.floors().created(hash),
            Seen::Live(entry) => Self::Record::version(entry) + 1,
            // Its end took the version between.
            Seen::Dead(entry) => Self::Record::version(entry) + 2,
        }
    }

    /// Does what a token is for, which is due; when it is to fire again, if it is. `expired` counts
    /// what it takes out.
    ///
    /// Two keys may share the bits that a token has: then it serves both.
    fn fire(
        &self,
        guard: &Self::Guard,
        shard: usize,
        token: Token,
        now: u64,
        expired: &mut u64,
    ) -> Result<Option<u64>, Refused> {
        while let Some(entry) = self.meant_by(guard, shard, token, now) {
            let hash = self.hash_of(entry);
            // If not, somebody has changed it: look again.
            if self.take_out(guard, hash, entry)? {
                self.ended(hash, entry, EndedBy::Timer { now });
                *expired += 1;
            } else if planted(Bug::TokenDropped) {
                return Ok(None);
            }
        }
        let later = self.meant_by(guard, shard, token, u64::MAX);
        Ok(later.map(|entry| Self::Record::deadline(entry).ms()))
    }

    /// A record whose timer a token is, and that is due by `latest`.
    fn meant_by<'g>(
        &'g self,
        guard: &'g Self::Guard,
        shard: usize,
        token: Token,
        latest: u64,
    ) -> Option<Shown<'g, Self>> {
        self.look_for(guard, shard, token, |entry| {
            let deadline = Self::Record::deadline(entry);
            !deadline.is_never()
                && (deadline.id() == token.id() || planted(Bug::AnyTimer))
                && deadline.ms() <= latest
                && token.means(self.hash_of(entry))
        })
    }
}
