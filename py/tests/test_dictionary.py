"""A store reads and writes like a dict of bytes."""

import random

import pytest

import rkv


def test_what_is_set_is_read_as_bytes(store: rkv.Store) -> None:
    store.set("name", "Zoë")
    assert store.get("name") == "Zoë".encode()
    assert store["name"] == "Zoë".encode()
    assert type(store["name"]) is bytes


def test_str_and_its_utf8_are_one_key(store: rkv.Store) -> None:
    store["clé"] = "v"
    assert store["clé".encode()] == b"v"
    assert store.count() == 1


def test_set_replaces(store: rkv.Store) -> None:
    store["k"] = "old"
    store["k"] = "new"
    assert store["k"] == b"new"
    assert len(store) == 1


def test_missing_key_reads_as_default(store: rkv.Store) -> None:
    assert store.get("missing") is None
    default = object()
    assert store.get("missing", default) is default
    store["present"] = ""
    assert store.get("present", default) == b""


def test_missing_key_raises_key_error_that_shows_the_key(store: rkv.Store) -> None:
    with pytest.raises(KeyError) as reading:
        store["missing"]
    with pytest.raises(rkv.NotFound) as deleting:
        del store[b"missing"]
    assert reading.value.args == ("missing",)
    assert str(deleting.value) == "b'missing'"


def test_delete_says_whether_the_key_existed(store: rkv.Store) -> None:
    store["k"] = "v"
    assert store.delete("k") is True
    assert store.delete("k") is False
    assert "k" not in store


def test_del_removes(store: rkv.Store) -> None:
    store["k"] = "v"
    del store["k"]
    assert store.get("k") is None
    assert len(store) == 0


@pytest.mark.parametrize("name", ["add", "set_if_absent"])
def test_add_stores_only_the_first(store: rkv.Store, name: str) -> None:
    add = getattr(store, name)
    assert add("k", "first") is True
    assert add("k", "second") is False
    assert store["k"] == b"first"


def test_in_and_contains_agree(store: rkv.Store) -> None:
    store["k"] = "v"
    assert "k" in store
    assert store.contains(b"k") is True
    assert "other" not in store
    assert store.contains("other") is False


def test_store_is_true_when_it_has_a_key(store: rkv.Store) -> None:
    assert not store
    store["k"] = ""
    assert store


def test_clear_says_how_many_it_removed(store: rkv.Store) -> None:
    for number in range(1000):
        store[str(number)] = "v"
    assert store.clear() == 1000
    assert store.clear() == 0
    assert store.keys() == []


def test_keys_are_sorted_bytewise_and_filtered_by_literal_prefix(store: rkv.Store) -> None:
    for key in ["b", "a*1", "a", "a*", "B", b"\xff", "aa", ""]:
        store[key] = "v"
    assert store.keys() == [b"", b"B", b"a", b"a*", b"a*1", b"aa", b"b", b"\xff"]
    assert store.keys("a*") == [b"a*", b"a*1"]
    assert store.keys(b"\xff\xff") == []


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\xff\0", b"x" * 10_000, bytes(range(256))])
def test_any_bytes_are_a_key_and_a_value(store: rkv.Store, octets: bytes) -> None:
    store[octets] = octets
    assert store[octets] == octets
    assert store.keys() == [octets]


def test_value_of_many_megabytes_comes_back_whole(store: rkv.Store) -> None:
    value = random.Random(1).randbytes(5_000_000)
    store["big"] = value
    assert store["big"] == value
    assert list(store.scan()) == [(b"big", value)]


def test_random_operations_agree_with_a_dict(store: rkv.Store) -> None:
    chance = random.Random(7)
    model: dict[bytes, bytes] = {}
    for step in range(30_000):
        key = b"%d" % chance.randrange(500)
        value = chance.randbytes(chance.randrange(40))
        match chance.randrange(6):
            case 0:
                store[key] = value
                model[key] = value
            case 1:
                assert store.add(key, value) == (key not in model)
                model.setdefault(key, value)
            case 2:
                assert store.delete(key) == (model.pop(key, None) is not None)
            case 3:
                assert store.get(key) == model.get(key)
            case 4:
                assert (key in store, len(store)) == (key in model, len(model))
            case 5 if step % 50 == 0:
                assert dict(store.scan()) == model
    assert store.keys() == sorted(model)
    assert dict(store.scan()) == model
