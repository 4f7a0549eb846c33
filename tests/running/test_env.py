"""``Env``: each method makes one operation; what makes no sense is said before anything runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import ASCENDING, IndexModel

from asyncmig import Index
from asyncmig.errors import DeclarationError
from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    NewCollection,
    Operation,
    RenameCollection,
)
from asyncmig.running.env.env import Env

Use = Callable[[Env], Awaitable[None]]


def env_of(performed: list[Operation], *collections: str) -> Env:
    async def perform(operation: Operation) -> None:
        performed.append(operation)

    driver: Any = None
    return Env(driver, perform, collections=set(collections))


CALLS: list[tuple[Use, Operation]] = [
    (lambda e: e.create_collection("a"), CreateCollection("a")),
    (lambda e: e.create_collection("a", capped=True, size=9), CreateCollection("a", {"capped": True, "size": 9})),
    (lambda e: e.create_collection("a", name=1), CreateCollection("a", {"name": 1})),
    (
        lambda e: e.create_collections([("a",), ["b", {"capped": True, "size": 9}], ("c", {}, ["x"])]),
        CreateCollections(
            (
                NewCollection("a"),
                NewCollection("b", {"capped": True, "size": 9}),
                NewCollection("c", indexes=(Index("x"),)),
            )
        ),
    ),
    (lambda e: e.drop_collection("a"), DropCollection("a")),
    (lambda e: e.rename_collection("a", "b"), RenameCollection("a", "b")),
    (lambda e: e.modify_collection("a", validator={}), ModifyCollection("a", {"validator": {}})),
    (lambda e: e.create_view("v", "a", []), CreateView("v", "a", [])),
    (
        lambda e: e.create_view("v", view_on="a", pipeline=[{"$limit": 1}], collation={"locale": "en"}),
        CreateView("v", "a", [{"$limit": 1}], {"collation": {"locale": "en"}}),
    ),
    (lambda e: e.modify_view("v", "a", [{"$limit": 1}]), ModifyView("v", "a", [{"$limit": 1}])),
    (lambda e: e.drop_view("v"), DropView("v")),
    (lambda e: e.create_indexes("a", [Index("x")]), CreateIndexes("a", (Index("x"),))),
    (
        lambda e: e.create_indexes("a", ["x", [("y", -1)], IndexModel([("z", ASCENDING)], unique=True)]),
        CreateIndexes("a", (Index("x"), Index([("y", -1)]), Index("z", unique=True))),
    ),
    (lambda e: e.create_index("a", "x"), CreateIndexes("a", (Index("x"),))),
    (lambda e: e.create_index("a", [("x", 1)], name="n"), CreateIndexes("a", (Index("x", name="n"),))),
    (
        lambda e: e.create_index("a", Index("x", sparse=True), unique=True),
        CreateIndexes("a", (Index("x", sparse=True, unique=True),)),
    ),
    (lambda e: e.drop_index("a", "x_1"), DropIndex("a", "x_1")),
    (lambda e: e.modify_index("a", "x_1", hidden=True), ModifyIndex("a", "x_1", {"hidden": True})),
    (lambda e: e.insert_documents("a", [{"_id": 1}]), InsertDocuments("a", ({"_id": 1},))),
    (lambda e: e.delete_documents("a", [1, "b"]), DeleteDocuments("a", (1, "b"))),
    (lambda e: e.delete_documents("a", [1], if_unchanged=True), DeleteDocuments("a", (1,), if_unchanged=True)),
]

FAULTS: list[tuple[Use, str]] = [
    (lambda e: e.create_collection(3), r"env.create_collection\(3\): name a collection's name is a string, not 3"),  # type: ignore[arg-type]
    (lambda e: e.create_collection(""), "cannot be empty"),
    (lambda e: e.create_collection("a$b"), r"\$ or NUL"),
    (lambda e: e.create_collection("system.js"), "MongoDB's own"),
    (lambda e: e.create_collection("a", viewOn="b"), "use env.create_view"),
    (lambda e: e.create_collections("a"), r"env.create_collections\(...\): collections is a list of collections"),  # type: ignore[arg-type]
    (lambda e: e.create_collections([]), "collections is empty"),
    (lambda e: e.create_collections(["a"]), r"collections\[0\] is \('name', {options}, \[Index, ...\]\), not 'a'"),
    (lambda e: e.create_collections([("a",), ("b", {}, [], 1)]), r"collections\[1\] is \('name'"),
    (lambda e: e.create_collections([("a",), ("a", {})]), "collections has 'a' twice"),
    (lambda e: e.create_collections([("",)]), r"collections\[0\]\[0\] a collection's name cannot be empty"),
    (lambda e: e.create_collections([("a", 5)]), r"collections\[0\]\[1\] is a document"),
    (lambda e: e.create_collections([("a", {"viewOn": "b"})]), "use env.create_view"),
    (lambda e: e.create_collections([("a", {}, "x")]), r"collections\[0\]\[2\] is a list of indexes"),
    (lambda e: e.create_collections([("a", {}, ["x", "x"])]), r"collections\[0\]\[2\] has two of the name 'x_1'"),
    (lambda e: e.drop_collection(None), "is a string, not None"),  # type: ignore[arg-type]
    (lambda e: e.rename_collection("a", "a"), r"env.rename_collection\('a'\): new is the old name"),
    (lambda e: e.rename_collection("a", ""), "new a collection's name cannot be empty"),
    (lambda e: e.modify_collection("a"), "nothing to change: give an option"),
    (lambda e: e.modify_collection("a", index={"name": "x", "unique": True}), "use env.modify_index"),
    (lambda e: e.modify_collection("a", pipeline=[]), "use env.modify_view"),
    (lambda e: e.create_view("v", "a", {"$match": {}}), r"pipeline is a list of stages"),  # type: ignore[arg-type]
    (lambda e: e.create_view("v", "a", ["$match"]), r"pipeline\[0\] is a document"),  # type: ignore[list-item]
    (lambda e: e.create_view("v", 1, []), "view_on a collection's name is a string"),  # type: ignore[arg-type]
    (lambda e: e.create_indexes("a", "x"), "indexes is a list of indexes"),  # type: ignore[arg-type]
    (lambda e: e.create_indexes("a", Index("x")), "indexes is a list of indexes"),  # type: ignore[arg-type]
    (lambda e: e.create_indexes("a", []), "indexes is empty"),
    (lambda e: e.create_indexes("a", ["x", 5]), r"indexes\[1\]"),
    (lambda e: e.create_indexes("a", [[]]), r"indexes\[0\]"),
    (lambda e: e.create_indexes("a", ["x", Index("x", unique=True)]), "two of the name 'x_1'"),
    (lambda e: e.create_index("a", 5), "keys"),
    (lambda e: e.drop_index("a", "*"), "would drop all of them"),
    (lambda e: e.drop_index("a", [("x", 1)]), "index_name is a string that is not empty"),  # type: ignore[arg-type]
    (lambda e: e.modify_index("a", "x_1"), "nothing to change"),
    (lambda e: e.insert_documents("a", {"_id": 1}), "documents is a list of documents"),  # type: ignore[arg-type]
    (lambda e: e.insert_documents("a", [{"b": 1}]), r"documents\[0\] has no _id"),
    (lambda e: e.insert_documents("a", [{"_id": 1}, {"_id": 1.0}]), r"documents\[1\] has the _id 1.0 of another"),
    (lambda e: e.insert_documents("a", [1]), r"documents\[0\] is a document"),  # type: ignore[list-item]
    (lambda e: e.delete_documents("a", "abc"), "ids is a list of _ids"),
]


@pytest.mark.parametrize(("call", "operation"), CALLS, ids=lambda value: getattr(value, "collection", ""))
async def test_a_method_makes_its_operation(call: Use, operation: Operation) -> None:
    performed: list[Operation] = []
    await call(env_of(performed))
    assert performed == [operation]


@pytest.mark.parametrize(("call", "message"), FAULTS, ids=[message for _, message in FAULTS])
async def test_a_fault_is_told_before_anything_runs(call: Use, message: str) -> None:
    performed: list[Operation] = []
    env = env_of(performed, "a")
    with pytest.raises(DeclarationError, match=message):
        await call(env)
    assert performed == []
    assert env.collections == {"a"}


@pytest.mark.parametrize(
    ("call", "there", "then"),
    [
        (lambda e: e.create_collection("b"), {"a"}, {"a", "b"}),
        (lambda e: e.create_collections([("b",), ("c",)]), {"a"}, {"a", "b", "c"}),
        (lambda e: e.create_view("v", "a", []), {"a"}, {"a", "v"}),
        (lambda e: e.drop_collection("a"), {"a"}, set()),
        (lambda e: e.drop_collection("z"), {"a"}, {"a"}),
        (lambda e: e.drop_view("v"), {"v"}, set()),
        (lambda e: e.rename_collection("a", "b"), {"a"}, {"b"}),
        (lambda e: e.create_indexes("b", ["x"]), {"a"}, {"a", "b"}),
        (lambda e: e.create_index("b", "x"), set(), {"b"}),
        (lambda e: e.insert_documents("b", [{"_id": 1}]), set(), {"b"}),
        (lambda e: e.modify_collection("a", validator={}), {"a"}, {"a"}),
    ],
)
async def test_collections_follow_the_operations(call: Use, there: set[str], then: set[str]) -> None:
    env = env_of([], *there)
    await call(env)
    assert env.collections == then


async def test_collections_stay_when_an_operation_fails() -> None:
    async def perform(operation: Operation) -> None:
        raise RuntimeError(operation.describe())

    driver: Any = None
    env = Env(driver, perform, collections={"a"})
    with pytest.raises(RuntimeError, match="drop collection a"):
        await env.drop_collection("a")
    assert env.collections == {"a"}


async def test_an_operation_keeps_what_was_passed_when_that_changes_later() -> None:
    performed: list[Any] = []
    document, options, stage = {"_id": 1, "tags": ["x"]}, {"a": {"$gt": 0}}, {"$match": {"a": 1}}
    env = env_of(performed)
    await env.insert_documents("a", [document])
    await env.create_collection("b", validator=options)
    await env.create_view("v", "a", [stage])
    document["tags"].append("y")  # type: ignore[attr-defined]
    options["a"]["$gt"] = 5
    stage["$match"]["a"] = 2
    assert performed[0].documents == ({"_id": 1, "tags": ["x"]},)
    assert performed[1].options == {"validator": {"a": {"$gt": 0}}}
    assert performed[2].pipeline == [{"$match": {"a": 1}}]


async def test_the_users_own_objects_and_session(database: Any) -> None:
    from asyncmig.drivers import driver_for

    session = object()

    async def perform(operation: Operation) -> None: ...

    env = Env(driver_for(database), perform, collections=set(), session=session)
    assert env.db is database
    assert env.client is database.client
    assert env.session is session
