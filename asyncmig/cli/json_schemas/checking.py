"""Whether a document from a file is what its schema says; as much of JSON Schema as ours use. Pure.

Fields that a schema does not have are no fault: the document may be of a later version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from asyncmig.cli.json_schemas.shapes import Schema

__all__ = ["faults"]

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(document: Any, schema: Schema, place: str = "$") -> Iterator[str]:
    """Each fault in one line, with where it is: ``$.pending[0].revision: must be string, not 5``."""
    if "anyOf" in schema:
        attempts = [list(faults(document, option, place)) for option in schema["anyOf"]]
        yield from min(attempts, key=len)
        return
    if not _is_of(document, schema.get("type")):
        yield f"{place}: must be {_kinds(schema)}, not {document!r:.60}"
        return
    if "enum" in schema and document not in schema["enum"]:
        yield f"{place}: must be one of {', '.join(map(repr, schema['enum']))}, not {document!r:.60}"
    if isinstance(document, dict):
        yield from (f"{place}: has no {name!r}" for name in schema.get("required", ()) if name not in document)
        for name, field in schema.get("properties", {}).items():
            if name in document:
                yield from faults(document[name], field, f"{place}.{name}")
    if isinstance(document, list) and "items" in schema:
        for number, item in enumerate(document):
            yield from faults(item, schema["items"], f"{place}[{number}]")


def _is_of(document: Any, kinds: Any) -> bool:
    wanted = [kinds] if isinstance(kinds, str) else kinds or ()
    if isinstance(document, bool):
        return not wanted or "boolean" in wanted
    return not wanted or any(isinstance(document, _KINDS[kind]) for kind in wanted)


def _kinds(schema: Schema) -> str:
    kinds = schema["type"]
    return kinds if isinstance(kinds, str) else " or ".join(kinds)
