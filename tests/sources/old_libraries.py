"""Libraries that cannot live beside asyncmig: read by the exported file in their own Python, and held to the law.

``nox -s old_libraries`` makes their environments and runs this; ``ASYNCMIG_OLD_PYTHONS`` names their interpreters
as ``PROJECT:ATTRIBUTE=PATH``, separated by semicolons.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.sources import load_models
from asyncmig.sources.script import script_source

from .test_law import listed

PROJECTS = Path(__file__).parent / "projects"
CASES = [tuple(case.split("=", 1)) for case in os.environ["ASYNCMIG_OLD_PYTHONS"].split(";")]


def run(python: str, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [python, *arguments], cwd=PROJECTS, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
async def place(clients: dict[str, Any]) -> AsyncIterator[str]:
    name = f"old_{uuid.uuid4().hex[:12]}"
    yield name
    for found in await clients["pymongo"].list_database_names():
        if found.startswith(name):
            await clients["pymongo"].drop_database(found)


@pytest.mark.parametrize(("models", "python"), CASES, ids=[f"{Path(path).parts[-3]}" for _, path in CASES])
async def test_the_law_in_their_own_python(
    models: str, python: str, clients: dict[str, Any], server_url: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "models.json").write_text(run(python, "-", models, text=script_source()), encoding="utf-8")
    exported = str(tmp_path / "models.json")
    project = models.partition(":")[0]
    suffix, alias = ("_backend", "backend-db") if project == "clearml" else ("", None)
    theirs, ours = clients["pymongo"][f"{place}a{suffix}"], clients["motor"][f"{place}b{suffix}"]
    print("\n".join(map(str, load_models(exported, db_alias=alias).notes)))

    run(python, f"{project}.py", server_url, f"{place}a")
    assert await Migrator(theirs, tmp_path, exported, db_alias=alias).diff() == []

    (tmp_path / "versions").mkdir()
    migrator = Migrator(ours, tmp_path, exported, db_alias=alias)
    assert await migrator.revision("all of it", autogenerate=True)
    await migrator.upgrade()
    assert await migrator.diff() == []
    before = await listed(ours)
    run(python, f"{project}.py", server_url, f"{place}b")
    after = await listed(ours)
    assert {name: after[name] for name in before} == before
    assert all(len(after[name][2]) == 1 for name in after.keys() - before)
