//! Engines of different types behind one interface, for the runner.
//!
//! The type is erased around a whole run, so that the loop inside is compiled for its engine.

use crate::drive::{self, Effort, Measurement};
use crate::engine::{Card, Engine};
use crate::keys::{Key, Value};
use crate::latency::growth::{self, Growth};
use crate::workload::{Draw, Mix};
use std::marker::PhantomData;

/// An engine that can take part.
pub struct Entrant {
    /// Its name and class.
    pub card: Card,
    /// Makes one with room for so many entries and fills it.
    pub prefilled: fn(u64) -> Box<dyn Loaded>,
    /// Grows one from empty to so many entries by so many threads.
    pub grow: fn(u64, usize) -> Measurement,
    /// The same, with the time of every operation.
    pub growth: fn(u64, usize) -> Growth,
}

/// A prefilled engine.
pub trait Loaded: Send {
    /// See [`drive::mixed`].
    fn mixed(&self, effort: Effort<'_>, mix: Mix, draw: Draw) -> Measurement;
    /// See [`drive::batches`].
    fn batches(&self, effort: Effort<'_>, batch: usize) -> Measurement;
}

/// The entrant of the engine `E`.
pub fn entrant<K: Key, V: Value, E: Engine<K, V>>() -> Entrant {
    Entrant {
        card: E::CARD,
        prefilled: |entries| {
            let engine = E::with_room(entries as usize);
            drive::prefill(&engine, entries);
            Box::new(Of { engine, types: PhantomData::<fn(K, V)> })
        },
        grow: drive::grow::<K, V, E>,
        growth: growth::grow::<K, V, E>,
    }
}

struct Of<K, V, E> {
    engine: E,
    types: PhantomData<fn(K, V)>,
}

impl<K: Key, V: Value, E: Engine<K, V>> Loaded for Of<K, V, E> {
    fn mixed(&self, effort: Effort<'_>, mix: Mix, draw: Draw) -> Measurement {
        drive::mixed(&self.engine, effort, mix, draw)
    }

    fn batches(&self, effort: Effort<'_>, batch: usize) -> Measurement {
        drive::batches(&self.engine, effort, batch)
    }
}
