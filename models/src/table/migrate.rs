//! Migration: any thread moves one unit, all parents of one child (or the one parent of two).
//!
//! Parents first: while a parent of the bucket, one table up, is not MOVED, that one is migrated
//! instead. Then: freeze the headers, freeze the published slots and collect their words (the
//! content cannot change any more, so all helpers collect the same), fill the children at positions
//! that follow from the content by CAS from 0, publish each child by a CAS of its header from 0,
//! mark the parents MOVED. A merge that does not fit goes to the grandchildren, and the child is
//! born MOVED.

use std::fmt;

use super::word::{Header, Slot};
use super::{Answer, Bug, Local, Machine, Next, Op};
use crate::explore::Step;

const UNIT_PARENTS: usize = 2;
const UNIT_WORDS: usize = 4;

/// Where a helper stands with its unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Unit {
    table: u8,
    bucket: u8,
    parent: u8,
    headers: [Header; UNIT_PARENTS],
    words: [Slot; UNIT_WORDS],
    count: u8,
    action: u8,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = &self.words[..self.count as usize];
        write!(f, "unit {}.{} parent {}", self.table, self.bucket, self.parent)?;
        write!(f, " words {words:?} action {}", self.action)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Fill { table: u8, bucket: u8, slot: u8, word: Slot },
    Header { table: u8, bucket: u8, header: Header },
}

impl Machine<'_> {
    /// Helps the bucket over that the thread is at, then starts over.
    pub(super) fn help(&mut self) -> Step<Answer> {
        let (table, bucket) = (self.local.table, self.local.bucket);
        self.restart();
        self.begin_unit(table, bucket);
        Step::Continue
    }

    pub(super) fn begin_unit(&mut self, table: u8, bucket: u8) {
        let version = self.local.version;
        *self.local = Local { version, ..Local::default() };
        self.local.unit = Unit { table, bucket, ..Unit::default() };
        if table == 0 || self.has(Bug::NoParentsFirst) {
            self.settle_unit();
        } else {
            self.local.next = Next::Parents;
        }
    }

    /// The unit's parents are MOVED: name it by its first bucket, and freeze.
    fn settle_unit(&mut self) {
        let unit = self.local.unit;
        let bucket = self.unit_parents()[0];
        self.local.unit = Unit { table: unit.table, bucket, ..Unit::default() };
        self.local.next = Next::Freeze;
    }

    fn unit_parents(&self) -> Vec<u8> {
        let Unit { table, bucket, .. } = self.local.unit;
        if self.has(Bug::OneParent) {
            return vec![bucket];
        }
        let child = self.layout().children(table, bucket)[0];
        self.layout().parents(table + 1, child).to_vec()
    }

    pub(super) fn parents(&mut self) -> Step<Answer> {
        let Unit { table, bucket, parent, .. } = self.local.unit;
        let parents = self.layout().parents(table, bucket);
        let (above, count) = (parents[parent as usize], parents.len() as u8);
        if !self.load_header(table - 1, above).is_moved() {
            self.begin_unit(table - 1, above);
        } else if parent + 1 < count {
            self.local.unit.parent += 1;
        } else {
            self.settle_unit();
        }
        Step::Continue
    }

    /// The parent that is being worked on.
    fn parent(&self) -> u8 {
        self.unit_parents()[self.local.unit.parent as usize]
    }

    pub(super) fn freeze(&mut self) -> Step<Answer> {
        let header = self.load_header(self.local.unit.table, self.parent());
        self.freeze_under(header)
    }

    fn freeze_under(&mut self, header: Header) -> Step<Answer> {
        let unit = &mut self.local.unit;
        unit.headers[unit.parent as usize] = header;
        if header.is_normal() {
            return self.goto(Next::FreezeHeader);
        }
        if header.is_moved() {
            // Some helper has filled the children: only the marks may be missing.
            unit.headers = [Header::default(); UNIT_PARENTS];
            return self.begin_marks();
        }
        self.header_frozen()
    }

    pub(super) fn freeze_header(&mut self) -> Step<Answer> {
        let unit = self.local.unit;
        let header = unit.headers[unit.parent as usize];
        match self.swap_header(unit.table, self.parent(), header, header.frozen()) {
            Ok(()) => self.freeze_under(header.frozen()),
            Err(actual) => self.freeze_under(actual),
        }
    }

    fn header_frozen(&mut self) -> Step<Answer> {
        if (self.local.unit.parent as usize) + 1 < self.unit_parents().len() {
            self.local.unit.parent += 1;
            return self.goto(Next::Freeze);
        }
        self.local.unit.parent = 0;
        self.freeze_from(0)
    }

    /// Goes to the next published slot of the parents, or on to the children.
    fn freeze_from(&mut self, start: u8) -> Step<Answer> {
        let unit = self.local.unit;
        if let Some(slot) = unit.headers[unit.parent as usize].next_published(start) {
            self.local.slot = slot;
            let behind = self.layout().in_link(unit.table, self.parent(), slot);
            let no_link = self.local.link == 0;
            return self.goto(if behind && no_link { Next::FreezeLink } else { Next::FreezeSlot });
        }
        self.local.link = 0;
        if (unit.parent as usize) + 1 < self.unit_parents().len() {
            self.local.unit.parent += 1;
            return self.freeze_from(0);
        }
        self.begin_fill()
    }

    pub(super) fn freeze_link(&mut self) -> Step<Answer> {
        self.local.link = self.load_link(self.local.unit.table, self.parent());
        if self.local.link == 0 {
            return Step::Broken(super::find::BIT_WITHOUT_LINK);
        }
        self.goto(Next::FreezeSlot)
    }

    fn parent_slot(&self) -> usize {
        let Local { slot, link, .. } = *self.local;
        self.layout().slot(self.local.unit.table, self.parent(), slot, link)
    }

    pub(super) fn freeze_slot(&mut self) -> Step<Answer> {
        let word = self.load_slot(self.parent_slot());
        if self.has(Bug::NoSlotFreeze) { self.collect(word) } else { self.freeze_word(word) }
    }

    fn freeze_word(&mut self, word: Slot) -> Step<Answer> {
        if word.is_frozen() {
            return self.collect(word);
        }
        self.local.word = word;
        self.goto(Next::FreezeSlotSwap)
    }

    pub(super) fn freeze_slot_swap(&mut self) -> Step<Answer> {
        let word = self.local.word;
        match self.swap_slot(self.parent_slot(), word, word.frozen()) {
            Ok(()) => self.collect(word.frozen()),
            Err(actual) => self.freeze_word(actual),
        }
    }

    fn collect(&mut self, word: Slot) -> Step<Answer> {
        if word.is_live() {
            let unit = &mut self.local.unit;
            unit.words[unit.count as usize] = word.thawed();
            unit.count += 1;
        }
        self.local.word = Slot::default();
        self.freeze_from(self.local.slot + 1)
    }

    /// The writes that follow from the content; nothing if it does not fit anywhere.
    fn plan(&self) -> Option<Vec<Action>> {
        let unit = self.local.unit;
        let (child_table, mut plan) = (unit.table + 1, Vec::new());
        for child in self.layout().children(unit.table, unit.bucket) {
            if self.plan_bucket(child_table, *child, &mut plan) {
                continue;
            }
            if self.has(Bug::NoOverflow) || self.layout().is_last(child_table) {
                return None;
            }
            for grandchild in self.layout().children(child_table, *child) {
                if !self.plan_bucket(child_table + 1, *grandchild, &mut plan) {
                    return None;
                }
            }
            let header = Header::born_moved();
            plan.push(Action::Header { table: child_table, bucket: *child, header });
        }
        Some(plan)
    }

    /// Plans to fill and publish one bucket with its share; false if that does not fit.
    fn plan_bucket(&self, table: u8, bucket: u8, plan: &mut Vec<Action>) -> bool {
        let words = &self.local.unit.words[..self.local.unit.count as usize];
        let at_home = |word: &&Slot| self.layout().home(table, word.record().key()) == bucket;
        let count = words.iter().filter(at_home).count();
        if count > self.layout().slots(table, bucket) as usize {
            return false;
        }
        for (slot, word) in words.iter().filter(at_home).enumerate() {
            plan.push(Action::Fill { table, bucket, slot: slot as u8, word: *word });
        }
        plan.push(Action::Header { table, bucket, header: Header::filled(count) });
        true
    }

    fn begin_fill(&mut self) -> Step<Answer> {
        self.local.slot = 0;
        self.local.unit.parent = 0;
        self.local.unit.headers = [Header::default(); UNIT_PARENTS];
        if self.plan().is_none() { Step::Broken(CHILD_OVERFLOW) } else { self.next_action(0) }
    }

    fn action(&self) -> Action {
        self.plan().expect("the plan was made before")[self.local.unit.action as usize]
    }

    fn next_action(&mut self, action: u8) -> Step<Answer> {
        self.local.unit.action = action;
        if action as usize == self.plan().expect("the plan was made before").len() {
            return self.begin_marks();
        }
        let (behind, no_link) = match self.action() {
            Action::Fill { table, bucket, slot, .. } => {
                (self.layout().in_link(table, bucket, slot), self.local.link == 0)
            }
            Action::Header { .. } => (false, false),
        };
        self.goto(if behind && no_link { Next::FillLink } else { Next::Fill })
    }

    fn child(&self) -> (u8, u8) {
        match self.action() {
            Action::Fill { table, bucket, .. } | Action::Header { table, bucket, .. } => {
                (table, bucket)
            }
        }
    }

    pub(super) fn fill_link(&mut self) -> Step<Answer> {
        let (table, bucket) = self.child();
        self.local.link = self.load_link(table, bucket);
        self.goto(if self.local.link == 0 { Next::FillAttach } else { Next::Fill })
    }

    pub(super) fn fill_attach(&mut self) -> Step<Answer> {
        let (table, bucket) = self.child();
        self.local.link = self.attach(table, bucket);
        self.goto(Next::Fill)
    }

    pub(super) fn fill(&mut self) -> Step<Answer> {
        // A failed CAS of either kind means that another helper did this before.
        match self.action() {
            Action::Fill { table, bucket, slot, word } => {
                let address = self.layout().slot(table, bucket, slot, self.local.link);
                if self.has(Bug::BlindFill) {
                    self.memory.words[address] = word.0;
                }
                let _ = self.swap_slot(address, Slot::default(), word);
            }
            Action::Header { table, bucket, header } => {
                let _ = self.swap_header(table, bucket, Header::default(), header);
                self.local.link = 0;
            }
        }
        self.next_action(self.local.unit.action + 1)
    }

    fn begin_marks(&mut self) -> Step<Answer> {
        let Unit { table, bucket, .. } = self.local.unit;
        self.local.unit = Unit { table, bucket, ..Unit::default() };
        self.goto(Next::Mark)
    }

    pub(super) fn mark(&mut self) -> Step<Answer> {
        let header = self.load_header(self.local.unit.table, self.parent());
        if !header.is_frozen() {
            return self.marked();
        }
        self.local.header = header;
        self.goto(Next::MarkSwap)
    }

    pub(super) fn mark_swap(&mut self) -> Step<Answer> {
        let header = self.local.header;
        // FROZEN turns into MOVED and nothing else: a failure means that it is marked.
        let _ = self.swap_header(self.local.unit.table, self.parent(), header, header.moved());
        self.local.header = Header::default();
        self.marked()
    }

    fn marked(&mut self) -> Step<Answer> {
        if (self.local.unit.parent as usize) + 1 < self.unit_parents().len() {
            self.local.unit.parent += 1;
            return self.goto(Next::Mark);
        }
        if matches!(self.op, Op::Migrate { .. }) {
            return self.goto(Next::MigrateCheck);
        }
        self.restart()
    }

    /// The unit may have been one of an older table: a migration ends when its own bucket is MOVED.
    pub(super) fn migrate_check(&mut self) -> Step<Answer> {
        let Op::Migrate { table, bucket } = self.op else { unreachable!("only for migrations") };
        if self.load_header(table, bucket).is_moved() || self.has(Bug::NoParentsFirst) {
            return Step::Return(None);
        }
        self.begin_unit(table, bucket);
        Step::Continue
    }
}

/// A merge that does not fit into the child.
pub(crate) const CHILD_OVERFLOW: &str = "a merge does not fit into the child";
