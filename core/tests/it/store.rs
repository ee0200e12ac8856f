//! What a `Store` does, one call at a time.

use std::collections::BTreeMap;
use std::thread;

use rkv::{Computed, Error, Eviction, Op, SetResult, Store, Value};

/// A closure's answer, with the error type of the crate.
type Wish = rkv::Result<Op>;

fn text(value: Option<Value>) -> Option<String> {
    value.map(|value| String::from_utf8(value.to_vec()).expect("text"))
}

#[test]
fn store_and_values_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Store>();
    crosses::<Value>();
}

#[test]
fn set_says_whether_it_created() {
    let store = Store::new();
    assert_eq!(store.set("k", "1"), Ok(SetResult::Created));
    assert_eq!(store.set("k", "1"), Ok(SetResult::Updated));
    assert!(store.delete("k").expect("delete").is_some());
    assert_eq!(store.set("k", "2"), Ok(SetResult::Created));
}

#[test]
fn missing_key_is_no_error() {
    let store = Store::new();
    assert!(store.get("k").is_none());
    assert_eq!(store.get_with("k", <[u8]>::len), None);
    assert!(!store.contains("k"));
    assert!(store.delete("k").expect("delete").is_none());
    assert_eq!(store.delete_many(&["k", "l"]), Ok(0));
    assert!(store.is_empty());
}

#[test]
fn value_outlives_overwrite_delete_and_store() {
    let store = Store::new();
    store.set("k", "old").expect("set");
    let old = store.get("k").expect("it was set");
    store.set("k", "new").expect("set");
    let new = store.delete("k").expect("delete").expect("it was set");
    drop(store);
    rkv::flush();
    assert_eq!((&*old, old.key()), (&b"old"[..], &b"k"[..]));
    assert_eq!((new.as_ref(), new.key()), (&b"new"[..], &b"k"[..]));
    assert!(new.version() > old.version());
    let read_elsewhere = std::thread::spawn(move || old.to_vec());
    assert_eq!(read_elsewhere.join().expect("the reader"), b"old");
}

#[test]
fn version_grows_with_each_write_of_a_key_also_across_delete() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let mut last = 0;
    for round in 0..200 {
        match round % 5 {
            3 => drop(store.delete("k")),
            4 => drop(store.clear()),
            _ => drop(store.set("k", "v")),
        }
        if let Some(value) = store.get("k") {
            assert!(value.version() > last, "{} after {last}", value.version());
            last = value.version();
        }
    }
    assert!(last > 0);
}

#[test]
fn set_if_absent_never_overwrites() {
    let store = Store::new();
    assert_eq!(store.set_if_absent("k", "1"), Ok(true));
    assert_eq!(store.set_if_absent("k", "2"), Ok(false));
    assert_eq!(text(store.get("k")), Some("1".into()));
}

#[test]
fn compare_and_swap_wants_the_current_version() {
    let store = Store::new();
    let missing = Err(Error::Conflict { current: None });
    assert_eq!(store.compare_and_swap("k", 1, "x"), missing);
    store.set("k", "1").expect("set");
    let version = store.get("k").expect("it was set").version();
    let next = store.compare_and_swap("k", version, "2").expect("the version is current");
    assert!(next > version);
    let conflict = Err(Error::Conflict { current: Some(next) });
    assert_eq!(store.compare_and_swap("k", version, "3"), conflict);
    assert_eq!(text(store.get("k")), Some("2".into()));
    store.delete("k").expect("delete");
    store.set("k", "4").expect("set");
    // The re-created key does not fall for a version of its earlier life.
    assert!(store.compare_and_swap("k", next, "5").is_err());
}

#[test]
fn incr_counts_from_zero_and_keeps_decimal_text() {
    let store = Store::new();
    assert_eq!(store.incr("n", 5), Ok(5));
    assert_eq!(store.incr("n", -7), Ok(-2));
    assert_eq!(text(store.get("n")), Some("-2".into()));
    assert_eq!(store.incr("zero", 0), Ok(0));
    assert_eq!(text(store.get("zero")), Some("0".into()));
    store.set("n", "41").expect("set");
    assert_eq!(store.incr("n", 1), Ok(42));
}

#[test]
fn incr_that_fails_changes_nothing() {
    let store = Store::new();
    for (value, by, error) in [
        (i64::MAX.to_string(), 1, Error::Overflow),
        (i64::MIN.to_string(), -1, Error::Overflow),
        ("".into(), 1, Error::NotANumber),
        ("12x".into(), 1, Error::NotANumber),
        ("1.5".into(), 1, Error::NotANumber),
        ("9223372036854775808".into(), -1, Error::NotANumber),
    ] {
        store.set("n", &value).expect("set");
        let version = store.get("n").expect("it was set").version();
        assert_eq!(store.incr("n", by), Err(error), "{value:?}");
        let stands = store.get("n").expect("it was set");
        assert_eq!((&*stands, stands.version()), (value.as_bytes(), version));
    }
    assert_eq!(store.incr("min", i64::MIN), Ok(i64::MIN));
}

#[test]
fn compute_puts_removes_and_keeps() {
    let store = Store::new();
    let created = store.compute("k", |old| {
        assert!(old.is_none());
        Wish::Ok(Op::Put(b"1".to_vec()))
    });
    let Ok(Computed::Created(one)) = created else { panic!("not created") };
    let updated = store.compute("k", |old| {
        assert_eq!(old.map(Value::version), Some(one.version()));
        Wish::Ok(Op::Put(b"2".to_vec()))
    });
    let Ok(Computed::Updated { old, new }) = updated else { panic!("not updated") };
    assert_eq!((old.as_ref(), new.as_ref()), (&b"1"[..], &b"2"[..]));
    let kept = store.compute("k", |_| Wish::Ok(Op::Keep));
    let Ok(Computed::Kept(Some(kept))) = kept else { panic!("not kept") };
    assert_eq!(kept.version(), new.version());
    let removed = store.compute("k", |_| Wish::Ok(Op::Remove));
    let Ok(Computed::Removed(removed)) = removed else { panic!("not removed") };
    assert_eq!(removed.version(), new.version());
    let nothing = store.compute("k", |_| Wish::Ok(Op::Remove));
    assert!(matches!(nothing, Ok(Computed::Kept(None))));
    assert!(store.is_empty());
}

#[test]
fn compute_hands_a_closures_error_out_untouched() {
    #[derive(Debug, PartialEq)]
    enum Broke {
        NoMoney(u32),
        Store(Error),
    }
    impl From<Error> for Broke {
        fn from(error: Error) -> Self {
            Broke::Store(error)
        }
    }
    let store = Store::new();
    store.set("account", "5").expect("set");
    let answer = store.compute("account", |_| Err(Broke::NoMoney(7)));
    assert_eq!(answer.err(), Some(Broke::NoMoney(7)));
    assert_eq!(text(store.get("account")), Some("5".into()));
    let oversized = vec![0; 70_000];
    let answer = store.compute(&oversized, |_| Ok::<_, Broke>(Op::Put(Vec::new())));
    assert!(matches!(answer.err(), Some(Broke::Store(Error::TooLarge { name: "key", .. }))));
}

#[test]
fn compute_runs_again_when_another_writer_wins() {
    let store = Store::new();
    store.set("k", "1").expect("set");
    let mut shown = Vec::new();
    let answer = store.compute("k", |old| {
        shown.push(text(old.cloned()));
        if shown.len() == 1 {
            store.set("k", "2")?;
        }
        Wish::Ok(Op::Put(b"3".to_vec()))
    });
    let Ok(Computed::Updated { old, .. }) = answer else { panic!("not updated") };
    assert_eq!(&*old, b"2");
    assert_eq!(shown, [Some("1".into()), Some("2".into())]);
}

#[test]
fn compute_runs_again_when_the_key_came_or_went() {
    let store = Store::new();
    let mut runs = 0;
    let answer = store.compute("k", |old| {
        runs += 1;
        match runs {
            1 => drop(store.set("k", "1")),
            2 => drop(store.delete("k")),
            // Deleted and set again: the same bytes, another record.
            3 => drop(store.set("k", "1").and_then(|_| store.delete("k"))),
            _ => {}
        }
        assert_eq!(old.is_some(), runs == 2, "run {runs}");
        Wish::Ok(Op::Put(b"mine".to_vec()))
    });
    assert!(matches!(answer, Ok(Computed::Created(_))));
    // A key that came and went leaves the absence that the closure saw: it need not run again.
    assert_eq!(runs, 3);
}

#[test]
fn a_removal_by_compute_never_takes_a_newer_value() {
    let store = Store::new();
    store.set("k", "stale").expect("set");
    let answer = store.compute("k", |old| {
        let stale = old.is_some_and(|old| old.as_ref() == b"stale");
        if stale {
            store.set("k", "fresh")?;
        }
        Wish::Ok(if stale { Op::Remove } else { Op::Keep })
    });
    assert!(matches!(answer, Ok(Computed::Kept(Some(_)))));
    assert_eq!(text(store.get("k")), Some("fresh".into()));
}

#[test]
fn closures_may_use_the_store_in_any_way() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let answer = store.compute("outer", |_| {
        for key in 0..500 {
            store.set(format!("inner {key}"), "x")?;
        }
        assert_eq!(store.keys("inner").len(), 500);
        store.incr("count", 1)?;
        store.compute("nested", |_| Wish::Ok(Op::Put(b"y".to_vec())))?;
        store.clear()?;
        Wish::Ok(Op::Put(b"z".to_vec()))
    });
    assert!(matches!(answer, Ok(Computed::Created(_))));
    assert_eq!(store.count(), 1);
    let seen = store.get_with("outer", |bytes| store.set("outer", "w").map(|_| bytes.to_vec()));
    assert_eq!(seen, Some(Ok(b"z".to_vec())));
}

#[test]
fn batches_work_key_by_key_in_order() {
    let store = Store::new();
    store.set_many::<&str, &str>(&[]).expect("an empty batch");
    assert!(store.is_empty());
    store.set("b", "0").expect("set");
    store.set_many(&[("a", "1"), ("b", "2"), ("a", "3")]).expect("set_many");
    assert_eq!(store.count(), 2);
    let found: Vec<_> = store.get_many(&["b", "x", "a", "b"]).into_iter().map(text).collect();
    assert_eq!(found, [Some("2".into()), None, Some("3".into()), Some("2".into())]);
    assert_eq!(store.delete_many(&["a", "x", "a", "b"]), Ok(2));
    assert!(store.is_empty());
}

#[test]
fn a_batch_that_is_stopped_says_where() {
    let reject = Store::builder().max_entries(3).eviction(Eviction::Reject).shards(1);
    let store = reject.build().expect("memory");
    let entries = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("d", "5"), ("e", "6")];
    let stopped = store.set_many(&entries).expect_err("too many");
    assert_eq!((stopped.done, &stopped.error), (4, &Error::Full));
    assert_eq!(stopped.to_string(), format!("{}, after 4 of the batch", Error::Full));
    assert_eq!(store.keys(""), ["a", "b", "c"].map(|key| key.as_bytes().to_vec()));
    assert_eq!(text(store.get("a")), Some("3".into()));
}

#[test]
fn a_swap_from_version_0_creates_a_key_and_never_replaces_one() {
    let store = Store::new();
    let first = store.compare_and_swap("k", 0, "1").expect("absent");
    assert_eq!(store.get("k").map(|value| value.version()), Some(first));
    let late = store.compare_and_swap("k", 0, "2");
    assert_eq!(late, Err(Error::Conflict { current: Some(first) }));
    store.delete("k").expect("delete");
    assert_eq!(store.compare_and_swap("k", first, "3"), Err(Error::Conflict { current: None }));
    let second = store.compare_and_swap("k", 0, "3").expect("absent again");
    assert!(second > first);
    assert_eq!(text(store.get("k")), Some("3".into()));
}

#[test]
fn what_is_taken_is_gone_and_handed_out() {
    let store = Store::new();
    store.set("k", "v").expect("set");
    assert_eq!(text(store.take("k").expect("take")), Some("v".into()));
    assert_eq!(store.take("k"), Ok(None));
    assert!(store.is_empty());
}

#[test]
fn taking_any_empties_a_store_entry_by_entry() {
    let store = Store::new();
    assert_eq!(store.take_any(), Ok(None));
    let mut expected: Vec<String> = (0..3000).map(|key| key.to_string()).collect();
    for key in &expected {
        store.set(key, format!("{key}!")).expect("set");
    }
    let mut taken = Vec::new();
    while let Some(entry) = store.take_any().expect("take_any") {
        assert!(!store.contains(entry.key()));
        assert_eq!(&*entry, [entry.key(), b"!"].concat());
        taken.push(String::from_utf8(entry.key().to_vec()).expect("text"));
    }
    assert!(store.is_empty());
    expected.sort();
    taken.sort();
    assert_eq!(taken, expected);
    // Wherever the last search ended, one entry is found.
    for key in 0..300 {
        store.set(key.to_string(), "").expect("set");
        assert!(store.take_any().expect("take_any").is_some(), "key {key}");
    }
}

#[test]
fn any_entry_is_one_that_is_there_and_stays() {
    let store = Store::new();
    assert!(store.any().is_none());
    for key in 0..3000 {
        store.set(key.to_string(), format!("{key}!")).expect("set");
    }
    for left in (1..=3000).rev() {
        let entry = store.any().expect("an entry");
        assert_eq!(store.get(entry.key()).as_deref(), Some(&*entry));
        assert_eq!(&*entry, [entry.key(), b"!"].concat());
        assert_eq!(store.count(), left);
        store.delete(entry.key()).expect("delete");
    }
    assert!(store.any().is_none());
    // Wherever the last search ended, one entry is found.
    for key in 0..300 {
        store.set(key.to_string(), "").expect("set");
        let entry = store.any().unwrap_or_else(|| panic!("key {key}"));
        store.delete(entry.key()).expect("delete");
    }
}

#[test]
fn what_threads_take_from_a_store_goes_to_one_of_them() {
    const KEYS: u32 = 20_000;
    let store = Store::new();
    for key in 0..KEYS {
        store.set(key.to_le_bytes(), "").expect("set");
    }
    let take_all = || {
        let next = || store.take_any().expect("take_any").map(|entry| entry.key().to_vec());
        std::iter::from_fn(next).collect::<Vec<_>>()
    };
    let mut taken = thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(take_all));
        threads.map(|thread| thread.join().expect("a thread")).concat()
    });
    taken.sort();
    let mut expected: Vec<_> = (0..KEYS).map(|key| key.to_le_bytes().to_vec()).collect();
    expected.sort();
    assert!(taken == expected, "{} of {KEYS} were taken", taken.len());
}

#[test]
fn keys_are_sorted_and_prefixes_are_literal_bytes() {
    let store = Store::new();
    let names = ["user_1", "user_2", "user%x", "user", "User_1", "us", "", "user_1\0", "u*"];
    for name in names {
        store.set(name, "").expect("set");
    }
    let keys = |prefix: &str| -> Vec<String> {
        let keys = store.keys(prefix);
        keys.into_iter().map(|key| String::from_utf8(key).expect("text")).collect()
    };
    assert_eq!(keys("user_"), ["user_1", "user_1\0", "user_2"]);
    assert_eq!(keys("user%"), ["user%x"]);
    assert_eq!(keys("u*"), ["u*"]);
    assert_eq!(keys("USER"), [""; 0]);
    let mut sorted = names;
    sorted.sort();
    assert_eq!(keys(""), sorted);
    let mut unordered = store.keys_unordered("user");
    unordered.sort();
    assert_eq!(unordered, store.keys("user"));
}

#[test]
fn scan_yields_each_entry_once_with_its_value() {
    let store = Store::builder().shards(4).build().expect("four shards");
    let expected: BTreeMap<_, _> =
        (0..3000_u32).map(|n| (n.to_be_bytes().to_vec(), n.to_string().into_bytes())).collect();
    for (key, value) in &expected {
        store.set(key, value).expect("set");
    }
    let found: Vec<_> = store.scan("").map(|v| (v.key().to_vec(), v.to_vec())).collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(store.scan([0, 0, 1]).count(), 256);
}

#[test]
fn count_and_clear_agree_with_what_is_there() {
    let store = Store::new();
    for key in 0..1000 {
        store.set(format!("{key}"), "x").expect("set");
    }
    store.delete("7").expect("delete");
    assert_eq!((store.count(), store.stats().entries), (999, 999));
    let held = store.get("8").expect("it was set");
    assert_eq!(store.clear(), Ok(999));
    assert_eq!(store.clear(), Ok(0));
    assert!(store.is_empty() && store.keys("").is_empty() && store.scan("").next().is_none());
    assert_eq!(&*held, b"x");
}

#[test]
fn session_sees_what_others_wrote_and_they_see_its_writes() {
    let store = Store::new();
    let mut session = store.session();
    assert_eq!(session.get("k"), None);
    assert_eq!(session.set("k", "1"), Ok(SetResult::Created));
    assert_eq!(text(store.get("k")), Some("1".into()));
    store.set("k", "2").expect("set");
    assert_eq!(session.get("k"), Some(&b"2"[..]));
    let mut second = store.session();
    assert_eq!(second.set("k", "3"), Ok(SetResult::Updated));
    assert_eq!(session.get("k"), Some(&b"3"[..]));
    assert_eq!(session.delete("k"), Ok(true));
    assert_eq!(second.delete("k"), Ok(false));
    assert_eq!(second.get("k"), None);
}

#[test]
fn session_answers_a_batch_in_argument_order() {
    let store = Store::new();
    let names: Vec<_> = (0..100).map(|n| format!("{n}")).collect();
    for name in names.iter().step_by(2) {
        store.set(name, name).expect("set");
    }
    let mut order = Vec::new();
    store.session().get_many(&names, |index, value| {
        let expected = index.is_multiple_of(2).then(|| names[index].as_bytes());
        assert_eq!(value, expected, "key {index}");
        order.push(index);
    });
    order.sort();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

#[test]
fn long_session_survives_many_repins() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let mut session = store.session();
    for turn in 0..5_000_u32 {
        let (name, value) = (format!("{}", turn % 300), turn.to_be_bytes());
        session.set(&name, value).expect("set");
        assert_eq!(session.get(&name), Some(&value[..]));
        if turn.is_multiple_of(7) {
            session.delete(&name).expect("delete");
            assert_eq!(session.get(&name), None);
        }
    }
}

#[test]
fn builder_refuses_impossible_shapes() {
    for shards in [0, 3, 65, 128, usize::MAX] {
        let answer = Store::builder().shards(shards).build();
        let refused = matches!(answer, Err(Error::InvalidArgument { name: "shards", .. }));
        assert!(refused, "{shards} shards");
    }
    for shards in [1, 2, 64] {
        let store = Store::builder().shards(shards).build().expect("a power of two");
        assert_eq!(store.stats().shards, shards as u64);
        store.set("k", "v").expect("set");
        assert!(store.contains("k"));
    }
    for capacity in [usize::MAX, 1 << 60] {
        let answer = Store::builder().capacity(capacity).build();
        let error = answer.expect_err("no machine has that much memory");
        let known = matches!(error, Error::InvalidArgument { name: "capacity", .. });
        assert!(known || error == Error::NoMemory, "{error}");
    }
}

#[test]
fn fresh_store_is_healthy_and_closes() {
    let store = Store::builder().capacity(10_000).build().expect("ten thousand entries");
    assert_eq!(store.check(), Ok(()));
    store.set("k", "v").expect("set");
    assert_eq!(store.close(), Ok(()));
}
