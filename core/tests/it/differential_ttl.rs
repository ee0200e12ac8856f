//! A `Store` with deadlines, used by one thread with a clock that is moved by hand, answers as a
//! map would that looks at each deadline at each call; and what is due goes without being asked
//! for.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rkv::{Error, ManualClock, Op, Remaining, SetResult, Store, Ttl};

use crate::cases::cases;

#[derive(Clone, Debug)]
enum Call {
    SetWith(u8, Ttl),
    Set(u8),
    SetIfAbsent(u8, Ttl),
    SetMany(Vec<u8>, Ttl),
    Incr(u8),
    CompareAndSwap(u8),
    ComputePut(u8, Option<Ttl>),
    ComputeKeep(u8),
    Delete(u8),
    Get(u8),
    GetMany(Vec<u8>),
    Contains(u8),
    Keys,
    Count,
    Expire(u8, Ttl),
    Persist(u8),
    Touch(u8, u64),
    /// Moves the clock by so many microseconds.
    Pass(u64),
    Advance,
    Purge,
    /// Sets and deletes other keys, some with a deadline, so that the table grows and shrinks.
    Churn(u16),
}

/// Times to live of the same size as the steps of the clock, and much longer ones.
fn millis() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 1_u64..8, 3 => 1_u64..200, 1 => 1_u64..20_000, 1 => 1_u64..3_000_000_000]
}

fn ttl() -> impl Strategy<Value = Ttl> {
    prop_oneof![
        6 => millis().prop_map(|ms| Ttl::After(Duration::from_millis(ms))),
        1 => (1_u64..5000).prop_map(|us| Ttl::After(Duration::from_micros(us))),
        2 => millis().prop_map(|ms| Ttl::At(SystemTime::UNIX_EPOCH + Duration::from_millis(ms))),
        1 => Just(Ttl::Never),
        1 => Just(Ttl::Default),
        2 => Just(Ttl::Keep),
        1 => Just(Ttl::After(Duration::MAX)),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let key = 0_u8..6;
    prop_oneof![
        10 => (key.clone(), ttl()).prop_map(|(key, ttl)| Call::SetWith(key, ttl)),
        3 => key.clone().prop_map(Call::Set),
        3 => (key.clone(), ttl()).prop_map(|(key, ttl)| Call::SetIfAbsent(key, ttl)),
        1 => (proptest::collection::vec(key.clone(), 0..8), ttl())
            .prop_map(|(keys, ttl)| Call::SetMany(keys, ttl)),
        4 => key.clone().prop_map(Call::Incr),
        2 => key.clone().prop_map(Call::CompareAndSwap),
        1 => key.clone().prop_map(|key| Call::ComputePut(key, None)),
        2 => (key.clone(), ttl()).prop_map(|(key, ttl)| Call::ComputePut(key, Some(ttl))),
        2 => key.clone().prop_map(Call::ComputeKeep),
        3 => key.clone().prop_map(Call::Delete),
        3 => key.clone().prop_map(Call::Get),
        1 => proptest::collection::vec(key.clone(), 0..8).prop_map(Call::GetMany),
        1 => key.clone().prop_map(Call::Contains),
        1 => Just(Call::Keys),
        1 => Just(Call::Count),
        5 => (key.clone(), ttl()).prop_map(|(key, ttl)| Call::Expire(key, ttl)),
        2 => key.clone().prop_map(Call::Persist),
        3 => (key, millis()).prop_map(|(key, ms)| Call::Touch(key, ms)),
        10 => prop_oneof![5 => 1_u64..5000, 3 => 1_u64..300_000, 1 => 1_u64..(1 << 52)]
            .prop_map(Call::Pass),
        4 => Just(Call::Advance),
        2 => Just(Call::Purge),
        1 => (0_u16..200).prop_map(Call::Churn),
    ]
}

/// What a key must have: its number, and the millisecond of its end.
#[derive(Clone, Copy)]
struct Expected {
    number: i64,
    end: Option<u64>,
}

struct World {
    store: Store,
    clock: ManualClock,
    default_ttl: Option<Duration>,
    entries: HashMap<u8, Expected>,
    versions: HashMap<u8, u64>,
    next: i64,
}

impl World {
    fn new(default_ttl: Option<Duration>) -> Self {
        let clock = ManualClock::new();
        let mut builder = Store::builder().shards(1).clock(&clock);
        if let Some(ttl) = default_ttl {
            builder = builder.default_ttl(ttl);
        }
        let store = builder.build().expect("memory");
        let (entries, versions) = Default::default();
        Self { store, clock, default_ttl, entries, versions, next: 0 }
    }

    fn now(&self) -> u64 {
        self.clock.elapsed().as_millis() as u64
    }

    fn live(&self, key: u8) -> Option<Expected> {
        self.entries.get(&key).copied().filter(|entry| entry.end.is_none_or(|end| self.now() < end))
    }

    /// The end that `ttl` means for a key.
    fn end(&self, key: u8, ttl: Ttl) -> Option<u64> {
        let after = |after: Duration| {
            let end = self.clock.elapsed().saturating_add(after).as_nanos().div_ceil(1_000_000);
            u64::try_from(end).ok().filter(|&end| end < (1 << 42) - 1)
        };
        match ttl {
            Ttl::Keep if self.live(key).is_some() => self.live(key)?.end,
            Ttl::Default | Ttl::Keep => self.default_ttl.and_then(after),
            Ttl::After(time) => after(time),
            Ttl::At(time) => {
                let time = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
                after(time.saturating_sub(self.clock.elapsed()))
            }
            _ => None,
        }
    }

    fn has_passed(&self, ttl: Ttl) -> bool {
        let now = SystemTime::UNIX_EPOCH + self.clock.elapsed();
        matches!(ttl, Ttl::At(time) if time <= now)
    }

    fn number(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// A write that the store took: checks the value, the time left, and that versions grow.
    fn put(&mut self, key: u8, number: i64, end: Option<u64>) {
        self.entries.insert(key, Expected { number, end });
        self.look(key);
    }

    /// Compares all that can be read of a key.
    fn look(&mut self, key: u8) {
        let expected = self.live(key);
        let found = self.store.get([key]);
        let number = found.as_ref().map(|value| std::str::from_utf8(value).expect("text"));
        assert_eq!(number, expected.map(|e| e.number.to_string()).as_deref(), "key {key}");
        let left = expected.map(|entry| match entry.end {
            None => Remaining::Never,
            Some(end) => {
                let now = self.clock.elapsed().as_nanos().div_ceil(1_000_000) as u64;
                Remaining::For(Duration::from_millis((end - now).max(1)))
            }
        });
        assert_eq!(self.store.ttl([key]), left, "key {key}");
        if let Some(found) = found {
            let highest = self.versions.entry(key).or_default();
            assert!(found.version() >= *highest, "{} after {highest}", found.version());
            *highest = found.version();
        }
    }

    fn step(&mut self, call: Call) {
        match call {
            Call::SetWith(key, ttl) => self.set_with(key, ttl),
            Call::Set(key) => {
                let (number, created) = (self.number(), self.live(key).is_none());
                let result = self.store.set([key], number.to_string()).expect("set");
                assert_eq!(result == SetResult::Created, created);
                self.put(key, number, self.end(key, Ttl::Default));
            }
            Call::SetIfAbsent(key, ttl) => {
                let (number, absent) = (self.number(), self.live(key).is_none());
                let stored = self.store.set_if_absent_with([key], number.to_string(), ttl);
                assert_eq!(stored, Ok(absent && !self.has_passed(ttl)));
                if stored == Ok(true) {
                    self.put(key, number, self.end(key, ttl));
                }
            }
            Call::SetMany(keys, ttl) => {
                let number = self.number();
                let entries: Vec<_> = keys.iter().map(|&key| ([key], number.to_string())).collect();
                self.store.set_many_with(&entries, ttl).expect("set_many");
                keys.iter().for_each(|&key| self.written(key, number, ttl));
            }
            Call::Incr(key) => {
                let sum = self.live(key).map_or(0, |entry| entry.number) + 7;
                assert_eq!(self.store.incr([key], 7), Ok(sum));
                self.put(key, sum, self.end(key, Ttl::Keep));
            }
            Call::CompareAndSwap(key) => self.compare_and_swap(key),
            Call::ComputePut(key, ttl) => {
                let (number, before) = (self.number(), self.live(key));
                let put = |old: Option<&rkv::Value>| {
                    assert_eq!(old.is_some(), before.is_some());
                    let value = number.to_string().into_bytes();
                    Ok::<_, Error>(ttl.map_or(Op::Put(value.clone()), |ttl| Op::PutFor(value, ttl)))
                };
                self.store.compute([key], put).expect("compute");
                self.written(key, number, ttl.unwrap_or(Ttl::Keep));
            }
            Call::ComputeKeep(key) => {
                let computed = self.store.compute([key], |_| Ok::<_, Error>(Op::Keep));
                let kept = matches!(computed, Ok(rkv::Computed::Kept(old))
                    if old.is_some() == self.live(key).is_some());
                assert!(kept);
            }
            Call::Delete(key) => {
                let expected = self.live(key).map(|entry| entry.number.to_string().into_bytes());
                let removed = self.store.delete([key]).expect("delete").map(|value| value.to_vec());
                assert_eq!(removed, expected);
                self.entries.remove(&key);
            }
            Call::Get(key) => self.look(key),
            Call::GetMany(keys) => {
                let keys: Vec<_> = keys.into_iter().map(|key| [key]).collect();
                let found = self.store.get_many(&keys);
                for (key, value) in keys.iter().zip(found) {
                    let expected = self.live(key[0]).map(|entry| entry.number.to_string());
                    assert_eq!(value.map(|v| v.to_vec()), expected.map(String::into_bytes));
                }
            }
            Call::Contains(key) => {
                assert_eq!(self.store.contains([key]), self.live(key).is_some());
            }
            Call::Keys => assert_eq!(self.store.keys(""), self.live_keys()),
            Call::Count => assert_eq!(self.store.count(), self.live_keys().len() as u64),
            Call::Expire(key, ttl) => self.expire(key, ttl),
            Call::Persist(key) => {
                assert_eq!(self.store.persist([key]), Ok(self.live(key).is_some()));
                self.retimed(key, None);
            }
            Call::Touch(key, ms) => self.touch(key, Duration::from_millis(ms)),
            Call::Pass(us) => self.clock.advance(Duration::from_micros(us)),
            Call::Advance => {
                self.store.advance().expect("advance");
            }
            Call::Purge => {
                self.store.purge_expired().expect("purge");
                assert_eq!(self.store.stats().entries, self.live_keys().len() as u64);
            }
            Call::Churn(keys) => {
                for key in 0..keys {
                    let ttl = Ttl::After(Duration::from_millis(u64::from(key) + 1));
                    self.store.set_with(key.to_le_bytes(), "", ttl).expect("set");
                }
                for key in 0..keys {
                    self.store.delete(key.to_le_bytes()).expect("delete");
                }
            }
        }
    }

    fn set_with(&mut self, key: u8, ttl: Ttl) {
        let (number, passed, live) = (self.number(), self.has_passed(ttl), self.live(key));
        let result = self.store.set_with([key], number.to_string(), ttl).expect("set_with");
        match result {
            SetResult::Expired => assert!(passed),
            SetResult::Created => assert!(!passed && live.is_none()),
            SetResult::Updated => assert!(!passed && live.is_some()),
        }
        self.written(key, number, ttl);
    }

    /// A write that the store took, unless its time is over: then the key is gone.
    fn written(&mut self, key: u8, number: i64, ttl: Ttl) {
        if self.has_passed(ttl) {
            self.entries.remove(&key);
            self.look(key);
        } else {
            self.put(key, number, self.end(key, ttl));
        }
    }

    fn compare_and_swap(&mut self, key: u8) {
        let number = self.number();
        // From the version that stands, or from none; and from another one.
        let version = self.store.get([key]).map(|value| value.version());
        let wrong = self.store.compare_and_swap([key], version.map_or(5, |v| v + 1), "");
        assert_eq!(wrong, Err(Error::Conflict { current: version }));
        let swapped = self.store.compare_and_swap([key], version.unwrap_or(0), number.to_string());
        let new = swapped.expect("the version stands");
        assert!(version.is_none_or(|version| new == version + 1));
        self.put(key, number, self.end(key, Ttl::Keep));
    }

    fn expire(&mut self, key: u8, ttl: Ttl) {
        let result = self.store.expire([key], ttl);
        if ttl == Ttl::Keep {
            assert_eq!(result, Err(Error::InvalidTtl));
            return;
        }
        assert_eq!(result, Ok(self.live(key).is_some()));
        if self.has_passed(ttl) {
            self.entries.remove(&key);
        }
        self.retimed(key, self.end(key, ttl));
    }

    fn touch(&mut self, key: u8, ttl: Duration) {
        assert_eq!(self.store.touch([key], ttl), Ok(self.live(key).is_some()));
        let enough = self.end(key, Ttl::After(ttl - ttl / 8)).unwrap_or(u64::MAX);
        let is_short = |entry: Expected| entry.end.is_some_and(|end| end < enough);
        match self.live(key) {
            Some(entry) if is_short(entry) => self.retimed(key, self.end(key, Ttl::After(ttl))),
            _ => self.look(key),
        }
    }

    fn retimed(&mut self, key: u8, end: Option<u64>) {
        match self.live(key) {
            Some(entry) => self.put(key, entry.number, end),
            None => self.look(key),
        }
    }

    fn live_keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> =
            (0..=u8::MAX).filter(|&key| self.live(key).is_some()).map(|key| vec![key]).collect();
        keys.sort();
        keys
    }

    /// Every end comes by itself, at its millisecond: nothing is read, the wheels are advanced.
    fn all_ends_come(&mut self) {
        let mut ends: Vec<_> = self.entries.values().filter_map(|entry| entry.end).collect();
        ends.retain(|&end| end > self.now());
        ends.sort_unstable();
        ends.dedup();
        for end in ends {
            for moment in [end - 1, end] {
                let moment = Duration::from_millis(moment);
                self.clock.advance(moment.saturating_sub(self.clock.elapsed()));
                while self.store.advance() == Ok(Some(Duration::ZERO)) {}
                assert_eq!(self.store.stats().entries, self.live_keys().len() as u64);
            }
        }
    }

    /// In the end nothing is left, of timers neither.
    fn nothing_is_left(&self) {
        for key in self.live_keys() {
            self.store.delete(key).expect("delete");
        }
        self.clock.advance(Duration::from_secs(40 * 365 * 86_400));
        self.store.purge_expired().expect("purge");
        let stats = self.store.stats();
        assert_eq!((stats.entries, stats.timers), (0, 0));
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn keys_live_exactly_as_long_as_they_were_told(
        default_ms in proptest::option::of(1_u64..100),
        calls in proptest::collection::vec(call(), 0..80),
    ) {
        let mut world = World::new(default_ms.map(Duration::from_millis));
        calls.into_iter().for_each(|call| world.step(call));
        world.all_ends_come();
        world.nothing_is_left();
    }
}
