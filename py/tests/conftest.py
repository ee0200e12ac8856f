"""What the tests share: an open store, and fresh interpreters where a warning is an error."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rkv

HERE = Path(__file__).parent


@pytest.fixture
def store() -> Iterator[rkv.Store]:
    """Give an open store, closed when the test ends."""
    with rkv.Store() as store:
        yield store


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Give a function that runs a program in a fresh interpreter and returns what it printed.

    The program may import the modules beside this file. It fails the test if it ends with an
    error, prints to stderr, or takes a minute: a hang is a failure.
    """

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program)],
            capture_output=True,
            check=False,
            # Else allocators, rkv's and that of a free-threaded CPython, reserve addresses for a
            # gibibyte at once, and a limit of memory says nothing.
            env={**os.environ, "PYTHONPATH": str(HERE), "MIMALLOC_ARENA_RESERVE": "64M"},
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run
