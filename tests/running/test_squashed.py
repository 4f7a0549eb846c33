"""Squashed revisions in the ledger: taken as applied, kept beside their ranges, reverted as one.

The history: ``a b c`` and then ``d``; ``s`` replaces ``a b``, and ``t`` replaces ``s c``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from asyncmig.events import Event, RangeTaken
from asyncmig.history.errors import PartlyReplaced, UnknownApplied
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.ledger import Ledger

from .history_files import History, states

INSERT = "await env.insert_documents('items', [{{'_id': {0!r}, 'n': 0}}])"
DELETE = "await env.delete_documents('items', [{0!r}], if_unchanged=True)"
APPLIED = "applied"


class Squashed(History):
    """A history whose revisions each insert one document, and whose squashed ones insert all of their range's."""

    def step(self, name: str, parents: tuple[str, ...] = ()) -> None:
        self.add(name, INSERT.format(name), DELETE.format(name), parents=parents)

    def squash(self, name: str, replaces: str, inserts: str, parents: tuple[str, ...] = ()) -> None:
        up = "\n".join(INSERT.format(one) for one in inserts)
        down = "\n".join(DELETE.format(one) for one in reversed(inserts))
        self.add(name, up, down, parents=parents)
        file = self.revisions[name]
        self.revisions[name] = Revision(
            name, parents, replaces=replaces.split(), path=file.path, checksum=file.checksum
        )

    def forget(self, *names: str) -> None:
        for name in names:
            del self.revisions[name]


@pytest.fixture
def history(tmp_path: Any) -> Squashed:
    made = Squashed(tmp_path / "versions")
    for name, parents in (("a", ()), ("b", ("a",)), ("c", ("b",)), ("d", ("c",))):
        made.step(name, parents)
    return made


@pytest.fixture
async def collection(database: Any) -> Any:
    await database.create_collection("items")
    return database["items"]


async def there(collection: Any) -> str:
    return "".join(sorted([document["_id"] for document in await collection.find().to_list(None)]))


async def ledger(database: Any) -> Mapping[str, str]:
    found = await states(database)
    assert set(found.values()) <= {APPLIED}
    return " ".join(sorted(found))


async def test_a_database_that_has_the_range_takes_it_as_applied(
    history: Squashed, database: Any, collection: Any
) -> None:
    await history.runner(database).upgrade()
    history.squash("s", "a b", "ab")
    events: list[Event] = []
    assert await history.runner(database, events=events).upgrade() == []
    assert [event.revision.revision for event in events if isinstance(event, RangeTaken)] == ["s"]
    assert await ledger(database) == "a b c d s"
    events.clear()
    assert await history.runner(database, events=events).upgrade() == []
    assert events == []  # no lock, nothing to say


async def test_a_part_is_finished_first(history: Squashed, database: Any, collection: Any) -> None:
    await history.runner(database).upgrade("a")
    history.squash("s", "a b", "ab")
    with pytest.raises(PartlyReplaced, match="asyncmig upgrade b"):
        await history.runner(database).upgrade()
    assert await ledger(database) == "a"
    await history.runner(database).upgrade("b")
    await history.runner(database).upgrade()
    assert await ledger(database) == "a b c d s"
    assert await there(collection) == "abcd"


async def test_a_database_that_has_none_runs_it(history: Squashed, database: Any, collection: Any) -> None:
    history.squash("s", "a b", "ab")
    assert [one.revision for one in await history.runner(database).upgrade()] == ["s", "c", "d"]
    assert await ledger(database) == "c d s"


@pytest.mark.parametrize("gone", ["", "a", "ab"])
@pytest.mark.parametrize("recorded", [True, False])
async def test_reverted_as_one(history: Squashed, database: Any, collection: Any, gone: str, recorded: bool) -> None:
    """Only what the range has inserted, and nobody has changed, goes."""
    await collection.insert_one({"_id": "b", "n": 0})
    await history.runner(database).upgrade("b")
    history.squash("s", "a b", "ab")
    history.forget("c", "d", *gone)
    if recorded:
        await history.runner(database).upgrade()
    assert [one.revision for one in await history.runner(database).downgrade("-1")] == ["s"]
    assert await there(collection) == "b"
    assert await ledger(database) == ""
    assert [one.revision for one in await history.runner(database).upgrade()] == ["s"]
    assert await there(collection) == "ab"


async def test_a_crash_while_the_records_are_put_together(history: Squashed, database: Any, collection: Any) -> None:
    await history.runner(database).upgrade("b")
    history.squash("s", "a b", "ab")
    history.forget("c", "d")
    await history.runner(database).upgrade()
    await database["asyncmig_revisions"].delete_one({"_id": "b"})
    await collection.update_one({"_id": "b"}, {"$set": {"n": 1}})
    await history.runner(database).downgrade("base")
    assert await ledger(database) == ""
    assert await there(collection) == "b"


async def test_squashed_again_and_all_old_files_gone(history: Squashed, database: Any, collection: Any) -> None:
    await history.runner(database).upgrade()
    history.squash("s", "a b", "ab")
    history.squash("t", "a b s c", "abc")
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert [event.revision.revision for event in events if isinstance(event, RangeTaken)] == ["s", "t"]
    assert await ledger(database) == "a b c d s t"
    history.forget("a", "b", "c", "s")
    await history.runner(database).upgrade()
    assert await ledger(database) == "d t"
    assert await history.runner(database).upgrade() == []
    assert [one.revision for one in await history.runner(database).downgrade("base")] == ["d", "t"]
    assert await there(collection) == ""
    assert [one.revision for one in await history.runner(database).upgrade()] == ["t", "d"]


async def test_records_stay_as_long_as_one_of_the_files_does(history: Squashed, database: Any, collection: Any) -> None:
    await history.runner(database).upgrade()
    history.squash("s", "a b", "ab")
    await history.runner(database).upgrade()
    history.forget("a")
    await history.runner(database).upgrade()
    assert await ledger(database) == "a b c d s"


async def test_a_release_from_before_the_squash(history: Squashed, database: Any, collection: Any) -> None:
    await history.runner(database).upgrade()
    history.squash("s", "a b", "ab")
    await history.runner(database).upgrade()
    history.forget("s")
    marks = await Ledger(history.runner(database)._driver).marks()
    assert (history.graph.pending(marks), history.graph.unknown(marks)) == ([], ("s",))
    with pytest.raises(UnknownApplied):
        await history.runner(database).upgrade()


@pytest.mark.parametrize(
    ("before", "target", "purge", "after"),
    [
        ("a b c d", "head", False, "a b c d s"),
        ("a b c d", "head", True, "c d s"),
        ("a b c d", "b", False, "a b s"),
        ("a b c d", "a", False, "a"),
        ("a b c d", "base", False, ""),
        ("a", "head", False, "a b c d"),  # what is there in part is counted by its parts
        ("a", "b", False, "a b"),
        ("s c", "s", False, "s"),
        ("s c", "d", True, "c d s"),
        ("x y", "s", True, "s"),
    ],
)
async def test_stamp(
    history: Squashed, database: Any, collection: Any, before: str, target: str, purge: bool, after: str
) -> None:
    documents = [{"_id": one, "state": APPLIED, "token": 1} for one in before.split()]
    await database["asyncmig_revisions"].insert_many(documents)
    history.squash("s", "a b", "ab")
    await history.runner(database).stamp(target, purge=purge)
    assert await ledger(database) == after
    assert await there(collection) == ""
