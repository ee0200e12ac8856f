//! A list that many threads put into and one takes out of, all at once.
//!
//! What is put in is linked by one exchange, whole: there is no moment at which a slot is claimed
//! and not filled, so a thread that stops in the middle delays nobody. (The push of R. K. Treiber,
//! "Systems Programming: Coping with Parallelism", 1986; without a pop there is no ABA.)

use std::alloc::{self, Layout};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::planted::{Bug, planted};
use super::{Acquire, AtomicPtr, Relaxed, Release};

struct Node<T> {
    next: *mut Node<T>,
    item: T,
}

/// Room for one item, taken before it is known whether the item is needed.
pub(crate) struct Parcel<T: Copy> {
    node: NonNull<Node<T>>,
}

// SAFETY: a parcel owns its node as a box would.
unsafe impl<T: Copy + Send> Send for Parcel<T> {}

impl<T: Copy> Parcel<T> {
    /// Room with an item in it; `None` when the system refuses memory.
    pub(crate) fn new(item: T) -> Option<Self> {
        // SAFETY: a node has a size, that of its link at least.
        let node = unsafe { alloc::alloc(Layout::new::<Node<T>>()) };
        let node = NonNull::new(node.cast::<Node<T>>())?;
        // SAFETY: fresh memory of the right layout.
        unsafe { node.write(Node { next: ptr::null_mut(), item }) };
        Some(Self { node })
    }

    /// Puts another item into it.
    pub(crate) fn set(&mut self, item: T) {
        // SAFETY: the parcel's own node.
        unsafe { (*self.node.as_ptr()).item = item };
    }

    fn into_node(self) -> *mut Node<T> {
        let node = self.node.as_ptr();
        std::mem::forget(self);
        node
    }
}

impl<T: Copy> Drop for Parcel<T> {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the node with this layout; items need no drop.
        unsafe { alloc::dealloc(self.node.as_ptr().cast(), Layout::new::<Node<T>>()) };
    }
}

/// What has arrived and was not taken yet.
pub(crate) struct Inbox<T: Copy + Send> {
    last: AtomicPtr<Node<T>>,
    items: PhantomData<T>,
}

impl<T: Copy + Send> Inbox<T> {
    pub(crate) fn new() -> Self {
        Self { last: AtomicPtr::new(ptr::null_mut()), items: PhantomData }
    }

    /// Puts an item in. Lock-free.
    pub(crate) fn put(&self, parcel: Parcel<T>) {
        let node = parcel.into_node();
        let order = if planted(Bug::RelaxedPark) { Relaxed } else { Release };
        let mut last = self.last.load(Relaxed);
        loop {
            // SAFETY: the node is this thread's until the exchange.
            unsafe { (*node).next = last };
            // Release: edge W1, the item and what was published before it was put in.
            match self.last.compare_exchange(last, node, order, Relaxed) {
                Ok(_) => return,
                Err(now) => last = now,
            }
        }
    }

    /// Whether nothing has arrived since the last `take`.
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: what it says may be out of date at once.
        self.last.load(Relaxed).is_null()
    }

    /// Takes everything out, the last first. One exchange, however much there is.
    pub(crate) fn take(&self) -> Arrived<T> {
        // Relaxed: a hint; what comes now is taken next time.
        if self.last.load(Relaxed).is_null() {
            return Arrived { first: ptr::null_mut() };
        }
        // Acquire: edge W1.
        Arrived { first: self.last.swap(ptr::null_mut(), Acquire) }
    }
}

impl<T: Copy + Send> Drop for Inbox<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Items that were taken out together.
pub(crate) struct Arrived<T: Copy> {
    first: *mut Node<T>,
}

// SAFETY: it owns its nodes as a list of boxes would.
unsafe impl<T: Copy + Send> Send for Arrived<T> {}

impl<T: Copy> Arrived<T> {
    pub(crate) const NOTHING: Self = Self { first: ptr::null_mut() };

    /// The next item, which stays.
    pub(crate) fn peek(&self) -> Option<T> {
        // SAFETY: the list's own node, or null.
        unsafe { self.first.as_ref() }.map(|node| node.item)
    }
}

impl<T: Copy> Iterator for Arrived<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let node = NonNull::new(self.first)?;
        // SAFETY: the list's own node.
        let (next, item) = unsafe { ((*node.as_ptr()).next, (*node.as_ptr()).item) };
        self.first = next;
        drop(Parcel { node });
        Some(item)
    }
}

impl<T: Copy> Drop for Arrived<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

#[cfg(all(test, not(rkv_loom)))]
mod tests {
    use super::*;

    #[test]
    fn everything_put_in_comes_out_once_whoever_puts_it_in() {
        let (inbox, each) = (Inbox::new(), if cfg!(miri) { 20 } else { 2000 });
        let mut out = Vec::new();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|thread| {
                    let inbox = &inbox;
                    scope.spawn(move || {
                        for n in 0..each {
                            inbox.put(Parcel::new(thread * each + n).expect("memory"));
                        }
                    })
                })
                .collect();
            while !writers.iter().all(|writer| writer.is_finished()) {
                out.extend(inbox.take());
            }
        });
        out.extend(inbox.take());
        out.sort_unstable();
        assert_eq!(out, (0..3 * each).collect::<Vec<_>>());
        inbox.put(Parcel::new(1).expect("memory"));
        let mut parcel = Parcel::new(2).expect("memory");
        parcel.set(3);
        inbox.put(parcel);
        let mut arrived = inbox.take();
        assert_eq!((arrived.peek(), arrived.next(), arrived.peek()), (Some(3), Some(3), Some(1)));
    }
}
