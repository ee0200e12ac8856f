//! A shift: one thread's time as the keeper, from its first round to its last. How the thread
//! sleeps, is woken and is stopped.
//!
//! What is kept is the keeper's affair, so that loom can run this on its own.

use std::io;
use std::time::Duration;

use crate::sync::planted::{Bug, planted};
use crate::sync::{
    Arc, AtomicU32, AtomicU64, JoinHandle, OnceLock, Relaxed, SeqCst, Thread, current_thread,
    fence, sleep, spawn,
};

/// What the thread shares with those who wake it.
pub(super) struct Shift {
    /// 1 when the thread is to end.
    stop: AtomicU32,
    /// The millisecond at which the thread looks again; 0 while it is awake.
    wakes: AtomicU64,
}

impl Shift {
    /// Whether there is to be another round. Until it sleeps, the thread counts as awake.
    pub(super) fn goes_on(&self) -> bool {
        // Relaxed: who stops the thread wakes it afterwards.
        let goes_on = self.stop.load(Relaxed) == 0;
        self.wakes.store(0, Relaxed);
        goes_on
    }

    /// Sleeps until `ms`, which is `wait` from now, or until somebody wakes the thread: at once, if
    /// `is_due` says that there is something to do that the last round did not see.
    pub(super) fn sleep_until(
        &self,
        ms: u64,
        wait: Option<Duration>,
        is_due: impl FnOnce() -> bool,
    ) {
        self.wakes.store(ms, Relaxed);
        if !planted(Bug::UnfencedSleep) {
            // SeqCst: edge W2.
            fence(SeqCst);
        }
        if !is_due() {
            sleep(wait);
        }
    }
}

/// How to wake the thread of a shift.
pub(super) struct Bell {
    thread: Thread,
    shift: Arc<Shift>,
}

impl Bell {
    /// There is something to do at `ms`, which the thread can see by now: wakes it if it would
    /// sleep for longer. Where no bell hangs yet, the thread is woken when one does.
    #[inline]
    pub(super) fn ring(bell: &OnceLock<Self>, ms: u64) {
        if !planted(Bug::UnfencedBell) {
            // SeqCst: edge W2. Either this sees the bell and when the thread wakes, or the thread
            // sees what is due.
            fence(SeqCst);
        }
        if let Some(Self { thread, shift }) = bell.get()
            && ms < shift.wakes.load(Relaxed)
        {
            thread.unpark();
        }
    }
}

/// A thread at work.
pub(super) struct Running {
    thread: JoinHandle<()>,
    shift: Arc<Shift>,
}

impl Running {
    /// Starts a thread.
    ///
    /// # Errors
    ///
    /// The system refuses one.
    pub(super) fn begin(run: impl FnOnce(&Shift) + Send + 'static) -> io::Result<Self> {
        let shift = Arc::new(Shift { stop: AtomicU32::new(0), wakes: AtomicU64::new(0) });
        let own = Arc::clone(&shift);
        let thread = spawn("rkv-keeper", move || run(&own))?;
        Ok(Self { thread, shift })
    }

    pub(super) fn bell(&self) -> Bell {
        Bell { thread: self.thread.thread().clone(), shift: Arc::clone(&self.shift) }
    }

    /// Has the thread begin another round, now or after the one it is in.
    pub(super) fn wake(&self) {
        self.thread.thread().unpark();
    }

    /// Has the thread end after the round it is in.
    pub(super) fn stop(&self) {
        // Relaxed: to unpark releases, and to be unparked acquires.
        self.shift.stop.store(1, Relaxed);
        if !planted(Bug::StopUnheard) {
            self.wake();
        }
    }

    /// Waits for the end of a thread that was stopped, but not on that thread itself.
    pub(super) fn join(self) {
        if self.thread.thread().id() != current_thread().id() {
            // A thread that panicked has ended too.
            let _ = self.thread.join();
        }
    }
}
