//! Where everything lies: tables, buckets, links and slots as addresses of one array of words.
//!
//! A bucket is {header, link word if the scenario has links, primary slots, one private link bucket
//! per thread}. A link bucket is preallocated per thread because allocation is not what is
//! modelled: the one whose number the link word holds is attached, every other is private to its
//! thread.

use super::word::KEYS;
use crate::explore::THREADS_MAX;

/// The shape of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Primary slots of each bucket of each table, from the oldest table to the newest. A table has
    /// as many buckets as the one before it, or twice, or half as many.
    pub tables: Vec<Vec<u8>>,
    /// Slots of one link bucket; 0 if buckets have no links.
    pub linked: u8,
    /// The bucket of each key (K, M, N, O) in each table.
    pub homes: Vec<[u8; KEYS]>,
}

#[derive(Debug)]
struct Bucket {
    base: u8,
    primary: u8,
    parents: Vec<u8>,
    children: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Layout {
    tables: Vec<Vec<Bucket>>,
    homes: Vec<[u8; KEYS]>,
    linked: u8,
}

impl Layout {
    /// Lays `shape` out for `threads` threads; returns also the number of words.
    pub(crate) fn new(shape: &Shape, threads: usize) -> (Self, usize) {
        let links = if shape.linked > 0 { 1 + shape.linked * threads as u8 } else { 0 };
        let mut next = 0;
        let mut tables: Vec<Vec<Bucket>> = Vec::new();
        for (index, buckets) in shape.tables.iter().enumerate() {
            let (above, below) = (index.checked_sub(1), index + 1);
            let size = |table: Option<usize>| table.and_then(|t| shape.tables.get(t)).map(Vec::len);
            tables.push(Vec::new());
            for (bucket, primary) in buckets.iter().enumerate() {
                let related = |other| relatives(bucket, buckets.len(), size(other));
                let (parents, children) = (related(above), related(Some(below)));
                tables[index].push(Bucket { base: next, primary: *primary, parents, children });
                next += 1 + primary + links;
            }
        }
        (Self { tables, homes: shape.homes.clone(), linked: shape.linked }, next as usize)
    }

    pub(crate) fn tables(&self) -> usize {
        self.tables.len()
    }

    pub(crate) fn buckets(&self, table: u8) -> u8 {
        self.tables[table as usize].len() as u8
    }

    pub(crate) fn is_last(&self, table: u8) -> bool {
        table as usize + 1 == self.tables.len()
    }

    pub(crate) fn home(&self, table: u8, key: usize) -> u8 {
        self.homes[table as usize][key]
    }

    pub(crate) fn has_links(&self) -> bool {
        self.linked > 0
    }

    /// Slots of a bucket with its link.
    pub(crate) fn slots(&self, table: u8, bucket: u8) -> u8 {
        self.bucket(table, bucket).primary + self.linked
    }

    pub(crate) fn in_link(&self, table: u8, bucket: u8, slot: u8) -> bool {
        slot >= self.bucket(table, bucket).primary
    }

    pub(crate) fn parents(&self, table: u8, bucket: u8) -> &[u8] {
        &self.bucket(table, bucket).parents
    }

    pub(crate) fn children(&self, table: u8, bucket: u8) -> &[u8] {
        &self.bucket(table, bucket).children
    }

    pub(crate) fn header(&self, table: u8, bucket: u8) -> usize {
        self.bucket(table, bucket).base as usize
    }

    pub(crate) fn link(&self, table: u8, bucket: u8) -> usize {
        let bucket = self.bucket(table, bucket);
        (bucket.base + 1 + bucket.primary) as usize
    }

    /// The address of a slot; `link` is the link word, used for slots behind the primary ones.
    pub(crate) fn slot(&self, table: u8, bucket: u8, slot: u8, link: u8) -> usize {
        let place = self.bucket(table, bucket);
        if slot < place.primary {
            return (place.base + 1 + slot) as usize;
        }
        debug_assert!(
            (1..=THREADS_MAX as u8).contains(&link),
            "a slot behind a link needs the link"
        );
        let first = place.base + 1 + place.primary + 1 + (link - 1) * self.linked;
        (first + slot - place.primary) as usize
    }

    fn bucket(&self, table: u8, bucket: u8) -> &Bucket {
        &self.tables[table as usize][bucket as usize]
    }
}

/// The buckets of a neighbouring table of `other` buckets that share keys with `bucket`.
fn relatives(bucket: usize, buckets: usize, other: Option<usize>) -> Vec<u8> {
    let first = bucket as u8;
    match other {
        None => Vec::new(),
        Some(other) if other == buckets => vec![first],
        Some(other) if other == 2 * buckets => vec![2 * first, 2 * first + 1],
        Some(other) if 2 * other == buckets => vec![first / 2],
        Some(_) => panic!("neighbouring tables have the same size, or one is twice the other"),
    }
}
