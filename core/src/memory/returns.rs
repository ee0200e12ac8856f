//! Sees which blocks go back to the system. In tests only.

use std::cell::Cell;
use std::ptr::NonNull;
use std::thread;

use super::block::{KEEPS, allocate, free};
use crate::sync::statics::AtomicU64;
use crate::sync::{Acquire, Relaxed, Release};

/// Addresses of blocks that tests watch. Atomics and no lock: blocks also go back in processes that
/// a test forks while other threads run.
static WATCHED: [AtomicU64; 16] = [const { AtomicU64::new(FREE) }; 16];

/// Nobody watches here.
const FREE: u64 = 0;
/// The block that was watched here went back.
const GONE: u64 = 1;

/// Notes that a block goes back to the system.
pub(super) fn note(block: NonNull<u8>) {
    for place in &WATCHED {
        let _ = place.compare_exchange(address(block), GONE, Release, Relaxed);
    }
}

fn address(block: NonNull<u8>) -> u64 {
    block.addr().get() as u64
}

/// Watches one block.
struct Watch(&'static AtomicU64);

impl Watch {
    fn on(block: NonNull<u8>) -> Self {
        let taken = |place: &&AtomicU64| {
            place.compare_exchange(FREE, address(block), Relaxed, Relaxed).is_ok()
        };
        Self(WATCHED.iter().find(taken).expect("a place for each watch of these tests"))
    }

    fn saw_it_go(&self) -> bool {
        self.0.load(Acquire) == GONE
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(FREE, Relaxed);
    }
}

/// A block, and who watches it.
fn watched(bytes: usize) -> (NonNull<u8>, Watch) {
    let block = allocate(bytes).expect("memory");
    (block, Watch::on(block))
}

/// Frees blocks on this thread, and sees that it keeps them where threads do.
fn keep_some() -> [Watch; 4] {
    let sizes = [1, 112, 112, 512];
    let blocks = sizes.map(|bytes| (bytes, watched(bytes)));
    blocks.map(|(bytes, (block, watch))| {
        // SAFETY: the block is this function's, and goes back once.
        unsafe { free(block, bytes) };
        assert_eq!(watch.saw_it_go(), !KEEPS);
        watch
    })
}

#[test]
fn a_thread_that_ends_gives_back_the_blocks_that_it_kept() {
    let ended = thread::spawn(keep_some).join().expect("no panic");
    assert!(ended.iter().all(Watch::saw_it_go));
}

// Miri watches this module with strict provenance, which crossbeam-epoch has not.
#[test]
#[cfg(not(miri))]
fn a_flush_gives_back_the_blocks_of_its_thread() {
    let kept = keep_some();
    crate::flush();
    assert!(kept.iter().all(Watch::saw_it_go));
}

/// Frees a block when it is dropped.
struct Late(Cell<Option<NonNull<u8>>>);

impl Late {
    fn hold(&self) -> Watch {
        let (block, watch) = watched(112);
        self.0.set(Some(block));
        watch
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(block) = self.0.take() {
            // SAFETY: the block is this value's, and goes back once.
            unsafe { free(block, 112) };
        }
    }
}

#[test]
fn blocks_that_are_freed_while_a_thread_ends_go_back_too() {
    thread_local! {
        static BEFORE: Late = const { Late(Cell::new(None)) };
        static AFTER: Late = const { Late(Cell::new(None)) };
    }
    // A thread drops its values in the order of their first uses, or against it: one of these goes
    // before its cache and one after.
    let ending = thread::spawn(|| {
        let before = BEFORE.with(Late::hold);
        drop(keep_some());
        [before, AFTER.with(Late::hold)]
    });
    assert!(ending.join().expect("no panic").iter().all(Watch::saw_it_go));
}
