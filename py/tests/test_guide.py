"""The guide for Python does what it says: its code, in order, prints what it shows."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "python.md"

# A block of code, and the block behind it, if nothing but an empty line stands between them.
PIECE = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


def pieces(text: str) -> list[tuple[str, str, int]]:
    """Give each piece of code, what it shows, and the line where it begins."""
    return [
        (piece[1], piece[2] or "", text.count("\n", 0, piece.start(1)))
        for piece in PIECE.finditer(text)
    ]


def run(text: str) -> None:
    """Run the pieces of a guide one after the other, and compare what they print."""
    names: dict[str, Any] = {"__name__": "guide"}
    for code, shown, line in pieces(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            # As many lines as stand before it in the guide, so that errors name the right one.
            exec(compile("\n" * line + code, "python.md", "exec"), names)
        assert printed.getvalue() == shown, f"the piece at line {line + 1}"


def test_the_guide_prints_what_it_shows() -> None:
    text = GUIDE.read_text()
    assert len(pieces(text)) > 10
    assert len(pieces(text)) == text.count("```python")
    run(text)


def test_a_piece_that_prints_something_else_is_seen() -> None:
    text = "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nprint(2)\n```\n"
    assert pieces(text) == [("print(1)\n", "1\n", 1), ("print(2)\n", "", 9)]
    with pytest.raises(AssertionError, match="line 10"):
        run(text)
