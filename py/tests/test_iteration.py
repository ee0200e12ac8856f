"""Iteration is weakly consistent: the loop may change the store, and what stays comes once."""

import threading

import pytest

import rkv


def fill(store: rkv.Store, count: int) -> set[bytes]:
    for number in range(count):
        store[f"{number:05}"] = str(number)
    return {b"%05d" % number for number in range(count)}


def test_every_key_comes_exactly_once(store: rkv.Store) -> None:
    keys = fill(store, 5000)
    seen = list(store)
    assert len(seen) == 5000
    assert set(seen) == keys


def test_scan_gives_the_pairs_of_a_prefix(store: rkv.Store) -> None:
    fill(store, 300)
    assert sorted(store.scan("0002")) == [(b"%05d" % n, b"%d" % n) for n in range(20, 30)]
    assert dict(store.scan("none")) == {}


def test_a_loop_may_delete_what_it_visits(store: rkv.Store) -> None:
    fill(store, 3000)
    for key in store:
        del store[key]
    assert len(store) == 0


def test_keys_that_stay_come_once_while_the_loop_grows_and_clears_around_them(
    store: rkv.Store,
) -> None:
    keys = fill(store, 2000)
    seen: list[bytes] = []
    for key in store:
        if key in keys:
            seen.append(key)
            for copy in range(4):
                store[b"new-%d-" % copy + key] = "v"
    assert sorted(seen) == sorted(keys)


def test_a_loop_may_read_write_and_nest(store: rkv.Store) -> None:
    fill(store, 30)
    pairs = [(a, b) for a in store for b in store if store[a] == store[b]]
    assert len(pairs) == 30


def test_an_ended_iterator_stays_ended(store: rkv.Store) -> None:
    keys = iter(store)
    assert next(keys, None) is None
    store["k"] = "v"
    assert next(keys, None) is None
    assert iter(keys) is keys


def test_an_iterator_of_a_closed_store_raises_closed() -> None:
    store = rkv.Store()
    fill(store, 100)
    keys, items, ended = iter(store), store.scan(), iter(store)
    next(keys)
    assert len(list(ended)) == 100
    store.close()
    for iterator in (keys, items, keys):
        with pytest.raises(rkv.Closed):
            next(iterator)
    assert next(ended, None) is None


def test_an_iterator_keeps_its_store_alive() -> None:
    keys = iter(filled())
    assert len(list(keys)) == 10


def filled() -> rkv.Store:
    store = rkv.Store()
    fill(store, 10)
    return store


def test_threads_that_share_an_iterator_share_out_the_keys(store: rkv.Store) -> None:
    keys = fill(store, 20_000)
    iterator = iter(store)
    parts: list[list[bytes]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=part.extend, args=(iterator,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key for part in parts for key in part) == sorted(keys)
