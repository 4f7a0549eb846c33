"""What is foreseen happens: what is predicted to fail fails, the rest passes, and the counts are equal."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.monitoring import CommandListener

from asyncmig import Migrator
from asyncmig.errors import AsyncmigError
from asyncmig.preflight.probe import Preflight, Probe
from asyncmig.testing.server import LocalServer

from ..clients import CLIENTS, DRIVERS
from ..running.failpoints import closed

HEAD = '''"""step"""
from asyncmig import Env, Index
revision = "2024010{number}000000"
down_revision = {down}
irreversible = True
async def upgrade(env: Env) -> None:
'''
DOWN = "async def downgrade(env: Env) -> None:\n    pass\n"


def write(folder: Path, *bodies: str) -> Path:
    """Revisions with these bodies of upgrade, one after the other."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(bodies):
        down = repr(f"2024010{number - 1}000000") if number else "None"
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        text = HEAD.format(number=number, down=down) + lines + DOWN
        (versions / f"2024010{number}000000_x.py").write_text(text, encoding="utf-8")
    return folder / "migrations"


async def foreseen(database: Any, folder: Path, *bodies: str, **more: Any) -> tuple[Preflight, list[Probe]]:
    found = await Migrator(database, write(folder, *bodies)).preflight(**more)
    return found, [*found]


def of(probes: list[Probe], code: str) -> Probe:
    (probe,) = [one for one in probes if one.code == code]
    return probe


def _make(chance: random.Random) -> tuple[list[dict[str, Any]], str]:
    """Random documents, and an operation on them that may fail."""
    kind = chance.choice(("unique", "two-step", "parallel", "hashed", "sphere", "rename", "text"))
    many = chance.choice((3, 30))
    documents: list[dict[str, Any]] = [{"_id": n, "n": n, "s": str(n)} for n in range(many)]
    faulty = chance.random() < 0.5
    spoiled = documents[chance.randrange(1, many)]
    if kind in ("unique", "two-step"):
        if faulty:
            spoiled["n"] = documents[0]["n"]
        plain = 'await env.modify_index("c", "n_1", unique=True)'
        return documents, 'await env.create_index("c", "n", name="u", unique=True)' if kind == "unique" else plain
    if kind == "parallel":
        spoiled |= {"n": [1, 2], "s": ["a"]} if faulty else {"n": [1, 2]}
        return documents, 'await env.create_index("c", [("n", 1), ("s", 1)])'
    if kind == "hashed":
        spoiled |= {"s": ["a"] if faulty else {"a": ["b"]}}
        return documents, 'await env.create_index("c", [("s", "hashed")])'
    if kind == "sphere":
        for document in documents:
            document["s"] = {"type": "Point", "coordinates": [document["n"], 1.5]}
        bad = ["nowhere", {"type": "Point", "coordinates": [200, 1]}, {"type": "Point", "coordinates": ["a", 1]}]
        spoiled |= {"s": chance.choice(bad)} if faulty else {}
        return documents, 'await env.create_index("c", [("s", "2dsphere")])'
    if kind == "text":
        spoiled["language"] = "klingon" if faulty else "german"
        return documents, 'await env.create_index("c", [("s", "text")])'
    spoiled |= {"t": 1} if faulty else {}
    return documents, 'await env.rename_field("c", "s", "t")'


@pytest.mark.servers(since="6.0")
@pytest.mark.parametrize("seed", range(12))
async def test_what_is_foreseen_happens(turn: Any, tmp_path: Path, seed: int) -> None:
    documents, body = _make(random.Random(seed))
    await turn["c"].insert_many(documents)
    await turn.command({"createIndexes": "c", "indexes": [{"key": {"n": 1}, "name": "n_1"}]})
    before = await turn["c"].find({}).to_list(None)
    found, _ = await foreseen(turn, tmp_path, body)
    assert not found.has_written
    assert await turn["c"].find({}).to_list(None) == before
    assert "asyncmig_revisions" not in await turn.list_collection_names()
    failed = False
    try:
        await Migrator(turn, tmp_path / "migrations").upgrade()
    except AsyncmigError:
        failed = True
    assert bool(found.problems) == failed, (body, [*found])


async def test_documents_that_break_a_validator_by_rule(database: Any, tmp_path: Path) -> None:
    schema = {"$jsonSchema": {"required": ["a", "b"], "properties": {"a": {"bsonType": "int"}}}}
    await database["c"].insert_many([{"a": 1, "b": 1}, {"a": "x"}, {"a": 1}, {"b": 1}, {"a": "y", "b": 1}])
    _, probes = await foreseen(database, tmp_path, f'await env.modify_collection("c", validator={schema!r})')
    probe = of(probes, "P02")
    assert (probe.level, probe.figures["documents"], probe.figures["of"]) == ("problem", 4, 5)
    assert probe.figures["rules"] == {"a is missing": 1, "b is missing": 2, "a does not fit": 2}
    await Migrator(database, tmp_path / "migrations").upgrade()
    refused = 0
    for document in await database["c"].find({}).to_list(None):
        try:
            await database["c"].update_one({"_id": document["_id"]}, {"$set": {"touched": 1}})
        except Exception:  # noqa: BLE001
            refused += 1
    assert refused == 4


async def test_documents_that_a_time_to_live_deletes(tmp_path: Path) -> None:
    """On a server of its own: the monitor looks every second, not every minute."""
    with LocalServer(parameters={"ttlMonitorSleepSecs": "1"}) as server:
        client = CLIENTS[DRIVERS[-1]](server.url)
        database = client["ttl"]
        now = datetime.now(UTC)
        await database["c"].insert_many([{"at": now - timedelta(hours=age)} for age in (1, 10, 100, 1000)])
        await database["c"].insert_many([{"at": "long ago"}, {}, {"at": [now, now - timedelta(hours=50)]}])
        body = 'await env.create_index("c", "at", expireAfterSeconds=40 * 3600)'
        _, probes = await foreseen(database, tmp_path, body)
        due, never = of(probes, "P03"), of(probes, "P08")
        assert (due.level, due.figures["documents"]) == ("warning", 3)
        assert never.figures["documents"] == 2
        await Migrator(database, tmp_path / "migrations").upgrade()
        async with asyncio.timeout(300):
            while await database["c"].count_documents({"at": {"$lt": now - timedelta(hours=40)}}):
                await asyncio.sleep(0.1)
        assert await database["c"].count_documents({}) == 7 - due.figures["documents"]
        await closed(client)


async def test_what_goes_and_who_uses_it(database: Any, tmp_path: Path) -> None:
    await database["c"].insert_many([{"n": number, "t": "a b"} for number in range(50)])
    indexes = [{"key": {"n": 1}, "name": "n_1"}, {"key": {"t": "text"}, "name": "t_text"}]
    await database.command({"createIndexes": "c", "indexes": indexes})
    await database["c"].find({"n": 1}).to_list(None)
    await database.command(
        {"create": "v", "viewOn": "d", "pipeline": [{"$lookup": {"from": "c", "as": "x", "pipeline": []}}]}
    )
    body = (
        'await env.drop_index("c", "n_1")\nawait env.drop_index("c", "t_text")\n'
        'await env.remove_field("c", "t")\nawait env.drop_collection("c")'
    )
    found, _ = await foreseen(database, tmp_path, body)
    (step,) = found.steps
    by_operation = [[(one.code, one.level) for one in check.probes] for check in step.checks]
    assert by_operation[0] == [("P09", "warning")]
    assert by_operation[1] == [("P09", "warning"), ("P09", "note")]
    assert ("P10", "warning") in by_operation[2]
    assert by_operation[3] == [("P10", "warning"), ("P10", "warning")]
    assert "50 documents" in step.checks[3].probes[0].text
    assert "v: view over c" in step.checks[3].probes[1].text


@pytest.mark.servers
async def test_uses_are_counted_by_every_member(database: Any, tmp_path: Path) -> None:
    await database["c"].insert_many([{"n": number} for number in range(50)])
    await database["c"].create_index("n")
    _, probes = await foreseen(database, tmp_path, 'await env.drop_index("c", "n_1")')
    members = (await database.client.admin.command("hello"))["hosts"]
    assert sorted(one.figures["host"] for one in probes if one.code == "P09") == sorted(members)


@pytest.mark.servers
async def test_scans_go_to_a_secondary_that_is_up_to_date(make_client: Any, driver_name: str, tmp_path: Path) -> None:
    sent: list[tuple[str, tuple[str, int]]] = []

    class Heard(CommandListener):
        def started(self, event: Any) -> None:
            sent.append((event.command_name, event.connection_id))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client = make_client(driver_name, event_listeners=[Heard()])
    database = client[f"scan_{uuid.uuid4().hex[:8]}"]
    hello = await client.admin.command("hello")
    for number in range(20):  # each time, what was written a moment ago is counted
        await database["c"].insert_one({"n": number // 2})
    _, probes = await foreseen(database, tmp_path, 'await env.create_index("c", "n", unique=True)')
    assert of(probes, "P01").figures["documents"] == 20
    by = {f"{host}:{port}" for name, (host, port) in sent if name == "aggregate"}
    if len(hello.get("hosts", ())) > 1:
        assert by - {hello["primary"]}
    await client.drop_database(database.name)


async def test_all_groups_are_shown_where_they_are_asked_for(
    run_cli: Callable[..., Any], server_url: str, turn: Any, tmp_path: Path
) -> None:
    await turn["c"].insert_many([{"_id": number, "n": number // 3} for number in range(90)])
    write(tmp_path, 'await env.create_index("c", "n", unique=True)')
    environment = {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": turn.name}
    shown = await asyncio.to_thread(run_cli, "upgrade", "--preflight", "--show", "P01", env=environment)
    groups = [line.strip() for line in shown.stdout.splitlines() if line.startswith("        ")]
    assert sorted(sorted(map(int, line.split(", "))) for line in groups) == [[n, n + 1, n + 2] for n in range(0, 90, 3)]
    document = await asyncio.to_thread(run_cli, "--json", "upgrade", "--preflight", "--show", "P01", env=environment)
    (operation,) = json.loads(document.stdout)["revisions"][0]["operations"]
    (probe,) = [one for one in operation["probes"] if one["code"] == "P01"]
    assert len(probe["figures"]["all"]) == 30
    alone = await asyncio.to_thread(run_cli, "upgrade", "--show", "P01", env=environment)
    assert (alone.returncode, "--show goes with --preflight only" in alone.stderr) == (2, True)


async def test_a_plan_is_followed_step_by_step(database: Any, tmp_path: Path) -> None:
    """What steps before change is not held against those after: new collections, renames, filled fields."""
    await database["old"].insert_many([{"n": 1}, {"n": 1}])
    bodies = (
        'await env.create_collection("new")\nawait env.create_index("new", "n", unique=True)',
        'await env.rename_collection("old", "c")\nawait env.create_index("c", "n", name="u", unique=True)',
        'await env.update_in_batches("c", {}, [{"$set": {"n": "$_id"}}])\n'
        'await env.create_index("c", "n", name="w", unique=True)',
    )
    found, _ = await foreseen(database, tmp_path, *bodies)
    assert [probe.level for check in found.steps[0].checks for probe in check.probes] == []
    assert [probe.code for check in found.steps[1].checks for probe in check.probes if probe.level == "problem"] == [
        "P01"
    ]
    (late,) = [one for check in found.steps[2].checks for one in check.probes if one.code == "P01"]
    assert (late.level, "as the documents are now; steps before it change them" in late.text) == ("warning", True)


async def test_the_catalogue_and_the_course(database: Any, tmp_path: Path) -> None:
    await database["c"].insert_many([{"n": number} for number in range(30)])
    await database["d"].insert_one({})
    await database.command({"createIndexes": "c", "indexes": [{"key": {"t": "text"}, "name": "t_text"}]})
    body = (
        'await env.create_index("c", [("u", "text")])\n'
        'await env.update_in_batches("c", {"n": {"$lt": 10}}, {"$set": {"m": 1}})\n'
        'await env.rename_collection("c", "d")'
    )
    _, probes = await foreseen(database, tmp_path, body)
    problems = [one.text for one in probes if one.level == "problem"]
    assert any("both text indexes" in one for one in problems)
    assert any("there is a d already" in one for one in problems)
    course = of(probes, "P05")
    assert (course.figures["documents"], course.figures["of"], course.figures["scan"]) == (10, 30, True)
    assert of(probes, "P06").level == "note"


async def test_the_command_line(run_cli: Callable[..., Any], server_url: str, turn: Any, tmp_path: Path) -> None:
    await turn["c"].insert_many([{"n": 1}, {"n": 1}])
    write(tmp_path, 'await env.create_index("c", "n", unique=True)')
    environment = {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": turn.name}

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(run_cli, *arguments, env=environment)

    shown = await run("upgrade", "--preflight")
    assert shown.returncode == 0
    assert "✗ n_1: 1 group of duplicates, 2 documents" in shown.stdout
    assert "1 problem. Nothing was written." in shown.stderr
    machine = await run("--json", "upgrade", "--preflight", "--fail-on", "warning")
    document = json.loads(machine.stdout)
    assert (machine.returncode, document["problems"], document["written"]) == (8, 1, False)
    assert await turn["asyncmig_revisions"].count_documents({}) == 0
