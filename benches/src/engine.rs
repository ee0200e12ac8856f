//! What a map must offer to be measured, and what one thread holds while it drives it.

/// A map under test. Every engine of a run has the same kind of hasher and the same allocator.
pub trait Engine<K, V>: Send + Sync + Sized + 'static {
    /// What the tables call it.
    const CARD: Card;
    /// What one thread works with.
    type Handle<'e>: Handle<K, V>
    where
        Self: 'e;

    /// An empty engine with room for `entries`; 0 leaves the size to the engine. It never evicts.
    fn with_room(entries: usize) -> Self;
    /// A handle for the calling thread.
    fn handle(&self) -> Self::Handle<'_>;
}

/// One thread's access to an engine: holds a session or a pin, where the engine has one.
pub trait Handle<K, V> {
    /// Copies the value of `key` to `out`; false when there is none.
    fn get(&mut self, key: &K, out: &mut V) -> bool;
    /// Inserts or overwrites.
    fn set(&mut self, key: &K, value: &V);
    /// Removes; false when there was nothing to remove.
    fn remove(&mut self, key: &K) -> bool;
    /// Replaces an existing value by what `change` makes of it; false when there is none.
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool;

    /// Copies the values of `keys` to the same places of `out`; how many were found.
    ///
    /// An engine without batches does single gets.
    fn get_many(&mut self, keys: &[K], out: &mut [V]) -> usize {
        keys.iter().zip(out).map(|(key, out)| usize::from(self.get(key, out))).sum()
    }
}

/// An engine's name and the class it competes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Card {
    /// Column title, and name on the command line.
    pub name: &'static str,
    /// Whether it is ours.
    pub side: Side,
    /// What a thread holds between two calls.
    pub hold: Hold,
    /// Optional engines run only when the command line names them.
    pub optional: bool,
}

/// Whose engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// rkv.
    Own,
    /// Somebody else's.
    Rival,
}

/// What a thread holds between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Nothing: every call pins or locks for itself.
    Nothing,
    /// A pin, renewed every [`SESSION_OPERATIONS`] calls.
    Session,
}

/// How many operations a pin is held over.
pub const SESSION_OPERATIONS: u32 = 64;

impl Card {
    /// The card of a rival whose calls stand alone.
    pub const fn rival(name: &'static str) -> Card {
        Card { name, side: Side::Rival, hold: Hold::Nothing, optional: false }
    }

    /// The card of one of rkv's engines whose calls stand alone.
    pub const fn own(name: &'static str) -> Card {
        Card { name, side: Side::Own, hold: Hold::Nothing, optional: false }
    }

    /// The same with a pin held over several calls.
    pub const fn session(self) -> Card {
        Card { hold: Hold::Session, ..self }
    }

    /// The same, left out unless it is asked for.
    pub const fn optional(self) -> Card {
        Card { optional: true, ..self }
    }
}

/// A pin that is dropped and taken again every [`SESSION_OPERATIONS`] uses.
pub struct HeldPin<P> {
    pin: Option<P>,
    uses_left: u32,
}

impl<P> HeldPin<P> {
    /// No pin yet.
    pub fn new() -> HeldPin<P> {
        HeldPin { pin: None, uses_left: 0 }
    }

    /// The pin for one operation; `pin` takes a fresh one when the old one is used up.
    #[inline]
    pub fn current(&mut self, pin: impl FnOnce() -> P) -> &mut P {
        if self.uses_left == 0 {
            // Drop first: a second pin beside the old one would prolong it.
            self.pin = None;
            self.uses_left = SESSION_OPERATIONS;
        }
        self.uses_left -= 1;
        self.pin.get_or_insert_with(pin)
    }
}

impl<P> Default for HeldPin<P> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn pin_is_renewed_after_its_operations_and_never_doubled() {
        let alive = Rc::new(());
        let mut held = HeldPin::new();
        let mut pins = 0;
        for _ in 0..SESSION_OPERATIONS * 3 {
            held.current(|| {
                assert_eq!(Rc::strong_count(&alive), 1, "the old pin still lives");
                pins += 1;
                Rc::clone(&alive)
            });
        }
        assert_eq!(pins, 3);
    }
}
