"""Opening, closing, copying and outliving: what a store object is."""

import copy
import gc
import pickle
import weakref
from collections.abc import Callable

import pytest

import rkv
from calls import CALLS, outcomes

# Answers without an open store: closing is idempotent, and the rest speaks of the object.
NEEDS_NO_STORE = {"close", "__exit__", "__repr__", "__reduce__", "__new__", "__doc__", "__module__"}
NEEDS_NO_STORE |= {"__class_getitem__", "__weakref__"}


def test_the_list_of_calls_is_complete() -> None:
    assert set(vars(rkv.Store)) - NEEDS_NO_STORE == set(CALLS)


def test_every_call_of_an_open_store_works(store: rkv.Store) -> None:
    found = outcomes(store)
    assert found.pop("__getitem__") == found.pop("__delitem__") == "ok"
    assert set(found.values()) == {"ok"}


def test_every_call_of_a_closed_store_raises_closed() -> None:
    store = rkv.Store()
    store["key"] = "value"
    store.close()
    assert outcomes(store) == dict.fromkeys(CALLS, "Closed")


def test_closing_again_is_fine() -> None:
    store = rkv.Store()
    store.close()
    store.close()
    with pytest.raises(rkv.Closed):
        store.get("k")


def test_with_closes_and_lets_errors_through() -> None:
    with pytest.raises(LookupError, match="mine"), rkv.Store() as store:
        store["k"] = "v"
        raise LookupError("mine")
    with pytest.raises(rkv.Closed):
        store.get("k")


def test_stores_are_apart() -> None:
    with rkv.Store() as one, rkv.Store() as other:
        one["k"] = "v"
        assert "k" not in other
        assert one != other
        assert len({one, other}) == 2


def test_repr_says_what_it_is() -> None:
    store = rkv.Store()
    store["k"] = "v"
    assert repr(store) == "<rkv.Store keys=1>"
    store.close()
    assert repr(store) == "<rkv.Store closed>"


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_copying_is_refused_with_a_reason(
    store: rkv.Store, copying: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError, match=r"cannot pickle rkv\.Store: it lives in the memory"):
        copying(store)


def test_a_store_dies_with_its_last_reference() -> None:
    store = rkv.Store()
    alive = weakref.ref(store)
    assert alive() is store
    del store
    assert alive() is None


def test_a_finalizer_may_use_the_store_in_the_middle_of_any_call(store: rkv.Store) -> None:
    class Finalized:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            store.incr("finalized")
            store.keys()
            store.get("k0")

    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(200):
            Finalized()
            store[f"k{number}"] = "v"
            assert len(store.keys("k")) == number + 1
            assert len(list(store.scan("k"))) == number + 1
            store.stats()
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert store["finalized"] == b"200"


def test_the_interpreter_exits_with_a_live_store(run_python: Callable[[str], str]) -> None:
    run_python("""
        import rkv
        store = rkv.Store()
        for number in range(10_000):
            store[str(number)] = "v"
        keys, items = iter(store), store.scan()
        next(keys), next(items)
        views = [store.view(str(number)) for number in range(100)]
        memories = [memoryview(view) for view in views[:50]]
        text = rkv.Store(encoding="utf-8")
        # What lies in a cycle is collected while the interpreter is taken down.
        cycle = [store, keys, views, memories, text, text.scan()]
        cycle.append(cycle)
    """)


def test_the_interpreter_exits_within_a_computation(run_python: Callable[[str], str]) -> None:
    run_python("""
        import sys
        import rkv
        store = rkv.Store()
        def leave(_):
            view = store.view("other")
            sys.exit(0)
        store["other"] = "v"
        store.compute("k", leave)
    """)


def test_the_interpreter_exits_while_threads_work(run_python: Callable[[str], str]) -> None:
    run_python("""
        import threading
        import rkv
        store = rkv.Store()
        for number in range(2000):
            store[str(number)] = "v"
        started = threading.Barrier(9)
        def work(call):
            started.wait()
            while True:
                call()
        keys = [str(number) for number in range(2000)]
        calls = [store.keys, store.clear, lambda: store.incr("n"), lambda: list(store)]
        calls += [store.items, lambda: store.compute("k", lambda old: b"v" if old else "w")]
        calls += [lambda: store.set_many(dict.fromkeys(keys, "v"))]
        calls += [lambda: [memoryview(view) for view in map(store.view, keys) if view]]
        for call in calls:
            threading.Thread(target=work, args=(call,), daemon=True).start()
        started.wait()
        store.incr("n")
    """)
