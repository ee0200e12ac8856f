"""Many keys in one call: each is treated as a call of its own would treat it."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import rkv

LENGTHS = [0, 1, 15, 16, 17, 33, 511, 512, 513, 2000]


@pytest.mark.parametrize("length", LENGTHS)
def test_values_come_in_the_order_of_their_keys(store: rkv.Store, length: int) -> None:
    for number in range(0, length, 2):
        store[str(number)] = b"%d" % number * (number % 50)
    keys = [str(number * 7 % length) for number in range(length)]
    assert store.get_many(keys) == [store.get(key) for key in keys]


@pytest.mark.parametrize("collection", [list, tuple, dict.fromkeys, iter, lambda keys: keys])
def test_keys_are_any_iterable(store: rkv.Store, collection: type) -> None:
    store["a"], store["b"] = "1", ""
    assert store.get_many(collection(["b", "absent", "a"])) == [b"", None, b"1"]


def test_keys_are_str_and_bytes_like(store: rkv.Store) -> None:
    store["clé"] = "v"
    octets = "clé".encode()
    keys = ["clé", octets, bytearray(octets), memoryview(octets), memoryview(octets * 2)[::2]]
    assert store.get_many(keys) == [b"v", b"v", b"v", b"v", None]


def test_a_key_may_come_twice_and_be_too_long(store: rkv.Store) -> None:
    store["k"] = "v"
    assert store.get_many(["k", "x" * 65_536, "k"]) == [b"v", None, b"v"]


def test_what_iterating_raises_comes_out(store: rkv.Store) -> None:
    def keys() -> Iterator[str]:
        yield "k"
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        store.get_many(keys())


@pytest.mark.parametrize("wrong", [5, None, "abc", object()])
def test_what_is_no_iterable_of_keys_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    reason = f"^keys must be an iterable of str or bytes-like, not {type(wrong).__name__}$"
    with pytest.raises(TypeError, match=reason):
        store.get_many(wrong)


def test_bytes_are_no_keys(store: rkv.Store) -> None:
    with pytest.raises(TypeError, match=r"^key must be str or bytes-like, not int$"):
        store.get_many(b"abc")


def test_keys_may_use_the_store_while_they_are_made(store: rkv.Store) -> None:
    def keys() -> Iterable[str]:
        for number in range(1000):
            store[str(number)] = str(number)
            yield str(number)

    assert store.get_many(keys()) == [b"%d" % number for number in range(1000)]


@pytest.mark.parametrize("length", [16, 2000])
def test_values_are_whole_while_others_replace_them(store: rkv.Store, length: int) -> None:
    keys = [str(number) for number in range(length)]
    done = threading.Event()

    def write() -> None:
        step = 0
        while not done.is_set():
            for key in keys:
                store[key] = bytes([step % 256]) * 300
            step += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            values = store.get_many(keys)
            assert all(value is None or value == value[:1] * 300 for value in values)
    finally:
        done.set()
        writer.join()


@pytest.mark.parametrize("length", LENGTHS)
def test_set_many_and_delete_many_do_what_single_calls_do(store: rkv.Store, length: int) -> None:
    items = {str(number): b"%d" % number * (number % 50) for number in range(length)}
    store.set_many(items)
    assert store.items() == sorted((key.encode(), value) for key, value in items.items())
    odd = [str(number) for number in range(1, length, 2)]
    assert store.delete_many([*odd, "absent", *odd]) == len(odd)
    assert store.count() == length - len(odd)


@pytest.mark.parametrize("length", [3, 2000])
def test_a_batch_has_one_ttl(length: int) -> None:
    clock = rkv.ManualClock()
    keys = [str(number) for number in range(length)]
    with rkv.Store(clock=clock, default_ttl=100) as store:
        store.set_many(dict.fromkeys(keys, "v"))
        assert {store.ttl(key) for key in keys} == {100.0}
        store.set_many(dict.fromkeys(keys, "v"), ttl=float("inf"))
        assert {store.ttl(key) for key in keys} == {float("inf")}
        store.set_many(dict.fromkeys(keys, "v"), ttl=5)
        clock.advance(2)
        store.set_many(dict.fromkeys(keys, "w"), ttl=rkv.KEEP)
        assert {store.ttl(key) for key in keys} == {3.0}
        clock.advance(3)
        assert store.get_many(keys) == [None] * length
        for wrong in (0, -1, float("nan")):
            with pytest.raises(rkv.InvalidTtl):
                store.set_many(dict.fromkeys(keys, "v"), ttl=wrong)
        assert store.count() == 0


def test_a_wrong_item_at_the_end_changes_nothing(store: rkv.Store) -> None:
    store["k"] = "v"
    with pytest.raises(TypeError, match=r"^key must be str or bytes-like, not int$"):
        store.delete_many(["k", 5])
    with pytest.raises(TypeError, match=r"^value must be str or bytes-like, not NoneType$"):
        store.set_many([("k", "w"), ("l", None)])
    with pytest.raises(rkv.TooLarge, match="`key`") as caught:
        store.set_many([("k", "w"), ("x" * 65_536, "v")])
    assert caught.value.done == 0
    assert dict(store) == {b"k": b"v"}


@pytest.mark.parametrize("length", [3, 600])
def test_a_batch_that_stops_says_where(length: int) -> None:
    with rkv.Store(max_entries=length, eviction="reject") as store:
        items = [(str(number), "v") for number in range(length)]
        with pytest.raises(rkv.Full) as caught:
            store.set_many([*items, ("one more", "v"), ("0", "not reached")])
        assert caught.value.done == length
        assert store.count() == length
        assert store["0"] == b"v"
        with pytest.raises(rkv.Full) as caught:
            store.update(items, more="v")
        assert caught.value.done == length
    with pytest.raises(rkv.Closed) as closed:
        store.set_many({"k": "v"})
    assert closed.value.done == 0
    with pytest.raises(rkv.Closed) as closed:
        store["k"]
    assert closed.value.done is None


def test_an_empty_batch_is_fine(store: rkv.Store) -> None:
    for empty in ([], (), {}, iter("")):
        store.set_many(empty)
        assert store.delete_many(empty) == 0
    assert not store


def test_a_mutable_buffer_is_copied_before_a_batch(store: rkv.Store) -> None:
    value = bytearray(b"before")

    def items() -> Iterator[tuple[Any, Any]]:
        for number in range(1000):
            yield (str(number), value)
            value[:] = b"%06d" % number

    # The buffer is read when all items are there.
    store.set_many(items())
    assert set(store.values()) == {b"000999"}
    value[:] = b"after!"
    assert set(store.values()) == {b"000999"}


def test_buffers_may_change_while_a_long_batch_runs(store: rkv.Store) -> None:
    buffers = [bytearray(b"a" * 100) for _ in range(5000)]
    items = [(b"%d" % number, buffer) for number, buffer in enumerate(buffers)]
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for buffer in buffers:
                # Where threads are free, one may be held while it is copied.
                with contextlib.suppress(BufferError):
                    buffer[:] = b"b" * 10_000
                    buffer[:] = b"a" * 100

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for _ in range(20):
            store.set_many(items)
            assert set(store.values()) <= {b"a" * 100, b"b" * 10_000}
    finally:
        done.set()
        writer.join()


@pytest.mark.parametrize("length", [3, 600])
def test_a_dict_that_others_change_is_taken_as_it_is_at_one_moment(
    store: rkv.Store, length: int
) -> None:
    items: dict[str, str] = {str(number): "v" for number in range(length)}
    keys = set(items)
    done = threading.Event()

    def change() -> None:
        number = 0
        while not done.is_set():
            items[f"other {number}"] = "w"
            items.pop(f"other {number - 5}", None)
            number += 1

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for _ in range(100):
            store.set_many(items)
            store.update(items)
            assert keys <= {key.decode() for key in store}
    finally:
        done.set()
        writer.join()


def test_a_type_error_of_an_argument_is_the_cause_of_ours(store: rkv.Store) -> None:
    class Wrong:
        def __iter__(self) -> Iterator[str]:
            raise TypeError("mine")

        def __float__(self) -> float:
            raise TypeError("mine")

    wrong: Any = Wrong()
    for call in (
        lambda: store.get_many(wrong),
        lambda: store.set_many(wrong),
        lambda: store.set_many([wrong]),
        lambda: store.set("k", "v", ttl=wrong),
    ):
        with pytest.raises(TypeError, match=r"must be .*, not .*Wrong$") as caught:
            call()
        assert str(caught.value.__cause__) == "mine"


HAS_LOCK = getattr(sys, "_is_gil_enabled", lambda: True)()

BATCHES: dict[str, Callable[[rkv.Store, list[str]], object]] = {
    "get_many": lambda store, keys: store.get_many(keys),
    "set_many": lambda store, keys: store.set_many(dict.fromkeys(keys, "v")),
    "delete_many": lambda store, keys: store.delete_many(keys),
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES.keys())
@pytest.mark.skipif(not HAS_LOCK, reason="all threads run anyway")
def test_long_batches_let_other_threads_run_and_short_ones_do_not(
    store: rkv.Store, batch: Callable[[rkv.Store, list[str]], object]
) -> None:
    keys = [str(number) for number in range(20_000)]
    for key in keys:
        store[key] = "v"
    gate, ran = threading.Lock(), []

    def run() -> None:
        gate.acquire()
        ran.append(True)

    gate.acquire()
    thread = threading.Thread(target=run)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        gate.release()
        # The thread is awake, and runs as soon as it is let.
        for _ in range(1000):
            batch(store, keys[:100])
        assert not ran
        for _ in range(1000):
            batch(store, keys)
            if ran:
                break
        assert ran
    finally:
        sys.setswitchinterval(interval)
        thread.join()
