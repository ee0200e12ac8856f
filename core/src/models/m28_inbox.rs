//! Two threads put tokens into an inbox while a third takes them out: each comes out once, and with
//! it what was published before it was put in.

use std::rc::Rc;

use super::explore::{fails, holds};
use super::program::in_parallel;
use crate::sync::inbox::{Inbox, Parcel};
use crate::sync::planted::Bug;
use crate::sync::{AtomicU64, Relaxed};

const NAME: &str = "m28_inbox";

struct Post {
    inbox: Inbox<usize>,
    /// What the token of this number stands for.
    published: [AtomicU64; 2],
}

impl Post {
    fn put(&self, number: usize) {
        // Relaxed: only the inbox carries it.
        self.published[number].store(1, Relaxed);
        self.inbox.put(Parcel::new(number).expect("memory"));
    }

    fn take(&self) -> Vec<usize> {
        let numbers: Vec<_> = self.inbox.take().collect();
        for &number in &numbers {
            assert_eq!(self.published[number].load(Relaxed), 1, "a token before its record");
        }
        numbers
    }
}

fn model() {
    let post =
        Rc::new(Post { inbox: Inbox::new(), published: [AtomicU64::new(0), AtomicU64::new(0)] });
    let threads = [Some(0), Some(1), None].map(|number| {
        let post = Rc::clone(&post);
        move |_| match number {
            Some(number) => {
                post.put(number);
                Vec::new()
            }
            None => [post.take(), post.take()].concat(),
        }
    });
    let mut numbers = in_parallel(threads).concat();
    numbers.extend(post.take());
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1], "tokens were lost or came twice");
}

#[test]
fn each_token_comes_out_once_with_what_it_stands_for() {
    holds(NAME, model);
}

#[test]
fn twin_putting_in_without_release() {
    fails(NAME, Bug::RelaxedPark, 0, "a token before its record", model);
}
