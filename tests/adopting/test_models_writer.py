"""Models written from a database's state: loaded again, they declare the very state."""

from __future__ import annotations

import ast
from keyword import iskeyword
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.adopting.class_names import class_names, module_names
from asyncmig.adopting.models_writer import models_package, models_source
from asyncmig.adopting.proposal import Wish
from asyncmig.adopting.written_models import state_of_files, state_of_source
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionState, DatabaseState

from ..authoring.schemas import pairs

ODD_NAMES = [
    "user",
    "User",
    "users.profile",
    "users_profile",
    "users-profile",
    "class",
    "none",
    "None",
    "True",
    "match",
    "index",
    "collection",
    "View",
    "object_id",
    "int64",
    "ALL_COLLECTIONS",
    "all_collections",
    "2fa",
    "2",
    "²",
    "кошелёк",
    "財布",
    "ﬁle",
    "file",
    "e\u0301t\u00e9",
    " ",
    "- .",
    "---",
    "it's",
    'quo"te',
    "back\\slash",
    "new\nline",
    "tab\t",
    "\u202eright",
    "__dunder__",
    "a" * 200,
    "float",
    "re",
    "datetime",
]


def state(*collections: CollectionState) -> DatabaseState:
    return DatabaseState({one.name: one for one in collections})


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_becomes_a_class_of_its_own(name: str) -> None:
    made = class_names([name])[name]
    assert made.isidentifier()
    assert not iskeyword(made)
    plain = state(CollectionState(name, indexes=(Index("a"), Index([("b", -1)], name="x", expireAfterSeconds=60))))
    assert state_of_source(models_source(plain)) == plain


def test_all_odd_names_at_once() -> None:
    whole = state(*(CollectionState(name) for name in ODD_NAMES))
    assert len(set(class_names(ODD_NAMES).values())) == len(ODD_NAMES)
    assert class_names(reversed(ODD_NAMES)) == class_names(ODD_NAMES)
    assert state_of_source(models_source(whole)) == whole
    assert state_of_files(models_package(whole)) == whole


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs(), st.booleans())
def test_every_schema_comes_back(schemas: tuple[DatabaseState, DatabaseState], split: bool) -> None:
    for declared in schemas:
        bare = state(
            *(CollectionState(one.name, one.kind, one.options, one.indexes) for one in declared)
        )  # initial data is never guessed
        again = state_of_files(models_package(bare)) if split else state_of_source(models_source(bare))
        assert again == bare


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0$"), min_size=1), unique=True))
def test_names_are_distinct_identifiers(names: list[str]) -> None:
    classes, modules = class_names(names), module_names(names)
    assert len(set(classes.values())) == len(names)
    for made in (*classes.values(), *modules.values()):
        ast.parse(f"class {made}: ...")
        assert ast.parse(made).body[0].value.id == made  # type: ignore[attr-defined]


MODULES = [
    (["auth_users", "auth_tokens", "wallet"], ["auth", "auth", "others"]),
    (["auth.users", "auth-tokens"], ["auth", "auth"]),
    (["class_a", "class_b"], ["class_", "class_"]),
    (["others_a", "others_b", "x"], ["others_", "others_", "others"]),
    (["2fa_codes", "2fa_users"], ["c2fa", "c2fa"]),
    (["Auth_a", "auth_b"], ["auth", "auth"]),
    (["userProfile", "userNames"], ["others", "others"]),
]


@pytest.mark.parametrize(("collections", "modules"), MODULES)
def test_collections_with_a_common_first_word_share_a_module(collections: list[str], modules: list[str]) -> None:
    assert list(module_names(collections).values()) == modules


def test_what_a_reader_sees() -> None:
    """
    A list of one fits on its line; a list of several has a line for each; views come last.
    """
    orders = CollectionState(
        "orders",
        indexes=(normal_index(Index([("uid", 1), ("at", -1)], unique=True)), normal_index(Index("at"))),
        options=normal_options({"capped": True, "size": 4096}, "collection"),
    )
    view = CollectionState("active", "view", normal_options({"viewOn": "orders", "pipeline": [{"$limit": 1}]}, "view"))
    assert models_source(state(view, orders), "Written.") == (
        '"""Written."""\n'
        "\n"
        "from asyncmig import Collection, Index, View\n"
        "\n"
        "\n"
        "class Orders(Collection):\n"
        '    __collection_name__ = "orders"\n'
        "    __indexes__ = [\n"
        '        Index([("uid", 1), ("at", -1)], unique=True),\n'
        '        Index("at"),\n'
        "    ]\n"
        '    __options__ = {"capped": True, "size": 4096}\n'
        "\n"
        "\n"
        "class Active(View):\n"
        '    __collection_name__ = "active"\n'
        '    __view_on__ = "orders"\n'
        '    __pipeline__ = [{"$limit": 1}]\n'
        "\n"
        "\n"
        "ALL_COLLECTIONS = [\n"
        "    Orders,\n"
        "    Active,\n"
        "]\n"
    )


def test_what_is_being_built_or_half_way_is_told() -> None:
    building = CollectionState("a", building=("x_1",))
    half_way = CollectionState("b", indexes=(Index("x", prepareUnique=True),))
    bucket = [CollectionState(f"fs{part}") for part in (".files", ".chunks")]
    source = models_source(state(building, half_way, *bucket, CollectionState("lonely.files")))
    assert "# Being built when this was written, and so not declared: x_1" in source
    assert "# x_1 is half-way to a unique index" in source
    assert source.count("GridFS bucket 'fs'") == 2
    assert "'lonely'" not in source


def test_an_empty_database() -> None:
    assert state_of_source(models_source(state())) == state()
    assert state_of_files(models_package(state())) == state()


def test_nothing_is_left_behind() -> None:
    import sys

    before = set(sys.modules)
    state_of_files(models_package(state(CollectionState("a_b"), CollectionState("a_c"))))
    assert not [name for name in set(sys.modules) - before if "written" in name]


@pytest.mark.parametrize(
    ("write", "split", "target", "module"),
    [
        (None, False, "app_collections.py", "app_collections"),
        (None, True, "app_collections", "app_collections"),
        ("app/db.py", False, "app/db.py", "app.db"),
        ("app/db", True, "app/db", "app.db"),
        ("app/db.py", True, "app/db", "app.db"),  # a package, and no folder whose name ends with .py
    ],
)
def test_where_models_are_written(tmp_path: Path, write: str | None, split: bool, target: str, module: str) -> None:
    wish = Wish(tmp_path, Path(write) if write else None, split)
    assert (wish.target, wish.module) == (tmp_path / target, module)
