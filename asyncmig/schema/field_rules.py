"""What is wrong with what a declared class says of the fields of its documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asyncmig.schema.levels import LEVELS
from asyncmig.schema.names import suggestion
from asyncmig.schema.state import CollectionKind

__all__ = ["field_faults"]


def field_faults(model: Any, kind: CollectionKind) -> Iterator[tuple[str, str]]:
    """Each fault of ``__model__``, ``__fields__`` and ``__renamed_fields__``: the attribute, and what is wrong."""
    described = getattr(model, "__model__", None)
    if described is not None:
        yield from (("__model__", fault) for fault in _model_faults(described, model, kind))
    level = next((vars(base)["__fields__"] for base in model.__mro__ if "__fields__" in vars(base)), None)
    if isinstance(level, str) and level not in LEVELS:
        yield "__fields__", f"is one of {', '.join(map(repr, LEVELS))}, not {level!r}{suggestion(level, LEVELS)}"
    yield from (("__renamed_fields__", fault) for fault in _rename_faults(getattr(model, "__renamed_fields__", {})))


def _model_faults(described: Any, model: Any, kind: CollectionKind) -> Iterator[str]:
    if not isinstance(described, type) or not isinstance(getattr(described, "model_fields", None), dict):
        yield f"is a Pydantic model's class, not {described!r}"
    if kind == "timeseries":
        yield "a time series cannot have a validator, so nothing can remember its fields; take this line out"
    if "$jsonSchema" in (model.__options__.get("validator") or {}):
        yield "says what the fields are, and so does the $jsonSchema in __options__; keep one of them"


def _rename_faults(renames: Any) -> Iterator[str]:
    if not isinstance(renames, Mapping):
        yield f"is a dictionary of old paths and new ones, {{'zip': 'postcode'}}, not {renames!r}"
        return
    for old, new in renames.items():
        for path in (old, new):
            if not isinstance(path, str) or not path or any(not part or part[0] == "$" for part in path.split(".")):
                yield f"{path!r} is no field's path; write the names from the top, with points between them"
        if old == new:
            yield f"{old!r} is the same path twice"
    doubled = [new for new in renames.values() if list(renames.values()).count(new) > 1]
    if doubled:
        yield f"{doubled[0]!r} stands for two fields; one path can take the values of one"
