"""Views in the order in which the server takes them: what a view reads from comes before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from asyncmig.operations import CreateView, DropView, ModifyView, Operation
from asyncmig.schema.options import changed_options
from asyncmig.schema.state import CollectionState

__all__ = ["create_view", "sources", "view_difference"]


Pair = tuple[CollectionState | None, CollectionState]


def view_difference(
    pairs: Sequence[Pair], doomed: Sequence[CollectionState]
) -> tuple[list[Operation], list[Operation]]:
    """What turns each pair's first view (None where there is none yet) into its second; ``doomed`` shall go.

    Views whose collation changes, and whatever reads from them so far, are dropped before any is made:
    the server wants one collation along a chain of views. It finds a cycle at no moment when a view
    changes after the ones that it is going to read from. A doomed view is dropped at first, too, where
    it would be in the way of these two; the drops of the others come back as the second list.
    """
    order = _sources_first([wanted for _, wanted in pairs])
    ordered = sorted(pairs, key=lambda pair: order.index(pair[1].name))
    present = [*doomed, *(now for now, _ in ordered if now)]
    remade = _readers(present, {new.name for now, new in pairs if now and "collation" in changed_options(now, new)})
    in_the_way = remade | _readers(present, {new.name for now, new in pairs if not now or changed_options(now, new)})
    readers_first = _sources_first(present)[::-1]  # so that the way back makes each view after what it reads from
    going = sorted(present, key=lambda view: readers_first.index(view.name))
    names = remade | (in_the_way & {view.name for view in doomed})
    drops = {view.name: DropView(view.name, was=view) for view in going if view.name in names}
    changes = (change for now, new in ordered for change in _change(None if new.name in remade else now, new))
    ended = {view.name for view in doomed} - drops.keys()
    last: list[Operation] = [DropView(view.name, was=view) for view in going if view.name in ended]
    return [*drops.values(), *changes], last


def _readers(present: Sequence[CollectionState], names: set[str]) -> set[str]:
    """The views of these names, and whatever reads from them, be it through others."""
    affected = set(names)
    while more := {view.name for view in present if view.name not in affected and sources(view) & affected}:
        affected |= more
    return affected


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
