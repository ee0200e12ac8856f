//! A map's record: the hash, the key and the value, in one allocation.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use crate::epoch::Retire;
use crate::memory;
use crate::table::{Change, Decision, Record, Refused, Shards};

/// One entry. `repr(C)`, so that a draft without a value has the same layout.
#[repr(C, align(16))]
pub(super) struct Node<K, V> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) value: V,
}

// SAFETY: a node is a box of its own, never moved, that `try_box` made.
unsafe impl<K, V> Record for Node<K, V> {
    type Hasher = ();

    type Shown<'g>
        = &'g Self
    where
        Self: 'g;

    unsafe fn show<'g>(record: NonNull<Self>) -> &'g Self
    where
        Self: 'g,
    {
        // SAFETY: published nodes are complete and immutable; the caller vouches for the lifetime.
        unsafe { record.as_ref() }
    }

    unsafe fn hash(record: NonNull<Self>, (): &()) -> u64 {
        // SAFETY: readable, says the caller.
        unsafe { (*record.as_ptr()).hash }
    }

    unsafe fn release(record: NonNull<Self>) {
        // SAFETY: `try_box` made it; the caller gives up the last share.
        unsafe { memory::drop_boxed(record) };
    }

    unsafe fn bytes(_: NonNull<Self>) -> usize {
        size_of::<Self>()
    }
}

/// A node that is not in the map yet. It keeps its key when a value that was computed for it is
/// outrun by another writer.
pub(super) struct Draft<K, V> {
    node: NonNull<Node<K, MaybeUninit<V>>>,
    has_value: Cell<bool>,
}

impl<K, V> Draft<K, V> {
    /// A draft for `key`. Ends the process when memory runs out, as std's collections do.
    pub(super) fn new(hash: u64, key: K) -> Self {
        match memory::try_box(Node { hash, key, value: MaybeUninit::uninit() }) {
            Ok(node) => Self { node, has_value: Cell::new(false) },
            Err(_) => alloc::handle_alloc_error(Layout::new::<Node<K, V>>()),
        }
    }

    pub(super) fn hash(&self) -> u64 {
        // SAFETY: the draft owns the node; hash and key never change.
        unsafe { (*self.node.as_ptr()).hash }
    }

    pub(super) fn key(&self) -> &K {
        // SAFETY: as for `hash`; the value is written through a pointer to the value alone.
        unsafe { &(*self.node.as_ptr()).key }
    }

    /// Gives the draft a value; the one it had.
    pub(super) fn replace(&self, value: V) -> Option<V> {
        let old = self.take();
        // SAFETY: the draft owns the node, and nobody borrows its value.
        unsafe { (&raw mut (*self.node.as_ptr()).value).write(MaybeUninit::new(value)) };
        self.has_value.set(true);
        old
    }

    /// Takes the value back.
    pub(super) fn take(&self) -> Option<V> {
        if !self.has_value.replace(false) {
            return None;
        }
        // SAFETY: the value was written, and is read once, since the mark is gone.
        Some(unsafe { (&raw const (*self.node.as_ptr()).value).read().assume_init() })
    }

    /// The node, to be put into the map. It has been given a value.
    pub(super) fn node(&self) -> NonNull<Node<K, V>> {
        assert!(self.has_value.get(), "a draft is put only with a value");
        self.node.cast()
    }

    /// The node now belongs to the map; shown as long as the guard of `'g` lives.
    ///
    /// # Safety
    ///
    /// The node was put into a map under the guard of `'g`.
    unsafe fn published<'g>(self) -> &'g Node<K, V> {
        let node = self.node();
        std::mem::forget(self);
        // SAFETY: says the caller.
        unsafe { node.as_ref() }
    }
}

/// What user code has said of an entry, so that it is asked again only when another one stands
/// there. A write also starts over when its bucket moves, and a closure that itself makes buckets
/// move would otherwise be asked for ever.
pub(super) struct Judgement<'g, K, V, W> {
    last: Option<(Option<&'g Node<K, V>>, W)>,
}

impl<'g, K, V, W: Copy> Judgement<'g, K, V, W> {
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// What `judge` says of `found`, or said of it before.
    pub(super) fn of(
        &mut self,
        found: Option<&'g Node<K, V>>,
        judge: impl FnOnce(Option<&'g Node<K, V>>) -> W,
    ) -> W {
        // The same address is the same node: the guard of `'g` keeps it from being used again.
        let address = |node: Option<&'g Node<K, V>>| node.map(ptr::from_ref);
        match self.last {
            Some((seen, said)) if address(seen) == address(found) => said,
            _ => self.last.insert((found, judge(found))).1,
        }
    }
}

/// What is wanted of a change, now that the current entry is known.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    /// Put the draft, which has been given a value.
    Put,
    Remove,
    Keep,
}

/// What a change made of a draft.
pub(super) enum Outcome<'g, K, V> {
    Inserted(&'g Node<K, V>),
    Updated {
        old: &'g Node<K, V>,
        new: &'g Node<K, V>,
    },
    Removed(&'g Node<K, V>),
    /// Nothing changed; the draft is still its owner's.
    Kept(Draft<K, V>),
}

/// Changes the entry of a draft's key as `decide` answers: to the draft's node, or to nothing.
pub(super) fn change<'g, K, V, G: Retire>(
    shards: &'g Shards<Node<K, V>>,
    guard: &'g G,
    draft: Draft<K, V>,
    mut decide: impl FnMut(Option<&'g Node<K, V>>, &Draft<K, V>) -> Wish,
) -> Result<Outcome<'g, K, V>, Refused>
where
    K: Eq,
{
    let is_key = |node: &'g Node<K, V>| node.key == *draft.key();
    let mut judgement = Judgement::new();
    let change = shards.write(draft.hash(), guard, is_key, |found| {
        match judgement.of(found, |found| decide(found, &draft)) {
            Wish::Put => Decision::Put(draft.node()),
            Wish::Remove => Decision::Remove,
            Wish::Keep => Decision::Keep,
        }
    })?;
    Ok(match change {
        // SAFETY: the write put the draft's node into the map under this guard.
        Change::Created => Outcome::Inserted(unsafe { draft.published() }),
        // SAFETY: as above.
        Change::Replaced(old) => Outcome::Updated { old, new: unsafe { draft.published() } },
        Change::Removed(old) => Outcome::Removed(old),
        Change::Kept(_) => Outcome::Kept(draft),
    })
}

impl<K, V> Drop for Draft<K, V> {
    fn drop(&mut self) {
        let value = self.take();
        // SAFETY: no table holds the node. A box of a node without value drops the key only.
        unsafe { memory::drop_boxed(self.node) };
        drop(value);
    }
}
