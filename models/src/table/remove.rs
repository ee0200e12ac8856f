//! Remove: unlink by a CAS of the slot to EMPTY, then clear the published bit.
//!
//! The generation in EMPTY is the version of the header under which the match was validated, so no
//! word of a slot ever returns. Anyone who meets a published EMPTY may clear the bit: a remover
//! that stops leaks nothing.

use super::word::{Header, Slot};
use super::{Answer, Bug, Machine, Next};
use crate::explore::Step;

impl Machine<'_> {
    pub(super) fn begin_remove(&mut self) -> Step<Answer> {
        if self.has(Bug::CounterOnce) {
            return self.goto(Next::Version);
        }
        self.local.version = self.local.word.version() + self.table.versions as u8;
        let raise = self.table.versions && !self.has(Bug::FloorLate);
        self.goto(if raise { Next::RaiseFloor } else { Next::Unlink })
    }

    /// Before the unlink, so that whoever finds the key absent finds the floor above it.
    pub(super) fn raise_floor(&mut self) -> Step<Answer> {
        self.memory.floor = self.memory.floor.max(self.local.version);
        self.goto(Next::Unlink)
    }

    pub(super) fn unlink(&mut self) -> Step<Answer> {
        let generation = self.local.header.version();
        let empty = Slot::empty(if self.has(Bug::GenerationZero) { 0 } else { generation });
        if self.swap_slot(self.slot_here(), self.local.word, empty).is_err() {
            return self.restart();
        }
        if let Err(what) = self.grow_version(self.local.version) {
            return Step::Broken(what);
        }
        self.goto(if self.has(Bug::FloorLate) { Next::RaiseLate } else { Next::ClearHeader })
    }

    pub(super) fn raise_late(&mut self) -> Step<Answer> {
        self.memory.floor = self.memory.floor.max(self.local.version);
        self.goto(Next::ClearHeader)
    }

    pub(super) fn clear_header(&mut self) -> Step<Answer> {
        let header = self.header_here();
        self.clear_under(header)
    }

    fn clear_under(&mut self, header: Header) -> Step<Answer> {
        if !header.publishes(self.local.slot) || !header.is_normal() {
            return self.removed();
        }
        self.local.header = header;
        self.goto(Next::ClearSlot)
    }

    pub(super) fn clear_slot(&mut self) -> Step<Answer> {
        if self.load_slot(self.slot_here()).is_live() {
            return self.removed();
        }
        self.goto(Next::Clear)
    }

    pub(super) fn clear(&mut self) -> Step<Answer> {
        let (header, slot) = (self.local.header, self.local.slot);
        match self.swap_header_here(header, header.without(slot)) {
            Ok(()) => self.removed(),
            Err(actual) if self.has(Bug::BlindClear) => {
                let address = self.layout().header(self.local.table, self.local.bucket);
                self.memory.words[address] = actual.without(slot).0;
                self.removed()
            }
            Err(actual) => self.clear_under(actual),
        }
    }

    fn removed(&mut self) -> Step<Answer> {
        Step::Return(Some(self.local.word.record()))
    }
}
