//! Put: replace what is there, or insert what is not.
//!
//! Insert: find a free slot (attach a link if the primary ones are taken), read the header again,
//! claim the slot by CAS, publish by a CAS of the header. If that CAS fails the claim is undone and
//! the operation starts again from find; if it fails because the bucket is FROZEN the claim stays,
//! as nobody will ever look at it.

use super::word::{Header, Slot};
use super::{Answer, Bug, Machine, Next, Op};
use crate::explore::Step;

impl Machine<'_> {
    fn new_word(&self) -> Slot {
        let Op::Put { record } = self.op else { unreachable!("only put writes records") };
        Slot::live(record, self.local.version)
    }

    pub(super) fn begin_replace(&mut self) -> Step<Answer> {
        if self.has(Bug::CounterOnce) {
            return self.goto(Next::Version);
        }
        self.local.version = self.local.word.version() + self.table.versions as u8;
        self.goto(Next::Replace)
    }

    pub(super) fn replace(&mut self) -> Step<Answer> {
        let (address, old) = (self.slot_here(), self.local.word);
        match self.swap_slot(address, old, self.new_word()) {
            Ok(()) => self.changed(self.local.version, Some(old)),
            Err(_) => self.restart(),
        }
    }

    pub(super) fn begin_insert(&mut self) -> Step<Answer> {
        self.look_free(0)
    }

    fn look_free(&mut self, slot: u8) -> Step<Answer> {
        let (table, bucket) = (self.local.table, self.local.bucket);
        if slot >= self.layout().slots(table, bucket) {
            // Full. Without a newer table the engine would allocate one: here the thread looks
            // again.
            return if self.layout().is_last(table) { self.restart() } else { self.help() };
        }
        self.local.slot = slot;
        let behind = self.layout().in_link(table, bucket, slot);
        self.goto(if behind && self.local.link == 0 { Next::FreeLink } else { Next::FreeSlot })
    }

    pub(super) fn free_link(&mut self) -> Step<Answer> {
        self.local.link = self.load_link(self.local.table, self.local.bucket);
        if self.local.link != 0 {
            return self.goto(Next::FreeSlot);
        }
        if self.has(Bug::PublishBeforeAttach) {
            self.local.link = self.thread + 1;
            return self.goto(Next::FreeSlot);
        }
        self.goto(Next::FreeAttach)
    }

    pub(super) fn free_attach(&mut self) -> Step<Answer> {
        let (table, bucket) = (self.local.table, self.local.bucket);
        if self.has(Bug::BlindAttach) {
            let address = self.layout().link(table, bucket);
            self.memory.words[address] = 0;
        }
        self.local.link = self.attach(table, bucket);
        self.goto(Next::FreeSlot)
    }

    pub(super) fn free_slot(&mut self) -> Step<Answer> {
        let (header, slot) = (self.local.header, self.local.slot);
        let word = self.load_slot(self.slot_here());
        if word.is_live() || word.is_frozen() {
            return self.look_free(slot + 1);
        }
        if header.publishes(slot) {
            return self.goto(Next::ClearStale);
        }
        self.local.word = word;
        self.goto(if self.has(Bug::ClaimWithoutValidation) { Next::Claim } else { Next::Validate })
    }

    /// Helps a remover that has not yet cleared its bit.
    pub(super) fn clear_stale(&mut self) -> Step<Answer> {
        let header = self.local.header;
        // A failure means that the header changed: either way the operation starts over.
        let _ = self.swap_header_here(header, header.without(self.local.slot));
        self.restart()
    }

    pub(super) fn validate(&mut self) -> Step<Answer> {
        if self.header_here() != self.local.header {
            return self.restart();
        }
        self.goto(if self.table.versions { Next::Version } else { Next::Claim })
    }

    /// Takes the version of a create from the floor, after the find that the publishing CAS
    /// validates.
    pub(super) fn take_version(&mut self) -> Step<Answer> {
        let kept = self.has(Bug::CounterOnce) || self.has(Bug::FloorOnce);
        if !(kept && self.local.version != 0) {
            self.local.version = self.memory.floor + 1;
            if self.has(Bug::CounterOnce) {
                self.memory.floor += 1;
            }
        }
        let replacing = self.local.word.is_live();
        self.goto(match self.op {
            Op::Remove { .. } => Next::Unlink,
            _ if replacing => Next::Replace,
            _ => Next::Claim,
        })
    }

    pub(super) fn claim(&mut self) -> Step<Answer> {
        match self.swap_slot(self.slot_here(), self.local.word, self.new_word()) {
            Ok(()) => self.goto(Next::Publish),
            Err(_) => self.restart(),
        }
    }

    pub(super) fn publish(&mut self) -> Step<Answer> {
        let header = self.local.header;
        match self.swap_header_here(header, header.with(self.local.slot)) {
            Ok(()) => self.published(),
            Err(actual) => self.publish_failed(actual),
        }
    }

    fn published(&mut self) -> Step<Answer> {
        let (table, bucket) = (self.local.table, self.local.bucket);
        let behind = self.layout().in_link(table, bucket, self.local.slot);
        if behind && self.has(Bug::PublishBeforeAttach) {
            return self.goto(Next::AttachLate);
        }
        self.changed(self.local.version, None)
    }

    fn publish_failed(&mut self, actual: Header) -> Step<Answer> {
        let anyway = self.has(Bug::PublishWithoutCompare)
            || (self.has(Bug::PublishIntoFrozen) && actual.is_frozen());
        if anyway {
            let address = self.layout().header(self.local.table, self.local.bucket);
            self.memory.words[address] = actual.with(self.local.slot).0;
            return self.published();
        }
        if self.has(Bug::PublishWithoutFind) && actual.is_normal() {
            self.local.header = actual;
            return self.goto(Next::Publish);
        }
        if self.has(Bug::ClaimNotUndone) || !actual.is_normal() {
            return self.restart();
        }
        self.goto(Next::Undo)
    }

    /// The slot was never published, so the same generation may return to it.
    pub(super) fn undo(&mut self) -> Step<Answer> {
        let address = self.slot_here();
        self.memory.words[address] = self.local.word.0;
        self.restart()
    }

    pub(super) fn attach_late(&mut self) -> Step<Answer> {
        self.attach(self.local.table, self.local.bucket);
        self.changed(self.local.version, None)
    }

    /// The operation took effect with `version` and displaced `old`.
    pub(super) fn changed(&mut self, version: u8, old: Option<Slot>) -> Step<Answer> {
        match self.grow_version(version) {
            Ok(()) => Step::Return(old.map(Slot::record)),
            Err(what) => Step::Broken(what),
        }
    }

    /// Ghost: versions of one key grow strictly, in the order of the changes.
    pub(super) fn grow_version(&mut self, version: u8) -> Result<(), &'static str> {
        let last = &mut self.memory.last[self.op.key()];
        if self.table.versions && version <= *last {
            return Err(VERSION_SHRANK);
        }
        *last = version;
        Ok(())
    }
}

/// A key got a version that does not exceed its last one.
pub(crate) const VERSION_SHRANK: &str = "a version that does not grow";
