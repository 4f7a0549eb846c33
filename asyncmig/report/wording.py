"""Figures and times as people read them; which rows are shown of many. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["LIMITS", "by_whom", "figure", "moment", "shown", "size", "took", "use", "why"]

LIMITS: Final[Mapping[str, int]] = {"graph": 500, "history": 300, "operations": 300, "findings": 1000}
"""How many rows a page has of each; what is left out is said."""


def shown(what: str, rows: Sequence[Any]) -> tuple[Sequence[Any], int]:
    """The first rows, and how many are left out."""
    limit = LIMITS[what]
    return rows[:limit], max(0, len(rows) - limit)


def why(record: Mapping[str, Any]) -> str:
    """What stopped a revision, and where; what the server said may hold values of documents, and stays out."""
    error = record.get("error")
    if not error:
        return "nobody knows why"
    return f"{error.get('type') or 'an error'} at {error.get('where') or 'an unknown place'}; see `asyncmig status`"


def figure(number: int | None) -> str:
    """A number with separators; a dash where it is not known."""
    return "-" if number is None else f"{number:,}"


def size(number: int | None) -> str:
    """Bytes in the unit that reads best: 1.4 MB."""
    if number is None:
        return "-"
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def took(milliseconds: int | None) -> str:
    """How long something took."""
    if milliseconds is None:
        return "-"
    if milliseconds < 10_000:
        return f"{milliseconds:,} ms"
    seconds = round(milliseconds / 1000)
    minutes, rest = divmod(seconds, 60)
    return f"{seconds} s" if minutes == 0 else f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h"


def moment(text: str | None) -> str:
    """An ISO 8601 time, to the second, in UTC."""
    return f"{text[:19].replace('T', ' ')} UTC" if text else "-"


def by_whom(record: Mapping[str, Any]) -> str:
    """Who ran a revision, and where."""
    return f"{record['user']}@{record['host']}" if record.get("host") else "-"


def use(index: Mapping[str, Any]) -> str:
    """How often an index was used, and since which day the server counts."""
    if index.get("uses") is None:
        return "not told"
    since = f" since {index['since'][:10]}" if index.get("since") else ""
    return f"{index['uses']:,}{since}"
