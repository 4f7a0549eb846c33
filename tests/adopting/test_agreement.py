"""What database and models have in common: three columns, and what each choice comes to."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.adopting.agreement import Choices, Line, agreement, supplement
from asyncmig.adopting.errors import UnknownLine
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionState, DatabaseState

VALIDATOR = {"validator": {"a": {"$type": "int"}}}


def state(**collections: dict[str, Any] | list[Index]) -> DatabaseState:
    made = {}
    for name, given in collections.items():
        parts = {"indexes": given} if isinstance(given, list) else given
        options = normal_options(parts.get("options", {}), parts.get("kind", "collection"))
        indexes = tuple(normal_index(index) for index in parts.get("indexes", ()))
        made[name] = CollectionState(name, parts.get("kind", "collection"), options, indexes)
    return DatabaseState(made)


CASES: list[tuple[str, DatabaseState, DatabaseState, dict[str, str]]] = [
    ("alike", state(user=[Index("a")]), state(user=[Index("a")]), {"user.a_1": "both"}),
    ("only there", state(user=[Index("a", unique=True)]), state(user=[]), {"user.a_1": "database"}),
    ("only declared", state(user=[]), state(user=[Index("a")]), {"user.a_1": "models"}),
    ("other options", state(user=[Index("a")]), state(user=[Index("a", sparse=True)]), {"user.a_1": "differs"}),
    ("a validator there", state(user={"options": VALIDATOR}), state(user=[]), {"user.validator": "database"}),
    ("a validator declared", state(user=[]), state(user={"options": VALIDATOR}), {"user.validator": "models"}),
    (
        "a level that is not the default",
        state(user={"options": {**VALIDATOR, "validationLevel": "moderate"}}),
        state(user={"options": VALIDATOR}),
        {"user.validationLevel": "database"},
    ),
    (
        "a collation that only the database has, and an index that inherits it",
        state(user={"options": {"collation": {"locale": "de"}}, "indexes": [Index("a", collation={"locale": "de"})]}),
        state(user=[Index("a")]),
        {"user.collation": "database", "user.a_1": "both"},
    ),
    (
        "another kind",
        state(user={"kind": "view", "options": {"viewOn": "x"}}),
        state(user=[]),
        {"user.type": "differs"},
    ),
    ("no such collection yet", state(), state(user=[Index("a")]), {"user": "models"}),
]


@pytest.mark.parametrize(("current", "wanted", "expected"), [pytest.param(*rest, id=name) for name, *rest in CASES])
def test_columns(current: DatabaseState, wanted: DatabaseState, expected: dict[str, str]) -> None:
    assert {line.name: line.column for line in agreement(current, wanted).lines} == expected


def test_collections_of_other_libraries_may_come_later() -> None:
    found = agreement(state(log=[]), state(user=[], order=[Index("a")]), passive=["user"])
    assert [line.name for line in found.lines] == ["order"]
    assert found.expected == ("user",)
    assert found.unclaimed == ("log",)


def lines() -> tuple[Line, ...]:
    current = state(user={"indexes": [Index("a"), Index("b")], "options": VALIDATOR}, post=[Index("a")])
    return agreement(current, state(user=[], post=[])).open


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {}),
        (["database"], dict.fromkeys(["user.validator", "user.a_1", "user.b_1", "post.a_1"], "database")),
        (["database:user.a_1"], {"user.a_1": "database"}),
        (["models:user"], dict.fromkeys(["user.validator", "user.a_1", "user.b_1"], "models")),
        (
            ["database", "models:post.a_1"],
            {"user.validator": "database", "user.a_1": "database", "user.b_1": "database", "post.a_1": "models"},
        ),
        (
            ["models:user", "database:user.a_1"],
            {"user.validator": "models", "user.a_1": "database", "user.b_1": "models"},
        ),
    ],
)
def test_choices(words: list[str], expected: dict[str, str]) -> None:
    choices = Choices.parse(words, lines())
    assert {line.name: side for line in lines() if (side := choices.of(line))} == expected


@pytest.mark.parametrize("word", ["", "both", "database:", "database:user.a_2", "Models", "models:nobody"])
def test_a_choice_of_nothing_is_told(word: str) -> None:
    with pytest.raises(UnknownLine, match=r"user\.a_1"):
        Choices.parse([word], lines())


def test_the_supplement_declares_what_only_the_database_has() -> None:
    current = state(user={"indexes": [Index("a"), Index("b")], "options": VALIDATOR}, log=[Index("t")])
    wanted = state(user=[Index("a")])
    accepted = agreement(current, wanted).open
    added = supplement(current, accepted, whole=["log"])
    assert added == state(user={"indexes": [Index("b")], "options": VALIDATOR}, log=[Index("t")])
