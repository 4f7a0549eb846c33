"""A model changes, and the revision that is generated leads the documents there and back."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from asyncmig import Collection, Index, Migrator, RenamedFrom

from ..profiling.shapes import documents


def collection(model: type[BaseModel], **attributes: Any) -> type[Collection]:
    return type("Orders", (Collection,), {"__collection_name__": "orders", "__model__": model, **attributes})


def taken_in(source: str) -> str:
    """The source with its suggestions taken in: each comment that is code becomes code."""
    lines, block = [], ""
    for line in source.splitlines():
        text = line.strip().removeprefix("# ")
        if line.strip().startswith("# ") and (block or text.startswith(("await env.", "from ", "import "))):
            block += f"{text}\n"
            lines.append(line.replace("# ", "", 1))
            if _is_whole(block):
                block = ""
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _is_whole(block: str) -> bool:
    try:
        ast.parse(f"async def f():\n{textwrap.indent(block, ' ')}")
    except SyntaxError:
        return False
    return True


class Project:
    """One folder of revisions for a database; models come and go."""

    def __init__(self, database: Any, folder: Path) -> None:
        self.database, self.folder = database, folder
        (folder / "versions").mkdir()

    def migrator(self, *models: Any, **options: Any) -> Migrator:
        return Migrator(self.database, self.folder, list(models), **options)

    async def change(self, model: Any, *, take: bool = True, run: bool = True, **options: Any) -> str:
        """Generate, take the suggestions in, and upgrade; nothing differs afterwards. Returns the source."""
        migrator = self.migrator(model, **options)
        revision = await migrator.revision("change", autogenerate=True)
        assert revision is not None
        assert revision.path is not None
        source = revision.path.read_text()
        if take:
            revision.path.write_text(taken_in(source))
        if run:
            await migrator.upgrade("head")
        if take and run:
            assert await self.migrator(model, **options).diff() == [], source
        return source

    async def documents(self) -> list[dict[str, Any]]:
        return [dict(one) async for one in self.database["orders"].find().sort("_id", 1)]

    async def breaking(self) -> int:
        """How many documents break the validator that the collection has."""
        (found,) = await (await self.database.list_collections(filter={"name": "orders"})).to_list(None)
        return int(await self.database["orders"].count_documents({"$nor": [found["options"]["validator"]]}))

    async def back(self) -> None:
        await self.migrator().downgrade("-1")


@pytest.fixture
def project(database: Any, tmp_path: Path) -> Project:
    return Project(database, tmp_path)


class First(BaseModel):
    zip: str
    total: str
    plan: Literal["free", "old"] = "free"
    nick: str | None = None


class Second(BaseModel):
    postcode: Annotated[str, RenamedFrom("zip")]
    total: float
    plan: Literal["free", "paid"] = "free"
    nick: str | None = None
    currency: str = "EUR"
    number: int


async def test_every_row_of_the_table(project: Project) -> None:
    indexes = {"__indexes__": [Index("zip", unique=True), Index([("zip", 1), ("nick", 1)])]}
    await project.change(collection(First, **indexes), fields="strict")
    before = [
        {"_id": 1, "zip": "a", "total": "1.5", "plan": "free", "nick": None},
        {"_id": 2, "zip": "b", "total": "2", "plan": "old"},
    ]
    await project.database["orders"].insert_many(before)
    changed = {"__indexes__": [Index("postcode", unique=True), Index([("postcode", 1), ("nick", 1)])]}
    await project.change(collection(Second, **changed), fields="strict")
    assert await project.documents() == [
        {"_id": 1, "postcode": "a", "total": 1.5, "plan": "free", "nick": None, "currency": "EUR", "number": 0},
        {"_id": 2, "postcode": "b", "total": 2.0, "plan": "free", "currency": "EUR", "number": 0},
    ]
    assert await project.breaking() == 0
    await project.back()
    assert await project.documents() == [{**before[0], "total": "1.5"}, {**before[1], "plan": "free"}]
    assert await project.migrator(collection(First, **indexes), fields="strict").diff() == []


class Looked(BaseModel):
    total: float
    fullName: str  # noqa: N815 - as the documents have it


class LookedBefore(BaseModel):
    total: str
    name: str | None = None
    debug: bool | None = None


async def test_what_the_documents_say_stands_beside_what_is_generated(project: Project) -> None:
    await project.change(collection(LookedBefore), fields="record")
    rows = documents(lambda random, late, age: {"fullName" if late else "name": "x", "total": "1"}, 400, 1)
    rows[0] |= {"total": "12,50", "debug": True}
    await project.database["orders"].insert_many(rows)
    source = await project.change(collection(Looked), take=False, run=False, fields="record")
    assert "# Note: orders: 400 of 400 documents break the new schema as they are" in source
    assert "# Of 400 documents that were read: string 400. 1 of 400 texts cannot be converted, and stop it." in source
    assert "# name likely became fullName: never both, same types, last seen 2020-" in source
    assert '# await env.rename_field("orders", "name", "fullName")' in source
    assert "# debug is declared no more. It is in 0.2 % of 400 documents that were read, last seen 2020-" in source
