//! rkv's byte store: each call for itself, and through a session.

use crate::engine::{Card, Engine, Handle};
use crate::keys::{ByteKey, ByteValue};
use rkv::{Error, Session, Store};

/// Each call pins for itself.
pub(super) struct StorePerCall(Store);

/// Calls go through a session, which owns a pin of its own.
pub(super) struct StoreSession(Store);

/// See [`StoreSession`]. Updates, which a session does not offer, go to the store.
pub(super) struct SessionHandle<'s> {
    session: Session<'s>,
    store: &'s Store,
}

impl Engine<ByteKey, ByteValue> for StorePerCall {
    const CARD: Card = Card::own("rkv");
    type Handle<'e> = &'e Store;

    fn with_room(entries: usize) -> Self {
        StorePerCall(store_with_room(entries))
    }

    fn handle(&self) -> &Store {
        &self.0
    }
}

impl Engine<ByteKey, ByteValue> for StoreSession {
    const CARD: Card = Card::own("rkv-session").session();
    type Handle<'e> = SessionHandle<'e>;

    fn with_room(entries: usize) -> Self {
        StoreSession(store_with_room(entries))
    }

    fn handle(&self) -> SessionHandle<'_> {
        SessionHandle { session: self.0.session(), store: &self.0 }
    }
}

impl Handle<ByteKey, ByteValue> for &Store {
    #[inline]
    fn get(&mut self, key: &ByteKey, out: &mut ByteValue) -> bool {
        self.get_with(key, |value| out.copy_from_slice(value)).is_some()
    }

    #[inline]
    fn set(&mut self, key: &ByteKey, value: &ByteValue) {
        Store::set(self, key, value).expect("memory for a record");
    }

    #[inline]
    fn remove(&mut self, key: &ByteKey) -> bool {
        self.delete(key).expect("a delete succeeds").is_some()
    }

    fn update(&mut self, key: &ByteKey, change: impl Fn(&ByteValue) -> ByteValue) -> bool {
        let updated = Store::update(self, key, |old| {
            let old: &ByteValue = (&**old).try_into().expect("64 bytes");
            change(old).to_vec()
        });
        match updated {
            Ok(_) => true,
            Err(Error::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }

    #[inline]
    fn get_many(&mut self, keys: &[ByteKey], out: &mut [ByteValue]) -> usize {
        let mut found = 0;
        self.get_many_with(keys, |index, value| {
            if let Some(value) = value {
                out[index].copy_from_slice(value);
                found += 1;
            }
        });
        found
    }
}

impl Handle<ByteKey, ByteValue> for SessionHandle<'_> {
    #[inline]
    fn get(&mut self, key: &ByteKey, out: &mut ByteValue) -> bool {
        self.session.get(key).map(|value| out.copy_from_slice(value)).is_some()
    }

    #[inline]
    fn set(&mut self, key: &ByteKey, value: &ByteValue) {
        self.session.set(key, value).expect("memory for a record");
    }

    #[inline]
    fn remove(&mut self, key: &ByteKey) -> bool {
        self.session.delete(key).expect("a delete succeeds")
    }

    fn update(&mut self, key: &ByteKey, change: impl Fn(&ByteValue) -> ByteValue) -> bool {
        Handle::update(&mut &*self.store, key, change)
    }

    #[inline]
    fn get_many(&mut self, keys: &[ByteKey], out: &mut [ByteValue]) -> usize {
        let mut found = 0;
        self.session.get_many(keys, |index, value| {
            if let Some(value) = value {
                out[index].copy_from_slice(value);
                found += 1;
            }
        });
        found
    }
}

fn store_with_room(entries: usize) -> Store {
    let builder = match entries {
        0 => Store::builder(),
        entries => Store::builder().capacity(entries),
    };
    builder.build().expect("memory for an empty store")
}
