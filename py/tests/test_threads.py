"""Threads share one store without locks of their own."""

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import rkv

THREADS = 4


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    """Let the interpreter change threads every few instructions."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def together(work: Callable[[int], None]) -> None:
    """Run work in all threads at once, and raise what any of them raised."""
    start = threading.Barrier(THREADS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_no_increment_is_lost(store: rkv.Store) -> None:
    def work(_: int) -> None:
        for step in range(20_000):
            store.incr("shared")
            store.incr(f"one of {step % 50}")

    together(work)
    assert int(store["shared"]) == THREADS * 20_000
    assert [int(store[f"one of {n}"]) for n in range(50)] == [THREADS * 400] * 50


def test_one_thread_wins_each_add(store: rkv.Store) -> None:
    won: list[list[int]] = [[] for _ in range(THREADS)]

    def work(me: int) -> None:
        for key in range(5000):
            if store.add(str(key), str(me)):
                won[me].append(key)

    together(work)
    assert sorted(key for keys in won for key in keys) == list(range(5000))
    for me, keys in enumerate(won):
        assert all(store[str(key)] == b"%d" % me for key in keys)


def test_no_computation_is_lost(store: rkv.Store) -> None:
    def work(me: int) -> None:
        for step in range(3000):
            store.compute("shared", lambda old: b"%d" % (int(old or 0) + 1))
            store.compute(f"log {step % 20}", lambda old: (old or b"") + bytes([me]))

    together(work)
    assert int(store["shared"]) == THREADS * 3000
    for log in range(20):
        assert sorted(store[f"log {log}"]) == sorted([*range(THREADS)] * 150)


def test_what_is_swapped_at_its_version_is_not_lost(store: rkv.Store) -> None:
    store["shared"] = "0"

    def swapped() -> bool:
        view = store.view("shared")
        assert view is not None
        try:
            store.compare_and_swap("shared", view.version, str(int(bytes(view)) + 1))
        except rkv.Conflict as conflict:
            return (conflict.current or 0) <= view.version
        return True

    def work(_: int) -> None:
        for _ in range(2000):
            while not swapped():
                pass

    together(work)
    assert int(store["shared"]) == THREADS * 2000


@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_threads_agree_on_a_default(encoding: str | None) -> None:
    store = rkv.Store(encoding=encoding)
    got: list[list[object]] = [[] for _ in range(THREADS)]

    def work(me: int) -> None:
        for key in range(5000):
            got[me].append(store.setdefault(str(key), str(me)))

    together(work)
    assert got[0] == got[1] == got[2] == got[3] == store.get_many(map(str, range(5000)))


@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_each_entry_is_popped_once(encoding: str | None) -> None:
    store = rkv.Store(encoding=encoding)
    store.update({f"pop {number}": str(number) for number in range(5000)})
    store.update({f"item {number}": str(number) for number in range(5000)})
    popped: list[list[object]] = [[] for _ in range(THREADS)]

    def work(me: int) -> None:
        for number in range(5000):
            value = store.pop(f"pop {number}", None)
            if value is not None:
                popped[me].append(value)
            try:
                popped[me].append(store.popitem()[1])
            except KeyError:
                return

    together(work)
    assert len(store) == 0
    numbers = sorted(int(str(value).strip("b'")) for part in popped for value in part)
    assert numbers == sorted([*range(5000)] * 2)


def test_views_stay_whole_while_their_keys_change(store: rkv.Store) -> None:
    def work(me: int) -> None:
        kept = []
        for step in range(3000):
            store[f"{step % 7}"] = bytes([me]) * 500
            view = store.view(f"{(step + me) % 7}")
            if view is not None:
                kept.append((view, bytes(view)))
            store.delete(f"{(step + 3) % 7}")
        assert all(view == octets == octets[:1] * 500 for view, octets in kept)

    together(work)


def test_batches_of_threads_are_whole(store: rkv.Store) -> None:
    keys = [str(number) for number in range(800)]

    def work(me: int) -> None:
        for _ in range(30):
            store.set_many(dict.fromkeys(keys, bytes([me]) * 200))
            for value in store.get_many(keys):
                assert value is None or value == value[:1] * 200
            if me == 0:
                store.delete_many(keys[::2])
            assert {len(value) for value in store.values()} == {200}

    together(work)


def test_readers_see_whole_values_while_writers_replace_them(store: rkv.Store) -> None:
    store["k"] = b"\0" * 300

    def work(me: int) -> None:
        for step in range(5000):
            if me % 2:
                store["k"] = bytes([step % 256]) * 300
            else:
                value = store["k"]
                assert value == value[:1] * 300

    together(work)


def test_keys_that_stay_come_once_while_others_come_and_go(store: rkv.Store) -> None:
    stay = {b"stay-%d" % number for number in range(1000)}
    for key in stay:
        store[key] = "v"

    def work(me: int) -> None:
        for step in range(20):
            if me == 0:
                seen = [key for key in store if key in stay]
                assert sorted(seen) == sorted(stay)
                assert set(store.keys("stay-")) == stay
            else:
                for number in range(500):
                    store[f"go-{me}-{number}"] = str(step)
                for number in range(500):
                    assert store.delete(f"go-{me}-{number}")

    together(work)
    assert store.count() == 1000


def test_keys_are_met_up_to_their_deadline_and_never_after() -> None:
    clock = rkv.ManualClock()
    store = rkv.Store(clock=clock)
    # The clock moves by milliseconds; half of one is room for rounding.
    ttl, rounding = 0.005, 0.0005
    ends: dict[bytes, float] = {}
    met: list[tuple[float, bytes]] = []

    def work(me: int) -> None:
        begun: dict[str, float] = {}
        for step in range(3000):
            value = b"%d %d" % (me, step)
            key = f"{me}-{step % 10}"
            begun[key] = clock.elapsed()
            store.set(key, value, ttl=ttl)
            ends[value] = clock.elapsed() + ttl
            clock.advance(0.001)
            older = (step + step // 10) % 10
            for owner in (me, (me + 1) % THREADS):
                key = f"{owner}-{older}"
                asked = clock.elapsed()
                found = store.get(key)
                if found is not None:
                    met.append((asked, found))
                elif key in begun:
                    assert clock.elapsed() > begun[key] + ttl - rounding, "gone early"

    together(work)
    assert [value for asked, value in met if asked > ends[value] - rounding] == []
    assert len(met) > 100
    clock.advance(ttl)
    assert store.count() == store.stats()["entries"] == 0


def test_calls_in_flight_at_close_finish_or_raise_closed() -> None:
    for _ in range(50):
        store = rkv.Store()
        for number in range(200):
            store[str(number)] = "v"

        def work(me: int, store: rkv.Store = store) -> None:
            calls = (
                lambda: store.compute("k", lambda _: "v"),
                lambda: store.set_many(dict.fromkeys(map(str, range(1000)), "v")),
                lambda: store.incr("n"),
                lambda: [store.items(), list(store.scan()), store.clear()],
            )
            try:
                for step in range(100_000):
                    calls[me]()
                    if me == 2 and step == 20:
                        store.close()
            except rkv.Closed:
                return
            raise AssertionError("went on after close")

        together(work)
