//! Pins: what a thread reads under one stays readable, without a copy and without a count.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::mem;
use std::rc::Rc;

use super::Store;
use super::record::Entry;
use crate::epoch::{self, Guard, Participant};

thread_local! {
    /// The participant of the pin that ended last on this thread, for the next one: to register
    /// costs many times what it costs to pin.
    static IDLE: Cell<Option<Rc<Participant>>> = const { Cell::new(None) };
}

/// A pin of this thread, for reads that copy nothing: [`Store::get_ref`].
///
/// It belongs to no store. What is read under it, from any store, stays valid as long as both are
/// borrowed, whatever others do to the key. Reads under it take no locked instruction.
///
/// While it stands, memory that anyone removes from any store of the process waits. A pin that is
/// kept for long should be renewed between two pieces of work ([`repin`](Self::repin)), and not be
/// held while its thread waits for something. The statistics of a store show the oldest pin.
///
/// ```
/// let (store, mut pin) = (rkv::Store::new(), rkv::Pin::new());
/// store.set("a", "1")?;
/// let value = store.get_ref(&pin, "a");
/// store.delete("a")?;
/// assert_eq!(value, Some(&b"1"[..]));
/// pin.repin();
/// assert_eq!(store.get_ref(&pin, "a"), None);
/// # Ok::<(), rkv::Error>(())
/// ```
///
/// A value lives no longer than its pin stands as it is:
///
/// ```compile_fail,E0502
/// let (store, mut pin) = (rkv::Store::new(), rkv::Pin::new());
/// let value = store.get_ref(&pin, "a");
/// pin.repin();
/// drop(value);
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>(_: T) {}
/// sent(rkv::Pin::new());
/// ```
pub struct Pin {
    guard: Guard,
    /// What protects in its place in a process that was forked from the pin's own.
    successor: OnceCell<Box<Pin>>,
}

impl Pin {
    /// Pins this thread. The first pin of a thread, and each that is taken while others stand,
    /// registers with the reclamation, which costs more than the pin itself.
    #[must_use]
    pub fn new() -> Self {
        let participant = participant();
        let guard = participant.pin();
        participant.long_pin_begins();
        Self { guard, successor: OnceCell::new() }
    }

    /// Ends the pin and begins it anew, so that the freeing of memory goes on.
    pub fn repin(&mut self) {
        if self.is_inherited() {
            *self = Self::new();
            return;
        }
        self.guard.renew();
        self.guard.participant().long_pin_begins();
    }

    /// The guard that protects in this process.
    #[inline]
    fn guard(&self) -> &Guard {
        if self.is_inherited() { self.inherited() } else { &self.guard }
    }

    /// Whether the pin came through a fork: it then protects nothing that this process removes.
    #[inline]
    fn is_inherited(&self) -> bool {
        self.guard.participant().generation() != epoch::generation()
    }

    #[cold]
    fn inherited(&self) -> &Guard {
        self.successor.get_or_init(Box::default).guard()
    }
}

/// A participant for a pin: the idle one, or a new one.
fn participant() -> Rc<Participant> {
    // When the thread is ending, nothing is kept any more.
    match IDLE.try_with(Cell::take).ok().flatten() {
        Some(idle) if idle.generation() == epoch::generation() => idle,
        inherited => {
            // A participant of the parent process is left alone for ever.
            mem::forget(inherited);
            epoch::register()
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let participant = Rc::clone(self.guard.participant());
        participant.long_pin_ends();
        if self.is_inherited() {
            mem::forget(participant);
        } else {
            // The guard ends when this returns, before anyone can take the participant. When the
            // thread is ending, the participant ends with the guard.
            let _ = IDLE.try_with(|idle| idle.set(Some(participant)));
        }
    }
}

impl Default for Pin {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}

impl Store {
    /// The value of a key, valid as long as `pin` stands and the store lives. Lock-free; copies
    /// nothing and counts nothing.
    #[inline]
    #[must_use]
    pub fn get_ref<'a>(&'a self, pin: &'a Pin, key: impl AsRef<[u8]>) -> Option<&'a [u8]> {
        let key = self.engine.key(key.as_ref());
        self.engine.find_used(pin.guard(), key).map(Entry::value)
    }

    /// Calls `f` with the position and the value of each of `keys`, in their order, as
    /// [`get_ref`](Self::get_ref) would find them.
    pub fn get_many_ref<'a, K: AsRef<[u8]>>(
        &'a self,
        pin: &'a Pin,
        keys: &[K],
        mut f: impl FnMut(usize, Option<&'a [u8]>),
    ) {
        self.find_many(pin.guard(), keys, |index, entry| f(index, entry.map(Entry::value)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::thread;

    use super::*;
    use crate::{Map, clock, flush};

    /// Counts how often it was dropped.
    struct Counted(Arc<AtomicU32>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// Removes something, by another participant than a pin's; how often it was freed.
    fn remove_something() -> Arc<AtomicU32> {
        let (map, freed) = (Map::new(), Arc::default());
        map.pin().insert(1, Counted(Arc::clone(&freed)));
        map.pin().remove(&1);
        freed
    }

    /// Whether it is freed although the epoch had every chance to move on.
    fn is_freed(freed: &AtomicU32) -> bool {
        for _ in 0..20 {
            flush();
        }
        freed.load(Relaxed) == 1
    }

    /// Whether it is freed in the end: pins of other tests may hold it back for a while.
    fn is_freed_in_the_end(freed: &AtomicU32, mut meanwhile: impl FnMut()) -> bool {
        (0..10_000).any(|_| {
            meanwhile();
            thread::yield_now();
            is_freed(freed)
        })
    }

    #[test]
    fn what_is_removed_waits_for_the_pin() {
        let pin = Pin::new();
        let freed = remove_something();
        assert!(!is_freed(&freed));
        drop(pin);
        assert!(is_freed_in_the_end(&freed, || ()), "the pin did not end");
    }

    #[test]
    fn a_pin_that_is_renewed_holds_back_only_what_came_after() {
        let mut pin = Pin::new();
        let before = remove_something();
        assert!(is_freed_in_the_end(&before, || pin.repin()), "the pin was not renewed");
        let after = remove_something();
        assert!(!is_freed(&after), "the renewed pin holds nothing back");
    }

    #[test]
    fn values_stay_as_they_were_whatever_becomes_of_their_keys() {
        let store = Store::builder().shards(1).build().expect("one shard");
        let names: Vec<_> = (0..40).map(|n| format!("{n}")).collect();
        let write = |text: &str| {
            for name in &names {
                store.set(name, text.repeat(20)).expect("set");
            }
        };
        write("old");
        let pin = Pin::new();
        let single: Vec<_> = names.iter().map(|name| store.get_ref(&pin, name)).collect();
        let mut many = vec![None; names.len()];
        store.get_many_ref(&pin, &names, |index, value| many[index] = value);
        assert_eq!(single, many);
        for name in &names {
            store.delete(name).expect("delete");
        }
        for _ in 0..4 {
            flush();
            write("new");
        }
        assert!(single.iter().all(|value| *value == Some("old".repeat(20).as_bytes())));
        assert_eq!(store.get_ref(&pin, "0"), Some("new".repeat(20).as_bytes()));
        assert_eq!(store.get_ref(&pin, "absent"), None);
    }

    #[test]
    fn one_pin_serves_any_store_and_pins_may_overlap() {
        let (one, other) = (Store::new(), Store::new());
        one.set("k", "1").expect("set");
        other.set("k", "2").expect("set");
        let outer = Pin::new();
        let mut inner = Pin::new();
        let held = one.get_ref(&outer, "k");
        assert_eq!(other.get_ref(&outer, "k"), Some(&b"2"[..]));
        let freed = remove_something();
        inner.repin();
        drop(inner);
        assert!(!is_freed(&freed), "the outer pin ended with the inner");
        assert_eq!(held, Some(&b"1"[..]));
    }

    #[test]
    fn the_next_pin_of_a_thread_registers_no_more() {
        let participant = |pin: &Pin| Rc::as_ptr(pin.guard.participant());
        let first = Pin::new();
        let second = Pin::new();
        let (one, two) = (participant(&first), participant(&second));
        assert_ne!(one, two, "pins that overlap renew each for itself");
        drop(second);
        assert_eq!(participant(&Pin::new()), two);
    }

    #[test]
    fn figures_show_how_long_a_pin_stands() {
        let (store, pin) = (Store::new(), Pin::new());
        let end = clock::monotonic_ms() + 20;
        while clock::monotonic_ms() < end {}
        let figures = store.stats().epoch;
        assert!(figures.oldest_pin_ms >= 20 && figures.pinned_guards >= 1, "{figures:?}");
        let participant = Rc::clone(pin.guard.participant());
        drop(pin);
        assert!(!participant.is_pinned());
    }

    // Miri has no processes to fork, and sanitizers do not follow the fork of one with threads.
    #[test]
    #[cfg(not(any(miri, rkv_watched)))]
    #[expect(unsafe_code, reason = "forks")]
    fn a_pin_that_came_through_a_fork_protects_in_the_stores_of_the_child() {
        let (inherited, pin) = (Store::new(), Pin::new());
        inherited.set("k", "v").expect("set");
        drop(Pin::new());
        let child = || {
            let store = Store::new();
            store.set("k", "v").expect("set");
            let values = [store.get_ref(&pin, "k"), inherited.get_ref(&pin, "k")];
            let freed = remove_something();
            let held = !is_freed(&freed) && values == [Some(&b"v"[..]); 2];
            drop(Pin::new());
            drop(pin);
            held && is_freed(&freed)
        };
        // SAFETY: the child runs `child` and leaves without running anything of the parent's.
        let process = unsafe { libc::fork() };
        if process == 0 {
            let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(!matches!(held, Ok(true)))) };
        }
        let mut status = 0;
        // SAFETY: waits for the child that was just made.
        assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
        assert_eq!(status, 0);
    }
}
