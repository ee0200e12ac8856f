"""A store with an encoding reads str; what is no UTF-8 is an error, and stays where it is."""

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rkv

TEXTS = ["", "a", "text", "clé", "\0", "😀 and more", "x" * 100_000, "ü" * 2_000_000]


@pytest.fixture
def text() -> Iterator[rkv.Store[str]]:
    """Give a store whose reads give str."""
    with rkv.Store(encoding="utf-8") as store:
        yield store


@pytest.mark.parametrize("name", ["utf-8", "utf8", "UTF-8", "Utf8"])
def test_utf8_has_several_names(name: str) -> None:
    with rkv.Store(encoding=name) as store:
        store["k"] = b"v"
        assert store["k"] == "v"


def test_without_an_encoding_reads_give_bytes() -> None:
    with rkv.Store(encoding=None) as store:
        store["k"] = "v"
        assert store.items() == [(b"k", b"v")]


@pytest.mark.parametrize("wrong", ["", "latin-1", "ascii", "utf-16", "utf-8 ", "\ud800"], ids=repr)
def test_another_encoding_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(rkv.InvalidArgument, match='`encoding`: must be "utf-8" or None'):
        rkv.Store(encoding=wrong)


@pytest.mark.parametrize("wrong", [b"utf-8", 8, True], ids=lambda wrong: type(wrong).__name__)
def test_an_encoding_of_another_type_is_refused_by_name(wrong: object) -> None:
    reason = f"^encoding must be str or None, not {type(wrong).__name__}"
    with pytest.raises(TypeError, match=reason):
        rkv.Store(encoding=wrong)


@pytest.mark.parametrize("value", TEXTS, ids=len)
def test_text_comes_back_as_it_was(text: rkv.Store[str], value: str) -> None:
    text["k"] = value
    assert text["k"] == value
    text["k"] = value.encode()
    assert text["k"] == value


def test_every_read_gives_str(text: rkv.Store[str]) -> None:
    text.update({"clé": "ö", b"b": b"w"})
    pairs = [("b", "w"), ("clé", "ö")]
    assert text.get("b") == text[b"b"] == "w"
    assert text.get_many(["b", "absent", "clé"]) == ["w", None, "ö"]
    assert text.get_many(["b"] * 600) == ["w"] * 600
    assert text.keys() == ["b", "clé"]
    assert text.values() == ["w", "ö"]
    assert text.items() == sorted(text.scan()) == pairs
    assert sorted(text) == ["b", "clé"]
    assert text.setdefault("b", b"other") == "w"
    assert text.setdefault(b"new", b"n") == "n"
    assert text.compute("b", lambda old: old + "!") == "w!"
    assert text.compute("b", lambda _: b"x") == "x"
    assert text.compute("b", lambda _: rkv.KEEP) == "x"
    assert text.pop("b") == "x"
    assert text.pop("b", b"default") == b"default"
    assert sorted([text.popitem(), text.popitem()]) == [("clé", "ö"), ("new", "n")]


def test_what_is_no_read_stays_as_it_is(text: rkv.Store[str]) -> None:
    default = object()
    assert text.get("absent", default) is default
    assert text.get("absent") is None
    assert text.incr("n") == 1
    assert text["n"] == "1"
    assert text.ttl("n") == math.inf


BAD = b"caf\xe9"

READS: dict[str, Callable[[rkv.Store[str]], Any]] = {
    "get": lambda store: store.get("bad"),
    "get with default": lambda store: store.get("bad", "default"),
    "[]": lambda store: store["bad"],
    "get_many": lambda store: store.get_many(["good", "bad", "absent"]),
    "get_many of many": lambda store: store.get_many(["good", "bad"] * 600),
    "values": lambda store: store.values(),
    "items": lambda store: store.items(),
    "scan": lambda store: list(store.scan()),
    "pop": lambda store: store.pop("bad"),
    "pop with default": lambda store: store.pop("bad", "default"),
    "popitem": lambda store: [store.popitem() for _ in range(3)],
    "setdefault": lambda store: store.setdefault("bad", "v"),
    "compute": lambda store: store.compute("bad", lambda _: "v"),
    "keys": lambda store: store.keys(),
    "iter": lambda store: list(store),
}


@pytest.mark.parametrize("name", READS)
def test_bytes_that_are_no_text_are_an_error_and_stay(text: rkv.Store[str], name: str) -> None:
    text["good"] = "v"
    text["bad"] = BAD
    if name in ("keys", "iter"):
        text[BAD] = "v"
    with pytest.raises(UnicodeDecodeError, match="can't decode byte 0xe9 in position 3") as caught:
        READS[name](text)
    assert caught.value.object == BAD
    if sys.version_info >= (3, 11) and name not in ("keys", "iter"):
        assert caught.value.__notes__ == ["the value of key b'bad' is not UTF-8"]
    assert bytes(text.view("bad")) == BAD
    assert (BAD in text) == (name in ("keys", "iter"))


def test_a_key_that_is_no_text_is_not_popped(text: rkv.Store[str]) -> None:
    text[BAD] = "v"
    for _ in range(3):
        with pytest.raises(UnicodeDecodeError):
            text.popitem()
    assert text.pop(BAD) == "v"


def test_popitem_says_which_key_to_delete(text: rkv.Store[str]) -> None:
    text.update({"good": "v", "bad": BAD})
    popped = []
    while text:
        try:
            popped.append(text.popitem())
        except UnicodeDecodeError:
            text.delete("bad")
    assert popped == [("good", "v")]


def test_what_would_be_no_text_is_not_stored_by_a_call_that_gives_it_back(
    text: rkv.Store[str],
) -> None:
    with pytest.raises(UnicodeDecodeError):
        text.setdefault("k", BAD)
    with pytest.raises(UnicodeDecodeError):
        text.compute("k", lambda _: BAD)
    assert "k" not in text
    text["k"] = BAD
    assert bytes(text.view("k")) == BAD


def test_a_bad_entry_does_not_end_an_iteration(text: rkv.Store[str]) -> None:
    text.update({str(number): "v" for number in range(100)})
    text["bad"] = BAD
    scan, seen, errors = text.scan(), [], 0
    while True:
        try:
            seen.append(next(scan))
        except UnicodeDecodeError:
            errors += 1
        except StopIteration:
            break
    assert (len(seen), errors) == (100, 1)


def test_incr_and_writes_need_no_text(text: rkv.Store[str]) -> None:
    text["bad"] = BAD
    assert text.add("bad", "v") is False
    assert text.expire("bad", 5) is True
    with pytest.raises(rkv.NotANumber):
        text.incr("bad")
    assert text.delete("bad") is True
