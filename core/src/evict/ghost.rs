//! The ghost queue: which keys were evicted of late without having been used.
//!
//! A fingerprint belongs to one *line* by its low bits. Each line is a queue of its own, so there
//! is no queue of all to keep beside the table: a key is forgotten when a line's share of the
//! capacity has come to its line after it. The whole is as long as the capacity on the average.
//!
//! The number of lines follows the capacity, one line at a time, by linear hashing (W. Litwin,
//! 1980): the new line takes from its *twin* what differs from it in the next bit.

use super::NoMemory;
use super::block;

/// Fingerprints in a line.
///
/// LIMIT: two cache lines, of which 16 to 32 places are used: 4 to 8 bytes for each key, and twice
/// that after the capacity has halved. In shorter lines it is more a matter of chance how long a
/// key is known.
const PLACES: usize = 32;

/// Lines in a block.
///
/// LIMIT: a block of 1 KiB, as in the queues of handles.
const LINES: usize = 8;

/// The newest fingerprint comes first; 0 is none.
type Line = [u32; PLACES];

/// Fingerprints of keys. Refused memory makes it forget more, no worse.
#[derive(Default)]
pub(super) struct Ghost {
    blocks: Vec<Box<[Line]>>,
    lines: usize,
}

impl Ghost {
    /// Remembers a key that is not known, as one of the last `capacity`. Not 0.
    ///
    /// Constant time: a line is written, and at most one is split in two.
    pub(super) fn insert(&mut self, fingerprint: u32, capacity: usize) {
        if self.lines < target(capacity) {
            // Without memory for one more line the others take what comes.
            let _ = self.split();
        }
        if self.lines == 0 {
            return;
        }
        let (index, sharing) = self.home(fingerprint);
        let share = capacity.div_ceil(sharing).clamp(1, PLACES);
        let line = self.line(index);
        line.copy_within(..PLACES - 1, 1);
        line[0] = fingerprint;
        line[share..].fill(0);
    }

    /// Whether the key is remembered; it is forgotten with this.
    pub(super) fn take(&mut self, fingerprint: u32) -> bool {
        if self.lines == 0 {
            return false;
        }
        let (index, _) = self.home(fingerprint);
        let line = self.line(index);
        // Mostly it is not there, and this compares many places at a time.
        if !line.contains(&fingerprint) {
            return false;
        }
        let Some(place) = line.iter().position(|&known| known == fingerprint) else {
            return false;
        };
        line.copy_within(place + 1.., place);
        line[PLACES - 1] = 0;
        true
    }

    /// Gives back a line if there are far too many for `capacity`; whether there were.
    pub(super) fn shrink(&mut self, capacity: usize) -> bool {
        let shrinks = self.lines > 2 * target(capacity);
        if shrinks {
            self.merge();
        }
        shrinks
    }

    /// Of which line `fingerprint` is, and how many lines there would be if all were like it.
    fn home(&self, fingerprint: u32) -> (usize, usize) {
        let (low, bit) = self.twin(self.lines);
        let twin = fingerprint as usize & (bit - 1);
        // Lines before this one have been split already.
        if twin < low { (fingerprint as usize & (2 * bit - 1), 2 * bit) } else { (twin, bit) }
    }

    /// The line that line `index` was split from, or will be, and the bit in which they differ.
    fn twin(&self, index: usize) -> (usize, usize) {
        let bit = (index + 1).next_power_of_two() / 2;
        (index - bit, bit)
    }

    fn line(&mut self, index: usize) -> &mut Line {
        &mut self.blocks[index / LINES][index % LINES]
    }

    /// Adds a line.
    fn split(&mut self) -> Result<(), NoMemory> {
        let index = self.lines;
        if index == self.blocks.len() * LINES {
            self.blocks.try_reserve(1).map_err(|_| NoMemory)?;
            self.blocks.push(block::new::<Line, LINES>([0; PLACES])?);
        }
        if index > 0 {
            let (twin, bit) = self.twin(index);
            let known = *self.line(twin);
            let has_bit = |fingerprint: &u32| *fingerprint as usize & bit != 0;
            fill(self.line(twin), known.iter().copied().filter(|known| !has_bit(known)));
            fill(self.line(index), known.iter().copied().filter(has_bit));
        }
        self.lines += 1;
        Ok(())
    }

    /// Takes the last line back. What it held and what its twin held is of equal age.
    fn merge(&mut self) {
        self.lines -= 1;
        let index = self.lines;
        if index > 0 {
            let (twin, _) = self.twin(index);
            let (known, others) = (*self.line(twin), *self.line(index));
            fill(self.line(twin), known.into_iter().zip(others).flat_map(|(a, b)| [a, b]));
        }
        if index.is_multiple_of(LINES) {
            self.blocks.pop();
        }
        if self.lines == 0 {
            self.blocks = Vec::new();
        }
    }

    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }
}

/// How many lines a ghost of `capacity` should have: a power of two, which makes them all alike.
const fn target(capacity: usize) -> usize {
    match capacity.div_ceil(PLACES) {
        0 => 0,
        lines => lines.next_power_of_two(),
    }
}

/// Writes as many as fit, leaving out the empty ones.
fn fill(line: &mut Line, known: impl Iterator<Item = u32>) {
    let mut known = known.filter(|&fingerprint| fingerprint != 0);
    line.fill_with(|| known.next().unwrap_or(0));
}
