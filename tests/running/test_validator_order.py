"""A strict validator above the step that mends the documents: what is told, and the way out that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.errors import RevisionFailed
from asyncmig.events import OperationFinished
from asyncmig.operations.advice import broken_validator

VALIDATOR = 'await env.modify_collection("c", validator={"$jsonSchema": {"required": ["a"]}})'
BACKFILL = 'await env.update_in_batches("c", {"a": {"$exists": False}}, {"$set": {"b": 1}})'
MEND = 'await env.update_in_batches("c", {"a": {"$exists": False}}, {"$set": {"a": 1}})'


def write(folder: Path, *lines: str) -> None:
    body = "".join(f"    {line}\n" for line in lines)
    undo = 'await env.modify_collection("c", validator={})'
    (folder / "versions").mkdir(exist_ok=True)
    (folder / "versions" / "a001.py").write_text(
        f'"""x"""\nrevision = "a001"\ndown_revision = None\nasync def upgrade(env):\n{body}'
        f"async def downgrade(env):\n    {undo}\n"
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([VALIDATOR, MEND], True),
        ([MEND, VALIDATOR], False),
        ([VALIDATOR.replace(")", ', validationLevel="moderate")')], False),
        ([VALIDATOR.replace(")", ', validationAction="warn")')], False),
    ],
)
async def test_documents_that_break_it_are_told(database: Any, tmp_path: Path, lines: list[str], told: bool) -> None:
    await database["c"].insert_many([{"_id": 1}, {"_id": 2}])
    write(tmp_path, *lines)
    messages: list[str] = []

    def listen(event: Any) -> None:
        if isinstance(event, OperationFinished):
            messages.append(broken_validator(event.operation, event.result))

    await Migrator(database, tmp_path, on_event=listen).upgrade()
    assert any("such as the one with _id 1" in message for message in messages) is told


async def test_the_way_out_that_is_named_works(database: Any, tmp_path: Path) -> None:
    await database["c"].insert_many([{"_id": 1}, {"_id": 2}])
    write(tmp_path, VALIDATOR, BACKFILL)
    migrator = Migrator(database, tmp_path)
    with pytest.raises(RevisionFailed, match="swapping the lines does not help: `asyncmig downgrade` takes it off"):
        await migrator.upgrade()
    write(tmp_path, MEND, VALIDATOR)
    await migrator.downgrade("base")
    await migrator.upgrade()
    assert await database["c"].count_documents({"a": 1}) == 2


async def test_a_field_into_itself_goes_by_way_of_a_third_name(database: Any, tmp_path: Path) -> None:
    await database["c"].insert_one({"_id": 1, "title": "x"})
    write(tmp_path, 'await env.rename_field("c", "title", "title.en")')
    migrator = Migrator(database, tmp_path)
    with pytest.raises(RevisionFailed, match=r"'title' to 'title__was' and 'title__was' to 'title.en'"):
        await migrator.upgrade()
    pairs = [("title", "title__was"), ("title__was", "title.en")]
    write(tmp_path, *[f'await env.rename_field("c", "{old}", "{new}")' for old, new in pairs])
    await migrator.upgrade()
    assert await database["c"].find_one() == {"_id": 1, "title": {"en": "x"}}


async def test_a_field_under_a_unique_index(database: Any, tmp_path: Path) -> None:
    await database["c"].create_index("a", unique=True)
    await database["c"].insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    rename = 'await env.rename_field("c", "a", "b")'
    write(tmp_path, rename)
    migrator = Migrator(database, tmp_path)
    with pytest.raises(
        RevisionFailed, match="drop the index before the rename, and create the one on the new name after"
    ):
        await migrator.upgrade()
    write(tmp_path, 'await env.drop_index("c", "a_1")', rename, 'await env.create_index("c", "b", unique=True)')
    await migrator.upgrade()
    assert await database["c"].find().to_list(None) == [{"_id": 1, "b": 1}, {"_id": 2, "b": 2}]
