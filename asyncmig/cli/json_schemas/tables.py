"""The schemas as Markdown tables, for the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asyncmig.cli.json_schemas.commands import DOCUMENTS
from asyncmig.cli.json_schemas.parts import PARTS
from asyncmig.cli.json_schemas.shapes import Schema

__all__ = ["tables"]

_INTRODUCTION = """\
# JSON output

With `--json` a command prints one JSON document on stdout, whatever happens; progress, notes and warnings go to stderr.
Where something goes wrong, the document has `error`, an [error](#error) with a `code`, and the command ends with the
exit code that it ends with otherwise. `asyncmig.cli.json_schemas.schema_of(command)` is the JSON Schema (2020-12) of a
command's document.

One thing has one name everywhere. A revision is an object with `revision`, its id; `current`, `down_revision`,
`depends_on`, `replaces` and `children` point at revisions, and hold ids. Times are ISO 8601, in UTC. Fields may be
added in later versions; none is renamed or taken away within a major version.
"""


def tables() -> str:
    """The page: the parts that several documents have, then each command's fields."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "<!-- Made by scripts/json_fields.py from the schemas in asyncmig/cli/json_schemas. -->"
    yield ""
    yield _INTRODUCTION
    yield "## Parts of several documents"
    for part in PARTS:
        yield ""
        yield f"### {part['title']}"
        if about := part.get("description"):
            yield ""
            yield about
        yield from _table(part, part["properties"])
    yield ""
    yield "## Commands"
    for command, shapes in DOCUMENTS.items():
        yield ""
        yield f"### `{command}`"
        for number, shape in enumerate(shapes):
            if number:
                yield ""
                yield "Or:"
            if base := shape.get("title") or shape.get("x-base"):
                yield ""
                more = ", and besides:" if "x-base" in shape else "."
                yield f"The fields of a {_link(base)}{more}"
            if "title" not in shape:
                yield from _table(shape, _own(shape))


def _own(shape: Schema) -> Mapping[str, Schema]:
    added = shape.get("x-added")
    return {name: field for name, field in shape["properties"].items() if added is None or name in added}


def _table(shape: Schema, fields: Mapping[str, Schema]) -> Iterator[str]:
    yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    yield from _rows(shape, fields, "")


def _rows(shape: Schema, fields: Mapping[str, Schema], above: str) -> Iterator[str]:
    for name, field in fields.items():
        left_out = "" if name in shape["required"] else " Not always there."
        yield f"| `{above}{name}` | {_type(field)} | {field.get('description', '')}{left_out} |"
        inner = _inner(field)
        if inner is not None and "title" not in inner:
            yield from _rows(inner, _own(inner), f"{above}{name}{'[]' if 'items' in field else ''}.")


def _inner(field: Schema) -> Schema | None:
    """The object within a field, if there is one that is described here."""
    shape: Any = field.get("items", field)
    for option in shape.get("anyOf", [shape]):
        if "properties" in option:
            return option  # type: ignore[no-any-return]
    return None


def _type(field: Schema) -> str:
    if "items" in field:
        return f"list of {_type(field['items'])}"
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if base := field.get("title") or field.get("x-base"):
        return _link(base) + (" and more" if "x-base" in field else "")
    if "enum" in field:
        return ", ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    kinds = field.get("type", "anything")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _link(title: str) -> str:
    return f"[{title.lower()}](#{title.lower().replace(' ', '-').replace('`', '')})"
