//! The caches: rkv and its rivals, each set up as its authors advise.
//!
//! Where all values are alike, rivals hold them inline, which is the best case for them. Where they
//! differ, rivals hold them behind an `Arc`, which their gets hand out without a copy.

mod quick_cache;
mod moka;
mod rkv_store;

use super::drive::Run;
use super::drive::{self, Walk};
use super::trace::{Bound, charge};
use crate::keys::{ByteKey, ByteValue};
use std::sync::Arc;
use std::time::Duration;

/// The engine that is ours.
pub const OWN: &str = "rkv";

/// The others, in the order of the tables.
pub const RIVALS: [&str; 2] = ["moka", "quick_cache"];

/// A cache under test.
pub(crate) trait Cache: Send + Sync + Sized + 'static {
    /// What the tables call it.
    const NAME: &'static str;

    /// An empty one that may hold so much, which is so many entries, about.
    fn bounded(bound: Bound, entries: u64) -> Self;
    /// Copies the value of `key` to the beginning of `out`; its length.
    fn get(&self, key: &ByteKey, out: &mut [u8]) -> Option<usize>;
    /// Inserts or overwrites.
    fn set(&self, key: &ByteKey, value: &[u8]);
    /// What it holds, counted as its bound is. Nothing else may go on.
    fn held(&self) -> u64;
}

/// What a rival keeps for a value.
trait Stored: Clone + Send + Sync + 'static {
    /// Whether its bound is in bytes.
    const WEIGHED: bool;
    fn of(value: &[u8]) -> Self;
    fn bytes(&self) -> &[u8];

    /// What it takes of the bound.
    fn weight(&self) -> u64 {
        if Self::WEIGHED { charge(self.bytes().len()) } else { 1 }
    }
}

impl Stored for ByteValue {
    const WEIGHED: bool = false;

    #[inline]
    fn of(value: &[u8]) -> Self {
        value.try_into().expect("64 bytes")
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }
}

impl Stored for Arc<[u8]> {
    const WEIGHED: bool = true;

    #[inline]
    fn of(value: &[u8]) -> Self {
        value.into()
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// Copies `value` to the beginning of `out`; its length.
#[inline]
fn copied(value: &[u8], out: &mut [u8]) -> usize {
    out[..value.len()].copy_from_slice(value);
    value.len()
}

/// A cache that can take part.
#[derive(Clone, Copy)]
pub struct Entrant {
    /// Its name.
    pub name: &'static str,
    /// Makes an empty one; see the arguments of a bound.
    pub open: fn(Bound, u64) -> Box<dyn Driven>,
}

/// A cache whose type is erased around a whole run.
pub trait Driven: Send {
    /// Lets so many threads walk through it until the walk ends or the time is over.
    fn run(&self, walk: Walk<'_>, threads: usize, time: Duration) -> Run;
    /// What it holds, counted as its bound is.
    fn held(&self) -> u64;
}

impl<C: Cache> Driven for C {
    fn run(&self, walk: Walk<'_>, threads: usize, time: Duration) -> Run {
        drive::run(self, walk, threads, time)
    }

    fn held(&self) -> u64 {
        Cache::held(self)
    }
}

/// All caches for a bound of this kind, rkv's first.
pub fn entrants(bound: Bound) -> [Entrant; 3] {
    match bound {
        Bound::Entries(_) => of_values::<ByteValue>(),
        Bound::Bytes(_) => of_values::<Arc<[u8]>>(),
    }
}

fn of_values<V: Stored>() -> [Entrant; 3] {
    [
        entrant::<rkv_store::Bounded>(),
        entrant::<moka::Moka<V>>(),
        entrant::<quick_cache::QuickCache<V>>(),
    ]
}

fn entrant<C: Cache>() -> Entrant {
    Entrant { name: C::NAME, open: |bound, entries| Box::new(C::bounded(bound, entries)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;

    /// What was set is found, whole; what was not is not.
    fn obeys<C: Cache>(bound: Bound, value: &[u8]) {
        let (cache, mut out) = (C::bounded(bound, 10_000), [0; 4_096]);
        for index in 0..50 {
            assert_eq!(cache.get(&ByteKey::at(index), &mut out), None, "{}", C::NAME);
            cache.set(&ByteKey::at(index), &vec![0; value.len()]);
            cache.set(&ByteKey::at(index), value);
            assert_eq!(cache.get(&ByteKey::at(index), &mut out), Some(value.len()), "{}", C::NAME);
            assert_eq!(&out[..value.len()], value);
        }
        let unit = if let Bound::Entries(_) = bound { 1 } else { charge(value.len()) };
        assert_eq!(Cache::held(&cache), 50 * unit, "{}", C::NAME);
    }

    #[test]
    fn every_cache_obeys_the_trait_and_counts_as_its_bound_does() {
        let (value, long) = ([7; 64], [8; 1_000]);
        obeys::<rkv_store::Bounded>(Bound::Entries(10_000), &value);
        obeys::<moka::Moka<ByteValue>>(Bound::Entries(10_000), &value);
        obeys::<quick_cache::QuickCache<ByteValue>>(Bound::Entries(10_000), &value);
        let bound = Bound::Bytes(10_000 * charge(long.len()));
        obeys::<rkv_store::Bounded>(bound, &long);
        obeys::<moka::Moka<Arc<[u8]>>>(bound, &long);
        obeys::<quick_cache::QuickCache<Arc<[u8]>>>(bound, &long);
    }

    /// Many more entries than fit, and what is held then beside the bound.
    fn overfilled<C: Cache>(bound: Bound, most: u64) {
        let cache = C::bounded(bound, 10_000);
        (0..50_000).for_each(|index| cache.set(&ByteKey::at(index), &[1; 64]));
        let held = Cache::held(&cache);
        // Rivals split their bound among shards and round up.
        assert!(held <= most + most / 100 && held > most / 2, "{} holds {held}", C::NAME);
    }

    #[test]
    fn every_cache_holds_its_bound() {
        overfilled::<rkv_store::Bounded>(Bound::Entries(10_000), 10_000);
        overfilled::<moka::Moka<ByteValue>>(Bound::Entries(10_000), 10_000);
        overfilled::<quick_cache::QuickCache<ByteValue>>(Bound::Entries(10_000), 10_000);
        let bytes = 10_000 * charge(64);
        overfilled::<rkv_store::Bounded>(Bound::Bytes(bytes), bytes);
        overfilled::<moka::Moka<Arc<[u8]>>>(Bound::Bytes(bytes), bytes);
        overfilled::<quick_cache::QuickCache<Arc<[u8]>>>(Bound::Bytes(bytes), bytes);
    }

    #[test]
    fn caches_have_the_names_of_the_tables_in_their_order() {
        for bound in [Bound::Entries(1_000), Bound::Bytes(1_000_000)] {
            let names = entrants(bound).map(|entrant| entrant.name);
            assert_eq!(names, [OWN, RIVALS[0], RIVALS[1]]);
        }
    }
}
