//! A thread that is stopped inside of an operation stops nobody else.
//!
//! Each test stops one thread at a named point of the table's protocol and keeps it there while two
//! other threads insert, read and remove until the table has been resized several times, up and
//! down. They have no time limit: if the stopped thread blocked them, the test would never end.

use std::sync::mpsc;
use std::thread;

use crate::Map;
use crate::sync::stop::{self, Point};

/// Entries that the other threads add: from one bucket, that takes more than ten doublings.
const MANY: u64 = if cfg!(miri) { 200 } else { 40_000 };

/// How many times its bytes the arrays grow: a doubling of small ones is less than twice the bytes.
const GROWTH: usize = if cfg!(miri) { 1 } else { 4 };

/// Stops this thread when it first reaches `point`, until `go_on` is dropped or sent to.
fn stop_once_at(point: Point, stopped: mpsc::Sender<()>, go_on: mpsc::Receiver<()>) {
    let mut waits = Some((stopped, go_on));
    stop::on_reached(move |reached| {
        if reached == point
            && let Some((stopped, go_on)) = waits.take()
        {
            let _ = stopped.send(());
            let _ = go_on.recv();
        }
    });
}

/// Inserts, reads and removes `MANY` entries from two threads, through resizes in both directions.
fn work(map: &Map<u64, u64>) {
    let arrays_before = map.table_bytes();
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for key in (half..MANY).step_by(2) {
                    assert_eq!(map.pin().insert(key, key), None);
                    assert_eq!(map.pin().get(&key), Some(&key));
                }
            });
        }
    });
    let arrays_grown = map.table_bytes();
    assert!(arrays_grown > GROWTH * arrays_before, "the table was resized at least twice");
    for key in 0..MANY {
        assert_eq!(map.pin().get(&key), Some(&key));
    }
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for key in (half..MANY).step_by(2) {
                    assert_eq!(map.pin().remove(&key), Some(&key));
                    assert_eq!(map.pin().get(&key), None);
                }
            });
        }
    });
    assert!(map.table_bytes() < arrays_grown / 2, "the table was resized downwards too");
}

/// Runs `operation` on a thread that stops at `point`; meanwhile others do their `work`.
fn outlived(point: Point, map: &Map<u64, u64>, operation: impl FnOnce(&Map<u64, u64>) + Send) {
    let (stopped, has_stopped) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            stop_once_at(point, stopped, may_go_on);
            operation(map);
        });
        has_stopped.recv().expect("the operation reaches the point");
        work(map);
        work(map);
        drop(go_on);
    });
}

fn small_map() -> Map<u64, u64> {
    Map::builder().shards(1).build()
}

/// A key that `work` does not touch; more of them lie below it.
const OWN: u64 = u64::MAX;
const OWN_KEYS: u64 = if cfg!(miri) { 50 } else { 1000 };

#[test]
fn a_reader_stopped_in_a_get_stops_nobody_and_still_answers() {
    let map = small_map();
    map.pin().insert(OWN, 1);
    outlived(Point::ReadMatched, &map, |map| assert_eq!(map.pin().get(&OWN), Some(&1)));
    assert_eq!(map.len(), 1);
}

#[test]
fn a_writer_stopped_between_claim_and_publication_stops_nobody_and_still_writes() {
    let map = small_map();
    outlived(Point::Claimed, &map, |map| assert_eq!(map.pin().insert(OWN, 1), None));
    assert_eq!(map.pin().get(&OWN), Some(&1));
    assert_eq!(map.len(), 1);
}

/// Inserts until the thread's hook has stopped it in the middle of a resize.
fn insert_own(map: &Map<u64, u64>) {
    for key in 0..OWN_KEYS {
        assert_eq!(map.pin().insert(OWN - key, key), None);
    }
}

fn a_helper_is_outlived(point: Point) {
    let map = small_map();
    outlived(point, &map, insert_own);
    assert_eq!(map.len() as u64, OWN_KEYS);
    for key in 0..OWN_KEYS {
        assert_eq!(map.pin().get(&(OWN - key)), Some(&key));
    }
}

#[test]
fn a_helper_stopped_after_freezing_a_header_stops_nobody() {
    a_helper_is_outlived(Point::HeaderFrozen);
}

#[test]
fn a_helper_stopped_between_filling_and_moving_stops_nobody() {
    a_helper_is_outlived(Point::ChildrenFilled);
}

#[test]
fn a_helper_stopped_before_saying_that_a_chunk_is_moved_stops_nobody() {
    a_helper_is_outlived(Point::ChunkVerified);
}
