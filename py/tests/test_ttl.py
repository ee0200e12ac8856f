"""Keys with a time to live: served up to their deadline, absent from it on, and then gone."""

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

import rkv


@pytest.fixture
def clock() -> rkv.ManualClock:
    """Give a clock at 0."""
    return rkv.ManualClock()


@pytest.fixture
def store(clock: rkv.ManualClock) -> Iterator[rkv.Store]:
    """Give an open store by that clock."""
    with rkv.Store(clock=clock) as store:
        yield store


def test_a_key_lives_up_to_its_deadline(store: rkv.Store, clock: rkv.ManualClock) -> None:
    store.set("k", "v", ttl=1.5)
    assert store.ttl("k") == 1.5
    clock.advance(1.499)
    assert store["k"] == b"v"
    assert store.ttl("k") == 0.001
    assert store.count() == len(store) == 1


ABSENT: dict[str, tuple[Callable[[rkv.Store], object], object]] = {
    "get": (lambda store: store.get("k"), None),
    "get_many": (lambda store: store.get_many(["k"]), [None]),
    "contains": (lambda store: store.contains("k"), False),
    "in": (lambda store: "k" in store, False),
    "ttl": (lambda store: store.ttl("k"), None),
    "expire": (lambda store: store.expire("k", 1), False),
    "persist": (lambda store: store.persist("k"), False),
    "touch": (lambda store: store.touch("k", 1), False),
    "delete": (lambda store: store.delete("k"), False),
    "keys": (lambda store: store.keys(), []),
    "scan": (lambda store: list(store.scan()), []),
    "iter": (list, []),
    "count": (lambda store: store.count(), 0),
    "bool": (bool, False),
    "add": (lambda store: store.add("k", "new"), True),
    "incr": (lambda store: store.incr("k"), 1),
}


@pytest.mark.parametrize(("call", "answer"), ABSENT.values(), ids=ABSENT.keys())
def test_from_its_deadline_on_no_call_finds_it(
    store: rkv.Store, clock: rkv.ManualClock, call: Callable[[rkv.Store], object], answer: object
) -> None:
    store.set("k", "v", ttl=1)
    clock.advance(1)
    assert call(store) == answer


def test_item_access_to_an_expired_key_is_a_key_error(
    store: rkv.Store, clock: rkv.ManualClock
) -> None:
    store.set("k", "v", ttl=1)
    clock.advance(1)
    with pytest.raises(KeyError, match="k"):
        store["k"]
    with pytest.raises(rkv.NotFound):
        del store["k"]


SPANS = [2, 2.0, timedelta(seconds=2), Decimal(2), Fraction(2)]


@pytest.mark.parametrize("span", SPANS, ids=lambda span: type(span).__name__)
def test_numbers_and_timedeltas_are_times_to_live(clock: rkv.ManualClock, span: float) -> None:
    with rkv.Store(clock=clock, default_ttl=span) as store:
        store["default"] = store["expire"] = store["touch"] = "v"
        store.set("set", "v", ttl=span)
        clock.advance(timedelta(seconds=1))
        assert store.expire("expire", span)
        assert store.touch("touch", span)
        assert [store.ttl(key) for key in ("default", "set", "expire", "touch")] == [1, 1, 2, 2]
        clock.advance(span)
        assert store.count() == 0
        assert clock.elapsed() == 3.0


FOR_EVER = [math.inf, 1e300, 10**400, timedelta.max]


@pytest.mark.parametrize("span", FOR_EVER, ids=lambda span: repr(span)[:20])
def test_what_exceeds_every_clock_is_for_ever(
    store: rkv.Store, clock: rkv.ManualClock, span: float
) -> None:
    store.set("k", "v", ttl=span)
    assert store.ttl("k") == math.inf
    clock.advance(span)
    assert store.ttl("k") == math.inf


def test_the_shortest_span_is_longer_than_zero(store: rkv.Store, clock: rkv.ManualClock) -> None:
    store.set("k", "v", ttl=5e-324)
    assert store.ttl("k") == 0.001
    clock.advance(5e-4)
    assert "k" in store
    clock.advance(5e-4)
    assert "k" not in store


def test_a_set_without_a_word_takes_the_default(clock: rkv.ManualClock) -> None:
    with rkv.Store(clock=clock, default_ttl=10) as store:
        store.set("k", "v", ttl=1)
        store.set("k", "v")
        assert store.ttl("k") == 10
        store.set("k", "v", ttl=math.inf)
        store["k"] = "v"
        assert store.ttl("k") == 10
        assert store.add("other", "v")
        assert store.ttl("other") == 10
    with rkv.Store(clock=clock) as store:
        store.set("k", "v", ttl=1)
        store["k"] = "v"
        assert store.ttl("k") == math.inf


def test_keep_keeps_what_is_left(clock: rkv.ManualClock) -> None:
    with rkv.Store(clock=clock, default_ttl=10) as store:
        store.set("k", "old", ttl=4)
        clock.advance(1)
        store.set("k", "new", ttl=rkv.KEEP)
        assert (store["k"], store.ttl("k")) == (b"new", 3)
        store.set("absent", "v", ttl=rkv.KEEP)
        assert store.ttl("absent") == 10
        store.set("k", "v", ttl=math.inf)
        store.set("k", "v", ttl=rkv.KEEP)
        assert store.ttl("k") == math.inf


def test_keep_is_one_object() -> None:
    assert repr(rkv.KEEP) == "rkv.KEEP"
    assert copy.deepcopy(rkv.KEEP) is rkv.KEEP
    assert pickle.loads(pickle.dumps(rkv.KEEP)) is rkv.KEEP


def test_incr_keeps_what_is_left(store: rkv.Store, clock: rkv.ManualClock) -> None:
    store.set("n", "41", ttl=2)
    assert store.incr("n") == 42
    clock.advance(1)
    assert store.ttl("n") == 1


def test_expire_and_persist_change_the_time_alone(store: rkv.Store, clock: rkv.ManualClock) -> None:
    store["k"] = "v"
    assert store.expire("k", 5)
    assert store.ttl("k") == 5
    assert store.expire("k", 3)
    assert store.persist("k")
    assert store.persist("k")
    clock.advance(100)
    assert (store["k"], store.ttl("k")) == (b"v", math.inf)


def test_touch_renews_once_an_eighth_has_passed(store: rkv.Store, clock: rkv.ManualClock) -> None:
    store.set("k", "v", ttl=8)
    clock.advance(1)
    assert store.touch("k", 8)
    assert store.ttl("k") == 7
    clock.advance(0.001)
    assert store.touch("k", 8)
    assert store.ttl("k") == 8
    store["k"] = "v"
    assert store.touch("k", 8)
    assert store.ttl("k") == math.inf


NO_SPAN = [0, 0.0, -0.0, -1, -1e-9, -math.inf, math.nan, -(10**400), timedelta(0), timedelta.min]


@pytest.mark.parametrize("wrong", NO_SPAN, ids=lambda span: repr(span)[:20])
def test_what_is_not_longer_than_zero_is_refused_by_name(store: rkv.Store, wrong: float) -> None:
    store.set("k", "v", ttl=70)
    for call in (
        lambda: store.set("k", "w", ttl=wrong),
        lambda: store.expire("k", wrong),
        lambda: store.touch("k", wrong),
    ):
        with pytest.raises(rkv.InvalidTtl, match="`ttl`: must be longer than zero") as caught:
            call()
        assert isinstance(caught.value, ValueError)
        assert caught.value.code == -2
    with pytest.raises(rkv.InvalidTtl, match="`default_ttl`: must be longer than zero"):
        rkv.Store(default_ttl=wrong)
    assert (store["k"], store.ttl("k")) == (b"v", 70)


@pytest.mark.parametrize(
    "wrong", ["1", b"1", [1], object(), 1j, True], ids=lambda w: type(w).__name__
)
def test_a_span_of_another_type_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    kind = type(wrong).__name__
    with pytest.raises(
        TypeError, match=f"^ttl must be float seconds, timedelta or rkv.KEEP, not {kind}$"
    ):
        store.set("k", "v", ttl=wrong)
    reason = f"ttl must be float seconds or timedelta, not {kind}$"
    for call in (store.expire, store.touch):
        with pytest.raises(TypeError, match=f"^{reason}"):
            call("k", wrong)
    with pytest.raises(TypeError, match=f"^default_{reason}"):
        rkv.Store(default_ttl=wrong)
    assert len(store) == 0


def test_keep_and_none_are_for_set_alone(store: rkv.Store) -> None:
    for call in (store.expire, store.touch):
        for wrong in (rkv.KEEP, None):
            with pytest.raises(TypeError, match=r"^ttl must be float seconds or timedelta, not "):
                call("k", wrong)
    with pytest.raises(TypeError, match=r"^default_ttl must be"):
        rkv.Store(default_ttl=rkv.KEEP)


def test_a_span_that_raises_raises(store: rkv.Store) -> None:
    class Raises:
        def __float__(self) -> float:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        store.set("k", "v", ttl=Raises())


def test_a_clock_moves_on_only(clock: rkv.ManualClock) -> None:
    clock.advance(0)
    clock.advance(0.25)
    assert clock.elapsed() == 0.25
    assert repr(clock) == "<rkv.ManualClock at 0.25 s>"
    for wrong in (-1, -1e-3, math.nan, -math.inf, timedelta(seconds=-1)):
        with pytest.raises(rkv.InvalidArgument, match="`by`: must be at least 0"):
            clock.advance(wrong)
    with pytest.raises(TypeError, match=r"^by must be float seconds or timedelta, not str$"):
        clock.advance("1")
    assert clock.elapsed() == 0.25
    clock.advance(math.inf)
    assert clock.elapsed() > 1e10


def test_stores_may_share_a_clock(clock: rkv.ManualClock) -> None:
    with rkv.Store(clock=clock) as one, rkv.Store(clock=clock, default_ttl=2) as other:
        one.set("k", "v", ttl=1)
        other["k"] = "v"
        clock.advance(1)
        assert "k" not in one
        assert "k" in other


@pytest.mark.parametrize("wrong", [1.0, "clock", rkv.ManualClock], ids=repr)
def test_a_clock_of_another_type_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"^clock must be ManualClock, not "):
        rkv.Store(clock=wrong)


def test_without_a_clock_time_passes() -> None:
    with rkv.Store() as store:
        store.set("k", "v", ttl=0.001)
        while "k" in store:
            pass
        store.set("k", "v", ttl=3600)
        left = store.ttl("k")
        assert left is not None
        assert 3500 < left <= 3600.001


def test_advance_says_when_to_come_again(store: rkv.Store, clock: rkv.ManualClock) -> None:
    assert store.advance() is None
    for number in range(1000):
        store.set(str(number), "v", ttl=2)
    wait = store.advance()
    while wait == 0:
        wait = store.advance()
    assert wait is not None
    assert 0 < wait <= 2
    clock.advance(2)
    while store.advance() is not None:
        pass
    stats = store.stats()
    assert (stats["entries"], stats["timers"]) == (0, 0)
    assert (stats["expired_actively"], stats["expired_lazily"]) == (1000, 0)


def test_purge_removes_what_is_due_and_counts_it(store: rkv.Store, clock: rkv.ManualClock) -> None:
    for number in range(300):
        store.set(str(number), "v", ttl=1 if number < 200 else math.inf)
    assert store.purge_expired() == 0
    clock.advance(1)
    assert store.stats()["entries"] == 300
    assert store.purge_expired() == 200
    assert store.purge_expired() == 0
    assert store.stats()["entries"] == store.count() == 100


def test_figures_tell_how_late_keys_went(store: rkv.Store, clock: rkv.ManualClock) -> None:
    assert store.stats()["expiry_lag"] == {"p50_ms": 0, "p99_ms": 0, "max_ms": 0}
    for ttl in (0.06, 0.1, 0.1):
        store.set(str(store.count()), "v", ttl=ttl)
    clock.advance(0.106)
    assert store.purge_expired() == 3
    assert store.stats()["expiry_lag"] == {"p50_ms": 6, "p99_ms": 46, "max_ms": 46}


def test_figures_tell_the_timers_that_no_key_needs(clock: rkv.ManualClock) -> None:
    with rkv.Store(shards=1, clock=clock) as store:
        for number in range(4):
            store.set(str(number), "v", ttl=60)
        store.advance()
        assert (store.stats()["timers"], store.stats()["stale_timers"]) == (4, 0)
        store.delete("0")
        assert (store.stats()["timers"], store.stats()["stale_timers"]) == (4, 1)


def test_who_meets_an_expired_key_first_removes_it(
    store: rkv.Store, clock: rkv.ManualClock
) -> None:
    store.set("k", "v", ttl=1)
    clock.advance(1)
    assert store.get("k") is None
    stats = store.stats()
    assert (stats["entries"], stats["expired_lazily"]) == (0, 1)


def test_expired_keys_give_their_memory_back(run_python: Callable[[str], str]) -> None:
    printed = run_python("""
        import os
        import rkv

        def resident():
            with open("/proc/self/statm") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        clock = rkv.ManualClock()
        store = rkv.Store(clock=clock)
        for round in range(8):
            for number in range(20_000):
                store.set(f"{round}-{number}", "v" * 500, ttl=10)
            clock.advance(10)
            while store.advance() is not None:
                pass
            assert store.stats()["entries"] == 0
            print(resident())
    """)
    sizes = [int(line) for line in printed.split()]
    # Each round holds 11 MB.
    assert max(sizes[3:]) - sizes[2] < 20_000_000, sizes


def test_maintenance_removes_what_is_due_by_itself() -> None:
    with rkv.Store(maintenance=True) as store:
        store.set("k", "v", ttl=0.001)
        # Looking at the figures removes nothing.
        while store.stats()["entries"]:
            pass
        assert store.stats()["expired_actively"] == 1


@pytest.mark.parametrize("ttl", ["0.001 + number / 1e6", "0.02 + number / 1e4", "60"])
def test_a_program_may_end_with_maintenance_going_on(
    run_python: Callable[[str], str], ttl: str
) -> None:
    run_python(f"""
        import os
        import rkv
        store = rkv.Store(maintenance=True)
        for number in range(10_000):
            store.set(str(number), "v", ttl={ttl})
        assert len(os.listdir("/proc/self/task")) == 2
    """)


def test_maintenance_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^maintenance must be bool, not int"):
        rkv.Store(maintenance=1)


def test_times_to_live_start_no_thread_unless_told_to(run_python: Callable[[str], str]) -> None:
    run_python("""
        import os
        import rkv
        with rkv.Store(default_ttl=0.001) as store:
            for number in range(10_000):
                store[str(number)] = "v"
            store.advance()
            assert len(os.listdir("/proc/self/task")) == 1
        with rkv.Store(maintenance=True) as store:
            store["k"] = "v"
            assert len(os.listdir("/proc/self/task")) == 1
            store.set("k", "v", ttl=60)
            assert len(os.listdir("/proc/self/task")) == 2
    """)
