"""The law: after the library's own creation nothing differs, and after our upgrade it changes nothing.

Both on a real server, for public projects and for models that were written to be awkward.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mongoengine
import pytest

from asyncmig import Migrator
from asyncmig.sources import load_models

pytest.importorskip("beanie", reason="Beanie 2 needs PyMongo 4.11: `nox -s lowest` does without")

from ..clients import drop
from .projects import (
    awkward_beanie,
    awkward_mongoengine,
    awkward_odmantic,
    calificaciones,
    clearml,
    jobboard,
)

PROJECTS = Path(__file__).parent / "projects"
ALIASES = {"awkward_mongoengine": "awkward", "clearml": "backend-db"}
CASES = [awkward_beanie, awkward_mongoengine, awkward_odmantic, calificaciones, clearml, jobboard]


def name_of(project: ModuleType) -> str:
    return project.__name__.rpartition(".")[2]


async def create(project: ModuleType, url: str, database: str) -> None:
    """What the application's own start-up does; synchronous libraries do it beside the event loop."""
    if inspect.iscoroutinefunction(project.create):
        await project.create(url, database)
    else:
        await asyncio.to_thread(project.create, url, database)


async def listed(database: Any) -> dict[str, Any]:
    """Collections and their indexes exactly as the server lists them, UUIDs aside."""
    found = {}
    async for collection in await database.list_collections():
        indexes = [] if collection["type"] == "view" else (await indexes_of(database, collection["name"]))
        found[collection["name"]] = [collection["type"], collection["options"], indexes]
    return {name: value for name, value in found.items() if not name.startswith(("asyncmig_", "system."))}


async def indexes_of(database: Any, name: str) -> list[Any]:
    return await (await database.cursor_command("listIndexes", name)).to_list(None)


@pytest.fixture
async def place(clients: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A name for databases of one test: clearml takes several, told by a suffix."""
    name = f"law_{uuid.uuid4().hex[:12]}"
    yield name
    mongoengine.disconnect_all()
    for found in await clients["pymongo"].list_database_names():
        if found.startswith(name):
            await drop(clients["pymongo"], found)


@pytest.fixture
def database(project: ModuleType, place: str, clients: dict[str, Any]) -> Any:
    """The project's database, by the one driver or the other."""
    client = clients["motor" if CASES.index(project) % 2 else "pymongo"]
    return client[f"{place}_backend" if project is clearml else place]


def migrator(project: ModuleType, database: Any, folder: Path) -> Migrator:
    return Migrator(database, folder, project.MODELS, db_alias=ALIASES.get(name_of(project)))


@pytest.mark.parametrize("project", CASES, ids=name_of)
async def test_after_the_librarys_own_creation_nothing_differs(
    project: ModuleType, database: Any, server_url: str, place: str, tmp_path: Path
) -> None:
    await create(project, server_url, place)
    assert await migrator(project, database, tmp_path).diff() == []
    if (known := PROJECTS / f"{name_of(project)}.json").exists():
        expected = json.loads(known.read_text(encoding="utf-8"))
        there = {name: indexes for name, (_, _, indexes) in (await listed(database)).items() if len(indexes) > 1}
        assert there == {
            name: found["indexes"]
            for name, found in expected.get("backend", expected).items()
            if len(found["indexes"]) > 1
        }


@pytest.mark.parametrize("project", CASES, ids=name_of)
async def test_after_our_upgrade_the_librarys_own_creation_changes_nothing(
    project: ModuleType, database: Any, server_url: str, place: str, tmp_path: Path
) -> None:
    ours = migrator(project, database, tmp_path)
    (tmp_path / "versions").mkdir()
    assert await ours.revision("all of it", autogenerate=True)
    await ours.upgrade()
    assert await ours.diff() == []
    before = await listed(database)
    await create(project, server_url, place)
    after = await listed(database)
    assert {name: after[name] for name in before} == before
    new = [after[name] for name in after.keys() - before]
    assert all(kind == "collection" and len(indexes) == 1 for kind, _, indexes in new)
    assert await ours.diff() == []


@pytest.mark.parametrize("project", CASES[:3], ids=name_of)
def test_what_the_library_silently_does_is_said(project: ModuleType) -> None:
    said = [str(note) for note in load_models(project.MODELS, db_alias=ALIASES.get(name_of(project))).notes]
    assert [text for text in project.NOTES if not any(text in note for note in said)] == []
