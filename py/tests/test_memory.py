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


@pytest.mark.parametrize("state", ["open", "closed"])
def test_no_call_leaks_an_object(state: str) -> None:
    store = rkv.Store()
    if state == "closed":
        store.close()
    wrong = object()

    def everything() -> None:
        for _ in range(200):
            outcomes(store)
            for call in (store.get, store.delete, store.keys, store.scan, store.incr):
                with pytest.raises(TypeError):
                    call(wrong)
            with pytest.raises(TypeError):
                store.get_many([bytearray(b"key"), wrong])

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    everything()
    before, references = blocks(), sys.getrefcount(wrong)
    everything()
    # One leaked object per call of any kind would add 200 blocks; the interpreter's own caches
    # move by a few.
    assert blocks() - before < 100, f"after 200 rounds of {len(CALLS)} calls"
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
        import os, resource
        # Else the allocator of the records reserves addresses for a gibibyte at once.
        os.environ["MIMALLOC_ARENA_RESERVE"] = "64M"
        import rkv

        store = rkv.Store()
        value = b"v" * 200_000_000
        store["big"] = value
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, resource.RLIM_INFINITY))
        for refused in (lambda: store["big"], lambda: store.set("other", value),
                        lambda: store.set("big", value), lambda: rkv.Store(capacity=10**10)):
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
    """)
