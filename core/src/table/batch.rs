//! Gets of many keys at once.
//!
//! A get waits for memory twice, for its bucket and then for its record, and once more between them
//! where the record hangs on a link of the bucket. A batch works on many keys, each some steps
//! behind the one before, so that their waits overlap: hash a key and ask for its bucket; look into
//! the bucket that was asked for some keys ago, and ask for the record or the links; look into
//! links; finish. (Software-pipelined prefetching: Chen et al., Improving Hash Join Performance
//! through Prefetching, ICDE 2004.)

use super::{Begun, Record, Shards};
use crate::epoch::Retire;
use crate::memory::LINE;

/// Keys that are worked on while one waits for memory.
const DISTANCE: usize = 4;

/// Keys on their way: those of three waits, and the one that sets out.
const RING: usize = (3 * DISTANCE + 1).next_power_of_two();

/// What a batch asks for of its first record, in bytes.
pub(crate) const BYTES_AHEAD: usize = 2 * LINE;

impl<R: Record> Shards<R> {
    /// Begins a get of each of `items`, and calls `f` in their order with the position, the hash,
    /// and the get, when what it needs should be close.
    ///
    /// `f` answers how many bytes of a record the batch should ask for from now on.
    #[inline]
    pub(crate) fn for_each<'g, T, E>(
        &'g self,
        guard: &'g impl Retire,
        items: &[T],
        hash: impl Fn(&T) -> u64,
        mut f: impl FnMut(usize, u64, Begun<'g>) -> Result<usize, E>,
    ) -> Result<(), E> {
        let mut hashes = [0; RING];
        let mut begun = [None; RING];
        let mut bytes = BYTES_AHEAD;
        // The item that ends its `nth` wait.
        let waited = |step: usize, nth| {
            step.checked_sub(nth * DISTANCE).filter(|&index| index < items.len())
        };
        for step in 0..items.len() + 3 * DISTANCE {
            if let Some(item) = items.get(step) {
                hashes[step % RING] = hash(item);
                self.prefetch_bucket(hashes[step % RING]);
            }
            if let Some(index) = waited(step, 1) {
                begun[index % RING] = Some(self.begin(hashes[index % RING], bytes, guard));
            }
            if let Some(index) = waited(step, 2)
                && let Some(begun) = &mut begun[index % RING]
                && begun.needs_links()
            {
                *begun = self.begin_in_links(hashes[index % RING], bytes, guard);
            }
            if let Some(index) = waited(step, 3)
                && let Some(begun) = begun[index % RING]
            {
                bytes = f(index, hashes[index % RING], begun)?;
            }
        }
        Ok(())
    }
}
