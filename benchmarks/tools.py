"""The tools that are measured: how each is given its revisions, and how it is called."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["TOOLS", "Tool", "identifier"]

Place = tuple[str, str]
"""The server's URL and the database's name."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command line to be timed. ``body`` of a revision is ``nothing`` or ``insert``."""

    name: str
    program: str
    write: Callable[[Path, int, str], None]
    upgrade: Callable[[Place], Sequence[str]]
    current: Callable[[Place], Sequence[str]] | None = None
    environment: Callable[[Place], Mapping[str, str]] = field(default=lambda _: {})

    @property
    def path(self) -> str | None:
        """Where the program is: beside this Python, else on PATH; None if it is not installed."""
        return shutil.which(self.program, path=str(Path(sys.executable).parent)) or shutil.which(self.program)


def identifier(number: int) -> str:
    """The id of the revision of that number, from 1 on: a time to the second."""
    return f"{datetime(2024, 1, 1) + timedelta(seconds=number):%Y%m%d%H%M%S}"


def _asyncmig(folder: Path, count: int, body: str) -> None:
    (folder / "pyproject.toml").write_text("[tool.asyncmig]\n")
    does = {"nothing": "pass", "insert": 'await env.db["items"].insert_one({"n": 1})'}[body]
    for number in range(1, count + 1):
        parent = repr(identifier(number - 1)) if number > 1 else "None"
        _write(
            folder / "migrations" / "versions" / f"{identifier(number)}_step.py",
            f'"""step"""\n\nfrom asyncmig import Env\n\nrevision = "{identifier(number)}"\ndown_revision = {parent}\n'
            "branch_labels = None\ndepends_on = None\n\n\n"
            f"async def upgrade(env: Env) -> None:\n    {does}\n\n\nasync def downgrade(env: Env) -> None:\n    pass\n",
        )


def _mongomig(folder: Path, count: int, body: str) -> None:
    (folder / "mongomig.yaml").write_text(
        "database:\n  uri: ${MONGODB_URI}\n  name: ${MONGODB_DATABASE}\nmigrations:\n  directory: migrations\n"
    )
    _write(
        folder / "migrations" / "env.py",
        "from mongomig import MongoMetadata\n\ntarget_metadata = MongoMetadata.default()\n",
    )
    _write(
        folder / "migrations" / "schema_snapshot.json", '{"collections": {}, "mongomig_format": 1, "storage": null}\n'
    )
    does = {"nothing": "pass", "insert": 'ctx.collection("items").insert_one({"n": 1})'}[body]
    for number in range(1, count + 1):
        parent = repr(identifier(number - 1)) if number > 1 else "None"
        _write(
            folder / "migrations" / "versions" / f"{identifier(number)}_step.py",
            f'revision = "{identifier(number)}"\ndown_revision = {parent}\nbranch_labels = None\ndepends_on = None\n'
            f'reversible = True\nsnapshot_hash = "sha256:{"0" * 64}"\nmongomig_format = 1\n\n\n'
            f"def upgrade(ctx):\n    {does}\n\n\ndef downgrade(ctx):\n    pass\n",
        )


def _pymongo_migrate(folder: Path, count: int, body: str) -> None:
    does = {"nothing": "pass", "insert": 'db["items"].insert_one({"n": 1})'}[body]
    for number in range(1, count + 1):
        parents = f"['m{identifier(number - 1)}']" if number > 1 else "[]"
        _write(
            folder / "pymongo_migrations" / f"m{identifier(number)}.py",
            f'name = "m{identifier(number)}"\ndependencies = {parents}\n\n\n'
            f"def upgrade(db):\n    {does}\n\n\ndef downgrade(db):\n    pass\n",
        )


def _mongodb_migrations(folder: Path, count: int, body: str) -> None:
    does = {"nothing": "pass", "insert": 'self.db["items"].insert_one({"n": 1})'}[body]
    for number in range(1, count + 1):
        _write(
            folder / "migrations" / f"{identifier(number)}_step.py",
            "from mongodb_migrations.base import BaseMigration\n\n\nclass Migration(BaseMigration):\n"
            f"    def upgrade(self):\n        {does}\n\n    def downgrade(self):\n        pass\n",
        )


def _beanie(folder: Path, count: int, body: str) -> None:
    does = {"nothing": "pass", "insert": "await Item.get_pymongo_collection().insert_one({}, session=session)"}[body]
    for number in range(1, count + 1):
        _write(
            folder / "migrations" / f"{identifier(number)}_step.py",
            "from beanie import Document, free_fall_migration\n\n\nclass Item(Document):\n    n: int = 0\n\n"
            '    class Settings:\n        name = "items"\n\n\nclass Forward:\n'
            "    @free_fall_migration(document_models=[Item])\n"
            f"    async def step(self, session):\n        {does}\n\n\nclass Backward: ...\n",
        )


def _migrate_mongo(folder: Path, count: int, body: str) -> None:
    (folder / "migrate-mongo-config.js").write_text(
        "module.exports = { mongodb: { url: process.env.MONGO_URL, databaseName: process.env.MONGO_DATABASE,"
        " options: {} }, migrationsDir: 'migrations', changelogCollectionName: 'changelog',"
        " lockCollectionName: 'changelog_lock', lockTtl: 0, migrationFileExtension: '.js', useFileHash: false,"
        " moduleSystem: 'commonjs' };\n"
    )
    does = {"nothing": "", "insert": "await db.collection('items').insertOne({n: 1});"}[body]
    for number in range(1, count + 1):
        _write(
            folder / "migrations" / f"{identifier(number)}-step.js",
            f"module.exports = {{ async up(db) {{ {does} }}, async down(db) {{}} }};\n",
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _own(driver: str) -> Tool:
    def call(command: str) -> Callable[[Place], Sequence[str]]:
        return lambda _: ("--driver", driver, command)

    return Tool(
        f"asyncmig ({driver})",
        "asyncmig",
        _asyncmig,
        call("upgrade"),
        call("current"),
        lambda place: {"ASYNCMIG_URL": place[0], "ASYNCMIG_DATABASE": place[1]},
    )


TOOLS = (
    _own("motor"),
    _own("pymongo"),
    Tool(
        "mongomig",
        "mongomig",
        _mongomig,
        lambda _: ("upgrade",),
        lambda _: ("current",),
        lambda place: {"MONGODB_URI": place[0], "MONGODB_DATABASE": place[1]},
    ),
    Tool(
        "pymongo-migrate",
        "pymongo-migrate",
        _pymongo_migrate,
        lambda place: ("upgrade", "-u", place[0], "-d", place[1]),
        lambda place: ("show", "-u", place[0], "-d", place[1]),
    ),
    Tool(
        "mongodb-migrations",
        "mongodb-migrate",
        _mongodb_migrations,
        lambda place: ("--url", place[0].replace("/?", f"/{place[1]}?"), "--migrations", "migrations"),
    ),
    Tool(
        "beanie",
        "beanie",
        _beanie,
        lambda place: ("migrate", "-uri", place[0], "-db", place[1], "-p", "migrations"),
    ),
    Tool(
        "migrate-mongo",
        "migrate-mongo",
        _migrate_mongo,
        lambda _: ("up",),
        lambda _: ("status",),
        lambda place: {"MONGO_URL": place[0], "MONGO_DATABASE": place[1]},
    ),
)
