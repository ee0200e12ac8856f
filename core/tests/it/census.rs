//! Drop accounting: values that report their birth and their death to a census.
//!
//! A test that ends with [`Census::settle`] shows that everything born was dropped exactly once.
//! Besides the numbers, the census sums a scattered serial number of each birth and each death, so
//! that one value dropped twice cannot hide one that leaked.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use equivalent::Equivalent;

use crate::dice::mix;

/// How long memory may stay with threads that are still inside a call before it counts as leaked.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Register {
    births: AtomicU64,
    deaths: AtomicU64,
    born: AtomicU64,
    died: AtomicU64,
}

/// The register of one test's values.
#[derive(Clone, Default)]
pub(crate) struct Census(Arc<Register>);

impl Census {
    /// A registered value around `content`.
    pub(crate) fn bear<T>(&self, content: T) -> Tracked<T> {
        let serial = self.0.births.fetch_add(1, Ordering::Relaxed);
        self.0.born.fetch_add(mix(serial), Ordering::Relaxed);
        Tracked { content, serial, census: self.clone() }
    }

    /// The number of values born.
    pub(crate) fn births(&self) -> u64 {
        self.0.births.load(Ordering::Relaxed)
    }

    /// The number of values that were not dropped yet.
    pub(crate) fn alive(&self) -> i64 {
        // Deaths first: a value that is born and dies in between must not count as -1.
        let deaths = self.0.deaths.load(Ordering::SeqCst) as i64;
        self.0.births.load(Ordering::SeqCst) as i64 - deaths
    }

    /// Flushes until at most `expected` values live; other tests may delay reclamation.
    ///
    /// # Panics
    ///
    /// When more stay alive, or fewer, or when a value was dropped twice.
    pub(crate) fn settle_at(&self, expected: i64) {
        let deadline = Instant::now() + PATIENCE;
        while self.alive() > expected && Instant::now() < deadline {
            rkv::flush();
            std::thread::yield_now();
        }
        assert_eq!(self.alive(), expected, "values alive, of {} born", self.births());
    }

    /// Flushes until everything is dropped, exactly once.
    ///
    /// # Panics
    ///
    /// When a value leaked or was dropped twice, or when none was ever born.
    pub(crate) fn settle(&self) {
        assert!(self.births() > 0, "a census of nothing proves nothing");
        self.settle_at(0);
        let [born, died] = [&self.0.born, &self.0.died].map(|sum| sum.load(Ordering::SeqCst));
        assert_eq!(born, died, "one value was dropped twice while another leaked");
    }
}

/// A value that counts in a census as long as it lives; compares and hashes as its content.
pub(crate) struct Tracked<T> {
    content: T,
    serial: u64,
    census: Census,
}

impl<T> Drop for Tracked<T> {
    fn drop(&mut self) {
        let register = &self.census.0;
        register.died.fetch_add(mix(self.serial), Ordering::Relaxed);
        register.deaths.fetch_add(1, Ordering::SeqCst);
    }
}

impl<T> std::ops::Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

impl<T: Clone> Clone for Tracked<T> {
    fn clone(&self) -> Self {
        self.census.bear(self.content.clone())
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.content.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Tracked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl<T: Eq> Eq for Tracked<T> {}

impl<T: Hash> Hash for Tracked<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content.hash(state);
    }
}

/// A key as lookups borrow it: any content, without a census.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Like<T>(pub(crate) T);

impl<T: Eq> Equivalent<Tracked<T>> for Like<T> {
    fn equivalent(&self, key: &Tracked<T>) -> bool {
        self.0 == key.content
    }
}

#[test]
fn a_leak_and_a_double_drop_do_not_cancel_out() {
    let census = Census::default();
    let (dropped, leaked) = (census.bear(1), census.bear(2));
    let (register, serial) = (&census.0, dropped.serial);
    drop(dropped);
    register.died.fetch_add(mix(serial), Ordering::Relaxed);
    register.deaths.fetch_add(1, Ordering::Relaxed);
    assert_eq!(census.alive(), 0);
    assert!(std::panic::catch_unwind(|| census.settle()).is_err());
    drop(leaked);
}
