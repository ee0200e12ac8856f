"""What a dict has beside reading and writing: pop, popitem, setdefault, update, lists."""

from collections import ChainMap, OrderedDict, UserDict
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest

import rkv


def test_pop_removes_and_gives(store: rkv.Store) -> None:
    store["k"] = "v"
    assert store.pop("k") == b"v"
    assert "k" not in store


def test_pop_of_a_missing_key_gives_the_default(store: rkv.Store) -> None:
    default = object()
    assert store.pop("k", default) is default
    assert store.pop("k", None) is None
    store["k"] = ""
    assert store.pop("k", default) == b""


def test_pop_of_a_missing_key_raises_key_error_that_shows_the_key(store: rkv.Store) -> None:
    with pytest.raises(KeyError) as caught:
        store.pop("missing")
    assert isinstance(caught.value, rkv.NotFound)
    assert caught.value.args == ("missing",)


def test_popitem_gives_each_entry_once(store: rkv.Store) -> None:
    model = {b"%d" % number: b"%d" % (number * number) for number in range(3000)}
    store.update(model)
    popped = [store.popitem() for _ in range(3000)]
    assert dict(popped) == model
    assert len(store) == 0
    with pytest.raises(KeyError, match="the store is empty") as caught:
        store.popitem()
    assert isinstance(caught.value, rkv.NotFound)


def test_popitem_finds_what_comes_while_a_store_is_emptied(store: rkv.Store) -> None:
    for number in range(1000):
        store[str(number)] = "v"
        store[f"more {number}"] = "v"
        store.popitem()
    assert len([store.popitem() for _ in range(1000)]) == 1000
    assert not store


def test_an_expired_key_is_not_popped() -> None:
    clock = rkv.ManualClock()
    with rkv.Store(clock=clock) as store:
        store.set("k", "v", ttl=1)
        clock.advance(1)
        assert store.pop("k", None) is None
        store.set("k", "v", ttl=1)
        clock.advance(1)
        with pytest.raises(KeyError):
            store.popitem()
        assert store.setdefault("k", "new") == b"new"


def test_setdefault_stores_and_gives_what_stands(store: rkv.Store) -> None:
    assert store.setdefault("k", "first") == b"first"
    assert store.setdefault("k", b"second") == b"first"
    assert store["k"] == b"first"
    assert store.setdefault("empty", "") == b""
    assert store.setdefault("empty", "v") == b""


@pytest.mark.parametrize("default", [bytearray(b"v"), memoryview(b"-v-")[1:2]])
def test_a_default_is_bytes_like(store: rkv.Store, default: Any) -> None:
    stored = store.setdefault("k", default)
    assert (type(stored), stored) == (bytes, b"v")


def test_a_default_that_setdefault_stores_lives_by_default() -> None:
    with rkv.Store(clock=rkv.ManualClock(), default_ttl=5) as store:
        store.setdefault("k", "v")
        assert store.ttl("k") == 5.0


@pytest.mark.parametrize("wrong", [None, 5, ["v"]], ids=lambda wrong: type(wrong).__name__)
def test_a_default_of_another_type_is_refused_by_name(store: rkv.Store, wrong: Any) -> None:
    reason = f"^default must be str or bytes-like, not {type(wrong).__name__}$"
    for _ in range(2):
        with pytest.raises(TypeError, match=reason):
            store.setdefault("k", wrong)
        store["k"] = "v"


class Own(UserDict[str, str]):
    """A mapping that is no dict."""


class _Keyed:
    """No more than what `update` asks of a mapping."""

    def keys(self) -> list[str]:
        return ["a", "b"]

    def __getitem__(self, key: str) -> str:
        return key * 2


SOURCES: dict[str, Callable[[], Any]] = {
    "dict": lambda: {"a": "aa", "b": "bb"},
    "bytes": lambda: {b"a": b"aa", b"b": bytearray(b"bb")},
    "ordered": lambda: OrderedDict(a="aa", b="bb"),
    "proxy": lambda: MappingProxyType({"a": "aa", "b": "bb"}),
    "chain": lambda: ChainMap({"a": "aa"}, {"b": "bb"}),
    "user": lambda: Own(a="aa", b="bb"),
    "keyed": _Keyed,
    "pairs": lambda: [("a", "aa"), ["b", "bb"]],
    "items": lambda: {"a": "aa", "b": "bb"}.items(),
    "generator": lambda: ((key, key * 2) for key in "ab"),
    "pairs of any iterable": lambda: [iter(("a", "aa")), dict.fromkeys(["b", "bb"])],
    "store": lambda: filled(a="aa", b="bb"),
}


def filled(**items: str) -> rkv.Store:
    store = rkv.Store()
    store.update(items)
    return store


@pytest.mark.parametrize("name", ["update", "set_many"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_updates_come_from_mappings_and_pairs(
    store: rkv.Store, source: Callable[[], Any], name: str
) -> None:
    store["b"] = "old"
    getattr(store, name)(source())
    assert store.items() == [(b"a", b"aa"), (b"b", b"bb")]


def test_update_takes_keywords(store: rkv.Store) -> None:
    store.update()
    assert not store
    store.update(a="1", other="2", self="3")
    store.update({"a": "4", "b": "5"}, a="6")
    assert dict(store) == {b"a": b"6", b"b": b"5", b"other": b"2", b"self": b"3"}


def test_the_last_of_equal_keys_stays(store: rkv.Store) -> None:
    store.update([("k", "1"), (b"k", "2"), ("k", "3")])
    assert dict(store) == {b"k": b"3"}


@pytest.mark.parametrize("wrong", [5, None, "ab", object()])
@pytest.mark.parametrize(("name", "argument"), [("update", "other"), ("set_many", "items")])
def test_what_is_no_mapping_and_no_pairs_is_refused_by_name(
    store: rkv.Store, wrong: Any, name: str, argument: str
) -> None:
    kind = type(wrong).__name__
    reason = f"^{argument} must be a mapping or an iterable of pairs, not {kind}$"
    with pytest.raises(TypeError, match=reason):
        getattr(store, name)(wrong)


@pytest.mark.parametrize("wrong", [5, None, "ab"])
def test_an_item_that_is_no_pair_is_refused_by_name(store: rkv.Store, wrong: Any) -> None:
    reason = f"^each of other must be a pair of key and value, not {type(wrong).__name__}$"
    with pytest.raises(TypeError, match=reason):
        store.update([("k", "v"), wrong])
    assert not store


@pytest.mark.parametrize("wrong", [(), ("k",), ("k", "v", "w"), {"k": "v"}])
def test_a_pair_of_another_length_is_refused_by_name(store: rkv.Store, wrong: Any) -> None:
    with pytest.raises(rkv.InvalidArgument, match="`other`: each must be a pair of key and value"):
        store.update([("k", "v"), wrong])
    assert not store


@pytest.mark.parametrize("wrong", [{"k": 5}, {5: "v"}, {"a": "v", "k": None}, {"k": "\ud800"}])
def test_a_wrong_item_changes_nothing(store: rkv.Store, wrong: Any) -> None:
    with pytest.raises((TypeError, UnicodeEncodeError)):
        store.update(wrong)
    with pytest.raises((TypeError, UnicodeEncodeError)):
        store.set_many({"first": "v", **wrong})
    assert not store


def test_what_a_mapping_raises_comes_out_and_changes_nothing(store: rkv.Store) -> None:
    class Failing(_Keyed):
        def __getitem__(self, key: str) -> str:
            raise LookupError(key)

    def pairs() -> Iterator[tuple[str, str]]:
        yield ("a", "v")
        raise LookupError("mine")

    for failing in (Failing(), pairs()):
        with pytest.raises(LookupError):
            store.update(failing)
    assert not store


def test_a_mapping_may_change_while_it_is_read(store: rkv.Store) -> None:
    class Growing(_Keyed):
        def __getitem__(self, key: str) -> str:
            store[f"seen {key}"] = "v"
            return key

    store.update(Growing())
    assert store.keys() == [b"a", b"b", b"seen a", b"seen b"]


def test_values_and_items_are_in_the_order_of_keys(store: rkv.Store) -> None:
    for key in ["b", "a*1", "a", "a*", "B", b"\xff", "aa", ""]:
        store[key] = key if isinstance(key, bytes) else key.upper()
    assert store.items() == list(zip(store.keys(), store.values(), strict=True))
    assert store.keys() == sorted(store)
    assert store.items("a*") == [(b"a*", b"A*"), (b"a*1", b"A*1")]
    assert store.values(b"a*") == [b"A*", b"A*1"]
    assert store.values("none") == store.items(b"none") == []


def test_a_dict_is_made_of_a_store_and_its_lists(store: rkv.Store) -> None:
    store.update(a="1", b="2")
    assert dict(store) == dict(store.items()) == dict(store.scan()) == {b"a": b"1", b"b": b"2"}


def test_type_parameters_are_for_type_checkers() -> None:
    assert rkv.Store[str].__origin__ is rkv.Store
    with rkv.Store[str](encoding="utf-8") as store:
        assert isinstance(store, rkv.Store)
