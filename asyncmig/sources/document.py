"""The models as one JSON document: what ``asyncmig models export`` writes and ``--models models.json`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bson import json_util

from asyncmig.errors import ConfigurationError
from asyncmig.sources.portable.document import FORMAT, VERSION
from asyncmig.sources.portable.values import LITERAL, WRAPPERS

__all__ = ["decoded", "read_document"]


_EXTENDED = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, tz_aware=True)
_TEXTS = ("collection", "framework", "model", "kind")
_LISTS = ("indexes", "notes")


def read_document(file: str | Path) -> list[dict[str, Any]]:
    """The parts in an exported file. Raises ConfigurationError for one that is not there, or is none of ours."""
    path = Path(file)
    try:
        document = json.loads(path.read_bytes())  # in UTF-8, or in what PowerShell makes of it: UTF-16
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
    if not all(isinstance(part[key], str) for key in _TEXTS) or not all(isinstance(part[key], list) for key in _LISTS):
        raise TypeError(f"a collection that reads {json.dumps(part)[:80]}")
    if part["kind"] not in ("collection", "timeseries", "view") or not isinstance(part["options"], dict):
        raise ValueError(f"the kind or the options of {part['collection']!r}")
    for index in part["indexes"]:
        if not all(isinstance(field, str) for field, _ in index["key"]):
            raise ValueError(f"an index of {part['collection']!r}")
    read = {"alias": None, "declares": True, **part, "class": None}
    for key in ("options", "indexes", "documents"):
        read[key] = decoded(part.get(key, []))
    return read


def decoded(value: Any) -> Any:
    """A value of the document, as :func:`~asyncmig.sources.portable.values.encoded` was given it."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = next(iter(value), None)
    if first == LITERAL:
        return {key: decoded(item) for key, item in value[LITERAL]}
    if first in WRAPPERS:
        return json_util.loads(json.dumps(value), json_options=_EXTENDED)
    return {key: decoded(item) for key, item in value.items()}
