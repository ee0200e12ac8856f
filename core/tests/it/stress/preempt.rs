//! Preemption at any instruction, thousands of times a second.
//!
//! The dangerous moments of a lock-free table last nanoseconds; the scheduler takes a running
//! thread away every few milliseconds, and so hardly ever in such a moment. Here a timer of each
//! thread's own sends it a signal, whose handler gives the processor to the other threads: a few
//! times for a short pause, now and then often enough for others to resize the table meanwhile.

use std::time::Duration;

/// Time between two preemptions of one thread: 60 microseconds, or what `RKV_PREEMPT_MICROS` says.
/// Sanitizers take about that long to deliver a signal, and would get nothing else done.
fn period() -> Duration {
    let asked = std::env::var("RKV_PREEMPT_MICROS").ok();
    Duration::from_micros(asked.map_or(60, |text| text.parse().expect("microseconds")))
}

/// Preempts the thread that made it until it is dropped.
pub(crate) struct Preempted {
    #[cfg(all(target_os = "linux", not(miri)))]
    timer: libc::timer_t,
}

#[cfg(all(target_os = "linux", not(miri)))]
mod signal {
    use std::mem;
    use std::ptr;
    use std::sync::Once;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{Preempted, period};

    /// Means nothing to the system, and nobody in this process uses it.
    const SIGNAL: libc::c_int = libc::SIGURG;

    /// One preemption in so many is a long one.
    const LONG_ODDS: u32 = 16;
    /// How often a long preemption gives the processor away.
    const LONG_YIELDS: u32 = 40;

    static TURN: AtomicU32 = AtomicU32::new(0);

    /// Gives the processor away; nothing in here is unsafe in a signal handler.
    extern "C" fn step_aside(_: libc::c_int) {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let yields = if turn.is_multiple_of(LONG_ODDS) { LONG_YIELDS } else { 1 };
        for _ in 0..yields {
            // SAFETY: takes nothing, changes nothing but the schedule, and cannot fail on Linux.
            unsafe { libc::sched_yield() };
        }
    }

    fn install_handler() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            // SAFETY: a zeroed sigaction is a valid one without flags and mask.
            let mut action: libc::sigaction = unsafe { mem::zeroed() };
            action.sa_sigaction = step_aside as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            // SAFETY: the handler is async-signal-safe, and the pointer is to a live action.
            let outcome = unsafe { libc::sigaction(SIGNAL, &action, ptr::null_mut()) };
            assert_eq!(outcome, 0, "no signal handler");
        });
    }

    impl Preempted {
        pub(crate) fn start() -> Preempted {
            install_handler();
            // SAFETY: a zeroed sigevent is valid; the fields that matter follow.
            let mut event: libc::sigevent = unsafe { mem::zeroed() };
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            // SAFETY: takes nothing and cannot fail.
            event.sigev_notify_thread_id = unsafe { libc::gettid() };
            let mut timer: libc::timer_t = ptr::null_mut();
            // SAFETY: both pointers are to live values of the right type.
            let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) };
            assert_eq!(made, 0, "no timer");
            let period = libc::timespec { tv_sec: 0, tv_nsec: i64::from(period().subsec_nanos()) };
            let times = libc::itimerspec { it_interval: period, it_value: period };
            // SAFETY: the timer was just made, and the times are a live value.
            let set = unsafe { libc::timer_settime(timer, 0, &times, ptr::null_mut()) };
            assert_eq!(set, 0, "the timer does not start");
            Preempted { timer }
        }
    }

    impl Drop for Preempted {
        fn drop(&mut self) {
            // SAFETY: made by `start` and deleted once.
            unsafe { libc::timer_delete(self.timer) };
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
impl Preempted {
    /// Miri preempts by itself; elsewhere the scheduler has to do.
    pub(crate) fn start() -> Preempted {
        let _ = period();
        Preempted {}
    }
}
