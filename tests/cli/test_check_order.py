"""``check`` where several things are wrong: the gravest answers, and the others are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

STOPPED = {"_id": "aaaa", "state": "failed", "message": "first", "token": 1, "journal": []}
AHEAD = {"_id": "zzzz", "state": "applied", "message": "newer", "token": 1}
UNKNOWN = AHEAD | {"state": "failed"}
DONE = STOPPED | {"state": "applied"}
MODELS = "class Wallet(Collection):\n    __collection_name__ = 'wallet'\n"
WORDS = {
    "RevisionHalfDone": "half-way",
    "DatabaseAhead": "ahead of the files",
    "MultipleHeads": "needs one head",
    "PendingRevisions": "pending",
    "SchemaDiffers": "models and database differ",
    "HeadFileError": "revision files",
}


@pytest.mark.parametrize(
    ("records", "files", "models", "codes"),
    [
        ([], ["aaaa"], False, ["PendingRevisions", "HeadFileError"]),
        ([DONE], ["aaaa"], True, ["SchemaDiffers", "HeadFileError"]),
        ([], ["aaaa"], True, ["PendingRevisions", "HeadFileError"]),
        ([], ["aaaa", "bbbb"], True, ["MultipleHeads", "PendingRevisions", "HeadFileError"]),
        ([AHEAD], ["aaaa", "bbbb"], True, ["DatabaseAhead"]),
        ([STOPPED], ["aaaa"], False, ["RevisionHalfDone", "PendingRevisions", "HeadFileError"]),
        (
            [STOPPED],
            ["aaaa", "bbbb"],
            True,
            ["RevisionHalfDone", "MultipleHeads", "PendingRevisions", "HeadFileError"],
        ),
        ([STOPPED, AHEAD], ["aaaa"], True, ["RevisionHalfDone", "DatabaseAhead"]),
        ([UNKNOWN], ["aaaa"], True, ["RevisionHalfDone"]),
        ([UNKNOWN, STOPPED], ["aaaa"], True, ["RevisionHalfDone", "RevisionHalfDone"]),
    ],
)
async def test_the_gravest_answers(
    run: Run,
    server: Any,
    write_revision: Callable[..., Path],
    write_models: Callable[[str], None],
    records: list[dict[str, Any]],
    files: list[str],
    models: bool,
    codes: list[str],
) -> None:
    exit_codes = {"RevisionHalfDone": 7, "DatabaseAhead": 9, "MultipleHeads": 5, "PendingRevisions": 4}
    for name in files:
        write_revision(name)
    if models:
        write_models(MODELS)
    if records:
        await server["asyncmig_revisions"].insert_many(records)
    told = await run("check", "--json")
    expected = exit_codes.get(codes[0], 3)
    assert ([one["code"] for one in told.document["failures"]], told.code) == (codes, expected)
    assert told.document["error"] == told.document["failures"][0]
    text = await run("check")
    assert (text.code, text.stdout) == (expected, "")
    for name in codes:
        assert WORDS[name] in text.stderr
