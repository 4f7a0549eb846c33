"""A plan shows the old value beside the new one, and ends with an error where a revision would raise."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.review.plan import Plan

from ..preflight.test_preflight import write


async def _plan(database: Any, folder: Path, *bodies: str) -> Plan:
    return await Migrator(database, write(folder, *bodies)).plan()


async def test_old_values_stand_beside_the_new_ones(database: Any, tmp_path: Path) -> None:
    await database.command({"create": "c", "validator": {"$jsonSchema": {"required": ["a"], "properties": {"a": {}}}}})
    await database.command(
        {"createIndexes": "c", "indexes": [{"key": {"n": 1}, "name": "n_1", "expireAfterSeconds": 60}]}
    )
    await database.command({"create": "v", "viewOn": "c", "pipeline": [{"$match": {"a": 1}}]})
    schema = {"$jsonSchema": {"required": ["a", "b"], "properties": {"a": {}}}}
    body = (
        'await env.modify_index("c", "n_1", expireAfterSeconds=90, hidden=True)\n'
        'await env.modify_index("c", "n_1", expireAfterSeconds=120)\n'
        f'await env.modify_collection("c", validator={schema!r}, validationAction="warn")\n'
        'await env.create_index("c", "m")\n'
        'await env.modify_view("v", "c", [{"$match": {"a": 2}}])\n'
        'await env.modify_view("v", "d", [{"$match": {"a": 2}}])'
    )
    (step,) = (await _plan(database, tmp_path, body)).steps
    told = {place: [str(one) for one in found] for place, found in step.changes.items()}
    assert told == {
        0: ["expireAfterSeconds: 60 → 90", "hidden: False → True"],
        1: ["expireAfterSeconds: 90 → 120"],
        4: ["pipeline: [{'$match': {'a': 1}}] → [{'$match': {'a': 2}}]"],
        5: ["viewOn: 'c' → 'd'"],
        2: ["validator.$jsonSchema.required: ['a'] → ['a', 'b']", "validationAction: 'error' → 'warn'"],
    }


@pytest.mark.parametrize(
    ("body", "error", "hint"),
    [
        ('await env.create_index("c", "n", uniqe=True)', "unknown option 'uniqe'; did you mean 'unique'", ":7)"),
        ('await env.create_indexes("c", [Index("n", sparce=True)])', "did you mean 'sparse'", ":7)"),
        ('await env.create_idnex("c", "n")', "AttributeError", "did you mean 'create_index'?"),
        ('await env.rename_field("c", "a", "b", batchsize=5)', "TypeError", "did you mean 'batch_size'?"),
        ('await env.drop_index("c")', "TypeError", ":7)"),
        ("1 / 0", "ZeroDivisionError", ":7)"),
        ('await env.create_collection("c", validatr={})', "did you mean 'validator'", ":7)"),
        ('await env.create_collections([("c", {"cappd": True})])', "did you mean 'capped'", ":7)"),
        ('await env.modify_collection("c", validationLevl="off")', "did you mean 'validationLevel'", ":7)"),
        ('await env.modify_index("c", "n_1", hiden=True)', "did you mean 'hidden'", ":7)"),
        ('await env.create_view("v", "c", [], colation={"locale": "de"})', "did you mean 'collation'", ":7)"),
        ("await env.db.c.updat_one({}, {})", "TypeError", "did you mean 'update_one'?"),
        ("await env.db.comand('ping')", "TypeError", "did you mean 'command'?"),
    ],
)
async def test_a_revision_that_raises_is_a_mistake(turn: Any, tmp_path: Path, body: str, error: str, hint: str) -> None:
    (step,) = (await _plan(turn, tmp_path, body)).steps
    assert step.is_mistake
    assert error in str(step.error)
    assert hint in step.hint
    assert "20240100000000_x.py" in step.hint


async def test_what_a_pending_step_would_write_is_missed_without_being_a_mistake(turn: Any, tmp_path: Path) -> None:
    reads = '(await env.db.c.find_one({"_id": 1}))["n"]'
    insert = 'await env.insert_documents("c", [{"_id": 1, "n": 1}])'
    for bodies in ((f"{insert}\n{reads}",), (insert, reads)):
        plan = await _plan(turn, tmp_path, *bodies)
        assert plan.steps[-1].error is not None
        assert not plan.steps[-1].is_mistake


async def test_the_command_ends_with_an_error(run_cli: Any, server_url: str, turn: Any, tmp_path: Path) -> None:
    write(tmp_path, 'await env.create_collection("c")', 'await env.create_idnex("c", "n")')
    environment = {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": turn.name}
    shown = await asyncio.to_thread(run_cli, "upgrade", "--plan", env=environment)
    assert shown.returncode == 1
    assert "+ create collection c" in shown.stdout
    assert "revision 20240101000000 would stop: AttributeError" in shown.stderr
    assert "did you mean 'create_index'?" in shown.stderr


async def test_what_is_lost_is_marked_with_counts_and_fields(turn: Any, tmp_path: Path) -> None:
    await turn["c"].insert_many([{"_id": n, "zip": n} if n < 3 else {"_id": n, "old": 1} for n in range(8)])
    await turn.create_collection("empty")
    body = (
        'await env.remove_field("c", "zip")\n'
        'await env.remove_field("c", "old", keep_in="old_removed")\n'
        'await env.delete_documents("c", [1, 2, 99])\n'
        'await env.update_in_batches("c", {"old": 1}, {"$unset": {"old": ""}})\n'
        'await env.drop_collection("empty")\n'
        'await env.deduplicate("c", by=["old"], keep=[("_id", 1)])\n'
        'await env.rename_collection("c", "d")\n'
        'await env.drop_collection("d")'
    )
    migrator = Migrator(turn, write(tmp_path, body))
    (step,) = (await migrator.plan()).steps
    assert {place: text.partition(" (")[2].rpartition("(")[2] for place, text in step.losses.items()} == {
        0: "3 documents; field zip)",
        2: "2 documents)",
        3: "5 documents; field old)",
        5: "6 documents; field old)",
        7: "8 documents)",
    }
    asked = {loss.text: loss.details for loss in await migrator.losses()}
    assert asked["remove a field from the documents of c"] == " (3 documents; field zip)"
    assert asked["delete documents of c"] == " (2 documents)"
    assert [text for text in step.losses.values() if text.startswith("drop collection")] == [
        "drop collection d with its documents (8 documents)"
    ]
