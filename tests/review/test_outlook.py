"""What a revision is going to do is known beforehand where its text alone tells, and only there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import indent

import pytest

from asyncmig.files.module import RevisionModule, load
from asyncmig.history.revision import Revision
from asyncmig.operations import CreateCollection, CreateIndexes, DropCollection, Operation
from asyncmig.review.outlook import outlook
from asyncmig.schema.index import Index

MANY = "\n".join(f'await env.create_collection("c{number}")' for number in range(16))
OPERATIONS = tuple(CreateCollection(f"c{number}") for number in range(16))
IMPORTS = """
import asyncio, datetime, uuid
from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId
from asyncmig import Index
NAME = "named"
calls = []
def told(value="a"):
    calls.append(value)
    return value
class Name(str):
    def __str__(self):
        return told("a different one each time")
class Options(dict):
    def items(self):
        return told(())
OWN, TOLD, ONCE = Name("x"), Options(a={}), iter([{"n": 1}])
"""


def module(folder: Path, body: str, *, above: str = "") -> RevisionModule:
    down = 'await env.drop_collection("c0")'
    text = (
        f'"""about a"""\n{IMPORTS}\nrevision = "a"\ndown_revision = None\n\n{above}\n'
        f"async def upgrade(env):\n{indent(body, '    ')}\n\n\nasync def downgrade(env):\n    {down}\n"
    )
    path = folder / "a.py"
    path.write_text(text)
    return load(text, Revision("a", path=path), path)


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("pass", None),
        ('"""what it does"""', None),
        ("await env.create_collection(NAME)", CreateCollection("named")),
        ('await env.create_indexes("x", [Index([("a", 1), ("b", -1)], unique=True)])', None),
        ('await env.create_collection("x", validator={"n": {"$gt": Int64(5)}})', None),
        ('await env.create_collection("x", validator={**{"n": -1}, "m": (MinKey(), MaxKey())})', None),
        ('await env.create_collection("x", validator={"t": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)})', None),
        ('await env.create_collection("x", validator={"o": ObjectId("64b5f0c2a1b2c3d4e5f60718")})', None),
        ('await env.create_collection("x", validator={"f": float("nan")})', None),
        ('await env.create_collection("x", validator={"$or": list([dict(n=1), {"t": {NAME: NAME}}])})', None),
        ('await env.drop_collection(name="x")', DropCollection("x")),
    ],
)
async def test_a_list_of_operations_is_known(tmp_path: Path, line: str, operation: Operation | None) -> None:
    loaded = module(tmp_path, f"{MANY}\n{line}")
    known = await outlook(loaded, "upgrade")
    assert known[:16] == OPERATIONS
    assert len(known) == (16 if line[0] in 'p"' else 17)
    assert operation is None or known[16] == operation
    assert loaded.upgrade.__globals__["calls"] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "told()",
        "await asyncio.sleep(0)",
        "await env.create_collection(told())",
        'await env.create_collection("x", validator={"id": ObjectId()})',
        'await env.create_collection("x", validator={"id": uuid.uuid4()})',
        'await env.create_collection("x", validator={"id": ObjectId(None)})',
        'await env.create_collection("x", validator={"t": datetime.datetime.now()})',
        'await env.create_collection("x", validator={"$or": list(map(told, ["a"]))})',
        'await env.create_collection("x", validator={"$or": list(ONCE)})',
        'await env.create_collection("x", validator=TOLD)',
        "await env.create_collection(OWN)",
        "await env.db.x.insert_one({})",
        "x = 1",
        'if "x" not in env.collections:\n    await env.create_collection("x")',
        'for name in ("x", "y"):\n    await env.create_collection(name)',
        'try:\n    await env.create_collection("x")\nexcept Exception:\n    pass',
        'await env.create_collection(f"x{told()}")',
        "await env.create_collection(NAME + told())",
        'await env.create_collection(*["x"])',
        'await asyncio.gather(env.create_collection("x"))',
        'await other(env).create_collection("x")',
        "await env.create_collection(env)",
        "return",
        "raise RuntimeError",
        'await env.create_collection("")',
        'await env.nothing_of_the_kind("x")',
    ],
)
async def test_of_anything_else_nothing_is_known_and_nothing_is_run(tmp_path: Path, line: str) -> None:
    loaded = module(tmp_path, f"{MANY}\n{line}")
    assert await outlook(loaded, "upgrade") == ()
    assert loaded.upgrade.__globals__["calls"] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "above",
    [
        "def as_it_is(function):\n    return function\n\n\n@as_it_is",
        'async def upgrade(env):\n    await env.create_collection("another")\n\n',
    ],
    ids=["decorated", "defined twice"],
)
async def test_the_function_that_runs_is_the_one_that_is_read(tmp_path: Path, above: str) -> None:
    loaded = module(tmp_path, MANY, above=above)
    assert await outlook(loaded, "upgrade") == (() if "@" in above else OPERATIONS)


@pytest.mark.parametrize(
    ("parameters", "known"), [("env, /", OPERATIONS), ("env, str=told", ()), ("*env", ()), ("env, **more", ())]
)
async def test_another_parameter_may_hide_a_name(tmp_path: Path, parameters: str, known: tuple[Operation, ...]) -> None:
    text = module(tmp_path, f'{MANY}\nawait env.create_collection(str("c0"))').source
    assert text is not None
    path = tmp_path / "a.py"
    loaded = load(text.replace("upgrade(env)", f"upgrade({parameters})"), Revision("a", path=path), path)
    assert (await outlook(loaded, "upgrade"))[:16] == known
    assert loaded.upgrade.__globals__["calls"] == []  # type: ignore[attr-defined]


async def test_what_follows_a_function_of_the_revisions_own_is_not_known(tmp_path: Path) -> None:
    """It may have changed what the rest goes by."""
    body = f'{MANY}\nawait env.transform_documents("x", {{}}, told)\nawait env.create_collection(NAME)'
    assert await outlook(module(tmp_path, body), "upgrade") == OPERATIONS


async def test_a_function_that_was_put_in_its_place(tmp_path: Path) -> None:
    loaded = module(tmp_path, MANY, above="async def other(env):\n    pass\n\n")
    other = loaded.upgrade.__globals__["other"]  # type: ignore[attr-defined]
    assert await outlook(replace(loaded, upgrade=other), "upgrade") == ()
    assert await outlook(replace(loaded, source=None), "upgrade") == ()
    assert await outlook(replace(loaded, upgrade=partial(loaded.upgrade)), "upgrade") == ()
    assert await outlook(loaded, "upgrade") == OPERATIONS


async def test_nobody_asks_where_few_collections_are_made(tmp_path: Path) -> None:
    few = "\n".join(MANY.splitlines()[:-1])
    assert await outlook(module(tmp_path, few), "upgrade") == ()
    assert await outlook(module(tmp_path, MANY), "downgrade") == ()


async def test_indexes_are_known_as_they_will_be_asked_for(tmp_path: Path) -> None:
    body = f'{MANY}\nawait env.create_indexes("c0", [Index("a"), ("b", "hashed")])'
    body = body.replace('("b", "hashed")', '[("b", "hashed")]')
    known = await outlook(module(tmp_path, body), "upgrade")
    assert known[16] == CreateIndexes("c0", (Index("a"), Index([("b", "hashed")])))
