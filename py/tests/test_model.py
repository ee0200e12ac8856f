"""Whatever is done in whatever order, a store answers as a dict with deadlines does."""

import math
import re

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import rkv

NAMES = [b"", b"a", b"aa", b"ab", b"b", "clé".encode(), b"x" * 1000]
KEYS = st.sampled_from(NAMES).flatmap(
    lambda key: st.sampled_from([key, key.decode(), bytearray(key)])
)
TEXTS = st.text(max_size=5) | st.integers(-99, 99).map(str)
VALUES = TEXTS | TEXTS.map(str.encode) | TEXTS.map(lambda text: bytearray(text.encode()))
ITEMS = st.lists(st.tuples(KEYS, VALUES), max_size=6)
# Whole and half seconds: the clock of a store counts milliseconds.
SPANS = st.integers(1, 8).map(lambda halves: halves / 2)
TTLS = st.none() | SPANS | st.just(math.inf) | st.just(rkv.KEEP)
DEFAULT_TTL = 3.0


def octets(given: str | bytes | bytearray) -> bytes:
    """Give what a store keeps of a key or value."""
    return given.encode() if isinstance(given, str) else bytes(given)


class _Machine(RuleBasedStateMachine):
    """A store beside a dict of values and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.model: dict[bytes, tuple[bytes, float]] = {}

    @initialize(encoding=st.sampled_from([None, "utf-8"]), shards=st.sampled_from([1, 4]))
    def open(self, encoding: str | None, shards: int) -> None:
        self.encoding = encoding
        self.clock = rkv.ManualClock()
        self.store = rkv.Store(
            encoding=encoding, shards=shards, clock=self.clock, default_ttl=DEFAULT_TTL
        )

    def teardown(self) -> None:
        self.store.close()

    # What the dict says.

    def read(self, given: bytes | None) -> object:
        return given if given is None or self.encoding is None else given.decode()

    def value(self, key: object) -> bytes | None:
        found = self.model.get(octets(key))
        return found[0] if found else None

    def put(self, key: object, value: object, ttl: object) -> None:
        found = self.model.get(octets(key))
        if ttl is rkv.KEEP and found:
            end = found[1]
        else:
            end = self.now + (DEFAULT_TTL if ttl is None or ttl is rkv.KEEP else float(ttl))
        self.model[octets(key)] = (octets(value), end)

    def remove(self, key: object) -> bool:
        return self.model.pop(octets(key), None) is not None

    def listed(self, prefix: bytes = b"") -> list[tuple[object, object]]:
        keys = sorted(key for key in self.model if key.startswith(prefix))
        return [(self.read(key), self.read(self.value(key))) for key in keys]

    # What is done to both.

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def set(self, key: object, value: object, ttl: object) -> None:
        self.store.set(key, value, ttl=ttl)
        self.put(key, value, ttl)

    @rule(key=KEYS, value=VALUES)
    def set_item(self, key: object, value: object) -> None:
        self.store[key] = value
        self.put(key, value, None)

    @rule(key=KEYS, value=VALUES, ttl=TTLS, name=st.sampled_from(["add", "set_if_absent"]))
    def add(self, key: object, value: object, ttl: object, name: str) -> None:
        absent = self.value(key) is None
        assert getattr(self.store, name)(key, value, ttl=ttl) is absent
        if absent:
            self.put(key, value, ttl)

    @rule(key=KEYS, default=VALUES)
    def setdefault(self, key: object, default: object) -> None:
        stands = self.store.setdefault(key, default)
        if self.value(key) is None:
            self.put(key, default, None)
        assert stands == self.read(self.value(key))

    @rule(items=ITEMS, ttl=TTLS, mapping=st.booleans())
    def set_many(self, items: list[tuple[object, object]], ttl: object, mapping: bool) -> None:
        whole = {octets(key): value for key, value in items} if mapping else items
        self.store.set_many(whole, ttl=ttl)
        for key, value in items:
            self.put(key, value, ttl)

    @rule(items=ITEMS, keywords=st.dictionaries(st.sampled_from(["a", "ab", "other"]), VALUES))
    def update(self, items: list[tuple[object, object]], keywords: dict[str, object]) -> None:
        self.store.update(items, **keywords)
        for key, value in [*items, *keywords.items()]:
            self.put(key, value, None)

    @rule(keys=st.lists(KEYS, max_size=6))
    def delete_many(self, keys: list[object]) -> None:
        assert self.store.delete_many(keys) == sum(map(self.remove, keys))

    @rule(key=KEYS)
    def delete(self, key: object) -> None:
        assert self.store.delete(key) is self.remove(key)

    @rule(key=KEYS)
    def del_item(self, key: object) -> None:
        if self.remove(key):
            del self.store[key]
        else:
            with pytest.raises(KeyError):
                del self.store[key]

    @rule(key=KEYS)
    def pop(self, key: object) -> None:
        value = self.value(key)
        if self.remove(key):
            assert self.store.pop(key) == self.read(value)
        else:
            with pytest.raises(KeyError):
                self.store.pop(key)
            assert self.store.pop(key, None) is None

    @rule()
    def popitem(self) -> None:
        if not self.model:
            with pytest.raises(KeyError):
                self.store.popitem()
            return
        key, value = self.store.popitem()
        assert value == self.read(self.value(key))
        assert self.remove(key)

    @rule(key=KEYS, suffix=VALUES, ttl=TTLS | st.just("left out"))
    def compute(self, key: object, suffix: object, ttl: object) -> None:
        old = self.value(key)
        new = (old or b"") + octets(suffix)

        def append(given: object) -> bytes:
            assert given == self.read(old)
            return new

        options = {} if ttl == "left out" else {"ttl": ttl}
        assert self.store.compute(key, append, **options) == self.read(new)
        self.put(key, new, options.get("ttl", rkv.KEEP))

    @rule(key=KEYS, answer=st.sampled_from([rkv.DELETE, rkv.KEEP]))
    def compute_sentinel(self, key: object, answer: rkv.Delete | rkv.Keep) -> None:
        stands = self.store.compute(key, lambda _: answer)
        if answer is rkv.DELETE:
            self.remove(key)
        assert stands == self.read(self.value(key))

    @rule(key=KEYS)
    def compute_raises(self, key: object) -> None:
        with pytest.raises(ZeroDivisionError):
            self.store.compute(key, lambda _: str(1 // 0))

    @rule(key=KEYS, value=VALUES, late=st.booleans())
    def compare_and_swap(self, key: object, value: object, late: bool) -> None:
        view = self.store.view(key)
        version = view.version - late if view is not None else 1
        if view is not None and not late:
            assert self.store.compare_and_swap(key, version, value) > version
            self.put(key, value, rkv.KEEP)
        else:
            with pytest.raises(rkv.Conflict) as caught:
                self.store.compare_and_swap(key, version, value)
            assert caught.value.current == (None if view is None else view.version)

    @rule(key=KEYS, by=st.integers(-5, 5))
    def incr(self, key: object, by: int) -> None:
        old = self.value(key) or b"0"
        if self.value(key) == b"" or not re.fullmatch(rb"[+-]?[0-9]{1,18}", old):
            with pytest.raises(rkv.NotANumber):
                self.store.incr(key, by)
        else:
            assert self.store.incr(key, by) == int(old) + by
            self.put(key, b"%d" % (int(old) + by), rkv.KEEP)

    @rule(key=KEYS, ttl=SPANS)
    def expire(self, key: object, ttl: float) -> None:
        there = self.value(key) is not None
        assert self.store.expire(key, ttl) is there
        if there:
            self.put(key, self.value(key), ttl)

    @rule(key=KEYS)
    def persist(self, key: object) -> None:
        there = self.value(key) is not None
        assert self.store.persist(key) is there
        if there:
            self.put(key, self.value(key), math.inf)

    @rule(by=st.integers(1, 6))
    def wait(self, by: int) -> None:
        self.now += by / 2
        self.clock.advance(by / 2)
        self.model = {key: found for key, found in self.model.items() if found[1] > self.now}

    @rule(how=st.sampled_from(["advance", "purge_expired"]))
    def maintain(self, how: str) -> None:
        getattr(self.store, how)()

    @rule()
    def clear(self) -> None:
        # What has expired may be counted with what goes.
        assert self.store.clear() >= len(self.model)
        self.model.clear()

    # What both say.

    @rule(key=KEYS, default=st.none() | VALUES)
    def get(self, key: object, default: object) -> None:
        value = self.value(key)
        assert self.store.get(key, default) == (default if value is None else self.read(value))
        assert (key in self.store) is self.store.contains(key) is (value is not None)
        if value is not None:
            assert self.store[key] == self.read(value)
        end = self.model.get(octets(key), (None, None))[1]
        assert self.store.ttl(key) == (None if end is None else pytest.approx(end - self.now))

    @rule(key=KEYS)
    def view(self, key: object) -> None:
        view, value = self.store.view(key), self.value(key)
        assert view == value
        assert view is None or view.key == octets(key)

    @rule(keys=st.lists(KEYS, max_size=6))
    def get_many(self, keys: list[object]) -> None:
        assert self.store.get_many(keys) == [self.read(self.value(key)) for key in keys]

    @rule(prefix=st.sampled_from([b"", b"a", b"aa", b"none"]))
    def lists(self, prefix: bytes) -> None:
        items = self.listed(prefix)
        assert self.store.items(prefix) == sorted(self.store.scan(prefix)) == items
        assert self.store.keys(prefix) == [key for key, _ in items]
        assert self.store.values(prefix) == [value for _, value in items]

    @invariant()
    def agree(self) -> None:
        assert self.store.items() == self.listed()
        assert len(self.store) == len(self.model) == len(list(self.store))
        assert bool(self.store) is bool(self.model)


TestModel = _Machine.TestCase
TestModel.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
