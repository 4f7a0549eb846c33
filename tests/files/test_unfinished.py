"""A rebuild that is still a comment is refused before the first step, and no other comment is."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.authoring.revision_file import revision_source
from asyncmig.files.directory import Directory
from asyncmig.files.errors import MisplacedFile
from asyncmig.files.unfinished import Unfinished, UnfinishedRevision, unfinished
from asyncmig.operations import CreateCollection, NeedsRebuild, Operation
from asyncmig.schema.state import CollectionState

TARGET = CollectionState("legs", options={"collation": {"locale": "fr"}})
REBUILD = NeedsRebuild("legs", ("the collation",), TARGET)


def source(upgrade: list[Operation], downgrade: list[Operation]) -> str:
    return revision_source(revision="a001", down_revision=None, message="x", upgrade=upgrade, downgrade=downgrade)


@pytest.mark.parametrize(
    ("text", "upgrade", "downgrade"),
    [
        (source([REBUILD], []), [13], []),
        (source([CreateCollection("legs"), REBUILD], [REBUILD]), [15], [32]),
        (source([REBUILD], []).replace("    #     ", "    "), [], []),
        (source([NeedsRebuild("legs", ("nobody knows",))], []), [13], []),
        (source([NeedsRebuild("l\nx" * 90, ("nobody knows",))], []), [13], []),
        (source([], []), [], []),
        ("async def upgrade(env):\n    # legs needs a rebuild by hand:\n    pass\n", [], []),
        ("async def upgrade(env):\n    # legs needs a rebuild by hand:\n\n    #     code\n    pass\n", [], []),
        ("async def upgrade(env):\r\n    # legs needs a rebuild by hand:\r\n    #     code\r\n", [2], []),
    ],
)
def test_what_is_left(text: str, upgrade: list[int], downgrade: list[int]) -> None:
    assert [one.line for one in unfinished(text, "upgrade")] == upgrade
    assert [one.line for one in unfinished(text, "downgrade")] == downgrade
    if "#     await" in text and upgrade:
        assert unfinished(text, "upgrade")[0] == Unfinished("legs", "upgrade", upgrade[0])


async def test_a_run_is_refused_as_long_as_it_is_a_comment(database: Any, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    file = tmp_path / "versions" / "a001_x.py"
    file.write_text(source([CreateCollection("other"), REBUILD], [CreateCollection("x")]))
    migrator = Migrator(database, tmp_path)
    for run in (migrator.upgrade, migrator.plan):
        with pytest.raises(UnfinishedRevision, match=r"its upgrade has the rebuild of legs in line \d+ as a comment"):
            await run()
    assert "other" not in await database.list_collection_names()
    await database["legs"].insert_one({"_id": 1})
    file.write_text(file.read_text().replace("    #     ", "    "))
    await migrator.upgrade()
    assert (await database["legs"].options())["collation"]["locale"] == "fr"


@pytest.mark.parametrize(
    ("place", "text", "refused"),
    [
        ("versions/2024/b002_x.py", 'revision = "b002"\n', True),
        ("versions/2024/12/b002_x.py", 'revision: str = "b002"\n', True),
        ("b002_x.py", 'revision = "b002"\n', True),
        ("versions/_old/b002_x.py", 'revision = "b002"\n', False),
        ("versions/helpers/tools.py", "def tool(): ...\n", False),
        ("env.py", "config = 1\n", False),
    ],
)
def test_a_file_where_none_is_looked_for_is_refused(tmp_path: Path, place: str, text: str, refused: bool) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(text)
    for read in (Directory(tmp_path).read, Directory(tmp_path).checksums):
        with pytest.raises(MisplacedFile, match="would never be run; move it there") if refused else nullcontext():
            read()
