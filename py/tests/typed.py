"""What a type checker concludes of each call; checked, never run."""

from collections.abc import Iterator
from datetime import timedelta

from typing_extensions import assert_type

import rkv


def reads(store: rkv.Store) -> None:
    """Reads give bytes, or the default."""
    assert_type(store.get("k"), bytes | None)
    assert_type(store.get(b"k", b""), bytes)
    assert_type(store.get(bytearray(b"k"), 0), bytes | int)
    assert_type(store["k"], bytes)
    assert_type(store.get_many(["k", b"k"]), list[bytes | None])
    assert_type(store.get_many(key for key in store), list[bytes | None])
    assert_type(store.keys("p"), list[bytes])
    assert_type(store.scan(), Iterator[tuple[bytes, bytes]])
    assert_type(list(store), list[bytes])


def writes(store: rkv.Store) -> None:
    """Writes take str and anything with a buffer."""
    store["k"] = memoryview(b"v")
    assert_type(store.add("k", "v"), bool)
    store.set("k", "v", ttl=1)
    store.set("k", "v", ttl=timedelta(hours=1))
    store.set("k", "v", ttl=rkv.KEEP)
    assert_type(store.ttl("k"), float | None)
    assert_type(store.expire("k", 1.5), bool)
    assert_type(store.touch("k", timedelta(minutes=1)), bool)
    assert_type(store.persist("k"), bool)
    assert_type(store.advance(), float | None)
    assert_type(store.purge_expired(), int)
    assert_type(store.delete("k"), bool)
    assert_type(store.incr("n", by=2), int)
    assert_type(store.clear(), int)


def lives() -> None:
    """A store is a context manager, its figures are typed, its errors carry their code."""
    with rkv.Store(shards=4) as store:
        assert_type(store, rkv.Store)
        assert_type(store.stats()["epoch"]["retired_bytes"], int)
        assert_type(store.stats()["expired_lazily"], int)
        assert_type(store.stats()["expiry_lag"]["p99_ms"], int)
    rkv.Store(max_entries=1000, max_bytes=100 * rkv.ENTRY_BYTES, eviction="reject").close()
    clock = rkv.ManualClock()
    clock.advance(timedelta(seconds=1))
    assert_type(rkv.Store(default_ttl=1.5, clock=clock).close(), None)
    try:
        store.get("k")
    except rkv.Closed as error:
        assert_type(error.code, int)


def refuses(store: rkv.Store) -> None:
    """Other types are errors before the program runs: each comment below must be needed."""
    store.get(5)  # type: ignore[call-overload]
    store["k"] = None  # type: ignore[assignment]
    store.get(key="k")  # type: ignore[call-overload]
    store.get_many([5])  # type: ignore[list-item]
    store.set("k", "v", ttl="1 s")  # type: ignore[arg-type]
    store.expire("k", rkv.KEEP)  # type: ignore[arg-type]
    rkv.Store(clock=1.0)  # type: ignore[arg-type]
    rkv.Store(4)  # type: ignore[call-arg]
    rkv.Store(eviction="lru")  # type: ignore[arg-type]
