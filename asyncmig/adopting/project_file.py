"""Settings written into a project's configuration file; comments, order and everything else stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tomlkit import array, dumps, parse, table
from tomlkit.exceptions import ParseError
from tomlkit.items import Table

from asyncmig.adopting.errors import AdoptionRefused

__all__ = ["with_settings"]

Value = str | Sequence[str]


def with_settings(text: str, values: Mapping[str, Value], *, own_file: bool = False) -> str:
    """The file's text with these keys set in ``[tool.asyncmig]``, which is added where there is none.

    ``own_file``: it is an asyncmig.toml, whose keys stand at the top unless it has the table. Raises
    AdoptionRefused for a text that is no TOML, or has something else where the table should be.
    """
    try:
        document = parse(text)
    except ParseError as error:
        raise AdoptionRefused(f"the configuration file is not valid TOML: {error}") from error
    place = (
        document if own_file and "tool" not in document else _table(_table(document, "tool", hidden=True), "asyncmig")
    )
    for key, value in values.items():
        place[key] = value if isinstance(value, str) else _list(value)
    return _with_the_same_line_ends(dumps(document), text)


def _table(parent: Any, name: str, *, hidden: bool = False) -> Any:
    if name not in parent:
        parent[name] = table(is_super_table=hidden)
    existing = parent[name]
    if not isinstance(existing, Table | Mapping):
        raise AdoptionRefused(f"{name} in the configuration file is no table")
    return existing


def _list(values: Sequence[str]) -> Any:
    made = array()
    made.extend(values)
    return made.multiline(len(values) > 3)


def _with_the_same_line_ends(written: str, before: str) -> str:
    if "\r\n" not in before:
        return written
    return written.replace("\r\n", "\n").replace("\n", "\r\n")
