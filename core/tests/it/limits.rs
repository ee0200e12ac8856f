//! Any bytes are a key and any bytes are a value, up to the stated lengths and not beyond.

use rkv::{Error, Op, SetResult, Store};

/// The longest key in bytes.
const KEY_MAX: usize = 65_535;

#[test]
fn empty_key_and_empty_value_are_ordinary() {
    let store = Store::new();
    assert_eq!(store.set("", ""), Ok(SetResult::Created));
    let value = store.get("").expect("the empty key was set");
    assert!(value.key().is_empty() && value.is_empty());
    assert!(store.contains(""));
    assert_eq!(store.count(), 1);
    assert_eq!(store.keys(""), [b""]);
    assert_eq!(store.set_if_absent("", "x"), Ok(false));
    assert!(store.delete("").expect("delete").is_some());
    assert!(!store.contains(""));
}

#[test]
fn keys_that_share_their_beginning_are_different_keys() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let keys: Vec<_> = (0..300).map(|length| vec![0; length]).collect();
    for key in &keys {
        assert_eq!(store.set(key, key.len().to_string()), Ok(SetResult::Created));
    }
    for key in &keys {
        let value = store.get(key).expect("it was set");
        assert_eq!(&*value, key.len().to_string().as_bytes());
        assert_eq!(value.key(), key.as_slice());
    }
}

#[test]
fn every_byte_round_trips_in_keys_and_values() {
    let store = Store::new();
    let all: Vec<u8> = (0..=255).collect();
    for start in 0..=255_u8 {
        let key = [b"nul\0", &all[usize::from(start)..]].concat();
        store.set(&key, &all[..usize::from(start)]).expect("set");
        assert_eq!(&*store.get(&key).expect("it was set"), &all[..usize::from(start)]);
    }
    assert_eq!(store.count(), 256);
    assert_eq!(store.keys(b"nul\0\xff"), [b"nul\0\xff"]);
}

#[test]
fn every_length_up_to_a_few_cache_lines_round_trips() {
    let store = Store::new();
    for length in 0..300_usize {
        let key: Vec<u8> = (0..length).map(|n| (n * 7 + length) as u8).collect();
        let value: Vec<u8> = key.iter().rev().copied().collect();
        store.set(&key, &value).expect("set");
        assert_eq!(store.get_with(&key, <[u8]>::to_vec), Some(value));
    }
}

#[test]
fn longest_key_works_in_every_call() {
    let store = Store::new();
    let key = vec![7; KEY_MAX];
    assert_eq!(store.set(&key, "1"), Ok(SetResult::Created));
    assert_eq!(store.get(&key).expect("it was set").key(), key);
    assert_eq!(store.incr(&key, 1), Ok(2));
    let version = store.get(&key).expect("it was set").version();
    assert!(store.compare_and_swap(&key, version, "3").is_ok());
    assert_eq!(store.keys(&key), std::slice::from_ref(&key));
    assert_eq!(store.session().get(&key), Some(&b"3"[..]));
    assert!(store.delete(&key).expect("delete").is_some());
}

#[test]
fn longer_key_is_refused_by_every_write_and_found_by_no_read() {
    let store = Store::new();
    let key = vec![7; KEY_MAX + 1];
    let refusal = || Error::TooLarge { name: "key", len: KEY_MAX + 1, max: KEY_MAX };
    assert_eq!(store.set(&key, ""), Err(refusal()));
    assert_eq!(store.set_if_absent(&key, ""), Err(refusal()));
    assert_eq!(store.incr(&key, 1), Err(refusal()));
    let batch = [(&b"fine"[..], ""), (&key, "")];
    assert_eq!(store.set_many(&batch), Err(refusal().into()));
    assert_eq!(store.session().set(&key, ""), Err(refusal()));
    assert!(store.compare_and_swap(&key, 1, "").is_err());
    let put = store.compute(&key, |_| rkv::Result::Ok(Op::Put(Vec::new())));
    assert_eq!(put.err(), Some(refusal()));
    assert!(store.get(&key).is_none() && !store.contains(&key));
    assert!(store.session().get(&key).is_none());
    assert!(store.keys(&key).is_empty());
    // The batch is checked before any of it is applied.
    assert!(!store.contains("fine") && store.is_empty());
}

#[test]
fn large_values_round_trip() {
    let store = Store::new();
    let sizes = if cfg!(miri) { vec![5_000] } else { vec![4095, 4096, 1 << 16, 1 << 20, 33 << 20] };
    for size in sizes {
        let value: Vec<u8> = (0..size).map(|n: usize| (n / 251) as u8).collect();
        store.set("large", &value).expect("set");
        assert!(*store.get("large").expect("it was set") == *value, "{size} bytes");
    }
}

/// The slice is untouched zero pages: a refusal must come before a copy. Miri and the sanitizers
/// would touch them.
#[test]
#[cfg(not(miri))]
fn value_beyond_four_gibibytes_is_refused() {
    let store = Store::new();
    store.set("k", "stands").expect("set");
    let value = vec![0; 1 << 32];
    let refusal = Error::TooLarge { name: "value", len: 1 << 32, max: (1 << 32) - 1 };
    assert_eq!(store.set("k", &value), Err(refusal));
    assert_eq!(&*store.get("k").expect("it was set"), b"stands");
}
