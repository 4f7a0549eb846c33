"""The models as one JSON document: what ``asyncmig models export`` writes and ``--models models.json`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asyncmig.errors import ConfigurationError
from asyncmig.sources.portable.document import FORMAT, VERSION
from asyncmig.sources.portable.values import LITERAL, WRAPPERS

__all__ = ["read_document"]


def read_document(file: str | Path) -> list[dict[str, Any]]:
    """The parts in an exported file. Raises ConfigurationError for one that is not there, or is none of ours."""
    path = Path(file)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"models: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"models: {path} is no JSON: {error}") from error
    _check(document, path)
    try:
        return [_part(part) for part in document["collections"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"models: {path} is damaged ({type(error).__name__}: {error}); write it anew: asyncmig models export"
        ) from error


def _check(document: Any, path: Path) -> None:
    if not isinstance(document, Mapping) or FORMAT not in document or "version" not in document:
        raise ConfigurationError(f"models: {path} was not written by `asyncmig models export`")
    if document["version"] != VERSION:
        raise ConfigurationError(
            f"models: {path} is of version {document['version']!r}, and this asyncmig reads version {VERSION}; "
            "write it anew with the script of this asyncmig: asyncmig models export --script"
        )


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    read = {**part, "class": None}
    for key in ("options", "indexes", "documents"):
        read[key] = _decoded(part.get(key, []))
    return read


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = next(iter(value), None)
    if first == LITERAL:
        return {key: _decoded(item) for key, item in value[LITERAL]}
    if first in WRAPPERS:
        from bson import json_util  # the driver's own reading of the very types that it has written

        return json_util.object_hook(value, json_util.CANONICAL_JSON_OPTIONS)
    return {key: _decoded(item) for key, item in value.items()}
