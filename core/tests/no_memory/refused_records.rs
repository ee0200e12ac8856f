//! A record that gets no memory is `NoMemory`, and nothing that stood before is lost.

use rkv::{Error, Op, Store};

use crate::allocator::{RECORD_BYTES_MIN, without_records};

/// A call that writes a large value.
type Write = fn(&Store, &[u8]) -> rkv::Result<()>;

fn standing_version(store: &Store) -> u64 {
    store.get("k").expect("it was set").version()
}

const WRITES: [(&str, Write); 6] = [
    ("set", |store, large| store.set("k", large).map(drop)),
    ("set_if_absent", |store, large| store.set_if_absent("new", large).map(drop)),
    ("compare_and_swap", |store, large| {
        store.compare_and_swap("k", standing_version(store), large).map(drop)
    }),
    ("compute on a key", |store, large| compute(store, "k", large)),
    ("compute on no key", |store, large| compute(store, "new", large)),
    ("session", |store, large| store.session().set("k", large).map(drop)),
];

/// The closure's own copy of the value is granted: it was made before.
fn compute(store: &Store, key: &str, large: &[u8]) -> rkv::Result<()> {
    let mut copy = Some(SPARE.take().unwrap_or_else(|| large.to_vec()));
    store.compute(key, |_| Ok(Op::Put(copy.take().expect("it runs once")))).map(drop)
}

thread_local! {
    static SPARE: std::cell::RefCell<Option<Vec<u8>>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_refused_record_changes_nothing_in_any_call() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let large = vec![b'x'; 2 * RECORD_BYTES_MIN];
    store.set("k", "stands").expect("set");
    let version = standing_version(&store);
    for (call, write) in WRITES {
        SPARE.replace(Some(large.clone()));
        let answer = without_records(|| write(&store, &large));
        assert_eq!(answer, Err(Error::NoMemory), "{call}");
        let stands = store.get("k").expect("nothing removed it");
        assert_eq!((&*stands, stands.version()), (&b"stands"[..], version), "{call}");
        assert!(!store.contains("new") && store.count() == 1, "{call}");
    }
    for (call, write) in WRITES {
        SPARE.replace(Some(large.clone()));
        assert_eq!(write(&store, &large), Ok(()), "{call} with memory");
        store.delete("new").expect("delete");
    }
}

#[test]
fn a_batch_with_a_refused_record_is_not_applied_at_all() {
    let store = Store::new();
    let large = vec![b'x'; RECORD_BYTES_MIN];
    let entries = [("a", &b"1"[..]), ("b", &large), ("c", b"3")];
    assert_eq!(without_records(|| store.set_many(&entries)), Err(Error::NoMemory.into()));
    assert!(store.is_empty());
    assert_eq!(store.set_many(&entries), Ok(()));
    assert_eq!(store.count(), 3);
}

#[test]
fn reads_deletes_and_listings_need_no_memory_for_records() {
    let store = Store::new();
    let large = vec![b'x'; 2 * RECORD_BYTES_MIN];
    store.set("k", &large).expect("set");
    without_records(|| {
        let value = store.get("k").expect("it was set");
        assert!(*value == *large);
        assert_eq!(store.scan("").count(), 1);
        assert!(store.get_with("k", |bytes| *bytes == *large).expect("it was set"));
        assert!(store.delete("k").expect("delete").is_some());
    });
}
