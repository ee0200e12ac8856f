//! The functions of kv.h against `HashMap`: good and bad handles, pointers, lengths and sizes.
//!
//! The model knows which handles are live. What a call must give follows from that and from the
//! content; a call with something wrong is refused with one of the statuses that its faults have,
//! and changes nothing. Bytes that a guard, a value or an iterator keeps readable are compared as
//! long as they must be there, so that a sanitizer sees them go too soon.

mod arguments;
mod batches;
mod callbacks;
mod iterators;
mod keys;
mod model;
mod pins;
mod structures;
mod values;

use arbitrary::{Arbitrary, Unstructured};
use kv::*;

use arguments::{Handle, KeyArg, Room, ValueArg, choose};
use callbacks::{Nested, Wish};
use iterators::Iterator;
use model::Model;
use pins::Guard;
use values::Kept;

/// The calls to make.
#[derive(Debug)]
pub struct FfiProgram {
    calls: Vec<Call>,
}

impl<'a> Arbitrary<'a> for FfiProgram {
    /// As many calls as the bytes make: the derived form ends after every second one, and the model
    /// has much to remember.
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut calls = Vec::new();
        while !bytes.is_empty() {
            calls.push(bytes.arbitrary()?);
        }
        Ok(FfiProgram { calls })
    }
}

#[derive(Arbitrary, Debug)]
enum Call {
    Set(Handle, KeyArg, ValueArg),
    SetTtl(Handle, KeyArg, ValueArg, u16),
    SetIfAbsent(Handle, KeyArg, ValueArg, u16),
    CompareAndSwap(Handle, KeyArg, ValueArg, bool),
    Get(Handle, KeyArg, Room),
    GetDup(Handle, KeyArg),
    Contains(Handle, KeyArg),
    Delete(Handle, KeyArg),
    Incr(Handle, KeyArg, i64),
    Ttl(Handle, KeyArg),
    Expire(Handle, KeyArg, u16),
    Persist(Handle, KeyArg),
    Touch(Handle, KeyArg, u16),
    Clock(Handle, u16),
    Clear(Handle),
    GetMany(Handle, Vec<KeyArg>),
    SetMany(Handle, Vec<(KeyArg, ValueArg)>, u16),
    DeleteMany(Handle, Vec<KeyArg>),
    Keys(Handle, KeyArg),
    Scan(Handle, KeyArg, u8, Option<Nested>),
    Read(Handle, KeyArg, i8, Option<Nested>),
    Compute(Handle, KeyArg, Wish, Option<Nested>),
    GetValue(Handle, KeyArg),
    Take(Handle, KeyArg),
    ReadValue(Handle, u16),
    FreeValue(Handle),
    OpenIterator(Handle, KeyArg),
    Next(Handle, u16),
    CloseIterator(Handle),
    Pin(Handle),
    Repin(Handle),
    GetRef(Handle, KeyArg),
    GetManyRef(Handle, Vec<KeyArg>),
    Unpin(Handle),
    Stats(Handle, u16),
    Open(u16, u8, u8),
    Retain(Handle),
    Close(Handle),
    Flush,
}

/// Runs a program.
pub fn run_ffi(program: FfiProgram) {
    let mut world = World::new();
    for call in program.calls {
        world.step(call);
        world.counts();
    }
    world.end();
}

/// What there is. Of the handles that have ended, some are remembered.
struct World {
    store: kv_store_t,
    references: u32,
    /// The number of the store: what hangs on an earlier one is closed.
    serial: u32,
    model: Model,
    ended_stores: Vec<u64>,
    guards: Vec<Guard>,
    ended_guards: Vec<u64>,
    values: Vec<Kept>,
    ended_values: Vec<u64>,
    iterators: Vec<Iterator>,
    ended_iterators: Vec<u64>,
}

/// A store whose clock stands still.
fn opened() -> kv_store_t {
    let mut options = structures::options();
    options.flags = KV_MANUAL_CLOCK;
    let mut store = kv_store_t { id: 0 };
    // SAFETY: conventions 6 and 8.
    assert_eq!(unsafe { kv_open(&options, &mut store) }, KV_OK);
    store
}

impl World {
    fn new() -> Self {
        World {
            store: opened(),
            references: 1,
            serial: 0,
            model: Model::default(),
            ended_stores: Vec::new(),
            guards: Vec::new(),
            ended_guards: Vec::new(),
            values: Vec::new(),
            ended_values: Vec::new(),
            iterators: Vec::new(),
            ended_iterators: Vec::new(),
        }
    }

    fn step(&mut self, call: Call) {
        match call {
            Call::Set(store, key, value) => self.set(store, &key, &value),
            Call::SetTtl(store, key, value, ttl) => self.set_ttl(store, &key, &value, ttl),
            Call::SetIfAbsent(store, key, value, ttl) => {
                self.set_if_absent(store, &key, &value, ttl);
            }
            Call::CompareAndSwap(store, key, value, current) => {
                self.swap(store, &key, &value, current);
            }
            Call::Get(store, key, room) => self.get(store, &key, room),
            Call::GetDup(store, key) => self.get_dup(store, &key),
            Call::Contains(store, key) => self.contains(store, &key),
            Call::Delete(store, key) => self.delete(store, &key),
            Call::Incr(store, key, by) => self.incr(store, &key, by),
            Call::Ttl(store, key) => self.ttl(store, &key),
            Call::Expire(store, key, ttl) => self.expire(store, &key, ttl),
            Call::Persist(store, key) => self.persist(store, &key),
            Call::Touch(store, key, ttl) => self.touch(store, &key, ttl),
            Call::Clock(store, ms) => self.clock(store, ms),
            Call::Clear(store) => self.clear(store),
            Call::GetMany(store, keys) => self.get_many(store, &keys),
            Call::SetMany(store, pairs, ttl) => self.set_many(store, &pairs, ttl),
            Call::DeleteMany(store, keys) => self.delete_many(store, &keys),
            Call::Keys(store, prefix) => self.keys(store, &prefix),
            Call::Scan(store, prefix, stop, nested) => self.scan(store, &prefix, stop, nested),
            Call::Read(store, key, answer, nested) => self.read(store, &key, answer, nested),
            Call::Compute(store, key, wish, nested) => self.compute(store, &key, wish, nested),
            call => self.step_on_handles(call),
        }
    }

    fn step_on_handles(&mut self, call: Call) {
        match call {
            Call::GetValue(store, key) => self.get_value(store, &key, false),
            Call::Take(store, key) => self.get_value(store, &key, true),
            Call::ReadValue(value, size) => self.read_value(value, size),
            Call::FreeValue(value) => self.free_value(value),
            Call::OpenIterator(store, prefix) => self.open_iterator(store, &prefix),
            Call::Next(iterator, size) => self.next(iterator, size),
            Call::CloseIterator(iterator) => self.close_iterator(iterator),
            Call::Pin(store) => self.pin(store),
            Call::Repin(guard) => self.repin(guard),
            Call::GetRef(guard, key) => self.get_ref(guard, &key),
            Call::GetManyRef(guard, keys) => self.get_many_ref(guard, &keys),
            Call::Unpin(guard) => self.unpin(guard),
            Call::Stats(store, size) => self.stats(store, size),
            Call::Open(size, at, byte) => structures::open(size, at, byte),
            Call::Retain(store) => self.retain(store),
            Call::Close(store) => self.close(store),
            Call::Flush => assert_eq!(kv_flush(), KV_OK),
            call => unreachable!("{call:?} is a call on a store"),
        }
    }

    /// The store of a call, and what is wrong with it.
    fn pick(&self, handle: Handle) -> (kv_store_t, Vec<i32>) {
        let id = choose(handle, &[self.store.id], &self.ended_stores);
        let faults = if id == self.store.id { Vec::new() } else { vec![KV_ERR_CLOSED] };
        (kv_store_t { id }, faults)
    }

    /// A key is about to be written: iterators need not show it any more.
    fn writes(&mut self, key: &[u8]) {
        self.iterators.iter_mut().for_each(|iterator| iterator.forgets(key));
    }

    fn retain(&mut self, handle: Handle) {
        let (store, faults) = self.pick(handle);
        self.references += u32::from(!refused(kv_retain(store), &faults));
    }

    fn close(&mut self, handle: Handle) {
        let (store, faults) = self.pick(handle);
        if store.id == 0 {
            return assert_eq!(kv_close(store), KV_OK);
        }
        if refused(kv_close(store), &faults) {
            return;
        }
        self.references -= 1;
        if self.references == 0 {
            self.ended_stores.push(store.id);
            self.store = opened();
            (self.references, self.model) = (1, Model::default());
            self.serial += 1;
        }
    }

    /// The number of keys is right.
    fn counts(&self) {
        let mut count = 0;
        // SAFETY: convention 6.
        assert_eq!(unsafe { kv_count(self.store, &mut count) }, KV_OK);
        assert_eq!(count, self.model.len() as u64);
    }

    /// Compares everything, closes the store and then what outlives it.
    fn end(mut self) {
        let everything = Handle::good();
        self.keys(everything, &KeyArg::empty());
        for key in self.model.names() {
            self.get(everything, &KeyArg::good(&key), Room::Exact);
        }
        (0..self.references).for_each(|_| assert_eq!(kv_close(self.store), KV_OK));
        self.serial += 1;
        while !self.guards.is_empty() {
            self.unpin(everything);
        }
        while !self.iterators.is_empty() {
            self.close_iterator(everything);
        }
        assert_eq!(kv_flush(), KV_OK);
        while !self.values.is_empty() {
            self.read_value(everything, 0);
            self.free_value(everything);
        }
    }
}

/// Whether a call had to be refused; the status is then that of one of its faults.
fn refused(status: i32, faults: &[i32]) -> bool {
    assert_ne!(status, KV_ERR_PANIC);
    if faults.is_empty() {
        assert!(
            status >= 0 || status == KV_ERR_INVALID_TTL || NUMBERS.contains(&status),
            "{status}"
        );
        return false;
    }
    assert!(faults.contains(&status), "{status} is none of {faults:?}");
    true
}

/// What the content of a key can make of a sum.
const NUMBERS: [i32; 2] = [KV_ERR_NOT_A_NUMBER, KV_ERR_OVERFLOW];
