"""Stores with bounds: they hold, what is used stays, and who rejects changes nothing."""

from collections.abc import Callable
from threading import Thread

import pytest

import rkv


def test_entries_never_exceed_their_bound() -> None:
    with rkv.Store(max_entries=100) as store:
        for number in range(5000):
            store[f"{number:04}"] = "v"
            assert len(store) == min(number + 1, 100)
        stats = store.stats()
        assert (stats["entries"], stats["evicted"]) == (100, 4900)
        assert stats["bytes"] == 100 * (rkv.ENTRY_BYTES + len("0000v"))


def test_bytes_never_exceed_their_bound() -> None:
    with rkv.Store(max_bytes=20_000) as store:
        for number in range(3000):
            store[str(number)] = b"v" * (number * 37 % 1000)
            assert store.stats()["bytes"] <= 20_000
        stats = store.stats()
        assert stats["bytes"] > 15_000
        assert stats["bytes"] == sum(
            rkv.ENTRY_BYTES + len(key) + len(value) for key, value in store.scan()
        )
        assert stats["evicted"] == 3000 - len(store)


READS: dict[str, Callable[[rkv.Store], object]] = {
    "get": lambda store: store.get("hot"),
    "[]": lambda store: store["hot"],
    "get_many": lambda store: store.get_many(["hot"])[0],
    "incr": lambda store: store.incr("hot"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_what_is_used_stays_and_what_is_not_used_goes(read: Callable[[rkv.Store], object]) -> None:
    with rkv.Store(max_entries=100) as store:
        store["hot"] = store["cold"] = "1"
        for number in range(2000):
            store[str(number)] = "v"
            assert read(store)
        assert "hot" in store
        assert "cold" not in store
        assert len(store) == 100


def test_an_entry_above_the_bound_is_too_large() -> None:
    for eviction in ("s3fifo", "reject"):
        with rkv.Store(max_bytes=rkv.ENTRY_BYTES + 10, eviction=eviction) as store:
            store["k"] = "123456789"
            reason = "`entry` is too large: 91 bytes, at most 90"
            for key in ("k", "l"):
                with pytest.raises(rkv.TooLarge, match=reason):
                    store[key] = "1234567890"
            assert dict(store.scan()) == {b"k": b"123456789"}
            assert store.stats()["evicted"] == 0


WRITES: dict[str, Callable[[rkv.Store], object]] = {
    "set": lambda store: store.set("new", "v"),
    "set with ttl": lambda store: store.set("new", "v", ttl=1),
    "[]=": lambda store: store.__setitem__("new", "v"),
    "add": lambda store: store.add("new", "v"),
    "incr": lambda store: store.incr("new"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_store_that_rejects_is_full_until_a_key_goes(
    write: Callable[[rkv.Store], object],
) -> None:
    with rkv.Store(max_entries=2, eviction="reject") as store:
        store["a"] = store["b"] = "1"
        with pytest.raises(rkv.Full, match="full") as caught:
            write(store)
        assert caught.value.code == -8
        assert dict(store.scan()) == {b"a": b"1", b"b": b"1"}
        assert store.stats()["evicted"] == 0
        assert store.delete("a")
        write(store)
        assert sorted(store) == [b"b", b"new"]
        with pytest.raises(rkv.Full):
            store["a"] = "1"


def test_a_store_that_rejects_makes_room_of_what_has_expired() -> None:
    clock = rkv.ManualClock()
    with rkv.Store(max_entries=2, eviction="reject", clock=clock) as store:
        store.set("timed", "v", ttl=1)
        store["k"] = "v"
        clock.advance(0.999)
        with pytest.raises(rkv.Full):
            store["new"] = "v"
        clock.advance(0.001)
        store["new"] = "v"
        assert sorted(store) == [b"k", b"new"]


def test_a_full_store_that_rejects_takes_other_values_for_its_keys() -> None:
    with rkv.Store(max_bytes=2 * (rkv.ENTRY_BYTES + 10), eviction="reject") as store:
        store["k"] = store["l"] = "123456789"
        with pytest.raises(rkv.Full):
            store["k"] = "1234567890"
        assert store["k"] == b"123456789"
        store["k"] = "987654321"
        store["l"] = "12345678"
        store["k"] = "1234567890"
        assert dict(store.scan()) == {b"k": b"1234567890", b"l": b"12345678"}


def test_a_store_without_a_bound_counts_no_bytes() -> None:
    with rkv.Store(eviction="reject") as store:
        for number in range(1000):
            store[str(number)] = "v"
        stats = store.stats()
        assert (stats["entries"], stats["bytes"], stats["evicted"]) == (1000, 0, 0)


@pytest.mark.parametrize("eviction", ["s3fifo", "reject"])
def test_threads_together_never_exceed_a_bound(eviction: str) -> None:
    with rkv.Store(max_entries=64, eviction=eviction) as store:
        seen = []

        def fill(thread: int) -> None:
            for number in range(2000):
                try:
                    store[f"{thread}-{number}"] = "v"
                except rkv.Full:
                    assert eviction == "reject"
                seen.append(len(store))

        threads = [Thread(target=fill, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8000
        assert max(seen) <= 64
        assert (store.stats()["evicted"] == 0) == (eviction == "reject")
