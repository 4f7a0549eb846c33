"""Everything that is read back, from one byte to a megabyte: the driver gives large documents in another shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import DatetimeMS

from asyncmig import Collection, Delete, Index, Migrator, View, introspect
from asyncmig.authoring import catalog
from asyncmig.drivers import driver_for
from asyncmig.operations import DeleteDocuments, InsertDocuments, Tally, TransformDocuments
from asyncmig.testing.masking import masked
from asyncmig.testing.snapshot import differences, take
from asyncmig.testing.template import restore

from .running.applying_helpers import run
from .running.database_snapshot import OWN

SIZES = {"byte": 1, "page": 4096, "chunk": 64 * 1024, "megabyte": 1024 * 1024}
COLLATION = {"locale": "de", "strength": 2, "numericOrdering": True}


def models(size: str) -> list[type]:
    """A collection and a view of which each part that a server tells has this size."""
    long = "x" * SIZES[size]

    class Sized(Collection):
        __collection_name__ = size
        __options__ = {"validator": {"a": {"$ne": long}}}
        __indexes__ = [Index("a", partialFilterExpression={"b": {"$eq": long}})]
        __initial_data__ = [{"_id": size, "text": long}, {"_id": {"long": long[:5000]}, "b": 1}]

    class Seen(View):
        __collection_name__ = f"{size}_view"
        __view_on__ = size
        __pipeline__ = [{"$match": {"a": long}}]

    return [Sized, Seen]


def collated(count: int) -> list[Index]:
    return [Index(f"field_{number}", collation=COLLATION) for number in range(count)]


class Sixty(Collection):
    __collection_name__ = "sixty"
    __indexes__ = collated(60)


ALL = [model for size in SIZES for model in models(size)] + [Sixty]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Iterator[str]]:
    """A loop over the two ways that introspection can take."""

    def each() -> Iterator[str]:
        for way, least in (("catalogue", 0), ("one by one", 10**9)):
            monkeypatch.setattr(catalog, "_MIN_COLLECTIONS", least)
            yield way

    return each


async def test_declared_written_applied_compared_and_taken_back(
    database: Any, tmp_path: Path, ways: Callable[[], Iterator[str]]
) -> None:
    (tmp_path / "versions").mkdir()
    migrator = Migrator(database, tmp_path, ALL)
    written = await migrator.revision("sizes", autogenerate=True)
    assert written is not None
    assert [step.revision for step in (await migrator.plan()).steps] == [written]
    assert await migrator.upgrade() == [written]
    for way in ways():
        assert await migrator.diff() == [], way
        await migrator.check()
        await see_every_size(database)
    assert [step.revision for step in (await migrator.plan("base", direction="downgrade")).steps] == [written]
    assert await migrator.downgrade("base") == [written]
    assert set(await database.list_collection_names()) <= {*OWN, "system.views"}


async def see_every_size(database: Any) -> None:
    state = await introspect(database)
    assert len(state.collections["sixty"].indexes) == 60
    for size, length in SIZES.items():
        assert state.collections[size].options["validator"] == {"a": {"$ne": "x" * length}}
        assert state.collections[size].indexes[0].options["partialFilterExpression"] == {"b": {"$eq": "x" * length}}
        assert state.collections[f"{size}_view"].options["pipeline"] == [{"$match": {"a": "x" * length}}]


@pytest.mark.parametrize(("count", "indexes"), [(40, 2), pytest.param(500, 60, marks=pytest.mark.long)])
async def test_many_such_collections(
    database: Any, ways: Callable[[], Iterator[str]], count: int, indexes: int
) -> None:
    """Half of them alike to the byte, half of them each of its own."""
    driver = driver_for(database)
    for number in range(count):
        text = "x" * 5000 + str(number if number % 2 else "")
        wanted = [*collated(indexes - 1), Index("z", partialFilterExpression={"a": text})]
        await driver.command({"create": f"c{number}", "validator": {"a": {"$ne": text}}})
        await driver.command({"createIndexes": f"c{number}", "indexes": [index.document for index in wanted]})
    for _ in ways():
        state = await introspect(database)
        assert [len(collection.indexes) for collection in state] == [indexes] * count
        assert len({collection.options["validator"]["a"]["$ne"] for collection in state}) == count // 2 + 1
        filters = {
            index.options["partialFilterExpression"]["a"] for c in state for index in c.indexes if index.name == "z_1"
        }
        assert len(filters) == count // 2 + 1


DOCUMENTS = tuple(
    document
    for size, length in SIZES.items()
    for document in (
        {"_id": size, "text": "x" * length, "far": DatetimeMS(2**60)},
        {"_id": {"key": "x" * min(length, 900_000)}, "parts": [{"text": "x" * length}]},
    )
)


async def test_documents_go_in_and_out(database: Any) -> None:
    insert = InsertDocuments("c", DOCUMENTS)
    (result,) = await run(database, insert)
    assert (len(result["inserted"]), result["present"]) == (len(DOCUMENTS), 0)
    (again,) = await run(database, insert)
    assert again == {"inserted": [], "present": len(DOCUMENTS)}
    ids = tuple(document["_id"] for document in DOCUMENTS)
    await database["c"].update_one({"_id": "page"}, {"$set": {"mine": 1}})
    (gone,) = await run(database, DeleteDocuments("c", ids, if_unchanged=True), inserted={"c": result["inserted"]})
    assert gone == {"deleted": len(DOCUMENTS) - 1, "kept": ["page"]}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda document: document | {"new": 1}, Tally(4, 4)),
        (lambda document: document | {"text": document["text"] + "y"}, Tally(4, 4)),
        (lambda document: {"$set": {"new": 1}}, Tally(4, 4)),
        (lambda document: Delete, Tally(4, deleted=4)),
        (lambda document: None, Tally(4, skipped=4)),
    ],
    ids=["a field more", "another text", "an update", "deleted", "left"],
)
async def test_documents_through_a_function(database: Any, function: Any, expected: Tally) -> None:
    documents = [{"_id": {"key": "x" * min(size, 900_000)}, "text": "x" * size} for size in SIZES.values()]
    await database["c"].insert_many(documents)
    (result,) = await run(database, TransformDocuments("c", {}, function))
    assert Tally.read(result) == expected
    left = await database["c"].find().sort("_id", 1).to_list(None)
    assert [document["text"][: len(old["text"])] for document, old in zip(left, documents, strict=False)] == (
        [] if expected.deleted else [document["text"] for document in documents]
    )


async def test_pictures_of_a_database(database: Any) -> None:
    """What the pytest plugin compares, and puts back."""
    await database["c"].insert_many([dict(document) for document in DOCUMENTS])
    await driver_for(database).command({"createIndexes": "c", "indexes": [one.document for one in collated(60)]})
    before = await take(database)
    await database["c"].update_many({}, {"$set": {"changed": 1}})
    assert len(differences(before, await take(database))) == 6  # five documents named, and how many more
    await restore(database, before, {})
    after = await take(database)
    assert differences(before, after) == []
    assert differences(masked(before), masked(after)) == []
