//! What programs hold by number: tables of slots, in which every call looks its number up.
//!
//! A number is the index of a slot (its low bits) and the generation of the value there (the rest).
//! Tables are static and slots are used again but never freed; so any number at all can be looked
//! up, and one that names nothing any more finds another generation. What a call pays for that
//! stands in `calls.rs`.
//!
//! The slots lie in segments, each as large as all before it, that are installed when they are
//! needed and stay. No step takes a lock: a fork may happen while any thread is anywhere, and the
//! child must still be able to open stores.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, forget};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use crate::calls::Calls;
use crate::failure::Failure;
use crate::free::{Free, TAG};
use crate::slot::{Claim, Entered, Released, Slot};
use crate::stripe;

/// What programs hold by number.
pub(crate) trait Kind: Send + Sync + Sized + 'static {
    /// How calls on one value are counted.
    type Calls: Calls + Sync + 'static;

    /// How many bits of a number are the index: at most 24. As many values there may be at once.
    const INDEX_BITS: u32;

    /// What there are too many of when all places are taken, and their state.
    const THINGS: &'static str;

    fn table() -> &'static Table<Self>;
}

// The first one has a single slot, and 24 more make 2^24.
const SEGMENTS: usize = 25;

/// All values of one kind.
pub(crate) struct Table<K: Kind> {
    segments: [AtomicPtr<Place<K>>; SEGMENTS],
    /// How many places have been used.
    begun: AtomicU32,
    /// Those of them that are free.
    free: Free<TAG>,
}

/// A slot, and its link while it is free.
struct Place<K: Kind> {
    slot: Slot<K, K::Calls>,
    below: AtomicU32,
}

/// A place for a value; it is free again if none comes.
pub(crate) struct Reserved<K: Kind> {
    /// There until the value comes.
    claim: Option<Claim<'static, K, K::Calls>>,
    index: u32,
}

/// A call on a value, which stays until this is dropped. It ends on the thread where it began and
/// while that runs, unless it is `Kept`.
pub(crate) struct Held<K: Kind, W = OnThread> {
    entered: ManuallyDrop<Entered<'static, K, K::Calls>>,
    index: u32,
    whence: PhantomData<W>,
}

/// A call that may last, and end on any thread.
pub(crate) type Kept<K> = Held<K, Anywhere>;

/// Says that a call is bound to its thread: it is counted where nobody else counts.
pub(crate) struct OnThread(PhantomData<*const ()>);

/// Says that a call is not.
pub(crate) struct Anywhere;

impl<K: Kind> Table<K> {
    /// The largest generation. A slot that has had it is left alone.
    // LIMIT: 40 bits or more: at one value a microsecond, a slot lasts twelve days.
    const LAST: u64 = u64::MAX >> K::INDEX_BITS;

    pub(crate) const fn new() -> Self {
        Table {
            segments: [const { AtomicPtr::new(ptr::null_mut()) }; SEGMENTS],
            begun: AtomicU32::new(0),
            free: Free(AtomicU64::new(0)),
        }
    }

    /// Gives `value` a number, with one reference.
    ///
    /// # Errors
    /// As for `reserve`; the value is dropped.
    pub(crate) fn insert(&'static self, value: K) -> Result<u64, Failure> {
        Ok(self.reserve()?.fill(value))
    }

    /// Takes a place for a value that is still to come.
    ///
    /// # Errors
    /// TooMany when every place is taken; NoMemory.
    pub(crate) fn reserve(&'static self) -> Result<Reserved<K>, Failure> {
        loop {
            let index = match self.free.pop(|index| &self.known(index).below) {
                Some(index) => index,
                None => self.begin()?,
            };
            // Without a claim its generations are used up.
            if let Some(claim) = self.known(index).slot.claim(Self::LAST) {
                return Ok(Reserved { claim: Some(claim), index });
            }
        }
    }

    /// Begins a call on the value that a number names.
    #[inline(always)]
    pub(crate) fn enter(&'static self, number: u64) -> Option<Held<K>> {
        self.enter_at(number, if K::Calls::SHARED == 0 { 0 } else { stripe::own() })
    }

    /// Begins a call that may last, or that runs code of the program, which may be moved to another
    /// thread in the midst of it.
    pub(crate) fn keep(&'static self, number: u64) -> Option<Kept<K>> {
        self.enter_at(number, K::Calls::SHARED)
    }

    #[inline(always)]
    fn enter_at<W>(&'static self, number: u64, stripe: usize) -> Option<Held<K, W>> {
        let index = (number & ((1 << K::INDEX_BITS) - 1)) as u32;
        match self.place(index)?.slot.enter(number >> K::INDEX_BITS, stripe) {
            Ok(entered) => {
                Some(Held { entered: ManuallyDrop::new(entered), index, whence: PhantomData })
            }
            Err(left) => {
                self.recycle(index, left.is_some());
                None
            }
        }
    }

    /// Puts a slot on the stack of free ones if its value has been taken out.
    #[inline]
    fn recycle(&'static self, index: u32, is_free: bool) {
        if is_free {
            self.free.push(index, &self.known(index).below);
        }
    }

    /// The index of a slot that was never used.
    fn begin(&'static self) -> Result<u32, Failure> {
        // Relaxed: a guess; the compare-and-swap decides.
        let mut index = self.begun.load(Relaxed);
        while index < 1 << K::INDEX_BITS {
            self.install(segment(index).0)?;
            // Relaxed: gives each index to one thread, and carries nothing.
            match self.begun.compare_exchange_weak(index, index + 1, Relaxed, Relaxed) {
                Ok(_) => return Ok(index),
                Err(now) => index = now,
            }
        }
        Err(Failure::TooMany { things: K::THINGS })
    }

    /// Makes sure that a segment is there.
    fn install(&'static self, number: usize) -> Result<(), Failure> {
        let segment = &self.segments[number];
        // Acquire: pairs with the Release below.
        if !segment.load(Acquire).is_null() {
            return Ok(());
        }
        let layout = Layout::array::<Place<K>>(segment_len(number));
        let layout = layout.map_err(|_| rkv::Error::NoMemory)?;
        // SAFETY: a place has a size, and no segment has a length of 0.
        let fresh = unsafe { alloc_zeroed(layout) };
        if fresh.is_null() {
            return Err(rkv::Error::NoMemory.into());
        }
        // Release: publishes the zeros; Acquire: shows the segment of another thread.
        if segment.compare_exchange(ptr::null_mut(), fresh.cast(), AcqRel, Acquire).is_err() {
            // SAFETY: `fresh` comes from `alloc_zeroed` above and was given to nobody.
            unsafe { dealloc(fresh, layout) };
        }
        Ok(())
    }

    /// The place of an index, if its segment is there.
    #[inline(always)]
    fn place(&'static self, index: u32) -> Option<&'static Place<K>> {
        let (number, offset) = segment(index);
        // Acquire: pairs with the Release in `install`, so that the zeros are seen.
        let segment = self.segments[number].load(Acquire);
        if segment.is_null() {
            return None;
        }
        // SAFETY: the segment is never freed and has more than `offset` places; their bytes were
        // zero at first, which is a free slot (invariant 4 of `slot.rs`) and a link.
        Some(unsafe { &*segment.add(offset) })
    }

    /// The place of an index that `begin` gave out.
    fn known(&'static self, index: u32) -> &'static Place<K> {
        self.place(index).expect("its segment was installed before")
    }
}

/// The segment in which an index lies, and where in it.
#[inline]
fn segment(index: u32) -> (usize, usize) {
    match index.checked_ilog2() {
        None => (0, 0),
        Some(log) => (log as usize + 1, (index - (1 << log)) as usize),
    }
}

/// The number of places of a segment.
fn segment_len(number: usize) -> usize {
    1 << number.saturating_sub(1)
}

impl<K: Kind> Reserved<K> {
    /// Puts a value in, with one reference; its number.
    pub(crate) fn fill(mut self, value: K) -> u64 {
        let claim = self.claim.take().expect("only this function takes it");
        claim.publish(value) << K::INDEX_BITS | u64::from(self.index)
    }
}

impl<K: Kind> Drop for Reserved<K> {
    fn drop(&mut self) {
        let claim = self.claim.take();
        let is_free = claim.is_some();
        drop(claim);
        K::table().recycle(self.index, is_free);
    }
}

impl<K: Kind, W> Held<K, W> {
    /// Whether what the number names goes on: see `Entered::is_open`.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.entered.is_open()
    }

    /// Adds a reference; false when the last one is gone already.
    pub(crate) fn retain(&self) -> bool {
        self.entered.retain()
    }

    /// Gives up a reference; after the last one the number names nothing.
    pub(crate) fn release(&self) -> Released {
        self.entered.release()
    }

    /// Ends the call; the value, if it is over and this call was the last.
    pub(crate) fn leave(mut self) -> Option<K> {
        let value = self.end();
        forget(self);
        value
    }

    /// Ends the call, once.
    #[inline(always)]
    fn end(&mut self) -> Option<K> {
        // SAFETY: `leave` forgets this object, and otherwise only `drop` comes here.
        let value = unsafe { ManuallyDrop::take(&mut self.entered) }.leave();
        K::table().recycle(self.index, value.is_some());
        value
    }
}

impl<K: Kind, W> Drop for Held<K, W> {
    #[inline(always)]
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl<K: Kind, W> Deref for Held<K, W> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        &self.entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind with a table of 32 places.
    macro_rules! kind {
        ($name:ident) => {
            struct $name(u32);

            impl Kind for $name {
                type Calls = AtomicU64;

                const INDEX_BITS: u32 = 5;
                const THINGS: &'static str = "things are there";

                fn table() -> &'static Table<Self> {
                    static ALL: Table<$name> = Table::new();
                    &ALL
                }
            }
        };
    }

    /// Ends what a number names; what it was.
    fn end<K: Kind>(number: u64) -> K {
        let held = K::table().enter(number).unwrap();
        assert_eq!(held.release(), Released::Last);
        assert!(!held.is_open() && !held.retain());
        held.leave().unwrap()
    }

    #[test]
    fn every_place_is_given_once_and_again_when_it_is_free() {
        kind!(Thing);
        let things = Thing::table();
        let numbers: Vec<u64> = (0..32).map(|n| things.insert(Thing(n)).unwrap()).collect();
        let refused = things.insert(Thing(99));
        assert!(matches!(refused, Err(Failure::TooMany { things: "things are there" })));
        for (n, number) in (0..).zip(&numbers) {
            assert_eq!(things.enter(*number).unwrap().0, n);
        }
        assert_eq!(end::<Thing>(numbers[7]).0, 7);
        assert!(things.enter(numbers[7]).is_none());
        let again = things.insert(Thing(100)).unwrap();
        assert_eq!((again % 32, again >> 5), (numbers[7] % 32, 2));
        assert!(things.insert(Thing(101)).is_err() && things.enter(numbers[7]).is_none());
        assert_eq!(end::<Thing>(again).0, 100);
        drop(things.reserve().unwrap());
        drop(things.reserve().unwrap());
        assert_eq!(numbers.iter().filter(|number| things.enter(**number).is_some()).count(), 31);
    }

    #[test]
    fn no_place_is_lost_when_a_stale_number_is_looked_up_as_its_value_ends() {
        kind!(Thing);
        let things = Thing::table();
        let last = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while last.load(Relaxed) != u64::MAX {
                        drop(things.enter(last.load(Relaxed)));
                    }
                });
            }
            for round in 0..100_000 {
                // Without a place the test fails below, when the others have ended.
                let Ok(number) = things.insert(Thing(round)) else { break };
                last.store(number, Relaxed);
                let held = things.enter(number).unwrap();
                assert_eq!((held.0, held.release()), (round, Released::Last));
            }
            last.store(u64::MAX, Relaxed);
        });
        assert!((0..32).all(|n| things.insert(Thing(n)).is_ok()), "a place is lost");
    }

    #[test]
    fn segments_follow_each_other_without_a_gap() {
        let mut next = (0, 0);
        for index in 0..1 << 12 {
            assert_eq!(segment(index), next);
            next.1 += 1;
            if next.1 == segment_len(next.0) {
                next = (next.0 + 1, 0);
            }
        }
        let (last, offset) = segment((1 << 24) - 1);
        assert_eq!((last, offset + 1), (SEGMENTS - 1, segment_len(SEGMENTS - 1)));
    }
}
