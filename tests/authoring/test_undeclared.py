"""What a collection has and its model does not mention: by policy, and whether the collection is agreed."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig import Collection, Index, Migrator
from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.operations import NeedsRebuild
from asyncmig.schema.normal import normal_index
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionState, DatabaseState

OPTIONS = {"validator": {"a": 1}, "validationLevel": "moderate"}


def state(indexes: list[Index], **options: Any) -> DatabaseState:
    normal = normal_options(options, "collection")
    made = tuple(normal_index(index, normal.get("collation")) for index in indexes)
    return DatabaseState({"user": CollectionState("user", options=normal, indexes=made)})


CASES: list[tuple[str, Policy, list[str]]] = [
    ("drop", Policy("drop", "drop"), ["DropIndex", "ModifyCollection"]),
    ("ignore", Policy("ignore", "ignore"), []),
    ("agreed, and it is not", Policy("agreed", "agreed"), []),
    ("agreed, and it is", Policy("agreed", "agreed", agreed=frozenset({"user"})), ["DropIndex", "ModifyCollection"]),
    ("agreed, and another is", Policy("agreed", "agreed", agreed=frozenset({"post"})), []),
    ("indexes only", Policy("drop", "ignore"), ["DropIndex"]),
    ("options only", Policy("ignore", "drop"), ["ModifyCollection"]),
    ("hidden", Policy("hide", "ignore"), ["ModifyIndex"]),
]


@pytest.mark.parametrize(("policy", "expected"), [pytest.param(*rest, id=name) for name, *rest in CASES])
def test_what_becomes_of_it(policy: Policy, expected: list[str]) -> None:
    found = difference(state([Index("a"), Index("b")], **OPTIONS), state([Index("a")]), policy)
    assert sorted(type(one).__name__ for one in found.operations) == expected
    assert found.left_alone == (
        {"user"} if policy.undeclared_indexes == "agreed" and not policy.of("user").agreed & {"user"} else set()
    )
    if "DropIndex" not in expected and policy.undeclared_indexes != "hide":
        assert any("b_1 is not declared" in note.text for note in found.notes)
    if "ModifyCollection" not in expected:
        assert any("validator is not declared" in note.text for note in found.notes)


@pytest.mark.parametrize(
    ("more_indexes", "more_options", "policy", "left_alone"),
    [
        (["b"], {}, Policy("agreed", "agreed"), True),
        (["b"], {}, Policy("agreed", "ignore"), True),
        (["b"], {}, Policy("ignore", "agreed"), False),
        ([], OPTIONS, Policy("agreed", "agreed"), True),
        ([], OPTIONS, Policy("ignore", "agreed"), True),
        ([], OPTIONS, Policy("agreed", "ignore"), False),
        (["b"], OPTIONS, Policy("ignore", "agreed"), True),
        (["b"], OPTIONS, Policy("agreed", "ignore"), True),
        (["b"], OPTIONS, Policy("hide", "ignore"), False),
        (["b"], OPTIONS, Policy("agreed", "agreed", agreed=frozenset({"user"})), False),
        ([], {}, Policy("agreed", "agreed"), False),
    ],
)
def test_where_something_waits_for_an_agreement(
    more_indexes: list[str], more_options: dict[str, Any], policy: Policy, left_alone: bool
) -> None:
    current = state([Index("a"), *map(Index, more_indexes)], **more_options)
    assert difference(current, state([Index("a")]), policy).left_alone == ({"user"} if left_alone else set())


def test_the_kind_is_another_object_as_it_comes_from_a_server() -> None:
    kind: Any = "".join([*"collection"])
    current = CollectionState("user", kind, normal_options(OPTIONS, "collection"))
    assert not difference(DatabaseState({"user": current}), state([]), Policy("ignore", "ignore"))


SERIES = CollectionState("user", "timeseries", {"timeseries": {"timeField": "t"}, "expireAfterSeconds": 5})
PLAIN = CollectionState("user", options=OPTIONS)


@pytest.mark.parametrize(("current", "wanted"), [(SERIES, PLAIN), (PLAIN, SERIES)])
def test_nothing_of_another_kind_stays(current: CollectionState, wanted: CollectionState) -> None:
    found = difference(DatabaseState({"user": current}), DatabaseState({"user": wanted}), Policy("ignore", "ignore"))
    (rebuild,) = found.operations
    assert isinstance(rebuild, NeedsRebuild)
    assert (rebuild.target, rebuild.was, found.notes) == (wanted, current, ())


def test_a_declared_option_is_changed_all_the_same() -> None:
    found = difference(
        state([], validator={"a": 1}, validationLevel="moderate"),
        state([], validator={"a": 2}),
        Policy("agreed", "agreed"),
    )
    (modified,) = found.operations
    assert getattr(modified, "options", None) == {"validator": {"a": 2}}


def test_indexes_inherit_a_collation_that_stays() -> None:
    """A collection with a collation, and a library's model that knows nothing of it."""
    current = state([Index("a")], collation={"locale": "fr"})
    assert not difference(current, state([Index("a")]), Policy("agreed", "agreed"))
    assert difference(current, state([Index("a")]), Policy("drop", "drop"))


async def test_a_collection_is_agreed_once_a_revision_has_made_it(database: Any, tmp_path: Any) -> None:
    class User(Collection):
        __collection_name__ = "user"
        __indexes__ = ["a"]

    class Old(Collection):
        __collection_name__ = "old"

    (tmp_path / "versions").mkdir()
    await database.old.create_index("b", unique=True)
    migrator = Migrator(database, tmp_path, [User, Old])
    await migrator.revision("users", autogenerate=True)
    await migrator.upgrade()
    await database.user.create_index("b")
    found = await migrator.difference()
    assert [(type(one).__name__, one.collection) for one in found.operations] == [("DropIndex", "user")]
    assert [str(note) for note in found.notes] == ["old: index b_1 is not declared"]
    strict = Migrator(database, tmp_path, [User, Old], undeclared_indexes="drop")
    assert len(await strict.diff()) == 2
