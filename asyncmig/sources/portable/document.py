"""The parts of all models as one JSON document, the same in whatever Python it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from asyncmig.sources.portable.parts import located
from asyncmig.sources.portable.values import encoded

__all__ = ["FORMAT", "VERSION", "export_text"]

FORMAT = "asyncmig_models"
VERSION = 1


def export_text(parts: Iterable[Mapping[str, Any]], libraries: Mapping[str, str]) -> str:
    """The document's text; ``libraries`` are those that the models were read with, and their versions.

    Raises TypeError for a value that MongoDB cannot store.
    """
    document = {
        FORMAT: "what the models of a project declare; read it with: asyncmig diff --models FILE.json",
        "version": VERSION,
        "libraries": dict(libraries),
        "collections": [_written(part) for part in parts],
    }
    return json.dumps(document, indent=1)  # ASCII alone: it goes through pipes and redirections of any system


def _written(part: Mapping[str, Any]) -> dict[str, Any]:
    placed = located(dict(part))
    written = {key: value for key, value in placed.items() if key != "class"}
    for key in ("options", "indexes", "documents"):
        if key in written:
            written[key] = _encoded(written[key], part["model"])
    return written


def _encoded(value: Any, model: str) -> Any:
    try:
        return encoded(value)
    except TypeError as error:
        raise TypeError(f"{model}: {error}") from error
