"""Several sources, one database: what unites, what contradicts, and whose words are taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import mongoengine
import odmantic
import pymongo
import pytest
from pydantic import BaseModel
from pymongo import IndexModel

from asyncmig import Collection, Index, Migrator, View
from asyncmig.authoring.diff import difference
from asyncmig.errors import ConfigurationError, DeclarationError
from asyncmig.schema.state import DatabaseState
from asyncmig.sources import load_models
from asyncmig.sources.export import export_models

from .projects import clearml

pytest.importorskip("beanie", reason="Beanie 2 needs PyMongo 4.11: `nox -s lowest` does without")

from beanie import Document, Indexed, UnionDoc
from beanie import View as BeanieView

FOLDER = Path(__file__).parent


def line_of(text: str) -> int:
    return next(place for place, line in enumerate(Path(__file__).read_text().splitlines(), 1) if line.startswith(text))


class User(Document):
    email: Annotated[str, Indexed(unique=True, collation={"locale": "en", "strength": 2})]

    class Settings:
        name = "user"


class Profile(odmantic.Model):
    email: str = odmantic.Field(index=True)
    model_config = {"collection": "user"}


class Account(mongoengine.Document):
    email = mongoengine.StringField()
    meta = {"collection": "user", "indexes": ["-email"]}


class Own(Collection):
    __collection_name__ = "user"
    __indexes__ = ["age"]
    __options__ = {"validator": {"age": {"$gt": 0}}}


class Seen(View):
    __collection_name__ = "user"
    __view_on__ = "other"
    __pipeline__ = []


class Series(Collection):
    __collection_name__ = "user"
    __options__ = {"timeseries": {"timeField": "at"}}


class Strict(Document):
    class Settings:
        name = "strict"
        timeseries = None


CALLS: dict[str, Any] = {
    "user": [
        ("name", {"unique": True}),
        [("a", 1), ("b", pymongo.DESCENDING)],
        ("email", {"unique": True, "name": "email_plain"}),
    ],
}


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are shown from the working directory, and the suite may run from anywhere."""
    monkeypatch.chdir(Path(__file__).parents[2])


def names(declared: Any, collection: str = "user") -> list[str]:
    return [index.name for index in declared.state.collections[collection].indexes]


def test_sources_unite() -> None:
    found = load_models([User, Own, CALLS, Account])
    assert names(found) == ["age_1", "email_1", "email_-1", "name_1", "a_1_b_-1", "email_plain"]
    assert found.state.collections["user"].options == {"validator": {"age": {"$gt": 0}}}
    assert not found.state.collections["user"].implicit
    assert [origin.framework for origin in found.provenance["user"]] == [
        "asyncmig",
        "beanie",
        "mongoengine",
        "create_index",
    ]
    assert found.classes["user"] == (Own, User, Account)
    assert found.frameworks == {"asyncmig", "beanie", "mongoengine", "create_index"}
    assert load_models([User, {"user": ["age"]}]).state.collections["user"].implicit


def test_sources_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "united_sources"
    (tmp_path / f"{module}.py").write_text(
        "from beanie import Document\n"
        "class A(Document):\n    class Settings:\n        name = 'a'\n        indexes = ['x']\n"
        f"DOCUMENTS = ['{module}.A']\n"
        "CALLS: dict = {\n    'a': [\n        'y',\n        ('x', {'sparse': True}),\n    ],\n}\n"
        "FINE = {'a': ['y']}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert names(load_models([f"{module}:DOCUMENTS", f"{module}:FINE"]), "a") == ["x_1", "y_1"]
    assert names(load_models(f"{module}:DOCUMENTS, {module}:FINE"), "a") == ["x_1", "y_1"]
    (tmp_path / "models.json").write_text(export_models(f"{module}:FINE"), encoding="utf-16")  # as PowerShell redirects
    assert names(load_models(iter([f"{module}:DOCUMENTS", "models.json"])), "a") == ["x_1", "y_1"]
    with pytest.raises(DeclarationError) as caught:
        load_models((f"{module}:DOCUMENTS", f"{module}:CALLS"))
    assert str(caught.value) == (
        f"{module}.A ({module}.py, line 2) and {module}:CALLS ({module}.py, line 10): the collection 'a' has two "
        "definitions of the index 'x_1', {'x': 1} and {'x': 1} with sparse=True; keep one of them"
    )


CLASHES: list[tuple[list[Any], str]] = [
    (
        [User, {"user": ["email"]}],
        r"two definitions of the index 'email_1', {'email': 1} with .*unique=True.* and {.*};",
    ),
    ([User, Profile], r"two definitions of the index 'email_1'"),
    ([Account, {"user": [([("email", -1)], {"name": "other"})]}], r"same index twice, as 'email_-1' and as 'other'"),
    ([{"user": ["a"]}, {"user": [("a", {"name": "b"})]}], r"same index twice, as 'a_1' and as 'b'"),
    ([Own, Seen], r"is a view|is the name of"),
    ([User, Seen], r"is a collection and a view"),
    (
        [{"user": [("a", {"name": "text"})]}, {"user": [([("b", "text")], {"name": "text"})]}],
        r"two definitions of the index 'text'",
    ),
    (
        [{"user": [[("a", "text")]]}, {"user": [[("b", "text")]]}],
        r"two text indexes, 'a_text' and 'b_text'",
    ),
    ([Series, {"user": [("a", {"unique": True})]}], r"an index of a time series cannot be unique"),
]


@pytest.mark.parametrize(("models", "said"), CLASHES)
def test_contradictions_name_both(models: list[Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as caught:
        load_models(models)
    for model in models:
        if isinstance(model, type) and "is the name of" not in str(caught.value):
            line = line_of(f"class {model.__name__}(")
            assert f"{model.__name__} (tests/sources/test_joining.py, line {line})" in str(caught.value)


def test_two_options_contradict() -> None:
    class Capped(mongoengine.Document):
        meta = {"collection": "log", "max_size": 4096}

    class Larger(Collection):
        __collection_name__ = "log"
        __options__ = {"capped": True, "size": 8192}

    said = r"Larger \(.*, line \d+\) and .*Capped \(.*, line \d+\): .* 'log' has two values for the option 'size'"
    with pytest.raises(DeclarationError, match=said):
        load_models([Capped, Larger])


# A class that is two things at once


def test_a_class_of_ours_and_another_library_says_both() -> None:
    class ByBeanie(Document, Collection):
        __indexes__ = [Index("q")]
        a: Annotated[int, Indexed()]

        class Settings:
            name = "by_beanie"

    class ByEngine(mongoengine.Document, Collection):
        __collection_name__ = "by_engine"
        __indexes__ = ["q"]
        a = mongoengine.IntField(unique=True)

    class ByOdm(odmantic.Model, Collection):
        a: int = odmantic.Field(index=True)

    found = load_models([ByBeanie, ByEngine, ByOdm])
    assert {one.name: [index.name for index in one.indexes] for one in found.state} == {
        "by_beanie": ["q_1", "a_1"],
        "by_engine": ["q_1", "a_1"],
        "by_odm": ["a_1"],
    }
    assert [one.implicit for one in found.state] == [False, False, False]
    assert found.classes["by_beanie"] == (ByBeanie,)

    class TwoNames(Document, Collection):
        __collection_name__ = "one"

        class Settings:
            name = "other"

    with pytest.raises(DeclarationError, match="'one' is not what the class's other library calls it: 'other'"):
        load_models([TwoNames])


# Databases of one project


def test_the_database_that_is_named_is_taken() -> None:
    class Bound(Collection):
        __collection_name__ = "bound"
        __bind_key__ = "auth-db"

    class Default(mongoengine.Document):
        meta = {"collection": "plain"}

    class Loose(Document):
        class Settings:
            name = "loose"

    auth = load_models([*clearml.MODELS, Bound, Loose], db_alias="auth-db")
    assert list(auth.state.collections) == ["bound", "loose", "user"]
    assert names(auth) == ["email_1"]
    backend = load_models(clearml.MODELS, db_alias="backend-db")
    assert len(backend.state.collections) == 11
    assert backend.state.collections["user"].indexes == ()
    assert [str(note) for note in backend.notes] == ["db_alias 'auth-db': left out, as it is another database: user"]
    assert list(load_models([clearml.AuthUser]).state.collections) == ["user"]
    mixed = load_models([*clearml.MODELS, Default])
    assert list(mixed.state.collections) == ["plain"]
    assert "backend-db': left out, as it is another database: get_many_scroll_state, company" in str(mixed.notes[1])
    assert str(mixed.notes[1]).endswith("and 6 more")
    for alias in ("nothing", None):
        with pytest.raises(ConfigurationError, match="they name 'auth-db', 'backend-db': set db_alias to one of these"):
            load_models(clearml.MODELS, db_alias=alias)
    with pytest.raises(DeclarationError, match=r"'user' has two definitions of the index 'email_1'"):
        load_models([clearml.AuthUser, User])


# create_index arguments


CALL_FORMS: list[tuple[Any, dict[str, Any]]] = [
    ("a", {"key": {"a": 1}, "name": "a_1"}),
    (("a", {}), {"key": {"a": 1}, "name": "a_1"}),
    (("a",), {"key": {"a": 1}, "name": "a_1"}),
    (("a", -1), {"key": {"a": -1}, "name": "a_-1"}),
    (("a", "text"), {"key": {"a": "text"}, "name": "a_text"}),
    (("a", "b"), {"key": {"a": 1, "b": 1}, "name": "a_1_b_1"}),
    (["a", ("b", -1)], {"key": {"a": 1, "b": -1}, "name": "a_1_b_-1"}),
    ((["a"], {"unique": True, "background": True, "session": None, "comment": "x"}), {"key": {"a": 1}, "unique": True}),
    ((["a"], {"maxTimeMS": 5, "name": None}), {"key": {"a": 1}, "name": "a_1"}),
    (([("a", 1)],), {"key": {"a": 1}, "name": "a_1"}),
    ({"a": 1, "b": -1}, {"key": {"a": 1, "b": -1}, "name": "a_1_b_-1"}),
    ({"key": {"a": 1}, "name": "n", "sparse": True}, {"key": {"a": 1}, "name": "n", "sparse": True}),
    ({"keys": [("a", 1)], "sparse": True}, {"key": {"a": 1}, "name": "a_1", "sparse": True}),
    ({"key": 1}, {"key": {"key": 1}, "name": "key_1"}),
    (({"a": 1}, {"name": "n"}), {"key": {"a": 1}, "name": "n"}),
    (IndexModel([("a", 1)], unique=True), {"key": {"a": 1}, "name": "a_1", "unique": True}),
    (("a", {"collation": pymongo.collation.Collation("de")}), {"collation": "de"}),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "document"), CALL_FORMS, ids=lambda value: repr(value)[:40])
def test_forms_of_a_call(entry: Any, document: dict[str, Any]) -> None:
    (index,) = load_models({"c": [entry]}).state.collections["c"].indexes
    if "collation" in document:
        assert index.options["collation"]["locale"] == document["collation"]
    else:
        assert index.document == {"name": "a_1", **document}


NO_CALLS: list[tuple[Any, str]] = [
    ({"c": "email"}, "'c' in a dictionary holds 'email'; write a list of indexes: {'c': [(keys, options), ...]}"),
    ({"c": {"a": 1}}, "'c' in a dictionary holds {'a': 1}; write a list"),
    ({5: []}, "the key 5 in a dictionary is no collection's name"),
    ({"c": ["a", 5]}, "entry 1 of 'c' in a dictionary: 5 is neither a field name nor a list"),
    ({"c": [[]]}, "entry 0 of 'c' in a dictionary: [] is neither"),
    ({"c": [[("a", 1, 2)]]}, "('a', 1, 2) is no (field, direction)"),
]


@pytest.mark.parametrize(("calls", "said"), NO_CALLS)
def test_what_is_no_call(calls: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_models(calls)


FAULTS: list[tuple[Any, str]] = [
    ({"$c": ["a"]}, "has a character in it"),
    ({"c": [("a", {"uniqe": True})]}, "unknown option 'uniqe'; did you mean 'unique'?"),
    ({"c": [[("a", "up")]]}, "'up' is no kind of index for 'a'"),
    ({"c": [[("a", 1), ("a", -1)]]}, "is in its keys twice"),
]


@pytest.mark.parametrize(("calls", "said"), FAULTS)
def test_what_no_server_takes(calls: Any, said: str) -> None:
    with pytest.raises((DeclarationError, ConfigurationError), match=re.escape(said)):
        load_models(calls)


UNKNOWN: list[tuple[Any, str]] = [
    ([BaseModel], "is a Pydantic model, which has no collection; write a Collection"),
    ([type("Form", (BaseModel,), {})], "and `__model__ = Form`; known are Collections and Views"),
    ([5], "is no model: 5"),
    ([Document], "is no model"),
    ([UnionDoc], "is no model"),
    (5, "entry 0 of the models is no model: 5"),
    ([User, {}, 5], "entry 2 of the models is no model: 5"),
    ([mongoengine.EmbeddedDocument], "is an embedded document, which has no collection of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("models", "said"), UNKNOWN)
def test_a_class_that_nobody_knows(models: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_models(models)


# What comes into being with its first document


def test_another_librarys_model_without_index_and_option_is_no_difference() -> None:
    class Quiet(Document):
        pass

    class Loud(Collection):
        __collection_name__ = "loud"

    wanted = load_models([Quiet, {"calls": []}, Loud]).state
    created = difference(DatabaseState(), wanted).operations
    assert [(type(one).__name__, one.collection) for one in created] == [("CreateCollection", "loud")]
    again = load_models([Quiet, {"Quiet": ["a"], "calls": []}]).state
    assert [type(one).__name__ for one in difference(DatabaseState(), again).operations] == [
        "CreateCollection",
        "CreateIndexes",
    ]


async def test_what_a_source_says_stands_beside_the_difference(database: Any, tmp_path: Path) -> None:
    class Wrapped(Document):
        nick: Indexed(str) | None = None  # type: ignore[valid-type]

    found = await Migrator(database, tmp_path, [Wrapped]).difference()
    assert not found
    assert "Wrapped: nick: `Indexed` inside another type makes no index" in str(found.notes[0])
    without = Migrator(database, tmp_path, [Wrapped], include=lambda kind, name: name != "Wrapped")
    assert (await without.difference()).notes == ()


def test_settings_name_several_sources(
    run_cli: Callable[..., Any], tmp_path: Path, server_url: str, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "shop.py").write_text(
        "from beanie import Document\nclass A(Document):\n    class Settings:\n        indexes = ['x']\n"
        "CALLS = {'A': ['y']}\n"
    )
    (tmp_path / "asyncmig.toml").write_text(
        f'url = "{server_url}"\ndatabase = "joined_{abs(hash(request.node.name)):x}"\nmodels = ["shop", "shop:CALLS"]\n'
    )
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    exported = run_cli("models", "export")
    (tmp_path / "models.json").write_text(exported.stdout)
    for models in ((), ("--models", "models.json"), ("--models", "shop,shop:CALLS")):
        done = run_cli(*models, "diff")
        assert (done.returncode, [line for line in done.stdout.splitlines() if "index" in line]) == (
            3,
            [done.stdout.splitlines()[1]],
        )
        assert "x_1" in done.stdout
        assert "y_1" in done.stdout


def test_nothing_is_imported_for_our_own_models(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from asyncmig import Collection\nclass A(Collection):\n    __collection_name__ = 'a'\n"
        "import atexit, sys\n"
        "names = 'beanie', 'mongoengine', 'odmantic', 'pydantic'\n"
        "atexit.register(lambda: print([name for name in names if name in sys.modules]))\n"
    )
    done = run_cli("--models", "own", "models", "export")
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_declaration_that_fails_when_it_is_read() -> None:
    class Sourceless(BeanieView):
        pass

    class Garbage(Document):
        class Settings:
            indexes = [5]

    class Failing(odmantic.Model):
        model_config = {"indexes": lambda: [1 / 0]}

    class NoIndex(odmantic.Model):
        model_config = {"indexes": lambda: ["name"]}

    class Odd(mongoengine.Document):
        meta = {"indexes": ["a"], "index_opts": {"collation": 5}}
        a = mongoengine.IntField()

    for model, said in (
        (Sourceless, "KeyError: 'source'"),
        (Garbage, "TypeError"),
        (Failing, "ZeroDivisionError: division by zero"),
        (NoIndex, "AttributeError"),
        (Odd, "TypeError"),
    ):
        line = line_of(f"    class {model.__name__}(")
        with pytest.raises(DeclarationError, match=rf"{model.__name__} \(tests/sources/.*, line {line}\): {said}"):
            load_models([model])
