"""The value of each setting: what it may be, read from text or from a file, and what is said where it does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from asyncmig.errors import ConfigurationError
from asyncmig.schema.levels import LEVELS

__all__ = ["EMBEDDED", "KEYS", "Given"]

EMBEDDED = "embedded:"
_SCHEMES = ("mongodb://", "mongodb+srv://", EMBEDDED)


_PLAIN_HOST = r"(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d))(?::\d{1,5})?(?:/\w*)?"


class Given(NamedTuple):
    """A value as it was found, with the words that tell where."""

    value: Any
    where: str
    base: Path

    def wrong(self, fault: str) -> NoReturn:
        """Raise ConfigurationError with this fault."""
        raise ConfigurationError(f"{self.where}: {fault}")


def _text(given: Given) -> str:
    if not isinstance(given.value, str):
        given.wrong(f"must be a string, not {_kind(given.value)}")
    return given.value.strip() or given.wrong("must not be empty")


def _models(given: Given) -> str | tuple[str, ...]:
    """One source or several; of an exported file the whole path."""
    items = given.value.split(",") if isinstance(given.value, str) else given.value
    if not isinstance(items, list) or not items or not all(isinstance(item, str) for item in items):
        given.wrong(
            f'must be a string, or a list of strings such as ["app.models", "app.indexes:CALLS"], not {given.value!r}'
        )
    named = [_text(given._replace(value=item)) for item in items]
    placed = tuple(str(given.base / Path(name).expanduser()) if name.endswith(".json") else name for name in named)
    first, *others = placed
    return placed if others else first


def _url(given: Given) -> str:
    url = _text(given)
    if not url.startswith(_SCHEMES):  # the value itself is not shown: it may hold a password
        meant = f"; write mongodb://{url}" if re.fullmatch(_PLAIN_HOST, url) else ""
        given.wrong(f"must start with {', '.join(_SCHEMES[:-1])} or {EMBEDDED}{meant}")
    path = url.removeprefix(EMBEDDED) if url.startswith(EMBEDDED) else ""
    return f"{EMBEDDED}{given.base / Path(path).expanduser()}" if path else url


def _path(given: Given) -> Path:
    return given.base / Path(_text(given)).expanduser()


def _seconds(given: Given, *, zero: bool) -> float:
    try:
        seconds = float("nan") if isinstance(given.value, bool) else float(given.value)
    except (TypeError, ValueError):
        seconds = float("nan")
    if not (0 <= seconds < float("inf")) or (seconds == 0 and not zero):
        given.wrong(f"must be a number of seconds, {'0 or more' if zero else 'more than 0'}, not {given.value!r}")
    return seconds


def _yes_or_no(given: Given) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    said = words.get(str(given.value).strip().lower())
    return given.wrong(f"must be true or false, not {given.value!r}") if said is None else said


def _one_of(*choices: str) -> Callable[[Given], str]:
    def choose(given: Given) -> str:
        if given.value not in choices:
            given.wrong(f"must be one of {', '.join(choices)}, not {given.value!r}")
        return str(given.value)

    return choose


def _patterns(given: Given) -> tuple[str, ...]:
    items = given.value.split(",") if isinstance(given.value, str) else given.value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        given.wrong(f'must be a list of patterns such as ["app_*"], not {given.value!r}')
    return tuple(item.strip() for item in items if item.strip())


def _table(value: Any) -> Any:
    """The table that a text such as ``NAME=value,OTHER=value`` stands for; anything else as it is."""
    if not isinstance(value, str):
        return value
    pairs = (item.partition("=") for item in value.split(",") if item.strip())
    return {name.strip(): text.strip() for name, _, text in pairs}


def _levels(given: Given) -> dict[str, str]:
    """A table of collections; as a variable, ``orders=strict,events=record``."""
    table = _table(given.value)
    if not isinstance(table, Mapping):
        given.wrong(f'must be a table such as {{orders = "strict"}}, not {given.value!r}')
    choose = _one_of(*LEVELS)
    return {name: choose(given._replace(value=level, where=f"{given.where}.{name}")) for name, level in table.items()}


def _named_values(given: Given) -> dict[str, Any]:
    """A table of values for revisions; as a variable, ``NAME=value,OTHER=value``."""
    table = _table(given.value)
    if not isinstance(table, Mapping):
        given.wrong(f'must be a table such as {{HMAC_KEY = "${{HMAC_KEY}}"}}, not {_kind(given.value)}')
    return dict(table)


def _quorum(given: Given) -> str | int:
    """A commit quorum, as ``createIndexes`` takes it: a number of members, or a word, a tag of members included."""
    text = str(given.value).strip()
    if isinstance(given.value, bool) or not isinstance(given.value, str | int) or not text or text.startswith("-"):
        given.wrong(f"must be a number of members, 'majority', 'votingMembers' or a tag, not {given.value!r}")
    return int(text) if text.isdigit() else text


def _count(given: Given) -> int:
    text = str(given.value).strip()
    if isinstance(given.value, bool) or not text.isdigit() or int(text) == 0:
        given.wrong(f"must be a whole number of 1 or more, not {given.value!r}")
    return int(text)


def _version(given: Given) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+)?", str(given.value).strip())
    if match is None or isinstance(given.value, bool):
        given.wrong(f"must be a version of MongoDB such as '6.0', not {given.value!r}")
    return int(match[1]), int(match[2])


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")


KEYS: dict[str, Callable[[Given], Any]] = {
    "url": _url,
    "database": _text,
    "directory": _path,
    "models": _models,
    "db_alias": _text,
    "driver": _one_of("motor", "pymongo"),
    "lock_timeout": lambda given: _seconds(given, zero=True),
    "lock_lease": lambda given: _seconds(given, zero=False),
    "strict_order": _yes_or_no,
    "revisions_collection": _text,
    "lock_collection": _text,
    "undeclared_indexes": _one_of("agreed", "drop", "hide", "ignore"),
    "undeclared_options": _one_of("agreed", "drop", "ignore"),
    "include": _patterns,
    "exclude": _patterns,
    "fields": _one_of(*LEVELS),
    "fields_by_collection": _levels,
    "field_constraints": _yes_or_no,
    "removed_fields": _one_of("suggest", "drop"),
    "index_names": _one_of("exact", "ignore"),
    "commit_quorum": _quorum,
    "context": _named_values,
    "max_indexes": _count,
    "min_server": _version,
}
