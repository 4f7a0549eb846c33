"""Lines that fit into the columns of the terminal, or those that COLUMNS says, or 80 where nobody knows."""

from __future__ import annotations

import shutil
import unicodedata

__all__ = ["columns", "cut", "fitted"]

_CUT = "..."


def columns() -> int:
    """How many there are."""
    return shutil.get_terminal_size().columns


def cut(text: str, room: int) -> str:
    """``text`` in at most so many columns, with dots for what is cut off."""
    if _width(text) <= room:
        return text
    while text and _width(text) > room - len(_CUT):
        text = text[:-1]
    return f"{text}{_CUT}" if room >= len(_CUT) else ""


def fitted(before: str, text: str, after: str) -> str:
    """``text`` cut so that a line of all three fits; ``before`` and ``after`` stay whole."""
    return cut(text, max(columns() - _width(before) - _width(after), len(_CUT)))


def _width(text: str) -> int:
    """Columns: letters of East Asia take two, what is put above another letter none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
