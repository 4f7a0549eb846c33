"""What other tools' logs say, by each tool's own rule. The documents are as the tools write them."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from asyncmig.adopting.histories.history import ForeignFile, ForeignHistory
from asyncmig.adopting.histories.rules import RULES

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def read(tool: str, documents: list[dict[str, Any]], files: list[Any], **options: Any) -> ForeignHistory:
    made = [ForeignFile(one) if isinstance(one, str) else ForeignFile(one[0], one[1].encode()) for one in files]
    return RULES[tool](documents, made, options)


def shown(history: ForeignHistory) -> dict[str, list[str]]:
    whole = {
        "applied": [step.name for step in history.applied],
        "pending": list(history.pending),
        "skipped": list(history.skipped),
        "missing": list(history.missing),
    }
    return {name: found for name, found in whole.items() if found}


def mongo(*names: str) -> list[dict[str, Any]]:
    return [{"fileName": name, "appliedAt": DAY, "migrationBlock": 1} for name in names]


def beanie(*names: str, current: str | None = None) -> list[dict[str, Any]]:
    return [{"ts": DAY, "name": name, "is_current": name == current} for name in names]


def dated(*numbers: str) -> list[dict[str, Any]]:
    return [{"migration_datetime": number, "created_at": DAY} for number in numbers]


def mongomig(**states: str) -> list[dict[str, Any]]:
    return [{"_id": name, "status": state, "down_revision": None, "applied_at": DAY} for name, state in states.items()]


def revision(name: str, *parents: str, replaces: tuple[str, ...] = ()) -> tuple[str, str]:
    down = "None" if not parents else repr(parents[0] if len(parents) == 1 else parents)
    return f"{name}.py", f"revision = {name!r}\ndown_revision: object = {down}\nreplaces = {replaces!r}\n"


def needs(name: str, *dependencies: str) -> tuple[str, str]:
    return f"{name}.py", f"name = {name!r}\ndependencies = {list(dependencies)!r}\n"


CASES: list[tuple[str, str, list[dict[str, Any]], list[Any], dict[str, list[str]]]] = [
    ("migrate-mongo", "nothing", [], [], {}),
    ("migrate-mongo", "all", mongo("1.js", "2.js"), ["1.js", "2.js"], {"applied": ["1.js", "2.js"]}),
    (
        "migrate-mongo",
        "a gap is pending, whatever came after it",
        mongo("1.js", "3.js"),
        ["1.js", "2.js", "3.js", "sample-migration.js", "notes.md"],
        {"applied": ["1.js", "3.js"], "pending": ["2.js"]},
    ),
    (
        "migrate-mongo",
        "a file that is gone; a file logged twice",
        mongo("1.js", "0.js", "1.js"),
        ["1.js"],
        {"applied": ["0.js", "1.js"], "missing": ["0.js"]},
    ),
    (
        "beanie",
        "up to the current one",
        beanie("a.py", "b.py", current="b.py"),
        ["a.py", "b.py", "c.py", "__init__.py"],
        {"applied": ["a.py", "b.py"], "pending": ["c.py"]},
    ),
    (
        "beanie",
        "a late file before the current one never runs",
        beanie("a.py", "c.py", current="c.py"),
        ["a.py", "b.py", "c.py"],
        {"applied": ["a.py", "c.py"], "skipped": ["b.py"]},
    ),
    (
        "beanie",
        "one step back",
        beanie("a.py", "b.py", "a.py", current="a.py"),
        ["a.py", "b.py"],
        {"applied": ["a.py"], "pending": ["b.py"]},
    ),
    ("beanie", "all the way back", beanie("a.py", "root", current="root"), ["a.py"], {"pending": ["a.py"]}),
    ("beanie", "a log without a current one", beanie("a.py"), ["a.py"], {"pending": ["a.py"]}),
    ("beanie", "a current one without a file", beanie("x.py", current="x.py"), ["a.py"], {"pending": ["a.py"]}),
    (
        "pymongo-migrate",
        "by date, in the order of the dependencies",
        [{"name": "z", "applied": DAY}, {"name": "a", "applied": None}],
        [needs("a", "z"), needs("z"), needs("b", "a")],
        {"applied": ["z"], "pending": ["a", "b"]},
    ),
    (
        "pymongo-migrate",
        "a file that is gone",
        [{"name": "old", "applied": DAY}],
        [needs("a")],
        {"applied": ["old"], "pending": ["a"], "missing": ["old"]},
    ),
    (
        "mongodb-migrations",
        "a high-water mark: what lies below it and is not in the log never runs",
        dated("20240101", "20240103"),
        ["20240101_a.py", "20240102_b.py", "20240103_c.py", "20240104_d.py"],
        {"applied": ["20240101_a.py", "20240103_c.py"], "pending": ["20240104_d.py"], "skipped": ["20240102_b.py"]},
    ),
    (
        "mongodb-migrations",
        "names with capitals are not read",
        [],
        ["20240101_Add.py", "20240102_b.py"],
        {"pending": ["20240102_b.py"]},
    ),
    (
        "mongodb-migrations",
        "numbers are compared as text",
        dated("9"),
        ["10_a.py", "9_b.py"],
        {"applied": ["9_b.py"], "skipped": ["10_a.py"]},
    ),
    (
        "mongomig",
        "a graph",
        mongomig(a="applied", b="applied"),
        [revision("a"), revision("b", "a"), revision("c", "a"), revision("d", "b", "c")],
        {"applied": ["a", "b"], "pending": ["c", "d"]},
    ),
    (
        "mongomig",
        "a squash of which every part is applied",
        mongomig(a="applied", b="applied"),
        [revision("s", replaces=("a", "b")), revision("c", "s")],
        {"applied": ["s"], "pending": ["c"]},
    ),
    (
        "mongomig",
        "a file that is gone stands where the log says",
        [
            {"_id": "a", "status": "applied", "down_revision": None, "applied_at": DAY},
            {"_id": "gone", "status": "applied", "down_revision": "a", "applied_at": DAY},
        ],
        [revision("a"), revision("b", "gone")],
        {"applied": ["a", "gone"], "pending": ["b"], "missing": ["gone"]},
    ),
    (
        "mongomig",
        "half a squash",
        mongomig(a="applied"),
        [revision("s", replaces=("a", "b"))],
        {"pending": ["s"]},
    ),
    (
        "mongock",
        "the latest entry of a change and author",
        [
            {"changeId": "c1", "author": "x", "state": "FAILED", "timestamp": DAY},
            {"changeId": "c1", "author": "x", "state": "EXECUTED", "timestamp": DAY.replace(day=2)},
            {"changeId": "c2", "author": "x", "state": "EXECUTED", "timestamp": DAY},
            {"changeId": "c2", "author": "x", "state": "ROLLED_BACK", "timestamp": DAY.replace(day=2)},
            {"changeId": "c1", "author": "y", "state": "IGNORED", "timestamp": DAY},
            {"changeId": "system", "author": "mongock", "state": "EXECUTED", "timestamp": DAY, "systemChange": True},
        ],
        [],
        {"applied": ["c1 (y)", "c1 (x)"], "pending": ["c2 (x)"]},
    ),
]


@pytest.mark.parametrize(
    ("tool", "documents", "files", "expected"),
    [pytest.param(tool, *rest, id=f"{tool}: {name}") for tool, name, *rest in CASES],
)
def test_what_is_applied_pending_skipped_missing(
    tool: str, documents: list[dict[str, Any]], files: list[Any], expected: dict[str, list[str]]
) -> None:
    history = read(tool, documents, files)
    found = {step.name for step in history.applied}
    assert {name: sorted(held) for name, held in shown(history).items()} == {
        name: sorted(held) for name, held in expected.items()
    }
    assert [step.name for step in history.applied] == expected.get("applied", []) or tool == "mongock"
    assert not found & set(history.pending)


def test_a_changed_file_is_pending_again_where_the_tool_compares_hashes() -> None:
    content = b"module.exports = {}"
    logged = [{"fileName": "1.js", "appliedAt": DAY, "fileHash": sha256(content).hexdigest()}]
    same, edited = [("1.js", content.decode())], [("1.js", "// edited")]
    assert shown(read("migrate-mongo", logged, same, hashes=True)) == {"applied": ["1.js"]}
    assert shown(read("migrate-mongo", logged, edited)) == {"applied": ["1.js"]}
    again = read("migrate-mongo", logged, edited, hashes=True)
    assert shown(again) == {"pending": ["1.js"]}
    assert "1.js was edited after it was applied" in again.notes[0]


def test_what_cannot_be_taken_over_is_a_fault() -> None:
    assert "x.py is the current one" in read("beanie", beanie("x.py", current="x.py"), ["a.py"]).faults[0]
    stopped = read("mongomig", mongomig(a="running", b="failed", c="applied"), [])
    assert [fault.split(";")[0] for fault in stopped.faults] == ["a is running", "b is failed"]


def test_what_is_worth_knowing() -> None:
    assert "two files have the number 1" in read("mongodb-migrations", [], ["1_a.py", "1_b.py"]).notes[0]
    assert "1_A.py is not read by the tool" in read("mongodb-migrations", [], ["1_A.py"]).notes[0]
    assert "in a circle" in read("pymongo-migrate", [], [needs("a", "b"), needs("b", "a")]).notes[0]


@pytest.mark.parametrize("tool", RULES)
def test_odd_documents_and_files_are_no_crash(tool: str) -> None:
    odd: list[dict[str, Any]] = [{}, {"_id": 1}, {"name": 3, "fileName": None, "changeId": [], "migration_datetime": 5}]
    read(tool, odd, ["", ".py", ".js", ("a.py", "def (:"), ("b.py", "dependencies = x()\nrevision = 3")])


def test_dates_of_several_kinds_are_compared() -> None:
    mixed = [
        {"changeId": "a", "author": "", "timestamp": DAY},
        {"changeId": "b", "author": "", "timestamp": DAY.replace(tzinfo=None, day=3)},
        {"changeId": "c", "author": ""},
    ]
    assert [step.name for step in read("mongock", mixed, []).applied] == ["c", "a", "b"]
