"""What a file does is known without a database, without what it imports, and without being run where that hurts."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncmig.errors import ConfigurationError
from asyncmig.lint import recording
from asyncmig.lint.finding import selected
from asyncmig.lint.linter import NotARevision, fingerprints

from .cases import Case
from .projects import FIRST, folder, linted, of_case, revision


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (Case('if await env.db.user.find_one():\n    await env.drop_collection("user")'), "reads the database"),
        (Case('if "user" in env.collections:\n    await env.drop_collection("user")'), "reads the database"),
        (Case('await env.drop_collection("user")', head="import not_there"), "not_there"),
        (Case('print(1)\nawait env.drop_collection("user")\nraise ValueError("x")'), "ValueError: x"),
        (Case('import time\ntime.sleep(3600)\nawait env.drop_collection("user")'), "calls time.sleep (line"),
        (Case('import asyncio\nawait asyncio.sleep(3600)\nawait env.drop_collection("user")'), "longer than"),
        (
            Case(
                'NAME = "user"\nfor name in (NAME, "b"):\n    await env.db.x.find_one()\n'
                "    await env.drop_collection(name)"
            ),
            "",
        ),
    ],
)
async def test_a_file_that_cannot_be_run_is_read(
    case: Case, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_LIMIT_SECONDS", 0.5)
    directory, _ = of_case(tmp_path, case)
    report = await linted(directory, select={"L06"})
    assert [one.code for one in report.findings if "user" in one.message] == ["L06"]
    ((_, why),) = report.not_run
    assert reason in why


async def test_whatever_computes_its_operations_is_run(tmp_path: Path) -> None:
    head = (
        'FIELDS = {"a": 1, "b": -1}\n\nasync def build(e, name):\n'
        "    await e.create_index(name, list(FIELDS.items()), unique=True)"
    )
    directory, _ = of_case(tmp_path, Case('await build(env, "us" + "er")', head=head))
    report = await linted(directory, select={"L01"})
    assert report.not_run == ()
    assert ["a_1_b_-1 on user" in one.message for one in report.findings] == [True]


async def test_moving_lines_changes_no_fingerprint_and_equal_steps_differ(tmp_path: Path) -> None:
    body = 'await env.drop_collection("user")'
    marks = []
    for place, head in enumerate(("", "# a line\n\n\n")):
        directory = folder(tmp_path / str(place), revision(FIRST, f"{body}\n{body}", head=head))
        findings = (await linted(directory, select={"L06"})).findings
        marks.append([*fingerprints(findings).values()])
    assert marks[0] == marks[1]
    assert len({*marks[0]}) == 2


async def test_files_that_are_no_revisions_and_codes_that_are_no_rules_are_refused(tmp_path: Path) -> None:
    directory = folder(tmp_path, revision(FIRST, "pass"))
    other = tmp_path / "other.py"
    other.touch()
    with pytest.raises(NotARevision, match=r"other\.py is no revision file"):
        await linted(directory, files=[other])
    with pytest.raises(ConfigurationError, match="no rule 'L9X'"):
        selected(["L01, l9x"])
    assert selected(["l2"]) == {"L20", "L21", "L22", "L23", "L24", "L25"}


async def test_a_silence_holds_for_its_statement_alone(tmp_path: Path) -> None:
    body = (
        'await env.drop_collection(\n    "a",\n)  # asyncmig: allow L06 (gone)\n'
        'await env.drop_collection("b")\n'
        "# asyncmig: allow L06 (gone, too)\n"
        'await env.drop_collection("c")\n'
        'await env.drop_collection("d")  # asyncmig: allow L06\n'
    )
    report = await linted(folder(tmp_path, revision(FIRST, body)), select={"L00", "L06"})
    found = [(one.code, one.message.split(";")[0][:40]) for one in report.findings]
    assert [code for code, _ in found] == ["L06", "L00", "L06"]
    assert [message.split()[1] for code, message in found if code == "L06"] == ["b", "d"]
    assert len(report.silenced) == 2


READS = "if await env.db.other.find_one():\n    pass"
"""Makes lint read the file and not run it."""
ALL = '.update_many({}, {"$set": {"a": 1}})'


@pytest.mark.parametrize(
    "body",
    [
        f'c: Any = env.db["user"]\nawait c{ALL}',
        f"await (c := env.db.user){ALL}",
        f"await (env.db.user if env.db.name else env.db.users){ALL}",
        f'a, [b, *c] = 1, [env.db["user"], 2]\nawait b{ALL}',
        f"a = b = env.db.user\nawait b{ALL}",
        'many = env.db.user.update_many\nawait many({}, {"$set": {"a": 1}})',
        f'await getattr(env.db, "user"){ALL}',
        'await getattr(env.db.user, "update_many")({}, {"$set": {"a": 1}})',
        f"for c in (env.db.user, env.db.b):\n    await c{ALL}",
        f"[await c{ALL} for c in (env.db.user, env.db.b)]",
        f"async def part(e):\n    await e.db.user{ALL}\nawait part(env)",
        "await hand(env.db.user)",
        "await hand(c=env.db.user)",
        'await env.db.command("update", "user", updates=[{"q": {}, "u": {"$set": {"a": 1}}, "multi": True}])',
        'await env.db.user.bulk_write([UpdateMany({}, {"$set": {"a": 1}})])',
    ],
)
async def test_raw_calls_of_odd_shapes_are_found(tmp_path: Path, body: str) -> None:
    head = f"from typing import Any\nfrom pymongo import UpdateMany\n\nasync def hand(c):\n    await c{ALL}\n"
    directory, made = of_case(tmp_path, Case(f"{READS}\n{body}", head=head))
    found = [one for one in (await linted(directory, made)).findings if one.code == "L11"]
    assert found
    assert all("user" in one.message for one in found[:1])


@pytest.mark.parametrize(
    "body",
    [
        'drop = env.drop_collection\nawait drop("user")',
        'await getattr(env, "drop_collection")("user")',
        "await env.db.user.bulk_write([DeleteMany({})])",
        'await env.db.command({"delete": "user", "deletes": [{"q": {}, "limit": 0}]})',
        "empty = env.db.user.delete_many\nawait empty({})",
    ],
)
async def test_losses_of_odd_shapes_are_found(tmp_path: Path, body: str) -> None:
    directory, made = of_case(tmp_path, Case(f"{READS}\n{body}", head="from pymongo import DeleteMany"))
    assert [one.code for one in (await linted(directory, made)).findings if one.code == "L06"]
