"""Text from anywhere as Markdown that means nothing but itself, on GitHub as elsewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from asyncmig.printable import one_line

__all__ = ["plain", "table"]

_ALWAYS: Final = frozenset("&<>|*~`[]#@!\\$")
_AT_START: Final = re.compile(r"^[-+>]|^\d+(?=[.)])")
_UNDERSCORE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINKS: Final = re.compile(r":(?=\S)|(?<=www)\.", re.IGNORECASE)
"""An address that would become a link, a word that would become a picture (``:boom:``)."""


def plain(text: object) -> str:
    """``text`` in one line, with what Markdown or HTML would take for its own as numbered entities."""
    line = "".join(_entity(character) if character in _ALWAYS else character for character in one_line(str(text)))
    line = _UNDERSCORE.sub(_entity("_"), line)
    line = _LINKS.sub(lambda match: _entity(match[0]), line)
    return _AT_START.sub(lambda match: "".join(map(_entity, match[0])), line)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> Iterator[str]:
    """The lines of a table; ``numbers`` are the columns that stand to the right. Cells are Markdown already."""
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if place in numbers else '---' for place in range(len(columns)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
