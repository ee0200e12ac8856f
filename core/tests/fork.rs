//! What a `fork` does to stores, maps and pins. Unix only, as `fork` is.

use std::time::Duration;

use rkv::{Error, Map, Store, Ttl};

/// Runs `child` in a forked process; whether it returned true.
fn in_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child only runs `child`, and leaves without running anything of the parent's.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "fork");
    if process == 0 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!matches!(outcome, Ok(true)))) };
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn a_store_that_was_never_used_is_forked_in_the_child() {
    let store = Store::new();
    assert!(in_child(|| store.set("k", "v") == Err(Error::Forked)));
    assert!(store.set("k", "v").is_ok());
}

#[test]
fn a_used_store_is_forked_in_the_child_and_shows_what_it_held() {
    let store = Store::new();
    store.set("k", "v").expect("memory");
    let mut session = store.session();
    assert_eq!(session.get("k"), Some(&b"v"[..]));
    assert!(in_child(|| {
        store.check() == Err(Error::Forked)
            && store.incr("n", 1) == Err(Error::Forked)
            && session.set("k", "w") == Err(Error::Forked)
            && store.get("k").as_deref() == Some(&b"v"[..])
    }));
    assert_eq!(store.get("k").as_deref(), Some(&b"v"[..]));
}

#[test]
fn new_stores_work_in_the_child() {
    let old = Store::new();
    old.set("k", "v").expect("memory");
    assert!(in_child(move || {
        drop(old);
        let store = Store::new();
        let written = (0..1000).all(|n| store.set(format!("{n}"), "v").is_ok());
        let removed = (0..1000).all(|n| matches!(store.delete(format!("{n}")), Ok(Some(_))));
        rkv::flush();
        written && removed && store.is_empty()
    }));
}

#[test]
fn deadlines_go_on_in_the_child_for_new_stores() {
    let (old, soon) = (Store::new(), Ttl::After(Duration::from_millis(1)));
    old.set_with("k", "v", soon).expect("set");
    assert!(in_child(|| {
        let forked = old.set_with("k", "v", soon) == Err(Error::Forked)
            && old.expire("k", soon) == Err(Error::Forked)
            && old.purge_expired() == Err(Error::Forked)
            && old.advance() == Err(Error::Forked);
        let store = Store::new();
        let written = (0..100).all(|n| store.set_with(format!("{n}"), "v", soon).is_ok());
        while store.stats().entries > 0 {
            std::thread::yield_now();
        }
        drop((store, old));
        forked && written
    }));
}

#[test]
fn a_pin_that_came_through_a_fork_still_shows_what_it_showed() {
    let map = Map::new();
    for key in 0..500 {
        map.pin().insert(key, vec![key; 20]);
    }
    let pinned = map.pin();
    let seen: Vec<_> = (0..500).map(|key| pinned.get(&key).expect("inserted")).collect();
    assert!(in_child(|| {
        for key in 0..500 {
            map.pin().remove(&key);
        }
        for _ in 0..3 {
            rkv::flush();
            map.pin().insert(0, vec![7; 20]);
        }
        seen.iter().zip(0..).all(|(value, key)| **value == vec![key; 20])
    }));
}
