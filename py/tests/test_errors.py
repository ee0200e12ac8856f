"""Every error is an rkv.Error with its stable code, and the built-in that people catch."""

import pytest

import rkv

CODES = {
    "NotFound": (1, KeyError),
    "Conflict": (3, Exception),
    "InvalidArgument": (-1, ValueError),
    "InvalidTtl": (-2, ValueError),
    "TooLarge": (-4, ValueError),
    "NotANumber": (-5, ValueError),
    "Overflow": (-6, OverflowError),
    "Full": (-8, Exception),
    "Closed": (-13, Exception),
    "Forked": (-14, Exception),
    "WrongThread": (-15, Exception),
    "Busy": (-16, Exception),
    "NoMemory": (-24, MemoryError),
    "Panic": (-25, RuntimeError),
}


@pytest.mark.parametrize(("name", "expected"), CODES.items())
def test_code_and_builtin_of_each_error(name: str, expected: tuple[int, type]) -> None:
    code, builtin = expected
    kind = getattr(rkv, name)
    assert kind.code == code
    assert issubclass(kind, rkv.Error)
    assert issubclass(kind, builtin)
    assert (kind.__module__, kind.__name__) == ("rkv", name)
    assert kind.__doc__


def test_the_list_of_errors_is_complete() -> None:
    kinds = {name for name in dir(rkv) if isinstance(getattr(rkv, name), type)}
    errors = {name for name in kinds if issubclass(getattr(rkv, name), Exception)}
    assert errors == {*CODES, "Error"}


def test_an_error_shows_its_code_on_the_instance(store: rkv.Store) -> None:
    store["k"] = "text"
    with pytest.raises(rkv.Error) as caught:
        store.incr("k")
    assert caught.value.code == -5
    assert str(caught.value) == "the value is not a decimal 64-bit integer"
