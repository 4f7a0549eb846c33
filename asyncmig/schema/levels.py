"""How strictly a collection's declared fields are enforced, as a word, and as the options of ``create``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

__all__ = ["LEVELS", "Level", "level_options"]

Level = Literal["ignore", "record", "warn", "moderate", "strict"]
LEVELS: Final[tuple[Level, ...]] = ("ignore", "record", "warn", "moderate", "strict")

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "record": {"validationLevel": "off", "validationAction": "error"},
    "warn": {"validationLevel": "strict", "validationAction": "warn"},
    "moderate": {"validationLevel": "moderate", "validationAction": "error"},
    "strict": {"validationLevel": "strict", "validationAction": "error"},
}


def level_options(schema: Mapping[str, Any], level: Level) -> dict[str, Any]:
    """The options of ``create`` by which a collection remembers a schema, and enforces it as ``level`` says.

    ``record``: remembered, never enforced; ``warn``: the server's log tells of each document that
    breaks it; ``moderate``: enforced but for documents that break it already; ``strict``: enforced.

    https://www.mongodb.com/docs/manual/core/schema-validation/
    """
    return {"validator": {"$jsonSchema": schema}, **_OPTIONS[level]}
