"""``env.context``: values of the application's; a run without those that a file needs ends before its first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.files.static import MissingContext
from asyncmig.settings import load_settings

FILE = '''"""needs a key"""
revision = "20260101000000"
down_revision = None
context = ["KEY"]


async def upgrade(env):
    await env.insert_documents("c", [{"_id": 1, "key": env.context["KEY"]}])


async def downgrade(env):
    await env.drop_collection("c")
'''


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "versions" / "20260101000000_key.py").write_text(FILE)
    return tmp_path / "migrations"


async def test_given_and_missing(turn: Any, directory: Path) -> None:
    without = Migrator(turn, directory, context={"OTHER": 1})
    for run in (without.upgrade, without.plan):
        with pytest.raises(MissingContext, match=r"needs KEY in env.context; nothing was done"):
            await run()
    assert "c" not in await turn.list_collection_names()
    given = Migrator(turn, directory, context={"KEY": "secret"})
    (step,) = (await given.plan()).steps
    assert step.error is None
    await given.upgrade()
    assert await turn["c"].find_one() == {"_id": 1, "key": "secret"}


def test_settings(tmp_path: Path) -> None:
    (tmp_path / "asyncmig.toml").write_text('[context]\nKEY = "${A_KEY}"\nsize = 5\n')
    settings = load_settings(tmp_path, {"A_KEY": "secret"})
    assert settings.context == {"KEY": "secret", "size": 5}
    assert "secret" not in repr(settings)
