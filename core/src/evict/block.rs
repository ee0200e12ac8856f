//! Memory by the block: asked for without aborting, never copied to grow.

use super::NoMemory;

/// A block of `N` places that all hold `fill`.
pub(super) fn new<T: Clone, const N: usize>(fill: T) -> Result<Box<[T; N]>, NoMemory> {
    #[cfg(test)]
    if refusal::is_on() {
        return Err(NoMemory);
    }
    let mut room = Vec::new();
    room.try_reserve_exact(N).map_err(|_| NoMemory)?;
    room.resize(N, fill);
    room.into_boxed_slice().try_into().map_err(|_| NoMemory)
}

/// Refuses memory for blocks, on one thread.
#[cfg(test)]
pub(super) mod refusal {
    use std::cell::Cell;

    thread_local!(static ON: Cell<bool> = const { Cell::new(false) });

    pub(super) fn is_on() -> bool {
        ON.get()
    }

    /// Runs `body` while every new block is refused.
    pub(crate) fn during<T>(body: impl FnOnce() -> T) -> T {
        struct Off;
        impl Drop for Off {
            fn drop(&mut self) {
                ON.set(false);
            }
        }
        ON.set(true);
        let _off = Off;
        body()
    }
}
