"""``printable``: text from elsewhere (names, messages, what a server says) as it may go to a terminal or into a log.

An escape sequence moves the cursor, recolours or renames the window; U+202E turns the rest of the line
round; U+2028 ends it. Each such character is shown as Python would write it in a string.
"""

from __future__ import annotations

__all__ = ["counted", "one_line", "plural", "printable"]

_LAYOUT = "\n\t"


def printable(text: str, keep: str = _LAYOUT) -> str:
    """``text`` with every character escaped that is not to be printed, but for those in ``keep``."""
    visible = text.replace("\n", "") if "\n" in keep else text
    if visible.isprintable():  # as nearly all is: 30 times as fast
        return text
    return "".join(
        character if character.isprintable() or character in keep else _escaped(character) for character in text
    )


def one_line(text: str) -> str:
    """The same with line breaks and tabs escaped, too: what stands in a list, or in the middle of a sentence."""
    return printable(text, keep="")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str) -> str:
    """``1 index``, ``2 indexes``, ``0 revisions``."""
    return f"{number} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """The noun for so many: its last word as English makes the plural of it."""
    if number == 1:
        return noun
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
