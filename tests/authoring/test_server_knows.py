"""The planner writes nothing that this server refuses, and makes a unique index in two steps where it can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from asyncmig import Collection, Index, Migrator
from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.authoring.summary import summary
from asyncmig.errors import RevisionFailed, UnsupportedByServer
from asyncmig.files.demands import ServerTooOld, demands
from asyncmig.operations import CreateIndexes, DropIndex, ModifyIndex, NeedsRebuild, Operation
from asyncmig.operations.reversal import reverse
from asyncmig.schema.capabilities import Server, version_of_wire
from asyncmig.schema.state import CollectionState, DatabaseState
from asyncmig.testing.server import LocalServer

from ..clients import CLIENTS, DRIVERS, drop
from ..running.failpoints import closed

UNIQUE = Index("email", unique=True)


def _state(*indexes: Index, **options: Any) -> DatabaseState:
    return DatabaseState({"c": CollectionState("c", options=options, indexes=indexes)})


def _diff(before: DatabaseState, after: DatabaseState, version: tuple[int, int] | None) -> tuple[Operation, ...]:
    server = None if version is None else Server(version, (6, 0))
    return difference(before, after, Policy(undeclared_indexes="drop", server=server)).operations


def test_a_unique_index_on_a_standing_collection_is_made_in_two_steps() -> None:
    steps = _diff(_state(), _state(UNIQUE, Index("n")), (6, 0))
    assert steps == (
        CreateIndexes("c", (Index("email"), Index("n"))),
        ModifyIndex("c", "email_1", {"unique": True}),
    )
    assert reverse(steps) == (DropIndex("c", "n_1"), DropIndex("c", "email_1"))
    assert summary(steps) == ["New indexes on c: 2 indexes", "Total new indexes: 2 indexes"]


@pytest.mark.parametrize(
    ("present", "wanted", "version"),
    [
        ((), (UNIQUE,), (5, 0)),  # this server cannot
        ((), (UNIQUE,), None),  # nobody knows
        ((Index("email", name="plain"),), (Index("email", name="plain"), UNIQUE), (6, 0)),  # a twin stands in the way
        ((), (Index("email", name="plain"), UNIQUE), (6, 0)),
    ],
)
def test_where_it_cannot_the_index_is_built_unique(present: Any, wanted: Any, version: Any) -> None:
    steps = _diff(_state(*present), _state(*wanted), version)
    assert [type(step) for step in steps] == [CreateIndexes]
    assert UNIQUE in steps[0].indexes  # type: ignore[attr-defined]


def test_a_new_collection_needs_no_two_steps() -> None:
    steps = difference(DatabaseState(), _state(UNIQUE), Policy(server=Server((6, 0), (6, 0)))).operations
    assert CreateIndexes("c", (UNIQUE,)) in steps


def test_plain_to_unique_takes_the_other_road_on_an_old_server() -> None:
    assert _diff(_state(Index("email")), _state(UNIQUE), (6, 0)) == (ModifyIndex("c", "email_1", {"unique": True}),)
    kinds = [type(step) for step in _diff(_state(Index("email")), _state(UNIQUE), (5, 0))]
    assert ModifyIndex not in kinds
    assert kinds[:2] == [CreateIndexes, DropIndex]


def test_a_time_to_live_for_a_plain_index_goes_by_the_binary() -> None:
    before, after = _state(Index("at")), _state(Index("at", expireAfterSeconds=60))
    for binary, kind in (((6, 0), ModifyIndex), ((5, 0), CreateIndexes)):
        policy = Policy(undeclared_indexes="drop", server=Server((5, 0), binary))
        assert isinstance(difference(before, after, policy).operations[0], kind)


def test_another_capped_size_is_a_rebuild_below_6() -> None:
    before, after = (_state(capped=True, size=size) for size in (4096, 8192))
    assert not any(isinstance(step, NeedsRebuild) for step in _diff(before, after, (6, 0)))
    (rebuild,) = _diff(before, after, (5, 0))
    assert isinstance(rebuild, NeedsRebuild)
    assert "needs 6.0, this server is at 5.0" in rebuild.reasons[0]


@pytest.mark.parametrize(
    ("wanted", "version", "said"),
    [
        (_state(changeStreamPreAndPostImages={"enabled": True}), (5, 0), "pre- and post-images of c needs 6.0"),
        (_state(Index([("a", 1), ("b.$**", 1)])), (6, 0), "compound wildcard index .* needs 7.0"),
        (
            _state(Index("a"), Index("a", name="b", sparse=True)),
            (4, 4),
            "beside another one on the same keys needs 5.0",
        ),
    ],
)
def test_what_a_server_lacks_is_refused(wanted: DatabaseState, version: Any, said: str) -> None:
    with pytest.raises(UnsupportedByServer, match=said):
        _diff(_state(), wanted, version)


def test_versions_by_wire_version() -> None:
    assert [version_of_wire(wire) for wire in (8, 9, 13, 14, 17, 21, 25, 30)] == [
        *((4, 2), (4, 4), (5, 0), (5, 0), (6, 0), (7, 0), (8, 0), (8, 0)),
    ]


# On a server of 6.0 whose compatibility is set to 5.0, as it is between the two steps of an upgrade.


@pytest.fixture(scope="module")
def lagging_url() -> Iterator[str]:
    with LocalServer() as server:
        yield server.url


@pytest.fixture
async def lagging(lagging_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    client = CLIENTS[DRIVERS[-1]](lagging_url)
    await client.admin.command("setFeatureCompatibilityVersion", "5.0")
    yield client["lagging"]
    await drop(client, "lagging")
    await closed(client)


def _model(**parts: Any) -> type[Collection]:
    return type("C", (Collection,), {"__collection_name__": "c", **parts})


async def _take_every_road(database: Any, tmp_path: Path) -> dict[str, Any]:
    """Models that ask for one change after the other; returns the first of them."""
    (tmp_path / "versions").mkdir()
    await database["c"].insert_many([{"email": str(n), "at": None} for n in range(5)])
    stages = (
        {"__indexes__": [Index("email"), Index("at")]},
        {"__indexes__": [Index("email", unique=True), Index("at", expireAfterSeconds=60)]},
        {
            "__indexes__": [
                Index("email", unique=True),
                Index("at", expireAfterSeconds=60),
                Index("n", unique=True, sparse=True),
            ]
        },
    )
    for stage in stages:
        migrator = Migrator(database, tmp_path, [_model(**stage)])
        assert await migrator.revision("next", autogenerate=True) is not None
        await migrator.upgrade()
        assert await migrator.diff() == []
    await Migrator(database, tmp_path).downgrade("-2")
    assert await Migrator(database, tmp_path, [_model(**stages[0])]).diff() == []
    return stages[0]


async def test_every_road_of_an_old_compatibility_version_runs(lagging: Any, tmp_path: Path) -> None:
    first = await _take_every_road(lagging, tmp_path)
    images = _model(__options__={"changeStreamPreAndPostImages": {"enabled": True}}, **first)
    with pytest.raises(UnsupportedByServer, match=r"at 5\.0"):
        await Migrator(lagging, tmp_path, [images]).diff()


_NEWER = """from asyncmig import Env

revision = "a"
down_revision = None


async def upgrade(env: Env) -> None:
    await env.create_collection("made")
{body}


async def downgrade(env: Env) -> None:
    await env.drop_collection("made")
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            'await env.create_index("c", "n")\nawait env.modify_index("c", "n_1", unique=True)',
            "line 10.*unique in place.*6.0",
        ),
        ('await env.modify_index("c", "n_1", prepareUnique=True)', "line 9"),
        ('await env.modify_collection("c", cappedSize=4096)', "capped size in place"),
        (
            'await env.create_collection("e", clusteredIndex={"key": {"_id": 1}, "unique": True})',
            "clustered collection",
        ),
        ('on = {"enabled": True}\nawait env.modify_collection("c", changeStreamPreAndPostImages=on)', "images"),
        (
            'await helper(env)\n\n\nasync def helper(e):\n    await e.modify_index("c", "n_1", unique=True)',
            "unique=True",
        ),
    ],
)
async def test_a_file_of_a_newer_server_is_refused_before_the_first_step(
    lagging: Any, tmp_path: Path, body: str, said: str
) -> None:
    (tmp_path / "versions").mkdir()
    inside, _, after = body.partition("\n\n\n")
    text = _NEWER.format(body=indent(inside, "    ")) + (f"\n\n{after}\n" if after else "")
    (tmp_path / "versions" / "a_first.py").write_text(text)
    with pytest.raises(ServerTooOld, match=f"(?s)at 5.0.*{said}.*Nothing was done"):
        await Migrator(lagging, tmp_path).upgrade()
    assert await lagging.list_collection_names() == []


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("unique=FLAG", False),
        ("unique=bool(FLAG)", False),
        ("unique=not True", False),
        ("unique=False", False),
        ("unique=ON", True),
        ("unique=TWICE", False),
    ],
)
def test_a_value_that_is_computed_is_left_to_the_call(change: str, asked: bool) -> None:
    """It may come to nothing."""
    body = f"    await env.modify_index('c', 'n_1', {change}, hidden=True)"
    above = "FLAG = bool(0)\nON = True\nTWICE = True\nTWICE = False\n"
    assert bool(demands(above + _NEWER.format(body=body), "upgrade")) == asked


def test_options_in_part_computed_are_asked_for() -> None:
    body = "    await env.create_collection('e', timeseries={'timeField': name})"
    images = "    await env.modify_collection('c', changeStreamPreAndPostImages={'enabled': FLAG})"
    assert demands(_NEWER.format(body=body), "upgrade")
    assert not demands(_NEWER.format(body=images), "upgrade")


async def test_what_depends_on_a_condition_is_left_to_the_server(lagging: Any, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    place = tmp_path / "versions" / "a_first.py"
    change = 'await env.modify_index("made", "n_1", unique=True)'
    body = f'await env.create_index("made", "n")\nif "x" in env.collections:\n    {change}'
    place.write_text(_NEWER.format(body=indent(body, "    ")))
    assert [one.revision for one in await Migrator(lagging, tmp_path).upgrade()] == ["a"]
    await Migrator(lagging, tmp_path).downgrade("base")
    place.write_text(_NEWER.format(body=indent(body.replace('"x" in', '"made" in'), "    ")))
    with pytest.raises(RevisionFailed, match=r"making an index unique in place needs MongoDB 6\.0"):
        await Migrator(lagging, tmp_path).upgrade()


@pytest.mark.servers
async def test_every_road_of_this_server_runs(turn: Any, tmp_path: Path) -> None:
    await _take_every_road(turn, tmp_path)


@pytest.mark.servers(since="6.0")
async def test_duplicates_are_named_to_the_last_and_resumed_after(turn: Any, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    await turn["c"].insert_many([{"_id": n, "email": str(n // 2)} for n in range(8)])
    migrator = Migrator(turn, tmp_path, [_model(__indexes__=[UNIQUE])])
    revision = await migrator.revision("unique", autogenerate=True)
    assert revision is not None
    assert revision.path is not None
    text = revision.path.read_text()
    assert 'await env.modify_index("c", "email_1", unique=True)' in text
    with pytest.raises(RevisionFailed, match=r"4 values stand in more than one document"):
        await migrator.upgrade()
    assert "unique" not in (await turn["c"].index_information())["email_1"]
    await turn["c"].delete_many({"_id": {"$mod": [2, 1]}})
    await migrator.upgrade()
    assert await migrator.diff() == []
    await migrator.downgrade("-1")
    assert [*await turn["c"].index_information()] == ["_id_"]
