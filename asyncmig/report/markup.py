"""HTML that is escaped unless it was made here: names and messages come from anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from asyncmig.printable import one_line

__all__ = ["Html", "join", "tag"]

_VOID = frozenset({"col", "meta"})


class Html(str):
    """Text that is HTML already; only ``tag`` and ``join`` make it, and constants of our own."""

    __slots__ = ()


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element. Whatever is no ``Html`` is escaped; an attribute that is None or False is left out.

    ``class_`` is written ``class``, ``data_label`` ``data-label``; ``view_box`` is SVG's.
    """
    written = "".join(
        f' {_attribute(key)}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[Any], between: str = "") -> Html:
    """Several pieces after each other; None is nothing."""
    return Html(between.join(part if isinstance(part, Html) else _escaped(part) for part in parts if part is not None))


def _escaped(value: Any) -> str:
    """Characters that are not to be printed (control characters, changes of direction) are shown as Python does."""
    return html.escape(one_line(str(value)))


def _attribute(name: str) -> str:
    return "viewBox" if name == "view_box" else name.rstrip("_").replace("_", "-")
