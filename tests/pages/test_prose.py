"""What the linter of prose looks at, and the words that it knows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from prose import LONGEST, ROOT, docstrings, long_sentences, ours, prose_of_markdown


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("Run it in order to see.", [1]),
        ("One.\n\nThis is simply a line, please.", [3, 3]),
        ("The the lock.", [1]),
        ("`in order to` and [x](in-order-to-see.md)", []),
        ("```console\n$ echo please\n```\n", []),
        ("<!-- please -->", []),
    ],
)
def test_words_of_our_own_in_a_page(page: str, found: list[int]) -> None:
    assert [line for _, line, _ in ours({ROOT / "a.md": prose_of_markdown(page)})] == found


@pytest.mark.parametrize(
    ("words", "more", "found"),
    [(LONGEST, "", []), (LONGEST + 1, "", [2]), (LONGEST, ". More.", []), (1, "\n\n| " + "a " * 50 + "|", [])],
)
def test_sentences_that_are_too_long(words: int, more: str, found: list[int]) -> None:
    page = prose_of_markdown("Short.\n" + " ".join(["word"] * words) + more)
    assert [line for _, line, _ in long_sentences({ROOT / "a.md": page})] == found


def test_of_a_module_the_docstrings_are_read() -> None:
    source = 'please = 1\n\n\ndef f():\n    """Waits, please.\n\n    ``please`` is a name.\n    """\n    # please\n'
    text = docstrings(source)
    assert text.count("\n") == source.count("\n") - 1
    assert [line for _, line, _ in ours({ROOT / "a.py": text})] == [5]


def test_the_picture_of_the_readme_shows_a_session() -> None:
    drawn = (ROOT / "docs" / "session.svg").read_text(encoding="utf-8")
    assert "@font-face" not in drawn
    for command in ("revision", "upgrade", "--plan", "check"):
        assert command in drawn
