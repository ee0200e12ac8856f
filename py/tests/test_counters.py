"""incr: an atomic counter in decimal text."""

import pytest

import rkv

LARGEST = 2**63 - 1


def test_a_missing_key_counts_from_zero(store: rkv.Store) -> None:
    assert store.incr("n") == 1
    assert store.incr("n", 41) == 42
    assert store.incr("n", by=-50) == -8
    assert store["n"] == b"-8"


def test_numbers_written_as_text_are_counted_on(store: rkv.Store) -> None:
    store["n"] = "41"
    assert store.incr("n") == 42


def test_a_value_that_is_no_number_stays(store: rkv.Store) -> None:
    store["n"] = "four"
    with pytest.raises(rkv.NotANumber):
        store.incr("n")
    assert store["n"] == b"four"


def test_a_sum_beyond_64_bits_writes_nothing(store: rkv.Store) -> None:
    store["n"] = str(LARGEST)
    with pytest.raises(rkv.Overflow):
        store.incr("n")
    assert int(store["n"]) == LARGEST
    assert store.incr("n", -LARGEST) == 0


@pytest.mark.parametrize("by", [LARGEST + 1, -LARGEST - 2, 10**30])
def test_a_step_beyond_64_bits_writes_nothing(store: rkv.Store, by: int) -> None:
    with pytest.raises(rkv.Overflow):
        store.incr("n", by)
    assert "n" not in store


@pytest.mark.parametrize("by", [1.0, "1", None, b"1", True])
def test_a_step_of_another_type_is_refused_by_name(store: rkv.Store, by: object) -> None:
    with pytest.raises(TypeError, match=f"^by must be int, not {type(by).__name__}"):
        store.incr("n", by)
    assert "n" not in store


def test_a_step_may_use_the_store_while_it_becomes_a_number(store: rkv.Store) -> None:
    class Step:
        def __index__(self) -> int:
            store.incr("n", 5)
            return 10

    assert store.incr("n", Step()) == 15


def test_a_step_that_fails_to_become_a_number_shows_its_own_error(store: rkv.Store) -> None:
    class Step:
        def __index__(self) -> int:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        store.incr("n", Step())
    assert "n" not in store
