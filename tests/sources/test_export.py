"""The models as JSON: what comes back is what was there, from whatever Python it comes."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import Binary, UuidRepresentation
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from asyncmig import Collection, Index, Migrator, View
from asyncmig.errors import ConfigurationError
from asyncmig.schema.state import DatabaseState
from asyncmig.sources import load_models
from asyncmig.sources.document import decoded
from asyncmig.sources.export import export_models
from asyncmig.sources.portable.values import LITERAL, WRAPPERS, encoded
from asyncmig.sources.script import MODULES, script_source

pytest.importorskip("beanie", reason="Beanie 2 needs PyMongo 4.11: `nox -s lowest` does without")

from .projects import awkward_beanie, awkward_mongoengine, awkward_odmantic, clearml, jobboard

STANDARD: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
ID = ObjectId("65f000000000000000000001")
VALUES: list[Any] = [
    None,
    True,
    1,
    -(2**31),
    2**31,
    Int64(5),
    1.0,
    float("inf"),
    float("-inf"),
    "text",
    "\ud800"[:0],
    ID,
    Decimal128("1.50"),
    datetime(2026, 1, 2, 3, 4, 5, 6000, UTC),
    datetime(1899, 1, 1, tzinfo=UTC),
    Binary(b"\0\1", 5),
    b"plain",
    UUID("00112233-4455-6677-8899-aabbccddeeff"),
    Regex("^a", "im"),
    Timestamp(1, 2),
    MinKey(),
    MaxKey(),
    DBRef("c", ID),
    {"$regex": "^a", "$options": "i"},
    {"$type": "string"},
    {"$date": {"$numberLong": "1"}},
    {"$oid": "no id"},
    {LITERAL: []},
    {"b": 1, "a": [{"$numberLong": "x", "more": {"$binary": 1}}]},
    [],
    {},
]


class Everything(Collection):
    __collection_name__ = "every thing"
    __indexes__ = [
        "a",
        Index([("b", -1), ("c", "text")], weights={"c": 5}, default_language="none"),
        Index("d", partialFilterExpression={"at": {"$gt": datetime(2026, 1, 1, tzinfo=UTC)}, "n": {"$type": 18}}),
        Index("$**", wildcardProjection={"x": 1}),
    ]
    __options__ = {
        "validator": {"a": {"$not": {"$regex": "^x", "$options": "i"}}, "id": {"$ne": ID}},
        "collation": {"locale": "de"},
    }
    __initial_data__ = [{"_id": place, "value": value} for place, value in enumerate(VALUES)]
    __renamed_from__ = "nothing"


class Seen(View):
    __collection_name__ = "seen"
    __view_on__ = "every thing"
    __pipeline__ = [{"$match": {"a": {"$regex": "^a", "$options": "i"}}}]
    __options__ = {"collation": {"locale": "de"}}


class Readings(Collection):
    __collection_name__ = "readings"
    __options__ = {"timeseries": {"timeField": "t"}, "expireAfterSeconds": 60}


CALLS = {"user": [("email", {"unique": True}), [("a", 1), ("b", -1)]], "none": []}


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back(value: Any) -> None:
    back = decoded(json.loads(json.dumps(encoded(value))))
    assert bson.encode({"": back}) == bson.encode({"": value}, codec_options=STANDARD)


KEYS = st.sampled_from(["a", "b", *sorted(WRAPPERS), LITERAL, "$regex", "$ref"])
DOCUMENTS = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@given(DOCUMENTS)
def test_any_document_comes_back(value: Any) -> None:
    assert decoded(json.loads(json.dumps(encoded(value)))) == value


@pytest.mark.parametrize(
    ("models", "alias"),
    [
        ([Everything, Seen, Readings, CALLS], None),
        (awkward_beanie.MODELS, None),
        (awkward_mongoengine.MODELS, "awkward"),
        (awkward_odmantic.MODELS, None),
        ([*clearml.MODELS, *jobboard.MODELS], "backend-db"),
        ([*clearml.MODELS, {"user": ["company"]}], "auth-db"),
    ],
)
def test_what_is_exported_declares_the_same(models: list[Any], alias: str | None, tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_text(export_models(models), encoding="utf-8")
    was, now = load_models(models, db_alias=alias), load_models(str(file), db_alias=alias)
    assert _stored(now.state) == _stored(was.state)
    assert [replace(one, documents=()) for one in now.state] == [replace(one, documents=()) for one in was.state]
    assert [one.implicit for one in now.state] == [one.implicit for one in was.state]
    assert now.notes == was.notes
    places = {name: [str(origin) for origin in origins] for name, origins in was.provenance.items()}
    assert {name: [str(origin) for origin in origins] for name, origins in now.provenance.items()} == places
    assert now.classes == dict.fromkeys(was.classes, ())


def _stored(state: DatabaseState) -> list[bytes]:
    return [bson.encode({"": list(one.documents)}, codec_options=STANDARD) for one in state]


def test_the_script_prints_what_the_command_prints(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    projects = Path(awkward_beanie.__file__).parent
    environment = {"PYTHONPATH": str(projects)}
    for name in ("awkward_beanie", "awkward_mongoengine", "awkward_odmantic"):
        (tmp_path / f"{name}.py").write_bytes((projects / f"{name}.py").read_bytes())
    (tmp_path / "calls.py").write_text("print('noise')\nCALLS = {'user': ['email', ('a', {'unique': True})]}\n")
    places = ["awkward_beanie:MODELS", "awkward_mongoengine", "awkward_odmantic", "calls:CALLS"]
    exported = run_cli("--models", ",".join(places), "models", "export", env=environment)
    script = run_cli("models", "export", "--script")
    assert (exported.returncode, script.returncode, exported.stderr) == (0, 0, "noise\n")
    (tmp_path / "reader.py").write_text(script.stdout, encoding="utf-8")
    for command, text in (["reader.py"], ""), (["-"], script.stdout):
        done = subprocess.run(
            [sys.executable, *command, *places], cwd=tmp_path, input=text, capture_output=True, text=True, check=True
        )
        assert done.stdout == exported.stdout


def test_the_script_is_one_file_for_python_3_8_that_says_what_is_wrong(tmp_path: Path) -> None:
    source = script_source()
    ast.parse(source, feature_version=(3, 8))
    assert not re.findall(r"^\s*(?:from|import) asyncmig", source, re.MULTILINE)
    modules = files("asyncmig.sources.portable")
    assert {file.name for file in modules.iterdir() if file.name.endswith(".py")} == {
        "__init__.py",
        *(f"{name}.py" for name in MODULES),
    }
    defined = [name for statement in ast.parse(source).body for name in _names(statement)]
    assert [name for name, times in Counter(defined).items() if times > 1] == []
    for arguments, code, said in (
        ([], 2, "usage"),
        (["nowhere_at_all"], 1, "error: there is no module 'nowhere_at_all'"),
        (["json"], 1, "'json' defines no model"),
    ):
        done = subprocess.run(
            [sys.executable, "-", *arguments], input=source, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


FILE = (
    '{"asyncmig_models": "", "version": 1, "collections": [{"collection": "c", "framework": "beanie", "model": "C",'
    ' "notes": [], %s}]}'
)
DAMAGED = [
    ("", "is no JSON"),
    ("[]", "was not written by `asyncmig models export`"),
    ('{"version": 1}', "was not written by"),
    ('{"asyncmig_models": "", "version": 2, "collections": []}', "is of version 2, and this asyncmig reads version 1"),
    ('{"asyncmig_models": "", "version": 1}', "is damaged (KeyError: 'collections')"),
    ('{"asyncmig_models": "", "version": 1, "collections": [{}]}', "is damaged (KeyError"),
    ('{"asyncmig_models": "", "version": 1, "collections": [5]}', "is damaged"),
    (
        FILE % '"options": 5, "indexes": [], "kind": "collection"',
        "(ValueError: the kind or the options of 'c'",
    ),
    (FILE % '"options": {}, "indexes": [], "kind": "table"', "(ValueError: the kind or the options of 'c'"),
    (FILE % '"options": {}, "indexes": [{}], "kind": "view"', "is damaged (KeyError: 'key'"),
    (FILE % '"options": {}, "indexes": [{"key": [[1, 1]]}], "kind": "view"', "(ValueError: an index of 'c'"),
]


@pytest.mark.parametrize(("text", "said"), DAMAGED)
def test_a_file_that_is_none_of_ours(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_models(str(file))


async def test_what_documents_hold_is_not_in_it(tmp_path: Path) -> None:
    """Rather than to take the validators away that the classes themselves have asked for, it is refused."""
    file = tmp_path / "models.json"
    file.write_text(export_models([jobboard.MODELS[0]]), encoding="utf-8")
    calls = {"c": ["a"]}
    for level in ("record", "strict"):
        with pytest.raises(ConfigurationError, match=r"exported do not say what documents hold, and '.+' is to be"):
            Migrator(None, tmp_path, [str(file), calls], fields=level).declared()
    assert Migrator(None, tmp_path, [str(file), calls]).declared().state
    assert Migrator(None, tmp_path, [calls], fields="strict").declared().state


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models.json cannot be read: No such file"):
        load_models(str(tmp_path / "models.json"))


def test_what_mongodb_cannot_store() -> None:
    attributes = {"__collection_name__": "odd", "__initial_data__": [{"_id": object}]}
    unstorable: type[Any] = type("Odd", (Collection,), attributes)
    with pytest.raises(ConfigurationError, match=r"models: .*Odd: <class 'object'> is no value that MongoDB stores"):
        export_models([unstorable])
