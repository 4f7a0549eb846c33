"""What autogenerate writes raises nothing above information: for every definition that a real server has taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asyncmig.authoring.diff import difference
from asyncmig.authoring.draft import draft
from asyncmig.authoring.policy import Policy
from asyncmig.errors import AsyncmigError
from asyncmig.lint.finding import CATALOGUE, Finding
from asyncmig.schema.index import Index
from asyncmig.schema.normal import index_from_server
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionState, DatabaseState

from ..schema.index_cases import ACCEPTED, CREATED, PAIRS
from .projects import FIRST, SECOND, folder, linted

LOUD = ("error", "warning")


def _state(collections: list[CollectionState]) -> DatabaseState:
    return DatabaseState({one.name: one for one in collections})


def _zoo() -> dict[str, tuple[CollectionState, CollectionState]]:
    """By name, a collection before and after: it gets each index, loses it, or swaps one for another."""
    found: dict[str, tuple[CollectionState, CollectionState]] = {}
    for case, specs in ACCEPTED.items():
        indexes = tuple(index_from_server(spec) for spec in specs if case != "name_1MB")
        empty, full = (CollectionState(f"{case}", indexes=some) for some in ((), indexes))
        found[f"gets_{case}"] = empty, full
        found[f"loses_{case}"] = full, empty
    for case, first, second, _ in PAIRS:
        found[f"swaps_{case}"] = tuple(CollectionState(case, indexes=(_index(spec),)) for spec in (first, second))  # type: ignore[assignment]
    names = [*CREATED]
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        found[f"options_{name}"] = _options(name), _options(other)
    return {name: (_named(n, one), _named(n, two)) for n, (name, (one, two)) in enumerate(found.items())}


def _index(spec: dict[str, Any]) -> Index:
    return index_from_server({"name": "x", **spec})


def _options(name: str) -> CollectionState:
    listed = CREATED[name]
    kind = listed.get("type", "collection")
    return CollectionState(name, kind, normal_options(listed.get("options", {}), kind))


def _named(number: int, state: CollectionState) -> CollectionState:
    return CollectionState(f"c{number}", state.kind, state.options, state.indexes)


async def _loud(place: Path, before: DatabaseState, after: DatabaseState) -> list[Finding]:
    policy = Policy(drop_collections=True, owned=frozenset(before.collections))
    first = draft(difference(DatabaseState(), before), revision=FIRST, down_revision=None, message="before")
    second = draft(difference(before, after, policy), revision=SECOND, down_revision=FIRST, message="after")
    report = await linted(folder(place, first, second))
    assert report.not_run == (), [one.message for one in report.findings if one.code == "L17"]
    return [one for one in report.findings if one.severity in LOUD]


async def test_definitions_and_changes_of_a_real_server_raise_nothing_above_information(tmp_path: Path) -> None:
    zoo = {name: pair for name, pair in _zoo().items() if _can_be_written(*pair)}
    assert len(zoo) > 380
    before, after = (_state([pair[side] for pair in zoo.values()]) for side in (0, 1))
    assert [f"{one.code} {one.message}" for one in await _loud(tmp_path / "all", before, after)] == []
    gone = _state([pair[1] for pair in zoo.values() if pair[0].kind != "view"][:20])
    assert await _loud(tmp_path / "gone", gone, DatabaseState()) == []


def _can_be_written(one: CollectionState, two: CollectionState) -> bool:
    try:
        for state in (one, two):
            draft(difference(DatabaseState(), _state([state])), revision="1", down_revision=None, message="x")
        draft(difference(_state([one]), _state([two])), revision="1", down_revision=None, message="x")
    except AsyncmigError:
        return False
    return True


async def test_a_line_added_by_hand_is_judged_like_any_other(tmp_path: Path) -> None:
    """Only a file that does what its docstring says autogenerate wrote is spared."""
    before, after = DatabaseState(), _state([CollectionState("user")])
    source = draft(difference(before, after), revision=FIRST, down_revision=None, message="users")
    for place, line in enumerate(('await env.drop_collection("purse")', "await env.db.purse.drop()")):
        edited = source.replace('("user")\n', f'("user")\n    {line}\n', 1)
        directory = folder(tmp_path / str(place), edited)
        errors = [one.code for one in (await linted(directory, select=CATALOGUE)).findings if one.severity == "error"]
        assert errors == ["L06"]
