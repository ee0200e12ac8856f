"""Memory stays flat under turnover, nothing leaks per call, and refusals are errors."""

import gc
import sys
from collections.abc import Callable

import pytest

import rkv
from calls import CALLS, outcomes

RESIDENT = """
    import os
    import rkv

    def resident():
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""


def test_a_million_sets_and_deletes_leave_memory_flat(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        RESIDENT
        + """
    store = rkv.Store()
    for round in range(10):
        keys = [b"%d-%d" % (round, number) for number in range(100_000)]
        for key in keys:
            store[key] = key
        assert store.count() == 100_000
        for key in keys:
            del store[key]
        assert store.count() == 0
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    # A record that leaked would add 7 rounds x 100,000 x 64 bytes, 45 MB.
    assert max(sizes[3:]) - sizes[2] < 16_000_000, sizes


def test_reading_a_million_values_leaves_memory_flat(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        RESIDENT
        + """
    store = rkv.Store()
    for number in range(1000):
        store[str(number)] = "v" * 100
    for round in range(11):
        for _ in range(50):
            for key in store:
                store[key]
            assert len(list(store.scan())) == len(store.keys()) == 1000
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    assert sizes[-1] - sizes[0] < 16_000_000, sizes


def test_the_new_forms_of_reading_and_writing_leave_memory_flat(
    run_python: Callable[[str], str],
) -> None:
    printed = run_python(
        RESIDENT
        + """
    stores = [rkv.Store(), rkv.Store(encoding="utf-8")]
    items = {str(number): "v" * 2000 for number in range(1000)}

    def fail(_):
        raise LookupError

    for round in range(8):
        for store in stores * 4:
            store.set_many(items)
            views = [store.view(key) for key in items]
            memories = [memoryview(view)[10:] for view in views]
            for key in items:
                store.compute(key, lambda old: old)
                store.compute(key, lambda old: b"w" * 2000)
                try:
                    store.compute(key, fail)
                except LookupError:
                    pass
                store.setdefault(key, "other")
            assert len(store.items()) == len(store.values()) == 1000
            for key in list(items)[:500]:
                store.pop(key)
            while store:
                store.popitem()
            store["bad"] = b"\\xff" * 1000
            for _ in range(100):
                try:
                    store.pop("bad")
                    store["bad"] = "v"
                except UnicodeDecodeError:
                    pass
            assert store.delete_many(["bad"]) == 1
            store.update(items)
            assert store.delete_many(items) == 1000
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    # A value that one of them leaked would add 5 rounds x 8 x 500 x 2 kB, 40 MB.
    assert max(sizes[3:]) - sizes[2] < 16_000_000, sizes


@pytest.mark.parametrize("state", ["open", "closed"])
def test_no_call_leaks_an_object(state: str) -> None:
    store, text = rkv.Store(), rkv.Store(encoding="utf-8")
    text["bad"] = b"\xff"
    if state == "closed":
        store.close()
        text.close()
    wrong = object()

    def everything() -> None:
        for _ in range(200):
            outcomes(store)
            for call in (store.get, store.delete, store.keys, store.scan, store.incr, store.pop):
                with pytest.raises(TypeError):
                    call(wrong)
            for batch in (store.get_many, store.delete_many):
                with pytest.raises(TypeError):
                    batch([bytearray(b"key"), wrong])
            for batch in (store.set_many, store.update):
                with pytest.raises(TypeError):
                    batch({"key": "value", bytes(1): wrong})
                with pytest.raises(TypeError):
                    batch([(bytearray(b"key"), "value"), wrong])
            with pytest.raises((TypeError, rkv.Closed)):
                store.compute("key", lambda _: wrong)
            with pytest.raises((ZeroDivisionError, rkv.Closed)):
                store.compute("key", lambda _: 1 // 0)
            with pytest.raises((UnicodeDecodeError, rkv.Closed)):
                text.pop("bad")

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    everything()
    references, growths = sys.getrefcount(wrong), []
    for _ in range(5):
        before = blocks()
        everything()
        growths.append(blocks() - before)
    # One leaked object per call of any kind would add 200 blocks each time; the caches of the
    # interpreter and of pytest fill up.
    assert min(growths) < 100, f"{growths} after 200 rounds of {len(CALLS)} calls"
    assert sys.getrefcount(wrong) == references
    store.close()


def test_a_store_that_is_dropped_without_close_frees_its_memory(
    run_python: Callable[[str], str],
) -> None:
    printed = run_python(
        RESIDENT
        + """
    for _ in range(12):
        store = rkv.Store()
        for number in range(1000):
            store[str(number)] = "v" * 10_000
        next(iter(store))
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    # Each store holds 10 MB.
    assert max(sizes[4:]) - sizes[3] < 30_000_000, sizes


def test_a_bounded_store_keeps_memory_flat(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        RESIDENT
        + """
    store = rkv.Store(max_bytes=10_000_000)
    value = b"v" * 500
    for round in range(8):
        for number in range(50_000):
            store[b"%d-%d" % (round, number)] = value
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    # Each round sets 30 MB.
    assert max(sizes[3:]) - sizes[2] < 20_000_000, sizes


def test_a_closed_store_that_is_kept_holds_no_memory(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        RESIDENT
        + """
    closed = []
    for _ in range(12):
        store = rkv.Store()
        for number in range(1000):
            store[str(number)] = "v" * 10_000
        store.close()
        closed.append(store)
        print(resident())
    """
    )
    sizes = [int(line) for line in printed.split()]
    # Each store held 10 MB.
    assert max(sizes[4:]) - sizes[3] < 30_000_000, sizes


def test_memory_that_the_system_refuses_is_an_error(run_python: Callable[[str], str]) -> None:
    run_python("""
        import resource
        import rkv

        store = rkv.Store()
        value = b"v" * 200_000_000
        store["big"] = value
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, resource.RLIM_INFINITY))
        for refused in (lambda: store["big"], lambda: store.set("other", value),
                        lambda: store.set("big", value), lambda: rkv.Store(capacity=10**10),
                        lambda: store.get_many(["big"]), lambda: store.pop("big"),
                        lambda: store.popitem(), lambda: store.values(), store.items,
                        lambda: store.compute("other", lambda _: value),
                        lambda: store.setdefault("other", value),
                        lambda: store.set_many({"a": "v", "other": value}),
                        lambda: store.compute("big", lambda _: "small")):
            try:
                refused()
            except MemoryError:
                pass
            else:
                raise AssertionError("more memory than there is")
        try:
            store.set("other", value)
        except rkv.NoMemory as error:
            assert error.code == -24
        store["small"] = "v"
        assert store.keys() == [b"big", b"small"]
        assert store.view("big")[:10] == b"v" * 10
    """)


def test_memory_that_the_system_refuses_to_a_batch_is_an_error(
    run_python: Callable[[str], str],
) -> None:
    run_python("""
        import itertools
        import resource
        import rkv

        class Endless:
            def keys(self):
                return itertools.repeat("k")

            def __getitem__(self, key):
                return "v"

        store = rkv.Store()
        store["k"] = "v"
        keys, pairs = ["k"] * 3_000_000, [("k", "v")] * 3_000_000
        items = {number: "v" for number in range(2_000_000)}
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, resource.RLIM_INFINITY))
        for refused in (lambda: store.get_many(itertools.repeat("k")),
                        lambda: store.delete_many(itertools.repeat("k")),
                        lambda: store.set_many(itertools.repeat(("k", "v"))),
                        lambda: store.update(itertools.repeat(("k", "v")), k="v"),
                        lambda: store.set_many(Endless()),
                        lambda: store.get_many(keys), lambda: store.delete_many(keys),
                        lambda: store.set_many(pairs), lambda: store.set_many(items),
                        lambda: store.keys(memoryview(bytes(40_000_000)))):
            try:
                refused()
            except MemoryError:
                pass
            else:
                raise AssertionError("more memory than there is")
        assert store.get_many(["k", "none"]) == [b"v", None]
        store.set_many({"l": "w"})
        assert store.items() == [(b"k", b"v"), (b"l", b"w")]
    """)
