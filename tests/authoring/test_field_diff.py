"""What changes of a schema become: each row of the table, the order of steps, indexes that move with their field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from asyncmig import Index
from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.operations import (
    ConvertField,
    CreateIndexes,
    DropIndex,
    ModifyCollection,
    Operation,
    RemoveField,
    RenameField,
    Suggestion,
    UpdateInBatches,
)
from asyncmig.schema.capabilities import Server
from asyncmig.schema.fields import DeclaredFields
from asyncmig.schema.levels import Level, level_options
from asyncmig.schema.state import CollectionState, DatabaseState

STRING, INT = {"bsonType": "string"}, {"bsonType": ["int", "long"]}


def schema(required: tuple[str, ...] = (), *, closed: bool = False, **properties: Any) -> dict[str, Any]:
    more = {"required": list(required)} if required else {}
    return {
        "bsonType": "object",
        **more,
        "properties": properties,
        **({"additionalProperties": False} if closed else {}),
    }


def state(
    found: Mapping[str, Any], level: Level = "record", indexes: tuple[Index, ...] = (), **declared: Any
) -> DatabaseState:
    fields = DeclaredFields(dict(found), level, **declared)
    options = {key: value for key, value in level_options(found, level).items() if value not in ("strict", "error")}
    return DatabaseState({"c": CollectionState("c", options=options, indexes=indexes, fields=fields)})


def steps(old: DatabaseState, new: DatabaseState, **policy: Any) -> list[str]:
    """The operations, shortened: ``?`` before what is only suggested, and the level that a schema comes with."""
    return [_shown(one) for one in difference(old, new, Policy(**policy)).operations]


def _shown(operation: Operation) -> str:
    match operation:
        case Suggestion():
            return "? " + ", ".join(map(_shown, operation.operations))
        case ModifyCollection():
            level = operation.options.get("validationLevel")
            loose = {} in operation.options.get("validator", {}).get("$jsonSchema", {}).get("properties", {}).values()
            return " ".join(filter(None, ["modify", "loose" if loose else "", level or ""]))
        case RenameField():
            return f"rename {operation.field} {operation.new}"
        case RemoveField():
            return f"remove {operation.field}" + (f" keep {operation.keep_in}" if operation.keep_in else "")
        case ConvertField():
            return f"convert {operation.field} {operation.from_} {operation.to}"
        case UpdateInBatches():
            return f"update {operation.filter} {operation.update}"
        case CreateIndexes():
            return "create " + ", ".join(index.name for index in operation.indexes)
        case DropIndex():
            return f"drop {operation.name}"
    return operation.describe()


@pytest.mark.parametrize(
    ("old", "new", "declared", "expected"),
    [
        (schema(), schema(a=STRING), {}, ["modify"]),
        (
            schema(),
            schema(a=STRING),
            {"defaults": {"a": "x"}},
            ["update {'a': {'$exists': False}} {'$set': {'a': 'x'}}", "modify"],
        ),
        (
            schema(),
            schema(("a",), a=STRING),
            {},
            ["? update {'a': {'$exists': False}} {'$set': {'a': ''}}", "modify"],
        ),
        (schema(a=STRING), schema(), {}, ["? remove a keep a_removed", "modify"]),
        (schema(a=STRING), schema(closed=True), {}, ["? remove a", "modify"]),
        (schema(a=STRING), schema(b=STRING), {"renames": {"a": "b"}}, ["rename a b", "modify"]),
        (
            schema(a=STRING, b=STRING),
            schema(b=STRING),
            {"renames": {"a": "b"}},
            ["? remove a keep a_removed", "modify"],
        ),
        (
            schema(a=STRING),
            schema(a=schema(en=STRING)),
            {"renames": {"a": "a.en"}},
            ["rename a a_renamed", "rename a_renamed a.en", "modify"],
        ),
        (
            schema(a=schema(en=STRING)),
            schema(a=STRING),
            {"renames": {"a.en": "a"}},
            ["rename a.en a_renamed", "remove a", "rename a_renamed a", "modify"],
        ),
        (schema(a=STRING), schema(a=INT), {}, ["convert a string long", "modify"]),
        (schema(a={"bsonType": "double"}), schema(a=INT), {}, ["? convert a double long", "modify"]),
        (schema(a=STRING), schema(a={"bsonType": ["string", "int"]}), {}, ["modify"]),
        (
            schema(a={"bsonType": ["string", "null"]}),
            schema(a=STRING),
            {"defaults": {"a": "x"}},
            ["update {'a': {'$type': 'null'}} {'$set': {'a': 'x'}}", "modify"],
        ),
        (
            schema(a={"enum": ["x", "y"]}),
            schema(a={"enum": ["x"]}),
            {},
            ["? update {'a': {'$in': ['y']}} {'$set': {'a': 'x'}}", "modify"],
        ),
        (schema(a={**INT, "minimum": 0}), schema(a={**INT, "minimum": 5}), {}, ["modify"]),
        (
            schema(a=STRING),
            schema(a={"bsonType": "array", "items": STRING}),
            {},
            ["? update {'a': {'$type': ['string'], '$not': {'$type': 'array'}}} [{'$set': {'a': ['$a']}}]", "modify"],
        ),
        (
            schema(t={"bsonType": "array", "items": schema(q=INT)}),
            schema(t={"bsonType": "array", "items": schema(("q", "p"), q=INT, p=INT)}),
            {"defaults": {"t.p": 1}},
            [
                "update {'t': {'$elemMatch': {'p': {'$exists': False}}}} {'$set': {'t.$[e].p': 1}}",
                "? update {'t': {'$elemMatch': {'q': {'$exists': False}}}} {'$set': {'t.$[e].q': 0}}",
                "modify",
            ],
        ),
    ],
)
def test_each_row(old: Any, new: Any, declared: Any, expected: list[str]) -> None:
    assert steps(state(old), state(new, **declared)) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (("record", "record"), ["rename a b", "? X", "modify"]),
        (("record", "strict"), ["rename a b", "? X", "modify moderate", "? modify strict"]),
        (("strict", "strict"), ["modify loose", "rename a b", "? X", "modify moderate", "? modify strict"]),
        (("moderate", "moderate"), ["modify loose", "rename a b", "? X", "modify"]),
        (("strict", "warn"), ["modify", "rename a b", "? X"]),
        (("strict", "record"), ["modify off", "rename a b", "? X"]),
        (("warn", "record"), ["rename a b", "? X", "modify off"]),
    ],
)
def test_loosen_change_tighten(levels: tuple[Level, Level], expected: list[str]) -> None:
    old = state(schema(("a",), a=STRING), levels[0])
    new = state(schema(("b", "n"), b=STRING, n=INT), levels[1], renames={"a": "b"})
    found = ["? X" if one.startswith("? update") else one for one in steps(old, new)]
    assert found == expected


def test_a_backfill_that_the_old_schema_takes_needs_no_step_between() -> None:
    old, new = schema(a=STRING), schema(a=STRING, b=INT)
    filled = "update {'b': {'$exists': False}} {'$set': {'b': 1}}"
    assert steps(state(old, "strict"), state(new, "strict", defaults={"b": 1})) == [filled, "modify"]
    closed = state(schema(closed=True, a=STRING), "strict")
    assert steps(closed, state(new, "strict", defaults={"b": 1})) == ["modify loose", filled, "modify"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("string", 'a: MongoDB makes true of every text, of "false" and "" too'),
        ("date", "a: MongoDB makes true of every date."),
        ("double", "a: bool does not hold all that double does."),
    ],
)
def test_what_becomes_of_values_that_are_made_bools_is_said(kind: str, told: str) -> None:
    found = difference(state(schema(a={"bsonType": kind})), state(schema(a={"bsonType": "bool"})))
    (suggestion,) = [one for one in found.operations if isinstance(one, Suggestion)]
    assert suggestion.reason.startswith(told)


def test_removed_fields_are_dropped_where_the_project_says_so() -> None:
    found = steps(state(schema(a=STRING)), state(schema()), removed_fields="drop")
    assert found == ["remove a keep a_removed", "modify"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["create b_1", "rename a b", "modify", "drop a_1"]),
        ({"unique": True}, ["drop a_1", "rename a b", "modify", "create b_1"]),
        ({"unique": True, "sparse": True}, ["create b_1", "rename a b", "modify", "drop a_1"]),
        ({"key": "text"}, ["rename a b", "modify", "drop a_text", "create b_text"]),  # a collection has only one
        ({"key": "hashed"}, ["create b_hashed", "rename a b", "modify", "drop a_hashed"]),
    ],
)
def test_indexes_move_with_their_field(options: dict[str, Any], expected: list[str]) -> None:
    kind = options.get("key", 1)
    rest = {name: value for name, value in options.items() if name != "key"}
    old = state(schema(a=STRING), indexes=(Index([("a", kind)], **rest),))
    new = state(schema(b=STRING), indexes=(Index([("b", kind)], **rest),), renames={"a": "b"})
    assert steps(old, new) == expected


@pytest.mark.parametrize(
    ("fields", "renames", "expected"),
    [
        ("bc", {"a": "b", "b": "c"}, ["rename b c", "rename a b", "modify"]),  # each moves up one place
        ("bc", {"b": "c", "a": "b"}, ["rename b c", "rename a b", "modify"]),
        ("bx", {"x": "y", "a": "x"}, ["rename a x", "modify"]),  # the first was made long ago
        ("b", {"a": "b"}, ["? remove a keep a_removed", "modify"]),
        ("ab", {"a": "b", "b": "a"}, []),
    ],
)
def test_renames_to_a_name_that_is_taken(fields: str, renames: dict[str, str], expected: list[str]) -> None:
    old = state(schema(a=STRING, b=STRING))
    new = state(schema(**dict.fromkeys(fields, STRING)), renames=renames)
    assert steps(old, new) == expected
    notes = [str(note) for note in difference(old, new).notes]
    assert any("is marked as renamed from" in note for note in notes) == (fields == "b")


def test_a_unique_index_that_is_made_in_two_steps_comes_after_the_rename_too() -> None:
    old = state(schema(a=STRING), indexes=(Index("a", unique=True),))
    new = state(schema(b=STRING), indexes=(Index("b", unique=True),), renames={"a": "b"})
    found = steps(old, new, server=Server((6, 0), (6, 0)))
    assert found[:3] == ["drop a_1", "rename a b", "modify"]
    assert found[3] == "create b_1"


def test_an_undeclared_unique_index_does_not_stop_a_rename() -> None:
    old = state(schema(a=STRING), indexes=(Index("a", unique=True), Index("x", unique=True)))
    new = state(schema(b=STRING), renames={"a": "b"})
    assert steps(old, new, undeclared_indexes="ignore") == ["drop a_1", "rename a b", "modify"]


def test_without_a_schema_before_there_is_nothing_to_compare() -> None:
    bare = DatabaseState({"c": CollectionState("c")})
    assert steps(bare, state(schema(("a",), a=STRING), "strict", defaults={"a": "x"})) == ["modify"]
