//! The keeper goes to sleep while a writer parks a token, and while the last store ends: no token
//! is slept through, and the thread comes to its end. Here one inbox and one wheel are all that
//! there is to keep, and a sleep lasts until somebody wakes the sleeper.

use std::time::Duration;

use super::explore::{Tidy, fails, holds};
use super::program::in_parallel;
use super::shift::{Bell, Running, Shift};
use crate::sync::inbox::{Inbox, Parcel};
use crate::sync::noted::number_thread;
use crate::sync::planted::Bug;
use crate::sync::{
    Acquire, Arc, AtomicU64, Mutex, OnceLock, Relaxed, Release, Thread, current_thread, lock, sleep,
};

const INBOX: &str = "m34_keeper, a token in the inbox";
const WHEEL: &str = "m34_keeper, a token in the wheel";
const CLOSE: &str = "m34_keeper, close";
const CLOSE_AT_ONCE: &str = "m34_keeper, close at once";

/// The token's time.
const DUE: u64 = 5;

struct Shop {
    inbox: Inbox<u64>,
    /// When the wheel has something to do.
    next: AtomicU64,
    /// 1 while somebody is at the wheel.
    busy: AtomicU64,
    /// The wheel, of who is at it.
    wheel: Mutex<Vec<u64>>,
    /// 1 when a round of the keeper has found the token.
    found: AtomicU64,
    writer: Thread,
}

impl Shop {
    /// Takes in what has arrived; when there is something to do. `None` if another is at it.
    fn advance(&self, bell: &OnceLock<Bell>) -> Option<u64> {
        // Acquire, and release below: as a lock.
        self.busy.compare_exchange(0, 1, Acquire, Relaxed).ok()?;
        lock(&self.wheel).extend(self.inbox.take());
        let next = lock(&self.wheel).iter().copied().min().unwrap_or(u64::MAX);
        self.next.store(next, Relaxed);
        self.busy.store(0, Release);
        Bell::ring(bell, next);
        Some(next)
    }

    /// What the keeper does.
    fn keep(&self, shift: &Shift, bell: &OnceLock<Bell>) {
        number_thread(2);
        while shift.goes_on() {
            let Some(next) = self.advance(bell) else {
                shift.sleep_until(u64::MAX, Some(Duration::ZERO), || false);
                continue;
            };
            if next == DUE && self.found.swap(1, Release) == 0 {
                self.writer.unpark();
            }
            // Relaxed: edge W2.
            let is_due = || !self.inbox.is_empty() || self.next.load(Relaxed) < next;
            shift.sleep_until(next, None, is_due);
        }
    }

    /// What a writer does with a token.
    fn park(&self, bell: &OnceLock<Bell>) {
        self.inbox.put(Parcel::new(DUE).expect("memory"));
        Bell::ring(bell, DUE);
    }

    /// Waits until the keeper has found the token.
    fn wait(&self) {
        while self.found.load(Acquire) == 0 {
            sleep(None);
        }
    }
}

/// The keeper's thread begins, and ends. Between, `act` is done on the writer's.
fn shift(act: impl FnOnce(&Shop, &OnceLock<Bell>) + 'static) {
    in_parallel([move |_| {
        let (inbox, next, wheel) = (Inbox::new(), AtomicU64::new(u64::MAX), Mutex::default());
        let (busy, found) = (AtomicU64::new(0), AtomicU64::new(0));
        let shop = Shop { inbox, next, busy, wheel, found, writer: current_thread() };
        let (shop, bell) = (Arc::new(Tidy::new(shop)), Arc::new(OnceLock::new()));
        let theirs = (Arc::clone(&shop), Arc::clone(&bell));
        let running = Running::begin(move |shift| theirs.0.keep(shift, &theirs.1));
        let running = running.expect("a thread");
        assert!(bell.set(running.bell()).is_ok());
        running.wake();
        act(&shop, &bell);
        running.stop();
        running.join();
    }]);
}

fn inbox() {
    shift(|shop, bell| {
        shop.park(bell);
        shop.wait();
    });
}

/// The writer helps: it moves the wheel too.
fn wheel() {
    shift(|shop, bell| {
        shop.park(bell);
        shop.advance(bell);
        shop.wait();
    });
}

fn close() {
    shift(|_, _| ());
}

/// Nobody waits for the keeper to find the token.
fn close_at_once() {
    shift(Shop::park);
}

#[test]
fn no_token_is_slept_through() {
    holds(INBOX, inbox);
    holds(WHEEL, wheel);
}

#[test]
fn the_thread_ends_with_the_last_store() {
    holds(CLOSE, close);
    holds(CLOSE_AT_ONCE, close_at_once);
}

#[test]
fn twin_ringing_without_a_fence() {
    fails(INBOX, Bug::UnfencedBell, 0, "deadlock", inbox);
    fails(WHEEL, Bug::UnfencedBell, 1, "deadlock", wheel);
}

#[test]
fn twin_sleeping_without_a_fence() {
    fails(INBOX, Bug::UnfencedSleep, 1, "deadlock", inbox);
    fails(WHEEL, Bug::UnfencedSleep, 1, "deadlock", wheel);
}

#[test]
fn twin_stopping_without_waking() {
    fails(CLOSE, Bug::StopUnheard, 0, "deadlock", close);
}
