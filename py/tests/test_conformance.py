"""The table of cases that all faces must agree on, run against the Python face."""

import json
import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import rkv

TABLE = Path(__file__).parents[2] / "conformance"
ERRORS = {code: name for name, code in json.loads((TABLE / "errors.json").read_text()).items()}
CASE_FIELDS = {"name", "faces", "options", "open", "steps"}


class Absent:
    """Stands for a field that a case leaves out."""


ABSENT = Absent()


def octets(written: Any) -> bytes:
    """Read the notation for bytes."""
    if isinstance(written, dict):
        return str(written["repeat"]).encode() * int(written["times"])
    text = str(written)
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def shown(octets: bytes | None) -> str | None:
    """Write bytes in the one way that answers do: text if it is, else hexadecimal."""
    if octets is None:
        return None
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return "hex:" + octets.hex()


def normal(expected: Any) -> Any:
    """Write all bytes of an expected answer as `shown` does."""
    if isinstance(expected, list):
        return [normal(item) for item in expected]
    if isinstance(expected, str) or (isinstance(expected, dict) and "repeat" in expected):
        return shown(octets(expected))
    return expected


def span(ms: int) -> timedelta:
    """Give a number of milliseconds to a store."""
    return timedelta(milliseconds=ms)


def lifetime(ttl: Any) -> Any:
    """Read the notation for a time to live."""
    words = {"default": None, "never": math.inf, "keep": rkv.KEEP}
    return words[ttl] if isinstance(ttl, str) else span(ttl)


class _Face:
    """A store, and a method for each operation of the table, with its fields as arguments."""

    def __init__(
        self,
        *,
        shards: int | None = None,
        default_ttl_ms: int | None = None,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        eviction: Any = "s3fifo",
    ) -> None:
        """Open the store."""
        self.memory: dict[str, int] = {}
        self.clock = rkv.ManualClock()
        self.store = rkv.Store(
            shards=shards,
            default_ttl=None if default_ttl_ms is None else span(default_ttl_ms),
            max_entries=max_entries,
            max_bytes=max_bytes,
            eviction=eviction,
            clock=self.clock,
        )

    def set(self, key: Any, value: Any, ttl: Any = "default") -> str:
        self.store.set(octets(key), octets(value), ttl=lifetime(ttl))
        return "stored"

    def fill(self, prefix: str, count: int, value: Any) -> int:
        for number in range(count):
            self.set(f"{prefix}{number}", value)
        return count

    def set_if_absent(self, key: Any, value: Any, ttl: Any = "default") -> bool:
        return self.store.set_if_absent(octets(key), octets(value), ttl=lifetime(ttl))

    def get(self, key: Any) -> str | None:
        return shown(self.store.get(octets(key)))

    def contains(self, key: Any) -> bool:
        return self.store.contains(octets(key))

    def delete(self, key: Any) -> bool:
        return self.store.delete(octets(key))

    def take(self, key: Any) -> str | None:
        return shown(self.store.pop(octets(key), None))

    def version(self, key: Any) -> int | None:
        view = self.store.view(octets(key))
        return view.version if view is not None else None

    def compare_and_swap(self, key: Any, version: str, value: Any) -> int:
        return self.store.compare_and_swap(octets(key), self.memory[version], octets(value))

    def compute(self, key: Any, wish: str, value: Any = "", ttl: Any = "keep") -> str | None:
        wishes: dict[str, Callable[[bytes | None], Any]] = {
            "put": lambda _: octets(value),
            "append": lambda old: (old or b"") + octets(value),
            "remove": lambda _: rkv.DELETE,
            "keep": lambda _: rkv.KEEP,
        }
        return shown(self.store.compute(octets(key), wishes[wish], ttl=lifetime(ttl)))

    def incr(self, key: Any, by: int) -> int:
        return self.store.incr(octets(key), by)

    def ttl(self, key: Any) -> str | int | None:
        left = self.store.ttl(octets(key))
        if left is None:
            return None
        return "never" if left == math.inf else round(left * 1000)

    def expire(self, key: Any, ttl: Any) -> bool:
        return self.store.expire(octets(key), math.inf if ttl == "never" else span(ttl))

    def persist(self, key: Any) -> bool:
        return self.store.persist(octets(key))

    def touch(self, key: Any, ttl: int) -> bool:
        return self.store.touch(octets(key), span(ttl))

    def purge_expired(self) -> int:
        return self.store.purge_expired()

    def advance(self) -> str | None:
        return None if self.store.advance() is None else "later"

    def clock_advance(self, ms: int) -> None:
        self.clock.advance(span(ms))

    def count(self) -> int:
        return self.store.count()

    def keys(self, prefix: Any) -> list[str | None]:
        return [shown(key) for key in self.store.keys(octets(prefix))]

    def scan(self, prefix: Any) -> list[list[str | None]]:
        entries = sorted(self.store.scan(octets(prefix)))
        return [[shown(key), shown(value)] for key, value in entries]

    def get_many(self, keys: list[Any]) -> list[str | None]:
        return [shown(value) for value in self.store.get_many([octets(key) for key in keys])]

    def set_many(self, entries: list[list[Any]], ttl: Any = "default") -> None:
        items = [(octets(key), octets(value)) for key, value in entries]
        self.store.set_many(items, ttl=lifetime(ttl))

    def delete_many(self, keys: list[Any]) -> int:
        return self.store.delete_many(map(octets, keys))

    def clear(self) -> int:
        return self.store.clear()

    def figure(self, name: str) -> Any:
        figures: dict[str, Any] = {**self.store.stats()}
        return figures[name]


OPERATIONS = {name for name in vars(_Face) if not name.startswith("_")}


def perform(call: Callable[..., Any], fields: dict[str, Any]) -> Any:
    """Call, and give the answer, an error among them."""
    try:
        return call(**fields)
    except rkv.Error as error:
        return {"error": ERRORS[error.code]}


def fits(answer: Any, wanted: Any, memory: dict[str, int]) -> bool:
    """Whether an answer is what is wanted."""
    if wanted is ABSENT:
        return not (isinstance(answer, dict) and "error" in answer)
    if isinstance(wanted, dict) and "above" in wanted:
        return bool(answer > memory[wanted["above"]])
    if isinstance(wanted, dict) and "same" in wanted:
        return bool(answer == memory[wanted["same"]])
    # True is 1 in Python, and must not be here.
    same = type(answer) is type(wanted) and answer == wanted
    return same or (answer == "stored" and wanted in ("created", "updated"))


def table() -> list[tuple[str, dict[str, Any]]]:
    """Give all cases, each with the name of its file."""
    files = sorted((TABLE / "cases").iterdir())
    return [(file.name, case) for file in files for case in json.loads(file.read_text())]


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Give the cases that a Python program can run."""
    return [(file, case) for file, case in table() if "python" in case.get("faces", ["python"])]


def run(case: dict[str, Any]) -> None:
    assert case.keys() <= CASE_FIELDS
    opened = perform(_Face, case.get("options", {}))
    if "open" in case or not isinstance(opened, _Face):
        assert opened == case.get("open", "a store")
        return
    with opened.store:
        for number, step in enumerate(case["steps"], 1):
            fields = {**step}
            operation, wanted = fields.pop("op"), normal(fields.pop("expect", ABSENT))
            name = fields.pop("remember", None)
            assert operation in OPERATIONS
            answer = perform(getattr(opened, operation), fields)
            reason = f"step {number}: {answer!r:.200} and not {wanted!r:.200}"
            assert fits(answer, wanted, opened.memory), reason
            if name is not None:
                opened.memory[name] = answer


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for _, case in cases()])
def test_the_python_face_answers_as_the_table_says(case: dict[str, Any]) -> None:
    run(case)


def test_no_case_got_lost() -> None:
    names = [case["name"] for _, case in table()]
    assert len(names) == len(set(names))
    assert len(cases()) > 200
    assert {face for _, case in table() for face in case.get("faces", [])} <= {
        "rust",
        "c",
        "python",
    }


@pytest.mark.parametrize(
    "wrong", json.loads((TABLE / "wrong.json").read_text()), ids=lambda case: case["name"]
)
def test_a_case_that_is_wrong_is_seen(wrong: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, TypeError)):
        run(wrong)
