"""Operations as the calls that make them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.authoring.imports import Imports
from asyncmig.authoring.layout import lay_out
from asyncmig.authoring.literals import Unwritable
from asyncmig.authoring.render import comment, index_source, render
from asyncmig.authoring.revision_file import revision_source
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
    NeedsRebuild,
    NewCollection,
    Operation,
    RenameCollection,
)
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState

from .exact_values import exact
from .formatter import objections
from .run_source import replay
from .strategies import operations

CALLS: list[tuple[Operation, str]] = [
    (CreateCollection("wallet"), 'await env.create_collection("wallet")'),
    (
        CreateCollection("log", {"capped": True, "size": 4096}),
        'await env.create_collection("log", capped=True, size=4096)',
    ),
    (
        CreateCollection("x", {"class": 1, "a b": 2, "size": Int64(5), "ﬁ": 3, "é": 4}),
        'await env.create_collection("x", **{"class": 1, "a b": 2}, size=Int64(5), **{"ﬁ": 3}, é=4)',
    ),
    (
        CreateCollections((NewCollection("a", {"capped": True, "size": 9}, (Index("x"),)),)),
        'await env.create_collections([("a", {"capped": True, "size": 9}, [Index("x")])])',
    ),
    (DropCollection("wallet"), 'await env.drop_collection("wallet")'),
    (RenameCollection("purse", "wallet"), 'await env.rename_collection("purse", "wallet")'),
    (
        ModifyCollection("wallet", {"validationLevel": "moderate"}),
        'await env.modify_collection("wallet", validationLevel="moderate")',
    ),
    (
        CreateView("active", "wallet", [{"$match": {"active": True}}]),
        'await env.create_view("active", "wallet", [{"$match": {"active": True}}])',
    ),
    (
        CreateView("all", "wallet", [], {"collation": {"locale": "en"}}),
        'await env.create_view("all", "wallet", [], collation={"locale": "en"})',
    ),
    (ModifyView("all", "wallet", ({"$limit": 1},)), 'await env.modify_view("all", "wallet", [{"$limit": 1}])'),
    (DropView("all"), 'await env.drop_view("all")'),
    (CreateIndexes("wallet", (Index("rec_date"),)), 'await env.create_indexes("wallet", [Index("rec_date")])'),
    (
        ModifyIndex("wallet", "rec_date_1", {"expireAfterSeconds": 60}),
        'await env.modify_index("wallet", "rec_date_1", expireAfterSeconds=60)',
    ),
    (DropIndex("wallet", "rec_date_1"), 'await env.drop_index("wallet", "rec_date_1")'),
    (InsertDocuments("item", ({"_id": 1},)), 'await env.insert_documents("item", [{"_id": 1}])'),
    (DeleteDocuments("item", (1, "b")), 'await env.delete_documents("item", [1, "b"])'),
    (DeleteDocuments("item", (1,), if_unchanged=True), 'await env.delete_documents("item", [1], if_unchanged=True)'),
]

INDEXES: list[tuple[Index, str]] = [
    (Index("a"), 'Index("a")'),
    (Index([("a", 1)], unique=True), 'Index("a", unique=True)'),
    (Index("a", name="b"), 'Index("a", name="b")'),
    (Index([("a", -1)]), 'Index([("a", -1)])'),
    (Index([("a", 1.0)]), 'Index([("a", 1.0)])'),
    (Index([("a", Int64(1))]), 'Index([("a", Int64(1))])'),
    (Index([("a", 1), ("b", -1)]), 'Index([("a", 1), ("b", -1)])'),
    (Index([("a", "text"), ("b", "text")], name="s"), 'Index([("a", "text"), ("b", "text")], name="s")'),
    (Index([("p", "2dsphere")], sparse=True), 'Index([("p", "2dsphere")], sparse=True)'),
    (Index([("p", "2d")], bits=20, min=-9.5), 'Index([("p", "2d")], bits=20, min=-9.5)'),
    (Index([("a.$**", 1)]), 'Index("a.$**")'),
    (Index([("a", "hashed")]), 'Index([("a", "hashed")])'),
    (Index("a", hidden=True, expireAfterSeconds=3600), 'Index("a", hidden=True, expireAfterSeconds=3600)'),
    (
        Index("a", partialFilterExpression={"b": {"$gt": Int64(5)}}),
        'Index("a", partialFilterExpression={"b": {"$gt": Int64(5)}})',
    ),
    (Index("a", **{"not one": 1, "x": 2}), 'Index("a", **{"not one": 1}, x=2)'),
]

FORMATTED: list[tuple[str, list[Operation], str]] = [
    (
        "several indexes get a line each",
        [
            CreateIndexes(
                "wallet", (Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True), Index("coins"))
            )
        ],
        """\
await env.create_indexes(
    "wallet",
    [
        Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True),
        Index("coins"),
    ],
)""",
    ),
    (
        "arguments share one line where they fit on it",
        [CreateCollection("wallet" * 5, {"validationLevel": "moderate", "validationAction": "warn"})],
        f"""\
await env.create_collection(
    "{"wallet" * 5}", validationLevel="moderate", validationAction="warn"
)""",
    ),
    (
        "a long validator is broken from the outside in",
        [
            ModifyCollection(
                "wallet",
                {"validator": {"$jsonSchema": {"properties": {f"p{n}": {"bsonType": "long"} for n in range(4)}}}},
            )
        ],
        """\
await env.modify_collection(
    "wallet",
    validator={
        "$jsonSchema": {
            "properties": {
                "p0": {"bsonType": "long"},
                "p1": {"bsonType": "long"},
                "p2": {"bsonType": "long"},
                "p3": {"bsonType": "long"},
            }
        }
    },
)""",
    ),
    (
        "a remark stands above the drop",
        [DropIndex("wallet", "old_1", note="not used since 2024-12-01")],
        """\
# not used since 2024-12-01
await env.drop_index("wallet", "old_1")""",
    ),
    (
        "a bridge is explained",
        [CreateIndexes("w", (Index([("a", -1)], name="a_1__asyncmig_bridge"),))],
        """\
# a_1__asyncmig_bridge: only until the index itself can be created below
await env.create_indexes("w", [Index([("a", -1)], name="a_1__asyncmig_bridge")])""",
    ),
    (
        "a rebuild is outlined and set apart",
        [
            DropIndex("w", "a_1"),
            NeedsRebuild(
                "w",
                ("the collation cannot be changed in place",),
                CollectionState("w", options={"collation": {"locale": "fr"}}, indexes=(Index("a"),)),
            ),
            DropIndex("w", "b_1"),
        ],
        """\
await env.drop_index("w", "a_1")

# w needs a rebuild by hand:
# - the collation cannot be changed in place
# An outline of the rebuild, to be finished by hand. Stop whoever writes to the collection first, as
# what is written during the copy is lost; compare the number of documents before anything is
# dropped.
#
#     from asyncmig import Index
#     await env.drop_collection("w__new")
#     await env.create_collection("w__new", collation={"locale": "fr"})
#     await env.create_indexes("w__new", [Index("a")])
#     await env.db.command(
#         "aggregate",
#         "w",
#         pipeline=[{"$merge": {"into": "w__new", "whenMatched": "fail"}}],
#         cursor={},
#     )
#     await env.client.admin.command(
#         "renameCollection", env.db.name + ".w__new", to=env.db.name + ".w", dropTarget=True
#     )

await env.drop_index("w", "b_1")""",
    ),
]


@pytest.mark.parametrize(("operation", "source"), CALLS, ids=[source for _, source in CALLS])
async def test_an_operation_is_one_call(operation: Operation, source: str) -> None:
    assert render([operation]).lines == (source,)
    assert exact(await replay(_file([operation]))) == exact([operation])


@pytest.mark.parametrize(("index", "source"), INDEXES, ids=[source for _, source in INDEXES])
async def test_an_index_says_no_more_than_it_has_to(index: Index, source: str) -> None:
    assert lay_out(index_source(index, Imports())) == [source]
    assert exact(await replay(_file([CreateIndexes("x", (index,))]))) == exact([CreateIndexes("x", (index,))])


@pytest.mark.parametrize(("steps", "source"), [case[1:] for case in FORMATTED], ids=[case[0] for case in FORMATTED])
async def test_statements_are_laid_out_as_by_a_formatter(steps: list[Operation], source: str, tmp_path: Path) -> None:
    assert "\n".join(render(steps, room=100).lines) == source
    applied = [step for step in steps if not isinstance(step, NeedsRebuild)]
    assert exact(await replay(_file(steps))) == exact(applied)
    assert objections([_file(steps)], tmp_path) == ""


@settings(max_examples=3 * settings().max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(operations, max_size=4))
async def test_any_operations_come_back_exactly(steps: list[Operation]) -> None:
    assert exact(await replay(_file(steps))) == exact(steps)


def test_a_formatter_leaves_any_generated_file_as_it_is(tmp_path: Path) -> None:
    sources: list[str] = []

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(operations, max_size=4), st.lists(operations, max_size=4))
    def generate(forth: list[Operation], back: list[Operation]) -> None:
        sources.append(_file(forth, back))

    generate()
    assert objections(sources, tmp_path) == ""


def test_widths_agree_with_the_formatter_s(tmp_path: Path) -> None:
    characters = ["x", "é", "ж", "財", "한", "ｱ", "🙂", "e\u0301", "ﷺ", "ᄀ"]
    files = [
        [DeleteDocuments("x", (character * number, "y" * (length - number))) for length in range(20, 120)]
        for character in characters
        for number in (1, 20)
    ]
    assert objections(map(_file, files), tmp_path) == ""


def test_the_edge_of_the_line_is_the_formatter_s(tmp_path: Path) -> None:
    assert objections([_file(_around(length)) for length in range(50, 130)], tmp_path) == ""


def _around(length: int) -> list[Operation]:
    word = "x" * length
    return [
        DropCollection(word),
        DropIndex("y", word),
        DropIndex(word[50:], word[40:]),
        InsertDocuments("y", ({"_id": word},)),
        InsertDocuments("y", ({"_id": {"a": [Int64(1), word]}},)),
        InsertDocuments("y", ({"_id": (word,)}, {"_id": word[30:]})),
        CreateIndexes("y", (Index(word), Index(word[20:], unique=True, name="n"))),
        CreateIndexes("y", (Index([(word, 1), (word[40:], -1)], name=word[10:]),)),
        CreateCollection("y", {"a b": word}),
        CreateCollection("y", {"size": 1, "validator": {"a": {"$in": [Decimal128("1"), word]}}}),
    ]


def test_deep_values_are_laid_out_beyond_the_edge(tmp_path: Path) -> None:
    value: Any = [ObjectId("65a000000000000000000001"), -1.5, Int64(1), "", {}]
    for _ in range(30):
        value = {"a": value}
    assert objections([_file([InsertDocuments("x", ({"_id": value},))])], tmp_path) == ""


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (InsertDocuments("w", ({"_id": 1}, {"_id": 2, "a": {"b": {3}}})), "w: documents[1].a.b: a value of type set"),
        (CreateIndexes("w", (Index("a", partialFilterExpression={"b": {3}}),)), "w: a_1.partialFilterExpression.b: a"),
        (CreateCollection("w", {"validator": {"a": {3}}}), "w.validator.a: a value of type set"),
        (CreateView("w", "x", [{}, {"$limit": {3}}]), "w: pipeline[1].$limit: a value of type set"),
        (DeleteDocuments("w", ({3},)), "w: _id: a value of type set"),
    ],
)
def test_a_value_that_cannot_be_written_is_named_by_collection_and_path(operation: Operation, message: str) -> None:
    with pytest.raises(Unwritable) as caught:
        render([operation])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        ("short", ["# short"]),
        ("with\nlines \u2028 and \ud800", ["# with\\nlines \\u2028 and", "# \\ud800"]),
        ("a word-that-is-far-too-long-for-a-line", ["# a", "# word-that-is-far-too-long-for-a-line"]),
        ("", []),
    ],
)
def test_a_comment_stays_a_comment(sentence: str, lines: list[str]) -> None:
    assert comment(sentence, room=26) == lines


def test_names_cannot_break_out_of_their_place() -> None:
    nasty = 'x"\n"""\nraise SystemExit\n#'
    steps = [DropIndex(nasty, nasty, note=nasty), NeedsRebuild(nasty, (nasty,)), DropView(nasty)]
    names: dict[str, Any] = {}
    exec(compile(_file(steps, summary=[nasty], notes=[nasty], message=nasty), "r.py", "exec"), names)
    assert nasty.splitlines()[0] in names["__doc__"]


def _file(forth: list[Any], back: list[Any] | None = None, **extra: Any) -> str:
    given = {"revision": "20241210150000", "down_revision": None, "message": "test"} | extra
    return revision_source(upgrade=forth, downgrade=back or [], **given)
