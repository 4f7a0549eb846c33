"""A report's document of the ugliest names that there can be: markup, quotes, directions, control characters."""

from __future__ import annotations

from typing import Any

NAMES = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "';--",
    "\u05e9\u05dc\u05d5\u05dd\u202egnp.exe",
    "a\x00b\x1b[31mred\r\n\u2028",
    "n" * 255,
    "`|](http://x.org) **b** <!-- ![i](http://x.org/i.png)",
    "&lt;b&gt;",
    "http://example.org/www.x.org @someone #12 :boom: $a$",
    "_a_ 1. + \\",
    "- 日本語",
]
SECRET = "secret@example.org"
OPERATIONS = ("CreateCollection", "DropIndex", "ModifyIndex", "RawCall")


def revision(number: int, count: int) -> dict[str, Any]:
    """One of a history with forks, merges and dependencies; the newest ones are pending."""
    parents = [f"{number - 1:06}"] if number else []
    if number % 11 == 10:
        parents = [f"{number - 4:06}"]
    if number % 11 == 1 and number > 11:
        parents = [f"{number - 1:06}", f"{number - 3:06}"]
    return {
        "revision": f"{number:06}",
        "message": NAMES[number % len(NAMES)],
        "down_revision": parents,
        "depends_on": [f"{number - 9:06}"] if number % 40 == 39 else [],
        "branch_labels": [NAMES[0]] if number % 60 == 5 else [],
        "replaces": [],
        "transactional": False,
        "irreversible": False,
        "file": "x.py",
        "checksum": None,
        "state": "applied" if number < count - 9 else "failed" if number == count - 9 else "pending",
    }


def record(number: int, **other: Any) -> dict[str, Any]:
    name = NAMES[number % len(NAMES)]
    identity = {"revision": f"{number:06}", "message": name, "down_revision": [], "depends_on": [], "replaces": []}
    times = dict.fromkeys(("started_at", "finished_at", "stopped_at"), "2026-11-28T10:00:00")
    who = {"user": name, "host": name, "pid": 1, "milliseconds": number * 37, "error": None, "checksum": None}
    return {
        **identity,
        "state": "applied",
        "direction": "upgrade",
        "stamped": False,
        "imported": None,
        **times,
        **who,
        **other,
    }


def operation(number: int) -> dict[str, Any]:
    name = NAMES[number % len(NAMES)]
    text = f"{name}: 9 groups of duplicates, 90 documents; first _ids: '{SECRET}', 2"
    levels = ("note", "warning", "problem", "unknown")
    return {
        "operation": OPERATIONS[number % 4],
        "collection": name,
        "description": f"change {name}",
        "loses": name,
        "probes": [{"code": "P01", "level": levels[number % 4], "text": text, "figures": {}}],
    }


def bare(planned: dict[str, Any]) -> dict[str, Any]:
    """The operation alone, as ``diff`` tells it."""
    return {name: planned[name] for name in ("operation", "collection", "description")}


def collection(number: int) -> dict[str, Any]:
    sizes = {"documents": number or None, "bytes": 10**number if number < 15 else number, "storage_bytes": None}
    indexes = [
        {"index": name, "keys": "a: 1", "unique": True, "bytes": 4096, "uses": use, "since": "2026-11-01T00:00:00"}
        for name, use in zip(NAMES[: number % 4], (None, 0, 99_812), strict=False)
    ]
    name = NAMES[number] if number < len(NAMES) else f"collection_{number}"
    return {"collection": name, "kind": "timeseries", **sizes, "index_bytes": 0, "indexes": indexes}


def finding(number: int) -> dict[str, Any]:
    name = NAMES[number % len(NAMES)]
    severity = ("error", "warning", "information")[number % 3]
    where = {"file": f"migrations/versions/{name}.py", "line": 3, "end_line": 4, "revision": name}
    return {"code": "L06", "severity": severity, "title": "t", "message": name, **where, "url": "x", "fingerprint": "f"}


def hostile(revisions: int = 300, collections: int = 1000) -> dict[str, Any]:
    """The whole document."""
    history = [revision(number, revisions) for number in range(revisions)]
    plain = [{name: value for name, value in one.items() if name != "state"} for one in history]
    operations = [operation(number) for number in range(len(NAMES))]
    stopped = record(1, error={"type": NAMES[0], "message": SECRET, "where": NAMES[1]}, finished_operations=2)
    stopped |= {"unknown_operation": None, "index_build": None}
    return {
        "version": "1.0",
        "made_at": "2026-11-28T20:00:00+00:00",
        "database": {"name": NAMES[0], "hosts": [NAMES[1]], "server": "7.0.14"},
        "status": {
            "current": [NAMES[0]],
            "heads": plain[-2:],
            "at_head": False,
            "applied": revisions,
            "pending": plain[-9:],
            "failed": [stopped],
            "ahead": [{"revision": NAMES[1], "message": NAMES[2]}],
            "edited": plain[:1],
            "head_file": NAMES[6],
            "lock": None,
            "untouched": None,
        },
        "plan": {
            "direction": "upgrade",
            "problems": 2,
            "warnings": 0,
            "unknown": 1,
            "written": False,
            "revisions": [{**one, "operations": operations, "error": NAMES[3]} for one in plain[-3:]],
        },
        "difference": {"operations": [bare(one) for one in operations], "notes": NAMES},
        "lint": {"findings": [finding(n) for n in range(33)], "silenced": [finding(0)], "not_run": [], "checked": 300},
        "graph": {"revisions": history[::-1]},
        "collections": [collection(number) for number in range(collections)],
        "history": [record(number) for number in range(revisions)][::-1],
        "refused": NAMES,
    }
