"""get_many answers for many keys at once what get answers for each."""

import sys
import threading
from collections.abc import Iterable, Iterator

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


HAS_LOCK = getattr(sys, "_is_gil_enabled", lambda: True)()


@pytest.mark.skipif(not HAS_LOCK, reason="all threads run anyway")
def test_long_batches_let_other_threads_run_and_short_ones_do_not(store: rkv.Store) -> None:
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
            store.get_many(keys[:100])
        assert not ran
        assert any(store.get_many(keys) and ran for _ in range(1000))
    finally:
        sys.setswitchinterval(interval)
        thread.join()
