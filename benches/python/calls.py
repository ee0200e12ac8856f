"""What a call costs from Python: rkv beside dict, cachebox and moka-py.

One thread; keys of 9 characters in random order, values of 64 bytes, all keys present. With 1,000
keys all that is read stays close to the processor, with 10,000 it does not. All rows of a round run
one after the other, odd rounds in the opposite order; a figure is the median of the rounds, less
that of a loop that does nothing. rkv stores bytes and makes a new object for each value that it
returns; the others keep Python objects and return the one that they were given.

    python calls.py [--rounds N] [--document FILE]
"""

import argparse
import platform
import random
import re
import statistics
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import cachebox
import moka_py
import rkv

SIZES = (1_000, 10_000)
# Keys that each row reads or writes in a round.
CALLS = 10_000
VALUE = b"v" * 64


def rows(keys: list[str]) -> dict[str, Callable[[], None]]:
    """Give what is timed: each reads or writes all keys, in turn, as often as they are given."""
    store, table = rkv.Store(), {}
    box, moka = cachebox.LRUCache(2 * CALLS), moka_py.Moka(2 * CALLS)
    for key in keys:
        store[key] = table[key] = box[key] = VALUE
        moka.set(key, VALUE)
    batches = {size: list(zip(*[iter(keys)] * size, strict=False)) for size in (16, 100)}

    def each(call: Callable[[str], object]) -> Callable[[], None]:
        def run() -> None:
            for key in keys:
                call(key)

        return run

    def set_each(call: Callable[[str, bytes], object]) -> Callable[[], None]:
        def run() -> None:
            for key in keys:
                call(key, VALUE)

        return run

    def many(size: int) -> Callable[[], None]:
        get_many, lists = store.get_many, [list(batch) for batch in batches[size]]

        def run() -> None:
            for batch in lists:
                get_many(batch)

        return run

    return {
        "dict.get": each(table.get),
        "cachebox.LRUCache.get": each(box.get),
        "moka_py.Moka.get": each(moka.get),
        "rkv.Store.get": each(store.get),
        "rkv.Store.view": each(store.view),
        "rkv.Store.get_many, 16 keys": many(16),
        "rkv.Store.get_many, 100 keys": many(100),
        "dict.__setitem__": set_each(table.__setitem__),
        "cachebox.LRUCache.__setitem__": set_each(box.__setitem__),
        "moka_py.Moka.set": set_each(moka.set),
        "rkv.Store.set": set_each(store.set),
    }


def measure(entries: int, rounds: int) -> dict[str, float]:
    """Give the nanoseconds of a key, for each row."""
    random.seed(1)
    keys = [f"key:{number:05}" for number in range(entries)]
    random.shuffle(keys)
    keys *= CALLS // entries

    def nothing() -> None:
        for _ in keys:
            pass

    timed = {"": nothing, **rows(keys)}
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds):
        order = list(timed) if number % 2 == 0 else list(reversed(timed))
        for name in order:
            run = timed[name]
            begun = perf_counter()
            run()
            seconds[name].append(perf_counter() - begun)
    medians = {name: statistics.median(times) / CALLS * 1e9 for name, times in seconds.items()}
    idle = medians.pop("")
    return {name: ns - idle for name, ns in medians.items()}


def machine() -> str:
    """Give the processor's name and the number of cores."""
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    return f"{name[1] if name else platform.machine()}, {text.count('processor')} cores"


def main() -> None:
    """Measure, print, and write the table into a document if one is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--document", type=Path, help="has marks for the section python-calls")
    chosen = parser.parse_args()
    figures = {entries: measure(entries, chosen.rounds) for entries in SIZES}
    names = ", ".join(f"{name} {version(name)}" for name in ("rkv", "cachebox", "moka-py"))
    lines = [
        f"date: {datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        f"machine: {machine()}",
        f"versions: Python {platform.python_version()}, {names}",
        f"command: {' '.join(['calls.py', *sys.argv[1:]])}",
        "",
        f"one thread: ns a key, median of {chosen.rounds} rounds",
        f"{'entries':32}" + "".join(f"{entries:>10,}" for entries in SIZES),
        *(
            f"{name:32}" + "".join(f"{figures[entries][name]:10.1f}" for entries in SIZES)
            for name in figures[SIZES[0]]
        ),
    ]
    print("\n".join(lines))
    if chosen.document:
        text = chosen.document.read_text()
        begin, end = "<!-- figures: python-calls -->", "<!-- end of figures: python-calls -->"
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        table = "\n".join(["```text", *lines, "```"])
        chosen.document.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
