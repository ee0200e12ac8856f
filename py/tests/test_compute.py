"""A callable decides what becomes of a key: atomic, whatever it does and raises."""

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import rkv


def test_the_callable_sees_what_stands_there_and_what_it_returns_stands_there(
    store: rkv.Store,
) -> None:
    seen = []

    def append(old: bytes | None) -> bytes:
        seen.append(old)
        return (old or b"") + b"x"

    assert store.compute("k", append) == b"x"
    assert store.compute("k", append) == b"xx"
    assert seen == [None, b"x"]
    assert store["k"] == b"xx"


@pytest.mark.parametrize(
    "made", ["v", b"v", bytearray(b"v"), memoryview(b"-v-")[1:2], type("Own", (str,), {})("v")]
)
def test_str_and_bytes_like_results_are_stored(store: rkv.Store, made: Any) -> None:
    answer = store.compute("k", lambda _: made)
    assert type(answer) is bytes
    assert store["k"] == answer == b"v"


def test_delete_removes_and_keep_changes_nothing(store: rkv.Store) -> None:
    for absent in (rkv.DELETE, rkv.KEEP):
        assert store.compute("k", lambda _, answer=absent: answer) is None
        assert "k" not in store
    store["k"] = "v"
    version = store.view("k").version
    assert store.compute("k", lambda _: rkv.KEEP) == b"v"
    assert store.view("k").version == version
    assert store.compute("k", lambda _: rkv.DELETE) is None
    assert "k" not in store


@pytest.mark.parametrize(
    "wrong", [None, 5, True, ["v"], object(), rkv.Store], ids=lambda wrong: type(wrong).__name__
)
def test_other_results_are_refused_and_change_nothing(store: rkv.Store, wrong: object) -> None:
    kind = type(wrong).__name__
    reason = rf"^what fn returns must be str, bytes-like, rkv.DELETE or rkv.KEEP, not {kind}$"
    for _ in range(2):
        with pytest.raises(TypeError, match=reason):
            store.compute("k", lambda _: wrong)
        assert store.get("k") in (None, b"v")
        store["k"] = "v"


@pytest.mark.parametrize("wrong", [None, "f", 5])
def test_what_cannot_be_called_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    with pytest.raises(TypeError, match=rf"^fn must be callable, not {type(wrong).__name__}$"):
        store.compute("k", wrong)


def test_a_callable_of_other_arguments_is_an_error(store: rkv.Store) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        store.compute("k", lambda: "v")
    assert not store


class Own(Exception):
    """An exception with something to lose."""


@pytest.mark.parametrize("kind", [Own, KeyboardInterrupt, SystemExit, GeneratorExit, rkv.Closed])
@pytest.mark.parametrize("before", [None, b"v"])
def test_exceptions_come_out_untouched_and_change_nothing(
    store: rkv.Store, kind: type[BaseException], before: bytes | None
) -> None:
    if before is not None:
        store["k"] = before
    raised = kind("mine")

    def fail(_: bytes | None) -> bytes:
        raise raised

    with pytest.raises(kind) as caught:
        store.compute("k", fail)
    assert caught.value is raised
    assert caught.value.__context__ is caught.value.__cause__ is None
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "fail"
    assert store.get("k") == before


def test_an_exception_keeps_its_cause(store: rkv.Store) -> None:
    def fail(_: bytes | None) -> bytes:
        try:
            return {}["absent"]
        except KeyError as error:
            raise Own from error

    with pytest.raises(Own) as caught:
        store.compute("k", fail)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_what_was_made_is_given_back_as_a_read_gives_it(encoding: Any) -> None:
    class Text(str):
        __slots__ = ()

    class Octets(bytes):
        pass

    exact = bytes if encoding is None else str
    with rkv.Store(encoding=encoding) as store:
        for made in ("text", b"bytes", Text("text"), Octets(b"bytes"), bytearray(b"bytes")):
            for given in (
                store.compute("k", lambda _, made=made: made),
                store.setdefault("l", made),
            ):
                assert type(given) is exact
                assert given == store["k"] == store["l"]
                # Then there is no need of a copy.
                assert (given is made) == (type(made) is exact)
            store.clear()


def test_a_signal_ends_a_computation_that_changes_its_own_key_each_time(
    run_python: Callable[[str], str],
) -> None:
    run_python("""
        import functools, itertools, signal
        import rkv

        store = rkv.Store(encoding="utf-8")
        store["k"] = "a"
        # Runs no Python code, which would look for signals by itself.
        swapped = map(store.compute, itertools.repeat("k"), itertools.repeat(str.swapcase))
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            store.compute("k", functools.partial(next, swapped))
        except KeyboardInterrupt:
            assert store["k"] in "aA"
        else:
            raise AssertionError("it ended by itself")
    """)


def test_a_signal_ends_a_computation(run_python: Callable[[str], str]) -> None:
    run_python("""
        import os, signal
        import rkv

        def wait(_):
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass

        store = rkv.Store()
        try:
            store.compute("k", wait)
        except KeyboardInterrupt:
            pass
        assert not store
    """)


def test_the_callable_may_use_the_store(store: rkv.Store) -> None:
    store.update({str(number): "v" for number in range(2000)})

    def everything(old: bytes | None) -> bytes:
        assert old is None
        assert store.incr("n") == 1
        assert store.compute("other", lambda _: "inner") == b"inner"
        assert store.pop("other") == b"inner"
        assert len(list(store)) == len(store.items()) == 2001
        return b"%d" % store.clear()

    assert store.compute("k", everything) == b"2001"
    assert store.items() == [(b"k", b"2001")]


def test_a_callable_that_changes_its_own_key_runs_again(store: rkv.Store) -> None:
    runs = []

    def interfere(old: bytes | None) -> bytes:
        runs.append(old)
        if len(runs) < 4:
            store["k"] = str(len(runs))
        return (old or b"") + b"!"

    assert store.compute("k", interfere) == b"3!"
    assert runs == [None, b"1", b"2", b"3"]


def test_a_callable_may_compute_the_same_key_deeply(run_python: Callable[[str], str]) -> None:
    printed = run_python("""
        import sys, threading
        import rkv

        # In a build for debugging, each takes 12 KB of the stack.
        sys.setrecursionlimit(300)
        store = rkv.Store()
        def deeper(_):
            return store.compute("k", deeper) or "v"

        def until_the_end():
            try:
                store.compute("k", deeper)
            except RecursionError:
                print("ended")

        until_the_end()
        thread = threading.Thread(target=until_the_end)
        thread.start()
        thread.join()
        assert not store
    """)
    assert printed.split() == ["ended", "ended"]


def test_a_callable_that_closes_its_store_changes_nothing(store: rkv.Store) -> None:
    store["k"] = "v"

    def close(_: bytes | None) -> str:
        store.close()
        return "too late"

    with pytest.raises(rkv.Closed):
        store.compute("k", close)


def test_a_callable_may_drop_the_last_reference_to_its_store() -> None:
    stores = [rkv.Store()]
    assert stores[0].compute("k", lambda _: stores.clear() or "v") == b"v"


def test_others_write_while_the_callable_runs(store: rkv.Store) -> None:
    inside, written = threading.Event(), threading.Event()

    def work(old: bytes | None) -> bytes:
        if old is None:
            inside.set()
            assert written.wait(60)
        return (old or b"") + b"!"

    answers: list[bytes | None] = []
    thread = threading.Thread(target=lambda: answers.append(store.compute("k", work)))
    thread.start()
    assert inside.wait(60)
    store["k"] = "theirs"
    store["other"] = "v"
    written.set()
    thread.join()
    assert answers == [b"theirs!"]


def test_a_computed_value_lives_as_it_is_told() -> None:
    clock = rkv.ManualClock()
    store = rkv.Store(clock=clock, default_ttl=100)
    ttls = [
        ({}, 100.0),
        ({"ttl": None}, 100.0),
        ({"ttl": 7}, 7.0),
        ({"ttl": float("inf")}, float("inf")),
        ({"ttl": rkv.KEEP}, 100.0),
    ]
    for options, left in ttls:
        store.clear()
        assert store.compute("k", lambda _: "v", **options) == b"v"
        assert store.ttl("k") == left
    store.set("k", "v", ttl=9)
    clock.advance(4)
    store.compute("k", lambda _: "new")
    assert store.ttl("k") == 5.0
    store.compute("k", lambda _: "new", ttl=None)
    assert store.ttl("k") == 100.0
    store.compute("k", lambda _: "new", ttl=3)
    clock.advance(3)
    assert store.compute("k", lambda old: "gone" if old is None else old) == b"gone"


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), "1 s", rkv.DELETE])
def test_a_wrong_ttl_is_refused_before_the_callable_runs(store: rkv.Store, wrong: Any) -> None:
    with pytest.raises((rkv.InvalidTtl, TypeError), match="ttl"):
        store.compute("k", lambda _: sys.exit("it ran"), ttl=wrong)


def test_a_key_too_long_is_refused(store: rkv.Store) -> None:
    with pytest.raises(rkv.TooLarge, match="`key`"):
        store.compute("x" * 65_536, lambda _: "v")
    assert store.compute("x" * 65_536, lambda _: rkv.KEEP) is None


def test_the_sentinels_are_what_they_are_called() -> None:
    assert repr(rkv.DELETE) == "rkv.DELETE"
    assert isinstance(rkv.DELETE, rkv.Delete)
    assert isinstance(rkv.KEEP, rkv.Keep)
    for kind in (rkv.Delete, rkv.Keep):
        with pytest.raises(TypeError, match=kind.__name__):
            kind()


def test_a_version_that_moved_is_a_conflict(store: rkv.Store) -> None:
    store["k"] = "one"
    first = store.view("k").version
    second = store.compare_and_swap("k", first, "two")
    assert second == store.view("k").version > first
    with pytest.raises(rkv.Conflict, match=f"the current version is {second}") as caught:
        store.compare_and_swap("k", first, "three")
    assert caught.value.current == second
    assert store["k"] == b"two"
    with pytest.raises(rkv.Conflict, match="the key does not exist") as caught:
        store.compare_and_swap("absent", first, "v")
    assert caught.value.current is None
    assert rkv.Conflict.current is None


@pytest.mark.parametrize("absent", [None, 0])
def test_the_version_of_an_absent_key_is_none_or_0(absent: int | None) -> None:
    clock = rkv.ManualClock()
    with rkv.Store(clock=clock, default_ttl=5) as store:
        version = store.compare_and_swap("k", absent, "one")
        assert (store["k"], store.view("k").version, store.ttl("k")) == (b"one", version, 5.0)
        with pytest.raises(rkv.Conflict) as caught:
            store.compare_and_swap("k", absent, "two")
        assert (caught.value.current, store["k"]) == (version, b"one")
        clock.advance(5)
        with pytest.raises(rkv.Conflict) as caught:
            store.compare_and_swap("k", version, "two")
        # What stands there is taken as it is.
        assert store.compare_and_swap("k", caught.value.current, "two") > version


@pytest.mark.parametrize("wrong", [-1, 1 << 64, 1 << 80])
def test_a_version_out_of_range_is_refused_by_name(store: rkv.Store, wrong: int) -> None:
    with pytest.raises(rkv.InvalidArgument, match="`version`: must be at least 0"):
        store.compare_and_swap("k", wrong, "v")


@pytest.mark.parametrize("wrong", ["1", 1.0, True], ids=lambda wrong: type(wrong).__name__)
def test_a_version_of_another_type_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^version must be int, not {type(wrong).__name__}$"):
        store.compare_and_swap("k", wrong, "v")
