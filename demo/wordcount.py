"""Counts the words of many files with four threads and one store.

`wordcount.py LIST OUTPUT` reads the files that LIST names, one a line, and writes `count word`
lines, sorted by word. A word is a run of ASCII letters, in lower case; a run longer than the
longest key is cut into several.
"""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import rkv

THREADS = 4
WORD = re.compile(rb"[a-z]{1,65535}")


def read_text(path: bytes) -> bytes:
    """Return the whole file, in lower case."""
    with open(path, "rb") as file:
        return file.read().lower()


def count(store: rkv.Store, text: bytes) -> None:
    """Count the words of one text."""
    for word in WORD.finditer(text):
        store.incr(word[0])


def main(files: str, output: str) -> None:
    """Count the words of all files, and write and print what came out."""
    texts = [read_text(path) for path in Path(files).read_bytes().split(b"\n") if path]

    with rkv.Store() as store, ThreadPoolExecutor(THREADS) as pool:
        start = time.perf_counter()
        list(pool.map(partial(count, store), texts))
        seconds = time.perf_counter() - start
        counts = sorted((word, int(n)) for word, n in store.scan())

    Path(output).write_bytes(b"".join(b"%d %s\n" % (n, word) for word, n in counts))
    words = sum(n for _, n in counts)
    rate = words / seconds / 1e6
    print(f"{words} words, {len(counts)} distinct, {seconds:.3f} s, {rate:.2f} M incr/s")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: wordcount.py LIST OUTPUT")
    main(*sys.argv[1:])
