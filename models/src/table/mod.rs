//! The table: buckets, links, several generations of tables, and the operations on them.
//!
//! This is one state machine, in the form that the engine's `table/` has: `find` (with get),
//! `insert` (with replace), `remove`, `migrate`. The files `steady`, `link`, `resize`, `overflow`
//! and `version` give it shapes and programs, and say which ruling each backs.
//!
//! One step is one atomic access. Every operation starts at the oldest table, and goes to the next
//! only by MOVED: the most lagging thread there can be.

mod find;
mod insert;
mod layout;
mod migrate;
mod program;
mod remove;
mod word;

pub(crate) use find::BIT_WITHOUT_LINK;
pub(crate) use insert::VERSION_SHRANK;
pub(crate) use layout::Shape;
pub(crate) use migrate::CHILD_OVERFLOW;
pub(crate) use program::Case;

use std::fmt;

use crate::explore::{At, Protocol, Step};
use layout::Layout;
use migrate::Unit;
use program::Op;
use word::{Header, KEYS, Record, Slot};

const WORDS: usize = 24;

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bug {
    /// Get trusts a match without reading the header again.
    GetWithoutRecheck,
    /// Replace and remove trust a match without reading the header again.
    WriteWithoutRecheck,
    /// Insert claims a slot without reading the header again.
    ClaimWithoutValidation,
    /// Remove leaves EMPTY with generation 0.
    GenerationZero,
    /// Insert sets its bit in whatever header there is.
    PublishWithoutCompare,
    /// Insert that fails to publish tries again under the new header, without a find.
    PublishWithoutFind,
    /// Insert that fails to publish leaves its claim standing.
    ClaimNotUndone,
    /// Remove clears its bit in whatever header there is.
    BlindClear,
    /// Insert publishes a bit of its private link and attaches the link after that.
    PublishBeforeAttach,
    /// Insert stores the link word.
    BlindAttach,
    /// Migration does not freeze slots.
    NoSlotFreeze,
    /// Migration stores into the slots of the child.
    BlindFill,
    /// Insert publishes into a FROZEN bucket.
    PublishIntoFrozen,
    /// Migration does not care for the parents of the bucket.
    NoParentsFirst,
    /// A merge freezes and moves one parent by itself.
    OneParent,
    /// A merge that does not fit has nowhere to go.
    NoOverflow,
    /// Versions come from a shared counter, fetched once per operation.
    CounterOnce,
    /// The floor is loaded once per operation.
    FloorOnce,
    /// Remove raises the floor after its unlink.
    FloorLate,
}

/// The table with a shape, a first content, programs, and at most one bug.
#[derive(Debug)]
pub(crate) struct Table {
    layout: Layout,
    words: usize,
    content: Vec<(u8, Vec<Record>)>,
    programs: Vec<Vec<Op>>,
    versions: bool,
    bug: Option<Bug>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    words: [u16; WORDS],
    /// The one stripe's version floor (or shared counter).
    floor: u8,
    /// Ghost: the version of each key's last change.
    last: [u8; KEYS],
}

impl fmt::Debug for Memory {
    /// The words, in the order of the layout.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        for word in &self.words[..used] {
            write!(f, "{word:04x} ")?;
        }
        write!(f, "floor {}", self.floor)
    }
}

/// The next atomic access of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
enum Next {
    #[default]
    Start,
    FindHeader,
    FindLink,
    FindSlot,
    Recheck,
    Version,
    Replace,
    FreeLink,
    FreeAttach,
    FreeSlot,
    ClearStale,
    Validate,
    Claim,
    Publish,
    AttachLate,
    Undo,
    RaiseFloor,
    Unlink,
    RaiseLate,
    ClearHeader,
    ClearSlot,
    Clear,
    Parents,
    Freeze,
    FreezeHeader,
    FreezeLink,
    FreezeSlot,
    FreezeSlotSwap,
    Fill,
    FillLink,
    FillAttach,
    Mark,
    MarkSwap,
    MigrateCheck,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Local {
    next: Next,
    table: u8,
    bucket: u8,
    link: u8,
    header: Header,
    slot: u8,
    word: Slot,
    version: u8,
    unit: Unit,
}

impl fmt::Debug for Local {
    /// The next access and what it acts on; a helper's unit only while there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}.{}", self.next, self.table, self.bucket)?;
        write!(f, " slot {} {:?}, {:?}", self.slot, self.word, self.header)?;
        if self.unit != Unit::default() {
            write!(f, ", {:?}", self.unit)?;
        }
        Ok(())
    }
}

/// What an operation returns: the record found or displaced.
type Answer = Option<Record>;

/// One thread about to take one step.
struct Machine<'a> {
    table: &'a Table,
    thread: u8,
    op: Op,
    memory: &'a mut Memory,
    local: &'a mut Local,
}

impl Machine<'_> {
    fn has(&self, bug: Bug) -> bool {
        self.table.bug == Some(bug)
    }

    fn layout(&self) -> &Layout {
        &self.table.layout
    }

    fn load_header(&self, table: u8, bucket: u8) -> Header {
        Header(self.memory.words[self.layout().header(table, bucket)])
    }

    fn swap_header(
        &mut self,
        table: u8,
        bucket: u8,
        old: Header,
        new: Header,
    ) -> Result<(), Header> {
        let address = self.layout().header(table, bucket);
        self.swap(address, old.0, new.0).map_err(Header)
    }

    /// The header of the bucket the thread is at.
    fn header_here(&self) -> Header {
        self.load_header(self.local.table, self.local.bucket)
    }

    fn swap_header_here(&mut self, old: Header, new: Header) -> Result<(), Header> {
        self.swap_header(self.local.table, self.local.bucket, old, new)
    }

    /// The address of slot `local.slot` of the bucket the thread is at.
    fn slot_here(&self) -> usize {
        let Local { table, bucket, slot, link, .. } = *self.local;
        self.layout().slot(table, bucket, slot, link)
    }

    fn load_slot(&self, address: usize) -> Slot {
        Slot(self.memory.words[address])
    }

    fn swap_slot(&mut self, address: usize, old: Slot, new: Slot) -> Result<(), Slot> {
        self.swap(address, old.0, new.0).map_err(Slot)
    }

    fn load_link(&self, table: u8, bucket: u8) -> u8 {
        self.memory.words[self.layout().link(table, bucket)] as u8
    }

    /// Attaches the thread's private link bucket; returns the number of the one that is attached.
    fn attach(&mut self, table: u8, bucket: u8) -> u8 {
        let address = self.layout().link(table, bucket);
        let own = self.thread + 1;
        match self.swap(address, 0, own as u16) {
            Ok(()) => own,
            Err(other) => other as u8,
        }
    }

    fn swap(&mut self, address: usize, old: u16, new: u16) -> Result<(), u16> {
        let word = &mut self.memory.words[address];
        if *word == old {
            *word = new;
            Ok(())
        } else {
            Err(*word)
        }
    }

    fn goto(&mut self, next: Next) -> Step<Answer> {
        self.local.next = next;
        Step::Continue
    }

    /// Starts the operation over, from the oldest table.
    fn restart(&mut self) -> Step<Answer> {
        let keeps_version = self.has(Bug::CounterOnce) || self.has(Bug::FloorOnce);
        let version = if keeps_version { self.local.version } else { 0 };
        *self.local = Local { version, ..Local::default() };
        Step::Continue
    }

    fn start(&mut self) -> Step<Answer> {
        if let Op::Migrate { table, bucket } = self.op {
            self.begin_unit(table, bucket);
            return self.step();
        }
        self.local.bucket = self.layout().home(0, self.op.key());
        self.find_header()
    }

    fn step(&mut self) -> Step<Answer> {
        match self.local.next {
            Next::Start => self.start(),
            Next::FindHeader => self.find_header(),
            Next::FindLink => self.find_link(),
            Next::FindSlot => self.find_slot(),
            Next::Recheck => self.recheck(),
            Next::Version => self.take_version(),
            Next::Replace => self.replace(),
            Next::FreeLink => self.free_link(),
            Next::FreeAttach => self.free_attach(),
            Next::FreeSlot => self.free_slot(),
            Next::ClearStale => self.clear_stale(),
            Next::Validate => self.validate(),
            Next::Claim => self.claim(),
            Next::Publish => self.publish(),
            Next::AttachLate => self.attach_late(),
            Next::Undo => self.undo(),
            Next::RaiseFloor => self.raise_floor(),
            Next::Unlink => self.unlink(),
            Next::RaiseLate => self.raise_late(),
            Next::ClearHeader => self.clear_header(),
            Next::ClearSlot => self.clear_slot(),
            Next::Clear => self.clear(),
            Next::Parents => self.parents(),
            Next::Freeze => self.freeze(),
            Next::FreezeHeader => self.freeze_header(),
            Next::FreezeLink => self.freeze_link(),
            Next::FreezeSlot => self.freeze_slot(),
            Next::FreezeSlotSwap => self.freeze_slot_swap(),
            Next::Fill => self.fill(),
            Next::FillLink => self.fill_link(),
            Next::FillAttach => self.fill_attach(),
            Next::Mark => self.mark(),
            Next::MarkSwap => self.mark_swap(),
            Next::MigrateCheck => self.migrate_check(),
        }
    }
}

impl Table {
    /// The published records of a bucket.
    fn published(&self, memory: &Memory, table: u8, bucket: u8) -> impl Iterator<Item = Slot> {
        let header = Header(memory.words[self.layout.header(table, bucket)]);
        let slots = self.slots(memory, table, bucket).into_iter().enumerate();
        slots.filter(move |(slot, _)| header.publishes(*slot as u8)).map(|(_, word)| word)
    }

    /// The words of a bucket's slots, those of an attached link included.
    fn slots(&self, memory: &Memory, table: u8, bucket: u8) -> Vec<Slot> {
        let layout = &self.layout;
        let link = if layout.has_links() { memory.words[layout.link(table, bucket)] } else { 0 };
        (0..layout.slots(table, bucket))
            .take_while(|slot| link != 0 || !layout.in_link(table, bucket, *slot))
            .map(|slot| Slot(memory.words[layout.slot(table, bucket, slot, link as u8)]))
            .collect()
    }

    fn check_bucket(
        &self,
        memory: &Memory,
        (table, bucket): (u8, u8),
        at_rest: bool,
    ) -> Result<(), &'static str> {
        let header = Header(memory.words[self.layout.header(table, bucket)]);
        let mut seen = [false; KEYS];
        for word in self.published(memory, table, bucket).filter(|word| word.is_live()) {
            if std::mem::replace(&mut seen[word.record().key()], true) {
                return Err("two published records of one key");
            }
        }
        if at_rest && header.is_normal() {
            for (slot, word) in self.slots(memory, table, bucket).into_iter().enumerate() {
                if word.is_live() != header.publishes(slot as u8) {
                    return Err("at rest, a claim stands unpublished or a bit without a record");
                }
            }
        }
        Ok(())
    }
}

impl Protocol for Table {
    type Shared = Memory;
    type Local = Local;
    type Op = Op;
    type Spec = [Option<Record>; KEYS];
    type Output = Answer;

    fn programs(&self) -> &[Vec<Op>] {
        &self.programs
    }

    fn shared(&self) -> Memory {
        assert!(self.words <= WORDS, "{} words: raise WORDS", self.words);
        let mut memory = Memory { words: [0; WORDS], floor: 0, last: [0; KEYS] };
        for (bucket, records) in &self.content {
            memory.words[self.layout.header(0, *bucket)] = Header::filled(records.len()).0;
            for (slot, record) in records.iter().enumerate() {
                let version = self.versions as u8;
                let address = self.layout.slot(0, *bucket, slot as u8, 0);
                memory.words[address] = Slot::live(*record, version).0;
                memory.last[record.key()] = version;
            }
        }
        memory
    }

    fn spec(&self) -> Self::Spec {
        let mut spec = [None; KEYS];
        for record in self.content.iter().flat_map(|(_, records)| records) {
            spec[record.key()] = Some(*record);
        }
        spec
    }

    fn apply(&self, mut spec: Self::Spec, op: Op) -> (Self::Spec, Answer) {
        let output = match op {
            Op::Get { key } => spec[key],
            Op::Put { record } => spec[record.key()].replace(record),
            Op::Remove { key } => spec[key].take(),
            Op::Migrate { .. } => None,
        };
        (spec, output)
    }

    fn step(&self, at: At<Op>, memory: &mut Memory, local: &mut Local) -> Step<Answer> {
        Machine { table: self, thread: at.thread as u8, op: at.op, memory, local }.step()
    }

    fn check(&self, memory: &Memory, at_rest: bool) -> Result<(), &'static str> {
        for table in 0..self.layout.tables() as u8 {
            for bucket in 0..self.layout.buckets(table) {
                self.check_bucket(memory, (table, bucket), at_rest)?;
            }
        }
        Ok(())
    }

    /// Each key's record in the bucket that has authority over it: the first that is not MOVED.
    fn settled(&self, memory: &Memory) -> Option<Self::Spec> {
        let mut content = [None; KEYS];
        for (key, found) in content.iter_mut().enumerate() {
            let authority = (0..self.layout.tables() as u8)
                .map(|table| (table, self.layout.home(table, key)))
                .find(|(t, b)| !Header(memory.words[self.layout.header(*t, *b)]).is_moved());
            let Some((table, bucket)) = authority else {
                continue;
            };
            let mut records = self.published(memory, table, bucket);
            *found = records.find(|word| word.holds(key)).map(Slot::record);
        }
        Some(content)
    }
}
