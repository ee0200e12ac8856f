//! A world whose garbage goes through a real epoch.

use std::rc::Rc;

use super::explore::Tidy;
use super::program::in_parallel;
use super::world::World;
use crate::epoch::{Domain, Guard, Participant};

/// A table and the domain that frees its garbage. A clone is another reference to the same.
pub(super) struct Stage<const S: usize, const L: usize> {
    pub(super) world: Rc<World<S, L>>,
    domain: Rc<Tidy<Domain>>,
}

/// What one thread does on a stage.
type Role<const S: usize, const L: usize, T> = Box<dyn FnOnce(&Stage<S, L>) -> T>;

impl<const S: usize, const L: usize> Clone for Stage<S, L> {
    fn clone(&self) -> Self {
        Self { world: Rc::clone(&self.world), domain: Rc::clone(&self.domain) }
    }
}

impl<const S: usize, const L: usize> Stage<S, L> {
    pub(super) fn new() -> Self {
        Self::with(World::new(0))
    }

    /// A stage whose threads use the blocks of freed records again.
    pub(super) fn reusing() -> Self {
        Self::with(World::reusing(0))
    }

    fn with(world: World<S, L>) -> Self {
        Self { world: Rc::new(world), domain: Rc::new(Tidy::new(Domain::new())) }
    }

    /// A participant of the calling thread.
    pub(super) fn enter(&self) -> Member {
        Member(Tidy::new(self.domain.register(0)))
    }

    /// Runs two roles at once, each on a thread of its own; what they return.
    pub(super) fn play<T: 'static>(
        &self,
        one: impl FnOnce(&Self) -> T + 'static,
        other: impl FnOnce(&Self) -> T + 'static,
    ) -> Vec<T> {
        let roles: [Role<S, L, T>; 2] = [Box::new(one), Box::new(other)];
        in_parallel(roles.map(|role| {
            let stage = self.clone();
            move |_| role(&stage)
        }))
    }

    /// Frees what is ready.
    pub(super) fn free_ready(&self) {
        self.domain.free_ready();
    }

    /// Ends the domain, which frees all that it was given, and the world.
    pub(super) fn finish(self) {
        drop(self.domain);
        self.world.finish();
    }
}

/// A participant in a model.
pub(super) struct Member(Tidy<Rc<Participant>>);

impl Member {
    pub(super) fn pin(&self) -> Tidy<Guard> {
        Tidy::new(self.0.pin())
    }

    /// Hands over and moves the epoch on until what was handed over can be ready: two steps of the
    /// epoch, if no reader holds it back, and a look at what they made ready.
    pub(super) fn flush(&self) {
        for _ in 0..3 {
            self.0.flush();
        }
    }
}
