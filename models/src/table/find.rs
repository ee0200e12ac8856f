//! Find, and the get that it is.
//!
//! Load the header; go through its published slots; a match is trusted only after the header was
//! read again and is the same. No match needs no second look: absence holds at the load of the
//! header. A slot behind the primary ones is reached through the link word.

use super::{Answer, Bug, Machine, Next, Op};
use crate::explore::Step;

impl Machine<'_> {
    pub(super) fn find_header(&mut self) -> Step<Answer> {
        let header = self.header_here();
        if header.is_moved() {
            self.local.table += 1;
            self.local.bucket = self.layout().home(self.local.table, self.op.key());
            return self.goto(Next::FindHeader);
        }
        self.local.header = header;
        self.scan_from(0)
    }

    fn scan_from(&mut self, start: u8) -> Step<Answer> {
        let Some(slot) = self.local.header.next_published(start) else {
            return self.absent();
        };
        self.local.slot = slot;
        let behind = self.layout().in_link(self.local.table, self.local.bucket, slot);
        self.goto(if behind && self.local.link == 0 { Next::FindLink } else { Next::FindSlot })
    }

    pub(super) fn find_link(&mut self) -> Step<Answer> {
        self.local.link = self.load_link(self.local.table, self.local.bucket);
        if self.local.link == 0 {
            return Step::Broken(BIT_WITHOUT_LINK);
        }
        self.goto(Next::FindSlot)
    }

    pub(super) fn find_slot(&mut self) -> Step<Answer> {
        let word = self.load_slot(self.slot_here());
        if !word.holds(self.op.key()) {
            return self.scan_from(self.local.slot + 1);
        }
        self.local.word = word;
        let get = matches!(self.op, Op::Get { .. });
        let bug = if get { Bug::GetWithoutRecheck } else { Bug::WriteWithoutRecheck };
        if self.has(bug) { self.present() } else { self.goto(Next::Recheck) }
    }

    pub(super) fn recheck(&mut self) -> Step<Answer> {
        if self.header_here() == self.local.header { self.present() } else { self.restart() }
    }

    /// A published record of the key was found: from here on "the slot still holds this word" means
    /// "this record is still published".
    fn present(&mut self) -> Step<Answer> {
        let word = self.local.word;
        match self.op {
            Op::Get { .. } => Step::Return(Some(word.record())),
            Op::Put { .. } | Op::Remove { .. } if word.is_frozen() => self.help(),
            Op::Put { .. } => self.begin_replace(),
            Op::Remove { .. } => self.begin_remove(),
            Op::Migrate { .. } => unreachable!("a migration looks for no key"),
        }
    }

    fn absent(&mut self) -> Step<Answer> {
        match self.op {
            Op::Put { .. } if self.local.header.is_frozen() => self.help(),
            Op::Put { .. } => self.begin_insert(),
            _ => Step::Return(None),
        }
    }
}

/// A reader would follow a link word of 0.
pub(crate) const BIT_WITHOUT_LINK: &str = "a published bit without a link";
