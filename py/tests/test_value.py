"""A view is the memory of a value: bytes-like, read-only, and there as long as anybody reads it."""

import copy
import ctypes
import gc
import io
import pickle
import re
import socket
import struct
import weakref
import zlib
from collections.abc import Callable

import pytest

import rkv

OCTETS = [b"", b"v", b"\0\xff" * 50, bytes(range(256)) * 1000]


@pytest.fixture
def view(store: rkv.Store) -> rkv.Value:
    """Give a view of a short value."""
    store["key"] = b"some words"
    return viewed(store, "key")


def viewed(store: rkv.Store, key: str) -> rkv.Value:
    view = store.view(key)
    assert view is not None
    return view


@pytest.mark.parametrize("octets", OCTETS, ids=len)
def test_a_view_shows_the_value(store: rkv.Store, octets: bytes) -> None:
    store["k"] = octets
    view = viewed(store, "k")
    assert bytes(view) == octets
    assert memoryview(view) == octets
    assert len(view) == len(octets)
    assert bool(view) == bool(octets)
    assert list(view) == list(octets)
    assert view == octets
    assert hash(view) == hash(octets)


def test_there_is_no_view_of_an_absent_key(store: rkv.Store) -> None:
    assert store.view("absent") is None
    assert store.view("x" * 65_536) is None


def test_a_view_is_a_read_only_buffer_of_bytes(view: rkv.Value) -> None:
    memory = memoryview(view)
    assert memory.readonly
    assert memory.contiguous
    assert (memory.format, memory.itemsize, memory.ndim, memory.nbytes) == ("B", 1, 1, 10)
    assert memory.obj is view
    with pytest.raises(TypeError, match="read-only"):
        memory[0] = 0
    with pytest.raises(TypeError, match="not writable"):
        (ctypes.c_char * 10).from_buffer(view)
    with pytest.raises(TypeError):
        io.BytesIO(b"0123456789").readinto(view)


def test_a_view_is_no_copy(run_python: Callable[[str], str]) -> None:
    run_python("""
        import resource
        import rkv

        store = rkv.Store()
        store["big"] = b"v" * 100_000_000
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, resource.RLIM_INFINITY))
        view = store.view("big")
        memory = memoryview(view)
        assert view[99_999_990:] == memory[:10] == b"v" * 10
        try:
            bytes(view)
        except MemoryError:
            pass
        else:
            raise AssertionError("there is memory for a copy")
    """)


def test_a_view_knows_its_key_and_version(store: rkv.Store) -> None:
    store["clé"] = "one"
    first = viewed(store, "clé")
    store["clé"] = "two"
    second = viewed(store, "clé")
    assert first.key == second.key == "clé".encode()
    assert second.version > first.version
    assert store.compare_and_swap("clé", second.version, first) > second.version
    assert store["clé"] == b"one"


def test_a_view_can_be_indexed_and_sliced(view: rkv.Value) -> None:
    assert (view[0], view[-1]) == (ord("s"), ord("s"))
    assert view[5:] == b"words"
    assert view[::-1].tobytes() == b"sdrow emos"
    assert isinstance(view[:4], memoryview)
    for wrong in (10, -11):
        with pytest.raises(IndexError):
            view[wrong]
    with pytest.raises(TypeError):
        view["0"]
    with pytest.raises(TypeError):
        view[0] = 1


def test_a_view_contains_what_its_bytes_contain(view: rkv.Value) -> None:
    assert b"words" in view
    assert ord("w") in view
    assert b"sword" not in view
    with pytest.raises(TypeError):
        "words" in view  # noqa: B015


def test_a_view_equals_bytes_like_objects_of_its_content(view: rkv.Value) -> None:
    same = [b"some words", bytearray(b"some words"), memoryview(b"some words"), view]
    for other in same:
        assert (view == other, other == view, view != other) == (True, True, False)
    for other in (b"some", "some words", None, 5, [*view]):
        assert (view == other, other == view, view != other) == (False, False, True)
    with pytest.raises(TypeError):
        view < b"z"  # noqa: B015


def test_a_view_is_a_key_of_a_dict(view: rkv.Value) -> None:
    assert {b"some words": 1}[view] == 1
    assert {view: 1}[b"some words"] == 1


def test_what_reads_buffers_reads_views(store: rkv.Store, view: rkv.Value) -> None:
    assert re.match(rb"(\w+) (\w+)", view).group(2) == b"words"
    assert str(view, "utf-8") == "some words"
    assert zlib.crc32(view) == zlib.crc32(b"some words")
    assert struct.unpack_from("4s", view, 5) == (b"word",)
    assert b" ".join([view, view]) == b"some words some words"
    assert int.from_bytes(view[:2], "big") == 0x736F
    assert bytearray(view) == b"some words"
    left, right = socket.socketpair()
    with left, right:
        assert left.send(view) == 10
        assert right.recv(100) == b"some words"
    file = io.BytesIO()
    assert file.write(view) == 10
    store[view] = view
    assert store[b"some words"] == b"some words"


def test_a_view_is_stored_without_a_copy_of_it(run_python: Callable[[str], str]) -> None:
    run_python("""
        import resource
        import rkv

        store = rkv.Store(encoding="utf-8")
        store["k"] = b"v" * 200_000_000
        view = store.view("k")
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 350_000_000, resource.RLIM_INFINITY))
        store["copy"] = view
        assert store.view("copy") == view
        small = rkv.Store()
        small["key"] = "key"
        assert small[small.view("key")] == b"key"
    """)


@pytest.mark.parametrize("end", ["overwritten", "deleted", "cleared", "closed", "gone"])
def test_memory_stays_as_it_was_while_it_is_viewed(end: str) -> None:
    store = rkv.Store()
    content = bytes(range(256)) * 40
    for number in range(200):
        store[str(number)] = content
    views = [viewed(store, str(number)) for number in range(100)]
    # Of these, only a memoryview is left.
    memories = [memoryview(viewed(store, str(number)))[256:512] for number in range(100, 200)]
    match end:
        case "overwritten":
            for number in range(200):
                store[str(number)] = b"x" * len(content)
        case "deleted":
            store.delete_many(map(str, range(200)))
        case "cleared":
            store.clear()
        case "closed":
            store.close()
    if end == "gone":
        del store
        gc.collect()
    # What was freed is used again.
    with rkv.Store() as other:
        for number in range(2000):
            other[str(number)] = b"y" * len(content)
        assert all(view == content for view in views)
        assert all(memory == content[:256] for memory in memories)
    assert views[7].key == b"7"
    assert views[7].version > 0


def test_a_view_holds_no_store() -> None:
    store = rkv.Store()
    store["k"] = "v"
    view, alive = viewed(store, "k"), weakref.ref(store)
    del store
    assert alive() is None
    assert view == b"v"


def test_a_view_dies_with_its_last_reader(store: rkv.Store) -> None:
    store["k"] = "v"
    view = viewed(store, "k")
    alive, memory = weakref.ref(view), memoryview(view)
    del view
    assert alive() is not None
    memory.release()
    del memory
    assert alive() is None


def test_a_view_shows_itself(store: rkv.Store) -> None:
    store[b"\xff'"] = "words"
    view = store.view(b"\xff'")
    assert repr(view) == f'<rkv.Value key=b"\\xff\'" version={view.version} len=5>'


def test_a_view_is_made_by_a_store_only() -> None:
    for make in (rkv.Value, lambda: rkv.Value(b"v"), lambda: rkv.Value.__new__(rkv.Value)):
        with pytest.raises(TypeError, match="Value"):
            make()
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Own", (rkv.Value,), {})


def test_a_view_cannot_be_changed(view: rkv.Value) -> None:
    for name in ("key", "version", "other"):
        with pytest.raises(AttributeError):
            setattr(view, name, 1)


@pytest.mark.parametrize(
    "copying", [copy.copy, copy.deepcopy, lambda view: pickle.loads(pickle.dumps(view))]
)
def test_a_copy_of_a_view_is_bytes(view: rkv.Value, copying: Callable[[rkv.Value], object]) -> None:
    copied = copying(view)
    assert type(copied) is bytes
    assert copied == b"some words"


def test_views_of_a_store_with_an_encoding_are_of_bytes() -> None:
    with rkv.Store(encoding="utf-8") as store:
        store["clé"] = b"\xff"
        view = viewed(store, "clé")
        assert (view.key, bytes(view)) == ("clé".encode(), b"\xff")
