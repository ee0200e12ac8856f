"""What a store accepts as key, value and option, and how it refuses the rest."""

import array
from collections.abc import Callable

import pytest

import rkv

BYTES_LIKE = [
    b"abc",
    bytearray(b"abc"),
    memoryview(b"abc"),
    memoryview(b"a-b-c")[::2],
    array.array("B", b"abc"),
]


@pytest.mark.parametrize("octets", BYTES_LIKE, ids=lambda octets: type(octets).__name__)
def test_bytes_like_objects_are_keys_and_values(store: rkv.Store, octets: bytes) -> None:
    store[octets] = octets
    assert store["abc"] == b"abc"
    assert store[octets] == b"abc"
    assert store.keys(octets) == [b"abc"]


def test_wide_items_are_taken_as_their_memory(store: rkv.Store) -> None:
    wide = array.array("H", [1, 2, 3])
    store["wide"] = wide
    assert store["wide"] == wide.tobytes()


def test_a_stored_buffer_is_a_copy(store: rkv.Store) -> None:
    value = bytearray(b"before")
    store["k"] = value
    value[:] = b"after!"
    assert store["k"] == b"before"


def test_subclasses_of_str_and_bytes_are_taken(store: rkv.Store) -> None:
    key = type("Name", (str,), {})("k")
    value = type("Data", (bytes,), {})(b"v")
    store[key] = value
    assert store["k"] == b"v"


WRONG = [5, 1.5, None, True, ("a",), ["a"], {"a": 1}, object()]

CALLS_WITH_KEY: dict[str, Callable[[rkv.Store, object], object]] = {
    "get": lambda store, key: store.get(key),
    "get_many": lambda store, key: store.get_many(["k", key]),
    "set": lambda store, key: store.set(key, "v"),
    "set_if_absent": lambda store, key: store.set_if_absent(key, "v"),
    "add": lambda store, key: store.add(key, "v"),
    "delete": lambda store, key: store.delete(key),
    "contains": lambda store, key: store.contains(key),
    "incr": lambda store, key: store.incr(key),
    "ttl": lambda store, key: store.ttl(key),
    "expire": lambda store, key: store.expire(key, 1.0),
    "persist": lambda store, key: store.persist(key),
    "touch": lambda store, key: store.touch(key, 1.0),
    "[]": lambda store, key: store[key],
    "[]=": lambda store, key: store.__setitem__(key, "v"),
    "del": lambda store, key: store.__delitem__(key),
    "in": lambda store, key: key in store,
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize("call", CALLS_WITH_KEY.values(), ids=CALLS_WITH_KEY.keys())
def test_a_key_of_another_type_is_refused_by_name(
    store: rkv.Store, call: Callable[[rkv.Store, object], object], wrong: object
) -> None:
    reason = f"^key must be str or bytes-like, not {type(wrong).__name__}$"
    with pytest.raises(TypeError, match=reason):
        call(store, wrong)
    assert len(store) == 0


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_a_value_of_another_type_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    reason = f"^value must be str or bytes-like, not {type(wrong).__name__}$"
    for write in (store.set, store.set_if_absent, store.add, store.__setitem__):
        with pytest.raises(TypeError, match=reason):
            write("k", wrong)
    assert len(store) == 0


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_a_prefix_of_another_type_is_refused_by_name(store: rkv.Store, wrong: object) -> None:
    reason = f"^prefix must be str or bytes-like, not {type(wrong).__name__}"
    for listing in (store.keys, store.scan):
        with pytest.raises(TypeError, match=reason):
            listing(wrong)


def test_a_str_without_utf8_is_refused(store: rkv.Store) -> None:
    with pytest.raises(UnicodeEncodeError):
        store["\ud800"] = "v"
    with pytest.raises(UnicodeEncodeError):
        store["k"] = "\ud800"
    assert len(store) == 0


def test_a_released_buffer_is_refused(store: rkv.Store) -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValueError, match="released"):
        store["k"] = view


def test_keys_end_at_65535_bytes(store: rkv.Store) -> None:
    longest, longer = "x" * 65_535, "x" * 65_536
    store[longest] = "v"
    assert store[longest] == b"v"
    for write in (store.set, store.add):
        with pytest.raises(rkv.TooLarge, match="`key` is too large: 65536 bytes, at most 65535"):
            write(longer, "v")
    with pytest.raises(rkv.TooLarge):
        store.incr(longer)
    assert store.get(longer) is None
    assert longer not in store
    assert store.delete(longer) is False
    assert store.count() == 1


@pytest.mark.parametrize("shards", [0, 3, 128, -1, 1 << 80])
def test_a_wrong_number_of_shards_is_refused(shards: int) -> None:
    with pytest.raises(rkv.InvalidArgument, match="shards"):
        rkv.Store(shards=shards)


@pytest.mark.parametrize("capacity", [-1, 1 << 80])
def test_a_wrong_capacity_is_refused(capacity: int) -> None:
    with pytest.raises(rkv.InvalidArgument, match="capacity"):
        rkv.Store(capacity=capacity)


@pytest.mark.parametrize("option", ["max_entries", "max_bytes"])
@pytest.mark.parametrize("bound", [0, -1, 1 << 64, 1 << 80])
def test_a_wrong_bound_is_refused_by_name(option: str, bound: int) -> None:
    with pytest.raises(rkv.InvalidArgument, match=f"`{option}`: must be at least"):
        rkv.Store(**{option: bound})


def test_a_bound_below_an_empty_entry_is_refused_by_name() -> None:
    with pytest.raises(rkv.InvalidArgument, match="`max_bytes`: must be at least 80"):
        rkv.Store(max_bytes=rkv.ENTRY_BYTES - 1)


@pytest.mark.parametrize("eviction", ["", "lru", "S3FIFO", "reject ", "\ud800"], ids=repr)
def test_an_unknown_policy_is_refused_by_name(eviction: str) -> None:
    with pytest.raises(rkv.InvalidArgument, match='`eviction`: must be "s3fifo" or "reject"'):
        rkv.Store(eviction=eviction)


@pytest.mark.parametrize("eviction", [None, 1, True, b"reject"], ids=repr)
def test_a_policy_of_another_type_is_refused_by_name(eviction: object) -> None:
    with pytest.raises(TypeError, match=f"^eviction must be str, not {type(eviction).__name__}"):
        rkv.Store(eviction=eviction)


@pytest.mark.parametrize("wrong", ["4", 4.0, True], ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize("option", ["shards", "capacity", "max_entries", "max_bytes"])
def test_an_option_of_another_type_is_refused_by_name(option: str, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^{option} must be int, not {type(wrong).__name__}$"):
        rkv.Store(**{option: wrong})


def test_options_are_taken() -> None:
    with rkv.Store(shards=2, capacity=10_000) as store:
        assert store.stats()["shards"] == 2
    with rkv.Store(shards=None, capacity=None, max_entries=None, max_bytes=None) as store:
        assert store.stats()["shards"] >= 1


def test_options_have_names_and_arguments_have_places() -> None:
    with pytest.raises(TypeError):
        rkv.Store(4)
    with rkv.Store() as store, pytest.raises(TypeError):
        store.get(key="k")
