//! S3-FIFO as its paper writes it (section 4, algorithm 1), and LRU: caches of one thread, made of
//! std's collections, that the traces are also run through.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// A cache that is told each request, and says whether it was a hit.
pub(crate) trait Cache {
    fn request(&mut self, key: u64, size: u64) -> bool;
}

/// The paper's algorithm. Sizes are bytes, or all 1 for a bound of entries.
pub(crate) struct S3Fifo {
    capacity: u64,
    /// One part in so many is small's.
    share: u64,
    /// Uses that bring an entry from small to main.
    enough: u8,
    small: Fifo,
    main: Fifo,
    ghost: Fifo,
    /// The keys of the ghost queue.
    known: HashSet<u64>,
    uses: HashMap<u64, u8>,
}

/// Keys and sizes, the oldest first.
#[derive(Default)]
struct Fifo {
    queue: VecDeque<(u64, u64)>,
    size: u64,
}

impl Fifo {
    fn insert(&mut self, key: u64, size: u64) {
        self.queue.push_back((key, size));
        self.size += size;
    }

    fn pop(&mut self) -> Option<(u64, u64)> {
        let oldest = self.queue.pop_front()?;
        self.size -= oldest.1;
        Some(oldest)
    }
}

impl S3Fifo {
    /// With the numbers of the paper.
    pub(crate) fn new(capacity: u64) -> Self {
        Self::with(capacity, 10, 2)
    }

    /// With other numbers.
    pub(crate) fn with(capacity: u64, share: u64, enough: u8) -> Self {
        let (small, main, ghost) = Default::default();
        Self {
            capacity,
            share,
            enough,
            small,
            main,
            ghost,
            known: HashSet::new(),
            uses: HashMap::new(),
        }
    }

    fn main_capacity(&self) -> u64 {
        self.capacity - self.capacity / self.share
    }

    fn evict(&mut self) {
        if self.small.size * self.share >= self.capacity || self.main.size == 0 {
            self.evict_small();
        } else {
            self.evict_main();
        }
    }

    fn evict_small(&mut self) {
        while let Some((key, size)) = self.small.pop() {
            if self.uses[&key] >= self.enough {
                self.uses.insert(key, 0);
                self.main.insert(key, size);
                if self.main.size > self.main_capacity() {
                    self.evict_main();
                }
            } else {
                self.uses.remove(&key);
                self.remember(key, size);
                return;
            }
        }
    }

    fn remember(&mut self, key: u64, size: u64) {
        self.ghost.insert(key, size);
        self.known.insert(key);
        // As many entries as main holds, whatever their size. The victim has left already.
        let held = self.uses.len() + 1;
        while self.ghost.queue.len() > held - held / self.share as usize {
            let (oldest, _) = self.ghost.pop().expect("it is not empty");
            self.known.remove(&oldest);
        }
    }

    /// Whether the ghost queue knows a key, which leaves it with this.
    fn recall(&mut self, key: u64) -> bool {
        let known = self.known.remove(&key);
        if known {
            let place = self.ghost.queue.iter().position(|&(known, _)| known == key);
            let (_, size) = place.and_then(|place| self.ghost.queue.remove(place)).expect("known");
            self.ghost.size -= size;
        }
        known
    }

    fn evict_main(&mut self) {
        while let Some((key, size)) = self.main.pop() {
            match self.uses[&key] {
                0 => {
                    self.uses.remove(&key);
                    return;
                }
                uses => {
                    self.uses.insert(key, uses - 1);
                    self.main.insert(key, size);
                }
            }
        }
    }
}

impl Cache for S3Fifo {
    fn request(&mut self, key: u64, size: u64) -> bool {
        if let Some(uses) = self.uses.get_mut(&key) {
            *uses = 3.min(*uses + 1);
            return true;
        }
        if size > self.capacity {
            return false;
        }
        while self.small.size + self.main.size + size > self.capacity {
            self.evict();
        }
        let queue = if self.recall(key) { &mut self.main } else { &mut self.small };
        queue.insert(key, size);
        self.uses.insert(key, 0);
        false
    }
}

/// Evicts what has not been used for the longest time.
pub(crate) struct Lru {
    capacity: u64,
    size: u64,
    now: u64,
    used: HashMap<u64, (u64, u64)>,
    order: BTreeMap<u64, u64>,
}

impl Lru {
    pub(crate) fn new(capacity: u64) -> Self {
        Self { capacity, size: 0, now: 0, used: HashMap::new(), order: BTreeMap::new() }
    }
}

impl Cache for Lru {
    fn request(&mut self, key: u64, size: u64) -> bool {
        self.now += 1;
        let before = self.used.get(&key).copied();
        if let Some((time, _)) = before {
            self.order.remove(&time);
        } else if size > self.capacity {
            return false;
        }
        let size = before.map_or(size, |(_, size)| size);
        self.size += if before.is_none() { size } else { 0 };
        self.used.insert(key, (self.now, size));
        self.order.insert(self.now, key);
        while self.size > self.capacity {
            let (_, key) = self.order.pop_first().expect("something takes the room");
            self.size -= self.used.remove(&key).expect("it is there").1;
        }
        before.is_some()
    }
}
