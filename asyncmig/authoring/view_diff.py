"""Views in the order in which the server takes them: what a view reads from comes before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from asyncmig.operations import CreateView, DropView, ModifyView, Operation
from asyncmig.schema.options import changed_options
from asyncmig.schema.state import CollectionState

__all__ = ["create_view", "sources", "view_difference"]


def view_difference(pairs: Sequence[tuple[CollectionState | None, CollectionState]]) -> list[Operation]:
    """What turns each pair's first view (None where there is none yet) into its second.

    Views whose collation changes, and whatever reads from them so far, are dropped before any is made:
    the server wants one collation along a chain of views. It finds a cycle at no moment when a view
    changes after the ones that it is going to read from.
    """
    order = _sources_first([wanted for _, wanted in pairs])
    ordered = sorted(pairs, key=lambda pair: order.index(pair[1].name))
    remade = _remade(ordered)
    drops = [DropView(now.name, was=now) for now, wanted in reversed(ordered) if now and wanted.name in remade]
    changes = (
        change for current, wanted in ordered for change in _change(None if wanted.name in remade else current, wanted)
    )
    return [*drops, *changes]


def _remade(pairs: Sequence[tuple[CollectionState | None, CollectionState]]) -> set[str]:
    """The names of the views that must go before any of them can come back."""
    current = [now for now, _ in pairs if now]
    remade = {now.name for now, wanted in pairs if now and "collation" in changed_options(now, wanted)}
    while readers := {view.name for view in current if view.name not in remade and sources(view) & remade}:
        remade |= readers
    return remade


def create_view(state: CollectionState) -> CreateView:
    """The operation that makes this view."""
    options = dict(state.options)
    return CreateView(state.name, options.pop("viewOn"), options.pop("pipeline", []), options)


def sources(state: CollectionState) -> set[str]:
    """The collections and views that a view reads from, those of its ``$lookup`` and ``$unionWith`` too."""
    return {state.options["viewOn"], *_named_in(state.options.get("pipeline", []))}


def _change(current: CollectionState | None, wanted: CollectionState) -> Iterator[Operation]:
    if current is None:
        yield create_view(wanted)
    elif changed_options(current, wanted):
        yield ModifyView(wanted.name, wanted.options["viewOn"], wanted.options.get("pipeline", []), was=current)


def _sources_first(views: Sequence[CollectionState]) -> list[str]:
    names = {view.name for view in views}
    try:
        return list(TopologicalSorter({view.name: sorted(sources(view) & names) for view in views}).static_order())
    except CycleError:
        return sorted(names)  # the server refuses the cycle, and says so better than an order could


def _named_in(stages: Any) -> Iterator[str]:
    if isinstance(stages, Mapping):
        for key, value in stages.items():
            if key in ("$lookup", "$graphLookup") and isinstance(value, Mapping) and isinstance(value.get("from"), str):
                yield value["from"]
            if key == "$unionWith":
                name = value.get("coll") if isinstance(value, Mapping) else value
                if isinstance(name, str):
                    yield name
            yield from _named_in(value)
    elif isinstance(stages, (list, tuple)):
        for stage in stages:
            yield from _named_in(stage)
