//! The engines: rkv and its rivals, each tuned as its authors advise.
//!
//! Rivals hold fixed-size arrays inline, which is the best case for them; rkv's store takes keys
//! and values of any length.

mod rkv_store;
mod rkv_map;
mod papaya;
mod dashmap;
mod scc_map;
mod scc_index;
mod quick_cache;
mod locked_std;
mod flurry;
mod moka;

use crate::entrant::{Entrant, entrant};
use crate::keys::{ByteKey, ByteValue};
use crate::workload::Family;
use ahash::RandomState;

#[cfg(test)]
pub(crate) use dashmap::DashMap as RivalForTests;

/// All engines that can run the workloads of `family`, rkv's first.
pub fn entrants(family: Family) -> Vec<Entrant> {
    match family {
        Family::Bytes => byte_entrants(),
        Family::Words => word_entrants(),
    }
}

fn byte_entrants() -> Vec<Entrant> {
    type K = ByteKey;
    type V = ByteValue;
    vec![
        entrant::<K, V, rkv_store::StorePerCall>(),
        entrant::<K, V, rkv_store::StoreSession>(),
        entrant::<K, V, papaya::PerCall<K, V>>(),
        entrant::<K, V, papaya::Session<K, V>>(),
        entrant::<K, V, dashmap::DashMap<K, V>>(),
        entrant::<K, V, scc_map::SccMap<K, V>>(),
        entrant::<K, V, scc_index::PerCall<K, V>>(),
        entrant::<K, V, scc_index::Session<K, V>>(),
        entrant::<K, V, quick_cache::QuickCache<K, V>>(),
        entrant::<K, V, locked_std::LockedStd<K, V>>(),
        entrant::<K, V, moka::Moka<K, V>>(),
    ]
}

fn word_entrants() -> Vec<Entrant> {
    vec![
        entrant::<u64, u64, rkv_map::MapSession<u64, u64>>(),
        entrant::<u64, u64, papaya::Session<u64, u64>>(),
        entrant::<u64, u64, dashmap::DashMap<u64, u64>>(),
        entrant::<u64, u64, scc_map::SccMap<u64, u64>>(),
        entrant::<u64, u64, scc_index::Session<u64, u64>>(),
        entrant::<u64, u64, flurry::Flurry<u64, u64>>(),
        entrant::<u64, u64, quick_cache::QuickCache<u64, u64>>(),
        entrant::<u64, u64, locked_std::LockedStd<u64, u64>>(),
    ]
}

/// The hasher of every rival and of rkv's map: ahash, with the same seeds in each run.
pub(crate) fn hasher() -> RandomState {
    RandomState::with_seeds(
        0x243f_6a88_85a3_08d3,
        0x1319_8a2e_0370_7344,
        0xa409_3822_299f_31d0,
        0x082e_fa98_ec4e_6c89,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Handle};
    use crate::keys::{Key, Value};

    /// Every operation answers as the trait promises, on an engine with and without room.
    fn obeys<K: Key, V: Value + PartialEq + std::fmt::Debug, E: Engine<K, V>>() {
        for room in [0, 100] {
            let engine = E::with_room(room);
            let mut handle = engine.handle();
            let mut out = V::of(0, 0);
            for index in 0..100 {
                assert!(!handle.get(&K::at(index), &mut out));
                assert!(!handle.update(&K::at(index), V::stepped));
                handle.set(&K::at(index), &V::of(index, 1));
                handle.set(&K::at(index), &V::of(index, 2));
                assert!(handle.update(&K::at(index), V::stepped));
                assert!(handle.get(&K::at(index), &mut out));
                assert_eq!(out, V::of(index, 3));
            }
            assert!(handle.remove(&K::at(3)) && !handle.remove(&K::at(3)));
            let keys: Vec<K> = (0..16).map(K::at).collect();
            let mut values = vec![V::of(0, 0); 16];
            assert_eq!(handle.get_many(&keys, &mut values), 15);
            assert_eq!(values[15], V::of(15, 3));
        }
    }

    #[test]
    fn every_byte_engine_obeys_the_trait() {
        type K = ByteKey;
        type V = ByteValue;
        obeys::<K, V, rkv_store::StorePerCall>();
        obeys::<K, V, rkv_store::StoreSession>();
        obeys::<K, V, papaya::PerCall<K, V>>();
        obeys::<K, V, papaya::Session<K, V>>();
        obeys::<K, V, dashmap::DashMap<K, V>>();
        obeys::<K, V, scc_map::SccMap<K, V>>();
        obeys::<K, V, scc_index::PerCall<K, V>>();
        obeys::<K, V, scc_index::Session<K, V>>();
        obeys::<K, V, quick_cache::QuickCache<K, V>>();
        obeys::<K, V, locked_std::LockedStd<K, V>>();
        obeys::<K, V, flurry::Flurry<K, V>>();
        obeys::<K, V, moka::Moka<K, V>>();
    }

    #[test]
    fn every_word_engine_obeys_the_trait() {
        obeys::<u64, u64, rkv_map::MapSession<u64, u64>>();
        obeys::<u64, u64, papaya::Session<u64, u64>>();
        obeys::<u64, u64, flurry::Flurry<u64, u64>>();
        obeys::<u64, u64, scc_index::Session<u64, u64>>();
    }

    #[test]
    fn names_are_unique_in_a_family() {
        for family in [Family::Bytes, Family::Words] {
            let mut names: Vec<_> = entrants(family).iter().map(|e| e.card.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
