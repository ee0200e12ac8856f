//! A map and a pin: where all the work of a map is done.

use std::alloc::{self, Layout};
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::iter::{Iter, Keys, Values};
use super::node::{self, Draft, Judgement, Node, Outcome, Wish};
use super::{DefaultHashBuilder, Map};
use crate::epoch::{Guard, Retire};
use crate::table::{Change, Cursor, Decision, Refused};

/// A map while this thread is pinned. See [`Map::pin`].
///
/// Everything it shows is borrowed from it: dropping it ends the pin.
pub struct Pinned<'m, K, V, S = DefaultHashBuilder> {
    map: &'m Map<K, V, S>,
    guard: Guard,
}

/// What a [`compute`](Pinned::compute) closure wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation<V, T> {
    /// Insert this value, or put it in the place of the current one.
    Insert(V),
    /// Remove the entry.
    Remove,
    /// Change nothing and return this.
    Abort(T),
}

/// What [`compute`](Pinned::compute) did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compute<'g, K, V, T> {
    /// The key was absent; the entry was inserted.
    Inserted(&'g K, &'g V),
    /// The entry got a new value.
    Updated {
        /// The entry that was replaced.
        old: (&'g K, &'g V),
        /// The entry that stands now.
        new: (&'g K, &'g V),
    },
    /// The entry was removed.
    Removed(&'g K, &'g V),
    /// Nothing was changed, as `f` wanted.
    Aborted(T),
    /// Nothing was changed: the key that `f` wanted removed is absent.
    Absent,
}

/// The key exists already: the answer of a [`try_insert`](Pinned::try_insert) that did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccupiedError<'g, V> {
    /// The value that stands there.
    pub current: &'g V,
    /// The value that was not inserted.
    pub not_inserted: V,
}

impl<'m, K, V, S> Pinned<'m, K, V, S> {
    pub(super) fn new(map: &'m Map<K, V, S>, guard: Guard) -> Self {
        Self { map, guard }
    }

    /// Visits the next part of the map.
    pub(super) fn scan<'g>(
        &'g self,
        at: Cursor,
        visit: impl FnMut(&'g Node<K, V>),
    ) -> Option<Cursor> {
        self.map.shards.scan(at, &self.guard, visit)
    }

    /// The map.
    pub fn map(&self) -> &'m Map<K, V, S> {
        self.map
    }

    /// How many entries there are; see [`Map::len`].
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// All entries, in no order. Each that is present throughout comes exactly once; the map may
    /// be changed meanwhile, also inside of the loop.
    pub fn iter(&self) -> Iter<'_, K, V, S> {
        Iter::new(self)
    }

    /// All keys; see [`iter`](Self::iter).
    pub fn keys(&self) -> Keys<'_, K, V, S> {
        Keys(self.iter())
    }

    /// All values; see [`iter`](Self::iter).
    pub fn values(&self) -> Values<'_, K, V, S> {
        Values(self.iter())
    }

    /// Makes room for `additional` more entries, now and by this thread. A hint: the map grows by
    /// itself, and a refusal of memory is no error here.
    pub fn reserve(&self, additional: usize) {
        let _ = self.map.shards.reserve(additional, &self.guard);
    }
}

impl<K, V, S> Pinned<'_, K, V, S>
where
    K: Hash + Eq + Send + 'static,
    V: Send + 'static,
    S: BuildHasher,
{
    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> Option<&Node<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        self.map.shards.get(hash, &self.guard, |node| key.equivalent(&node.key))
    }

    /// The value of a key.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        Some(&self.find(self.map.hash(key), key)?.value)
    }

    /// The key and value of an entry.
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.find(self.map.hash(key), key).map(entry)
    }

    /// Whether the key is there.
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.find(self.map.hash(key), key).is_some()
    }

    /// Calls `f` with the position and the value of each of `keys`, in their order.
    pub fn get_many<'g, Q>(&'g self, keys: &[Q], mut f: impl FnMut(usize, Option<&'g V>))
    where
        Q: Equivalent<K> + Hash,
    {
        let shards = &self.map.shards;
        let hash = |key: &Q| self.map.hash(key);
        let Ok(()) = shards.for_each(&self.guard, keys, hash, |index, hash, begun| {
            let is_key = |node: &Node<K, V>| keys[index].equivalent(&node.key);
            let found = shards.finish(hash, begun, is_key);
            f(index, found.map(|node| &node.value));
            Ok::<_, Infallible>(size_of::<Node<K, V>>())
        });
    }

    /// Sets a key to a value; the value that it replaced. The new key takes the place of the old
    /// one too, which shows only with keys that are equal and not identical.
    pub fn insert(&self, key: K, value: V) -> Option<&V> {
        let draft = self.draft(key);
        draft.replace(value);
        match self.change(draft, |_, _| Wish::Put) {
            Outcome::Updated { old, .. } => Some(&old.value),
            Outcome::Inserted(_) | Outcome::Removed(_) | Outcome::Kept(_) => None,
        }
    }

    /// Inserts an entry if the key is absent; the inserted value.
    ///
    /// # Errors
    ///
    /// The current value, and the one that was not inserted.
    pub fn try_insert(&self, key: K, value: V) -> Result<&V, OccupiedError<'_, V>> {
        let mut value = Some(value);
        let inserted = self.insert_if_absent(key, |_| value.take());
        match inserted {
            Ok(value) => Ok(value),
            Err((current, draft)) => match value.or_else(|| draft.and_then(|draft| draft.take())) {
                Some(not_inserted) => Err(OccupiedError { current, not_inserted }),
                None => Ok(current),
            },
        }
    }

    /// Inserts what `f` returns if the key is absent; the inserted value. `f` runs at most once.
    ///
    /// # Errors
    ///
    /// The current value.
    pub fn try_insert_with(&self, key: K, f: impl FnOnce() -> V) -> Result<&V, &V> {
        let mut f = Some(f);
        self.insert_if_absent(key, |_| f.take().map(|f| f())).map_err(|(current, _)| current)
    }

    /// The value of a key; `value` is inserted if the key is absent.
    pub fn get_or_insert(&self, key: K, value: V) -> &V {
        self.try_insert_with(key, || value).unwrap_or_else(|current| current)
    }

    /// The value of a key; what `f` returns is inserted if the key is absent. `f` runs at most
    /// once, but its value is dropped if another thread inserts the key meanwhile.
    pub fn get_or_insert_with(&self, key: K, f: impl FnOnce() -> V) -> &V {
        self.try_insert_with(key, f).unwrap_or_else(|current| current)
    }

    /// Replaces the value of a key by what `f` makes of it; the new value, or `None` if the key is
    /// absent. `f` runs again when another writer wins.
    pub fn update(&self, key: K, mut f: impl FnMut(&V) -> V) -> Option<&V> {
        let outcome = self.change(self.draft(key), |found, draft| match found {
            Some(node) => {
                draft.replace(f(&node.value));
                Wish::Put
            }
            None => Wish::Keep,
        });
        match outcome {
            Outcome::Updated { new, .. } => Some(&new.value),
            Outcome::Inserted(_) | Outcome::Removed(_) | Outcome::Kept(_) => None,
        }
    }

    /// Replaces the value of a key by what `f` makes of it, or inserts `value`; the new value.
    pub fn update_or_insert(&self, key: K, f: impl FnMut(&V) -> V, value: V) -> &V {
        self.update_or_insert_with(key, f, || value)
    }

    /// Replaces the value of a key by what `update` makes of it, or inserts what `f` returns; the
    /// new value. `update` runs again when another writer wins, `f` at most once.
    pub fn update_or_insert_with(
        &self,
        key: K,
        mut update: impl FnMut(&V) -> V,
        f: impl FnOnce() -> V,
    ) -> &V {
        // What `f` returned and no attempt has used up: it runs once, whatever others do.
        let (mut f, mut first) = (Some(f), None);
        let mut drafted_first = false;
        let outcome = self.change(self.draft(key), |found, draft| {
            let value = match found {
                Some(node) => update(&node.value),
                None => match first.take().or_else(|| f.take().map(|f| f())) {
                    Some(value) => value,
                    None => return Wish::Put,
                },
            };
            let had = draft.replace(value);
            if std::mem::replace(&mut drafted_first, found.is_none()) {
                first = had;
            }
            Wish::Put
        });
        match outcome {
            Outcome::Updated { new: node, .. }
            | Outcome::Inserted(node)
            | Outcome::Removed(node) => &node.value,
            Outcome::Kept(_) => unreachable!("the wish is always to put"),
        }
    }

    /// Does to an entry what `f` wants, atomically. `f` runs under this pin, with no lock held, and
    /// again when another writer wins; it sees the entry that its wish is applied to.
    pub fn compute<'g, T>(
        &'g self,
        key: K,
        mut f: impl FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
    ) -> Compute<'g, K, V, T> {
        let mut aborted = None;
        let outcome = self.change(self.draft(key), |found, draft| match f(found.map(entry)) {
            Operation::Insert(value) => {
                draft.replace(value);
                Wish::Put
            }
            Operation::Remove => Wish::Remove,
            Operation::Abort(value) => {
                aborted = Some(value);
                Wish::Keep
            }
        });
        match outcome {
            Outcome::Inserted(node) => Compute::Inserted(&node.key, &node.value),
            Outcome::Updated { old, new } => Compute::Updated { old: entry(old), new: entry(new) },
            Outcome::Removed(node) => Compute::Removed(&node.key, &node.value),
            Outcome::Kept(_) => aborted.map_or(Compute::Absent, Compute::Aborted),
        }
    }

    /// Removes an entry; its value.
    pub fn remove<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Removes an entry; its key and value.
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.remove_if(key, |_, _| true).unwrap_or_else(Some)
    }

    /// Removes an entry if `should_remove` says so of it; the entry that was removed, `None` if the
    /// key is absent. The question is asked again when another writer wins.
    ///
    /// # Errors
    ///
    /// The entry that was not removed.
    pub fn remove_if<Q>(
        &self,
        key: &Q,
        mut should_remove: impl FnMut(&K, &V) -> bool,
    ) -> Result<Option<(&K, &V)>, (&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let is_key = |node: &Node<K, V>| key.equivalent(&node.key);
        let hash = self.map.hash(key);
        let mut judgement = Judgement::new();
        let change = self.map.shards.write(hash, &self.guard, is_key, |found| {
            let judge = |found: Option<&Node<K, V>>| {
                found.is_some_and(|node| should_remove(&node.key, &node.value))
            };
            if judgement.of(found, judge) { Decision::Remove } else { Decision::Keep }
        });
        match change.unwrap_or_else(refused::<K, V, _>) {
            Change::Removed(node) => Ok(Some(entry(node))),
            Change::Kept(Some(node)) => Err(entry(node)),
            Change::Kept(None) | Change::Created | Change::Replaced(_) => Ok(None),
        }
    }

    /// Removes every entry of which `keep` says no. Entries that are written meanwhile may stay.
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        let mut iter = self.iter();
        while let Some(node) = iter.next_node() {
            if keep(&node.key, &node.value) {
                continue;
            }
            // By identity: exactly the entry that was judged, and no user code runs.
            let same = |other: &Node<K, V>| std::ptr::eq(other, node);
            let change = self.map.shards.write(node.hash, &self.guard, same, |found| match found {
                Some(_) => Decision::Remove,
                None => Decision::Keep,
            });
            change.unwrap_or_else(refused::<K, V, _>);
        }
        self.map.shards.shrink(&self.guard);
        self.guard.hand_over();
    }

    /// Removes every entry. Entries that are written meanwhile may stay.
    pub fn clear(&self) {
        self.retain(|_, _| false);
    }

    fn draft(&self, key: K) -> Draft<K, V> {
        Draft::new(self.map.hash(&key), key)
    }

    fn change<'g>(
        &'g self,
        draft: Draft<K, V>,
        decide: impl FnMut(Option<&'g Node<K, V>>, &Draft<K, V>) -> Wish,
    ) -> Outcome<'g, K, V> {
        let outcome = node::change(&self.map.shards, &self.guard, draft, decide);
        outcome.unwrap_or_else(refused::<K, V, _>)
    }

    /// Inserts an entry if the key is absent, with the value that `make` has for the draft; the
    /// current value and the draft, if there is one, otherwise.
    fn insert_if_absent(
        &self,
        key: K,
        mut make: impl FnMut(&Draft<K, V>) -> Option<V>,
    ) -> Result<&V, Occupied<'_, K, V>> {
        if let Some(node) = self.find(self.map.hash(&key), &key) {
            return Err((&node.value, None));
        }
        let mut current = None;
        let outcome = self.change(self.draft(key), |found, draft| {
            current = found;
            if found.is_some() {
                return Wish::Keep;
            }
            if let Some(value) = make(draft) {
                draft.replace(value);
            }
            Wish::Put
        });
        match (outcome, current) {
            (Outcome::Kept(draft), Some(node)) => Err((&node.value, Some(draft))),
            (Outcome::Inserted(node) | Outcome::Removed(node), _) => Ok(&node.value),
            (Outcome::Updated { new, .. }, _) => Ok(&new.value),
            (Outcome::Kept(_), None) => unreachable!("an absent key is put"),
        }
    }
}

/// The value that stands there, and the draft that was made in vain, if there is one.
type Occupied<'g, K, V> = (&'g V, Option<Draft<K, V>>);

fn entry<K, V>(node: &Node<K, V>) -> (&K, &V) {
    (&node.key, &node.value)
}

/// Without an answer that could say so, a refusal of memory ends the process, as in std.
fn refused<K, V, T>(_: Refused) -> T {
    alloc::handle_alloc_error(Layout::new::<Node<K, V>>())
}

impl<K, V, S> fmt::Debug for Pinned<'_, K, V, S>
where
    K: fmt::Debug,
    V: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'g, K, V, S> IntoIterator for &'g Pinned<'_, K, V, S> {
    type Item = (&'g K, &'g V);
    type IntoIter = Iter<'g, K, V, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
