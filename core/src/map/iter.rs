//! Iteration over a pinned map.

use std::fmt;

use super::node::Node;
use super::pinned::Pinned;
use crate::table::Cursor;

/// The entries of a map, in no order: each that is present throughout comes exactly once, also
/// across a resize; others may or may not come. See [`Pinned::iter`].
pub struct Iter<'g, K, V, S> {
    pinned: &'g Pinned<'g, K, V, S>,
    next: Option<Cursor>,
    found: Vec<&'g Node<K, V>>,
}

impl<'g, K, V, S> Iter<'g, K, V, S> {
    pub(super) fn new(pinned: &'g Pinned<'g, K, V, S>) -> Self {
        Self { pinned, next: Some(Cursor::START), found: Vec::new() }
    }

    pub(super) fn next_node(&mut self) -> Option<&'g Node<K, V>> {
        loop {
            if let Some(node) = self.found.pop() {
                return Some(node);
            }
            let found = &mut self.found;
            self.next = self.pinned.scan(self.next?, |node| found.push(node));
        }
    }
}

impl<'g, K, V, S> Iterator for Iter<'g, K, V, S> {
    type Item = (&'g K, &'g V);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_node().map(|node| (&node.key, &node.value))
    }
}

impl<K, V, S> fmt::Debug for Iter<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// The keys of a map. See [`Pinned::keys`].
#[derive(Debug)]
pub struct Keys<'g, K, V, S>(pub(super) Iter<'g, K, V, S>);

impl<'g, K, V, S> Iterator for Keys<'g, K, V, S> {
    type Item = &'g K;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, _)| key)
    }
}

/// The values of a map. See [`Pinned::values`].
#[derive(Debug)]
pub struct Values<'g, K, V, S>(pub(super) Iter<'g, K, V, S>);

impl<'g, K, V, S> Iterator for Values<'g, K, V, S> {
    type Item = &'g V;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(_, value)| value)
    }
}
