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
    assert_type(store.values("p"), list[bytes])
    assert_type(store.items(), list[tuple[bytes, bytes]])
    assert_type(store.scan(), Iterator[tuple[bytes, bytes]])
    assert_type(list(store), list[bytes])


def reads_as_text(store: rkv.Store[str]) -> None:
    """Reads of a store with an encoding give str."""
    assert_type(rkv.Store(encoding="utf-8"), rkv.Store[str])
    assert_type(rkv.Store(encoding=None, shards=1), rkv.Store[bytes])
    assert_type(store.get("k"), str | None)
    assert_type(store.get("k", 0), str | int)
    assert_type(store["k"], str)
    assert_type(store.get_many(["k"]), list[str | None])
    assert_type(store.keys(), list[str])
    assert_type(store.values(), list[str])
    assert_type(store.items(), list[tuple[str, str]])
    assert_type(store.scan(), Iterator[tuple[str, str]])
    assert_type(list(store), list[str])
    assert_type(store.pop("k"), str)
    assert_type(store.pop("k", None), str | None)
    assert_type(store.popitem(), tuple[str, str])
    assert_type(store.setdefault("k", b"v"), str)
    assert_type(store.compute("k", lambda old: (old or "") + "."), str | None)
    reads_as_either(store)


def reads_as_either(store: rkv.Store[str | bytes]) -> None:
    """A store of str, or of bytes, serves who takes both."""
    assert_type(store.get("k"), str | bytes | None)


def views(store: rkv.Store) -> None:
    """A view is bytes-like, and has a key and a version."""
    view = store.view("k")
    assert_type(view, rkv.Value | None)
    if view is not None:
        assert_type(view.key, bytes)
        assert_type(view.version, int)
        assert_type(view[0], int)
        assert_type(view[1:], memoryview)
        assert_type(bytes(view), bytes)
        assert_type(str(view, "utf-8"), str)
        assert_type(memoryview(view), memoryview)
        assert_type(store.compare_and_swap("k", view.version, view), int)


def changes(store: rkv.Store) -> None:
    """A function of compute gets and gives what reads and writes do, or a sentinel."""

    def count(old: bytes | None) -> str | rkv.Delete | rkv.Keep:
        if old is None:
            return rkv.KEEP
        return str(int(old) - 1) if old != b"1" else rkv.DELETE

    assert_type(store.compute("k", count), bytes | None)
    assert_type(store.compute("k", lambda old: old or b"", ttl=1.0), bytes | None)
    assert_type(store.set_many({"k": "v"}, ttl=rkv.KEEP), None)
    assert_type(store.set_many([("k", b"v"), (b"l", "w")]), None)
    assert_type(store.delete_many({"k", b"l"}), int)
    assert_type(store.update({b"k": bytearray()}, k="v"), None)
    assert_type(store.update(other for other in store.items()), None)
    assert_type(store.update(store), None)
    assert_type(store.pop("k"), bytes)
    assert_type(store.pop("k", 1), bytes | int)
    assert_type(store.popitem(), tuple[bytes, bytes])
    assert_type(store.setdefault("k", "v"), bytes)


def writes(store: rkv.Store) -> None:
    """Writes take str and anything with a buffer."""
    store["k"] = memoryview(b"v")
    assert_type(store.add("k", "v"), bool)
    assert_type(store.add("k", "v", ttl=timedelta(hours=1)), bool)
    assert_type(store.set_if_absent("k", "v", ttl=None), bool)
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
        assert_type(error.done, int | None)
    except rkv.Conflict as error:
        assert_type(error.current, int | None)


def refuses(store: rkv.Store) -> None:
    """Other types are errors before the program runs: each comment below must be needed."""
    store.get(5)  # type: ignore[call-overload]
    store["k"] = None  # type: ignore[assignment]
    store.get(key="k")  # type: ignore[call-overload]
    store.get_many([5])  # type: ignore[list-item]
    store.set("k", "v", ttl="1 s")  # type: ignore[arg-type]
    store.expire("k", rkv.KEEP)  # type: ignore[arg-type]
    store.compute("k", lambda _: None)  # type: ignore[arg-type,return-value]
    store.set_many({"k": 5})  # type: ignore[arg-type]
    store.update({5: "v"})  # type: ignore[type-var]
    store.compare_and_swap("k", "1", "v")  # type: ignore[arg-type]
    store.setdefault("k")  # type: ignore[call-arg]
    rkv.Store(clock=1.0)  # type: ignore[call-overload]
    rkv.Store(4)  # type: ignore[call-overload]
    rkv.Store(eviction="lru")  # type: ignore[call-overload]
    rkv.Store(encoding=8)  # type: ignore[call-overload]
    rkv.Store(encoding="latin-1")  # type: ignore[call-overload]
