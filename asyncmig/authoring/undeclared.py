"""What a collection has and its model does not mention: kept where the policy says so, as if it were declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asyncmig.authoring.policy import Note, Policy
from asyncmig.schema.normal import normal_index
from asyncmig.schema.state import CollectionState

__all__ = ["with_undeclared_options"]


def with_undeclared_options(
    current: CollectionState, wanted: CollectionState, policy: Policy
) -> tuple[CollectionState, list[Note]]:
    """The model with the options that only the database has, and a remark for each; as it is where they are to go.

    ``policy`` is that of this collection. Indexes inherit a collation that is kept.
    """
    kept = {} if policy.undeclared_options == "drop" else _only_there(current, wanted)
    if not kept:
        return wanted, []
    indexes = wanted.indexes
    if "collation" in kept:
        indexes = tuple(normal_index(index, kept["collation"], wanted.kind) for index in indexes)
    notes = [Note(wanted.name, f"the option {name} is not declared; it stays as it is") for name in kept]
    return replace(wanted, options={**kept, **wanted.options}, indexes=indexes), notes


def _only_there(current: CollectionState, wanted: CollectionState) -> dict[str, Any]:
    if current.kind != wanted.kind:
        return {}
    return {name: value for name, value in current.options.items() if name not in wanted.options}
