"""What counts as losing data: found in a revision's source, then held against the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.drivers import driver_for
from asyncmig.history import Revision
from asyncmig.review.loss import find_losses, losing_calls
from asyncmig.running.applying.digest import digest

KEPT = {"_id": 1, "a": "mine"}


def written(tmp_path: Path, *lines: str) -> Revision:
    body = "".join(f"    {line}\n" for line in lines)
    path = tmp_path / "r.py"
    path.write_text(f"async def upgrade(env):\n    pass\n\n\nasync def downgrade(e):\n{body}")
    return Revision("r", path=path)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('await e.drop_collection("c")', [("drop_collection", "c")]),
        ('await e.drop_collection(name="c")', [("drop_collection", "c")]),
        ("await e.drop_collection(NAME)", [("drop_collection", None)]),
        ('for n in ("c", "d"): await e.drop_collection(n)', [("drop_collection", None)]),
        ('await e.delete_documents("c", [1])', [("delete_documents", "c")]),
        ('await e.delete_documents("c", [1], if_unchanged=True)', []),
        ('await e.remove_field("c", "f")', [("remove_field", "c")]),
        ('await e.remove_field("c", "f", keep_in="old.f")', []),
        ('await e.drop_index("c", "a_1")', []),
        ('await e.drop_view("v")', []),
        ('await env.drop_collection("c")', []),  # of another object: not ours
        ('"drop_collection"', []),
    ],
)
def test_losing_calls(tmp_path: Path, line: str, found: list[tuple[str, str | None]]) -> None:
    revision = written(tmp_path, line)
    assert [(call.method, call.collection) for call in losing_calls(revision, "downgrade")] == found
    assert losing_calls(revision, "upgrade") == ()


@pytest.mark.parametrize(
    ("documents", "lost"),
    [
        ([], False),
        ([KEPT], False),
        ([{**KEPT, "a": "yours"}], True),
        ([KEPT, {"_id": 2}], True),
        ([{"_id": 2}], True),
    ],
)
async def test_only_what_asyncmig_did_not_insert_is_lost(
    tmp_path: Path, database: Any, documents: list[dict[str, Any]], lost: bool
) -> None:
    if documents:
        await database["c"].insert_many(documents)
    calls = losing_calls(written(tmp_path, 'await e.drop_collection("c")'), "downgrade")
    inserted = {"c": [{"_id": 1, "digest": digest(KEPT)}]}
    losses = await find_losses(calls, driver_for(database), inserted)
    assert [loss.text for loss in losses] == (["drop collection c with its documents"] if lost else [])


async def test_a_computed_name_may_lose_anything(tmp_path: Path, database: Any) -> None:
    calls = losing_calls(written(tmp_path, "await e.drop_collection(NAME)"), "downgrade")
    (loss,) = await find_losses(calls, driver_for(database), {})
    assert "computes" in loss.text
