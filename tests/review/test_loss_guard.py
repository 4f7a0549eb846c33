"""Whatever form the call has, nothing goes without the question: beforehand, or when it is about to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.errors import RevisionFailed
from asyncmig.review.loss import Loss

HEAD = '''"""x"""
from asyncmig import Delete, Env
import asyncmig as a

revision = "a001"
down_revision = None
NOTHING = None
UNSET = {"$unset": {"f": 1}}


async def helper(one):
    await one.drop_collection("c")


def verdict(document):
    return a.Delete


def second(document):
    return verdict(document)


async def later(document):
    return verdict(document)


async def upgrade(env: Env) -> None:
'''

FORMS = [
    'await env.drop_collection("c")',
    'await env.drop_collection(name="c")',
    'e = env\nawait e.drop_collection("c")',
    'd = env.drop_collection\nawait d("c")',
    'await getattr(env, "drop_collection")("c")',
    "await helper(env)",
    'for n in ["c"]:\n    await env.drop_collection(n)',
    'await env.rename_collection("c", "d")\nawait env.drop_collection("d")',
    'await env.delete_documents("c", [1])',
    'await env.delete_documents("c", [1], if_unchanged=False)',
    'await env.delete_documents("c", [1], **{"if_unchanged": False})',
    'await env.remove_field("c", "f")',
    'await env.remove_field("c", "f", keep_in=None)',
    'await env.remove_field("c", "f", keep_in=NOTHING)',
    'await env.rename_field("c", "f", "g", on_conflict="overwrite")',
    'await env.rename_field("c", "f", "g", on_conflict="keep")',
    'await env.convert_field("c", "f", to="int", on_error="null")',
    'await env.update_in_batches("c", {}, {"$unset": {"f": 1}})',
    'await env.update_in_batches("c", {}, UNSET)',
    'await env.update_in_batches("c", {}, update=[{"$unset": "f"}])',
    'await env.update_in_batches("c", {}, [{"$set": {"f": "$$REMOVE"}}])',
    'await env.update_in_batches("c", {}, [{"$project": {"g": 1}}])',
    'await env.transform_documents("c", {}, lambda document: Delete)',
    'await env.transform_documents("c", {}, verdict)',
    'await env.transform_documents("c", {}, second)',
    'await env.transform_documents("c", {}, later)',
    'await env.transform_batches("c", {}, lambda documents: [Delete] * len(documents))',
    'await env.transform_batches("c", {}, lambda documents: [second(one) for one in documents])',
    'await env.deduplicate("c", by=["f"], keep=[("_id", 1)])',
    'await env.deduplicate("c", by=["f"], keep=[("_id", 1)], keep_in=NOTHING)',
    'await env.merge_into("s", [], "c")',
    'await env.move_documents("c", {}, "moved", pipeline=[{"$unset": "f"}])',
]
KEPT = [
    'await env.drop_index("c", "p_1")',
    'await env.drop_index("c", "nothing")',
    'await env.create_index("new", "a", unique=True)\nawait env.drop_index("new", "a_1")',
    'await env.remove_field("c", "f", keep_in="old")',
    'await env.delete_documents("c", [1], if_unchanged=True)',
    'await env.rename_field("c", "f", "h")',
    'await env.update_in_batches("c", {}, {"$set": {"h": 1}})',
    'await env.transform_documents("c", {}, lambda document: document | {"h": 1})',
    'await env.create_collection("new")\nawait env.drop_collection("new")',
    'await env.drop_collection("nothing")',
    'await env.deduplicate("c", by=["f"], keep=[("_id", 1)], keep_in="twice")',
    'await env.merge_into("s", [], "c", when_matched="keepExisting")',
    'await env.move_documents("c", {}, "moved")',
    'await env.transform_batches("c", {}, lambda documents: [one | {"h": 1} for one in documents])',
]
DOCUMENTS = [{"_id": 1, "f": "x", "g": "y"}, {"_id": 2, "f": "x", "g": "y"}]


class Refused(Exception):
    """What the one who is asked raises."""


@pytest.fixture
async def migrator(database: Any, tmp_path: Path) -> Callable[[str], Migrator]:
    await database["c"].insert_many(DOCUMENTS)
    await database["s"].insert_one({"_id": 1, "new": True})
    await database["c"].create_index("u", unique=True, sparse=True)
    await database["c"].create_index("p")
    (tmp_path / "versions").mkdir()

    def written(body: str) -> Migrator:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "versions" / "a001.py").write_text(f"{HEAD}{lines}\n\nasync def downgrade(env: Env) -> None: ...\n")
        return Migrator(database, tmp_path)

    return written


@pytest.mark.parametrize("body", FORMS)
async def test_it_is_asked_whatever_the_form(migrator: Callable[[str], Migrator], database: Any, body: str) -> None:
    asked: list[Loss] = []

    async def refuse(losses: tuple[Loss, ...]) -> None:
        asked.extend(losses)
        if losses:
            raise Refused

    made = migrator(body)
    with pytest.raises((Refused, RevisionFailed)):
        await made.upgrade(confirm=refuse)
    assert [one.revision for one in asked] == ["a001"]
    kept = "d" if "rename_collection" in body else "c"
    assert await database[kept].find().to_list(None) == DOCUMENTS

    asked.clear()

    async def agree(losses: tuple[Loss, ...]) -> None:
        asked.extend(losses)

    await made.upgrade(confirm=agree)
    assert [one.revision for one in asked] == ["a001"]
    assert await database[kept].find().to_list(None) != DOCUMENTS


@pytest.mark.parametrize("body", KEPT)
async def test_what_loses_nothing_is_not_asked_for(migrator: Callable[[str], Migrator], body: str) -> None:
    async def refuse(losses: tuple[Loss, ...]) -> None:
        assert losses == ()

    await migrator(body).upgrade(confirm=refuse)


async def test_what_is_known_is_asked_for_beforehand(migrator: Callable[[str], Migrator]) -> None:
    made = migrator('e = env\nawait e.remove_field("c", "f", keep_in=None)\nawait helper(e)')
    texts = [one.text for one in await made.losses()]
    assert texts == ["remove a field from the documents of c", "drop collection c with its documents"]


@pytest.mark.parametrize("body", ['await env.drop_index("c", "u_1")', 'd = env.drop_index\nawait d("c", "u" + "_1")'])
async def test_a_unique_index_is_asked_for_too(migrator: Callable[[str], Migrator], database: Any, body: str) -> None:
    """It refuses duplicates, whether a query uses it or not. The revision that made it takes it back unasked."""
    asked: list[Loss] = []

    async def refuse(losses: tuple[Loss, ...]) -> None:
        asked.extend(losses)
        if losses:
            raise Refused

    made = migrator(body)
    with pytest.raises((Refused, RevisionFailed)):
        await made.upgrade(confirm=refuse)
    assert [one.text for one in asked] == ["drop unique index u_1 of c: nothing refuses duplicates any more"]
    assert "u_1" in await database["c"].index_information()

    made = migrator('await env.create_index("c", "v", unique=True, sparse=True)')
    path = made.directory.versions / "a001.py"
    back = 'async def downgrade(env: Env) -> None:\n    await env.drop_index("c", "v_1")'
    path.write_text(path.read_text().replace("async def downgrade(env: Env) -> None: ...", back))
    await made.upgrade()
    await made.downgrade("base", confirm=refuse)
    assert len(asked) == 1
