"""The cases of the oracles as tables for parametrised tests."""

from __future__ import annotations

from typing import Any

from asyncmig import Index

from ..oracles.notation import MEGABYTE, load, parse

Specs = list[dict[str, Any]]

_ID = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def _specs(case: str, text: str) -> Specs:
    specs: Specs = MEGABYTE if case == "name_1MB" else parse(text)
    return specs


_ZOO = load("index_zoo")
ASKED = {case: _specs(case, found["asked"]) for case, found in _ZOO.items()}
ACCEPTED = {
    case: [_specs(case, text)[0] if case == "name_1MB" else parse(text) for text in found["list"]]
    for case, found in _ZOO.items()
    if "error" not in found
}
REFUSED = {case: found["error"]["code"] for case, found in _ZOO.items() if "error" in found}

OPTIONS = {name: found | {"asked": parse(found["asked"])} for name, found in load("collection_options").items()}
CREATED = {name: parse(found["list"]) for name, found in OPTIONS.items() if "error" not in found}
NOT_CREATED = {name: found["error"]["code"] for name, found in OPTIONS.items() if "error" in found}

PAIRS = [
    (found["case"], parse(found["first"]), parse(found["second"]), found["result"]) for found in load("index_conflicts")
]


def declared(spec: dict[str, Any]) -> Index:
    """The Index that a user would write for a specification."""
    options = {key: value for key, value in spec.items() if key != "key"}
    return Index(spec["key"], **options)
