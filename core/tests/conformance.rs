//! The table of cases that all faces must agree on, run against the Rust face.

use std::collections::BTreeMap;
use std::time::Duration;

use rkv::{Computed, Eviction, ManualClock, Remaining, Result, SetResult, Store};
use serde_json::{Value, json};

#[path = "../../conformance/table.rs"]
mod table;

use table::{Face, Figure, Memory, Op, Options, Policy, Ttl, TtlWord, Wish, shown};

#[test]
fn the_rust_face_answers_as_the_table_says() {
    let ran = table::run::<Rust>();
    assert!(ran.cases > 200, "cases got lost: {ran:?}");
    assert_eq!(ran.left_out, 0);
}

#[test]
fn a_case_that_is_wrong_is_seen() {
    assert_eq!(table::wrong_and_not_seen::<Rust>(), [""; 0]);
}

#[test]
fn the_table_has_the_numbers_of_all_errors() {
    let source = include_str!("../src/error.rs").lines();
    let constants = source.filter_map(|line| line.trim().strip_prefix("pub const "));
    let numbers = constants.filter_map(|text| {
        let (name, number) = text.strip_suffix(';')?.split_once(": i32 = ")?;
        (name != "OK").then(|| (name.to_owned(), number.parse().expect("a number")))
    });
    assert_eq!(numbers.collect::<BTreeMap<String, i32>>(), table::errors());
}

struct Rust {
    store: Store,
    clock: ManualClock,
}

impl Face for Rust {
    const NAME: &'static str = "rust";
    const LACKS: &'static [&'static str] = &[];

    fn open(options: &Options) -> std::result::Result<Self, i32> {
        let clock = ManualClock::new();
        let mut builder = Store::builder().clock(&clock).eviction(match options.eviction {
            Policy::S3fifo => Eviction::S3Fifo,
            Policy::Reject => Eviction::Reject,
        });
        if let Some(shards) = options.shards {
            builder = builder.shards(shards as usize);
        }
        if let Some(ms) = options.default_ttl_ms {
            builder = builder.default_ttl(Duration::from_millis(ms));
        }
        if let Some(entries) = options.max_entries {
            builder = builder.max_entries(entries);
        }
        if let Some(bytes) = options.max_bytes {
            builder = builder.max_bytes(bytes);
        }
        let store = builder.build().map_err(|error| error.code())?;
        Ok(Self { store, clock })
    }

    fn run(&self, op: &Op, memory: &Memory) -> std::result::Result<Value, i32> {
        self.answer(op, memory).map_err(|error| error.code())
    }
}

impl Rust {
    fn answer(&self, op: &Op, memory: &Memory) -> Result<Value> {
        let store = &self.store;
        Ok(match op {
            Op::Set { .. } | Op::SetIfAbsent { .. } | Op::Incr { .. } => self.write(op)?,
            Op::Get { key } => bytes(store.get(key).as_deref()),
            Op::Contains { key } => json!(store.contains(key)),
            Op::Delete { key } => json!(store.delete(key)?.is_some()),
            Op::Take { key } => bytes(store.take(key)?.as_deref()),
            Op::Version { key } => json!(store.get(key).map(|value| value.version())),
            Op::CompareAndSwap { key, version, value } => {
                json!(store.compare_and_swap(key, memory[version], value)?)
            }
            Op::Compute { .. } => self.compute(op)?,
            Op::Ttl { .. } | Op::Expire { .. } | Op::Persist { .. } | Op::Touch { .. } => {
                self.lifetime(op)?
            }
            Op::PurgeExpired {} => json!(store.purge_expired()?),
            Op::Advance {} => json!(store.advance()?.map(|_| "later")),
            Op::ClockAdvance { ms } => json!(self.clock.advance(Duration::from_millis(*ms))),
            Op::Count {} => json!(store.count()),
            Op::Keys { prefix } => store.keys(prefix).iter().map(|key| shown(key)).collect(),
            Op::Scan { prefix } => self.scan(prefix.as_ref()),
            Op::GetMany { .. } | Op::SetMany { .. } | Op::DeleteMany { .. } => self.batch(op)?,
            Op::Clear {} => json!(store.clear()?),
            Op::Figure { name } => json!(self.figure(*name)),
            Op::Fill { .. } => unreachable!("it is made of sets"),
        })
    }

    fn write(&self, op: &Op) -> Result<Value> {
        let set = match op {
            Op::Set { key, value, ttl: None } => self.store.set(key, value)?,
            Op::Set { key, value, ttl: Some(ttl) } => {
                self.store.set_with(key, value, meaning(*ttl))?
            }
            Op::SetIfAbsent { key, value, ttl: None } => {
                return Ok(json!(self.store.set_if_absent(key, value)?));
            }
            Op::SetIfAbsent { key, value, ttl: Some(ttl) } => {
                return Ok(json!(self.store.set_if_absent_with(key, value, meaning(*ttl))?));
            }
            Op::Incr { key, by } => return Ok(json!(self.store.incr(key, *by)?)),
            _ => unreachable!("{op:?} writes no value"),
        };
        Ok(json!(match set {
            SetResult::Created => "created",
            SetResult::Updated => "updated",
            SetResult::Expired => "expired",
        }))
    }

    fn compute(&self, op: &Op) -> Result<Value> {
        let Op::Compute { key, wish, value, ttl } = op else { unreachable!("{op:?}") };
        let value = value.as_ref().map_or(&b""[..], AsRef::as_ref);
        let put = |value: Vec<u8>| match ttl {
            None => rkv::Op::Put(value),
            Some(ttl) => rkv::Op::PutFor(value, meaning(*ttl)),
        };
        let computed = self.store.compute(key, |old| {
            Ok::<_, rkv::Error>(match wish {
                Wish::Put => put(value.to_vec()),
                Wish::Append => put([old.map_or(&b""[..], |old| old), value].concat()),
                Wish::Remove => rkv::Op::Remove,
                Wish::Keep => rkv::Op::Keep,
            })
        })?;
        Ok(match computed {
            Computed::Created(new) | Computed::Updated { new, .. } => bytes(Some(&new)),
            Computed::Removed(_) => Value::Null,
            Computed::Kept(old) => bytes(old.as_deref()),
        })
    }

    fn lifetime(&self, op: &Op) -> Result<Value> {
        Ok(match op {
            Op::Ttl { key } => match self.store.ttl(key) {
                None => Value::Null,
                Some(Remaining::Never) => json!("never"),
                Some(Remaining::For(left)) => json!(left.as_millis() as u64),
            },
            Op::Expire { key, ttl } => json!(self.store.expire(key, meaning(*ttl))?),
            Op::Persist { key } => json!(self.store.persist(key)?),
            Op::Touch { key, ttl } => json!(self.store.touch(key, Duration::from_millis(*ttl))?),
            _ => unreachable!("{op:?} is not about time"),
        })
    }

    fn scan(&self, prefix: &[u8]) -> Value {
        let mut entries: Vec<_> = self.store.scan(prefix).collect();
        entries.sort_by(|a, b| a.key().cmp(b.key()));
        entries.iter().map(|entry| json!([shown(entry.key()), shown(entry)])).collect()
    }

    fn batch(&self, op: &Op) -> Result<Value> {
        Ok(match op {
            Op::GetMany { keys } => {
                self.store.get_many(keys).iter().map(|value| bytes(value.as_deref())).collect()
            }
            Op::SetMany { entries, ttl: None } => json!(self.store.set_many(entries)?),
            Op::SetMany { entries, ttl: Some(ttl) } => {
                json!(self.store.set_many_with(entries, meaning(*ttl))?)
            }
            Op::DeleteMany { keys } => json!(self.store.delete_many(keys)?),
            _ => unreachable!("{op:?} is no batch"),
        })
    }

    fn figure(&self, name: Figure) -> u64 {
        let stats = self.store.stats();
        match name {
            Figure::Entries => stats.entries,
            Figure::Bytes => stats.bytes,
            Figure::Evicted => stats.evicted,
            Figure::ExpiredActively => stats.expired_actively,
            Figure::ExpiredLazily => stats.expired_lazily,
        }
    }
}

fn meaning(ttl: Ttl) -> rkv::Ttl {
    match ttl {
        Ttl::Ms(ms) => rkv::Ttl::After(Duration::from_millis(ms)),
        Ttl::Word(TtlWord::Never) => rkv::Ttl::Never,
        Ttl::Word(TtlWord::Default) => rkv::Ttl::Default,
        Ttl::Word(TtlWord::Keep) => rkv::Ttl::Keep,
    }
}

fn bytes(value: Option<&[u8]>) -> Value {
    value.map_or(Value::Null, shown)
}
