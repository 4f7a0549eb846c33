"""The real tools on a real server: what they have run, what they would run next, and what asyncmig says of it.

`nox -s histories` installs them; `ASYNCMIG_TOOLS` names the environment that has the Python ones, `ASYNCMIG_NODE_TOOLS`
the folder of the npm ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
import pytest

from asyncmig.adopting.histories.places import files_in, place_of
from asyncmig.adopting.histories.rules import RULES

pytestmark = pytest.mark.long

HERE = Path(__file__).parent / "tools"


@dataclass
class Project:
    """A folder with another tool's files, and a database that it works on."""

    folder: Path
    url: str
    database: Any

    @property
    def direct(self) -> str:
        """The URL with the database in its path."""
        host = re.search(r"//([^/?]+)", self.url)
        assert host
        return f"mongodb://{host[1]}/{self.database.name}?directConnection=true"

    def put(self, place: str, *names: str, content: str) -> None:
        for name in names:
            path = self.folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            stem = name.partition(".")[0]
            path.write_text(content.replace("NAME", stem))

    def run(self, *command: str, **environment: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tool(self, name: str, *arguments: str, **environment: str) -> str:
        return self.run(str(Path(os.environ["ASYNCMIG_TOOLS"], "bin", name)), *arguments, **environment)

    def pending(self, tool: str) -> list[str]:
        place = place_of(tool, self.folder, {})
        documents = list(self.database[place.collection].find())
        return list(RULES[tool](documents, files_in(place.folder), place.options).pending)


@pytest.fixture
def project(tmp_path: Path, server_url: str) -> Iterator[Project]:
    client: Any = pymongo.MongoClient(server_url)
    name = f"history_{uuid.uuid4().hex[:8]}"
    yield Project(tmp_path, server_url, client[name])
    client.drop_database(name)
    client.close()


@pytest.mark.parametrize("hashes", ["false", "true"])
def test_migrate_mongo(project: Project, hashes: str) -> None:
    script = "module.exports = {async up(db) {}, async down(db) {}}; // NAME"
    binary = str(Path(os.environ["ASYNCMIG_NODE_TOOLS"], "node_modules", ".bin", "migrate-mongo"))
    (project.folder / "migrate-mongo-config.js").write_text(
        f"""module.exports = {{
  mongodb: {{url: "{project.url}", databaseName: "{project.database.name}"}},
  migrationsDir: "steps",  // ours
  changelogCollectionName: "our_changelog",
  lockTtl: 0,
  useFileHash: {hashes},
}};"""
    )
    project.put("steps", "1-a.js", "3-c.js", content=script)
    project.run(binary, "up")
    project.put("steps", "2-b.js", "4-d.js", content=script)
    project.put("steps", "3-c.js", content=script + "// edited")
    table = project.run(binary, "status")
    theirs = [found[1] for line in table.splitlines() if "PENDING" in line and (found := re.search(r"(\S+\.js)", line))]
    wanted = ["2-b.js", "3-c.js", "4-d.js"] if hashes == "true" else ["2-b.js", "4-d.js"]
    assert project.pending("migrate-mongo") == theirs == wanted


def test_beanie(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text('[tool.beanie.migrations]\npath = "steps"\n')
    project.put("steps", "1_a.py", "3_c.py", "5_e.py", content="class Forward: ...\n")
    arguments = ("-uri", project.url, "-db", project.database.name, "-p", "steps", "--no-use-transaction")

    def theirs() -> list[str]:
        script = str(HERE / "beanie_next.py")
        return project.tool("python", script, project.url, project.database.name, "steps").split()

    project.tool("beanie", "migrate", *arguments)
    project.put("steps", "2_b.py", "6_f.py", content="class Forward: ...\n")
    assert project.pending("beanie") == theirs() == ["6_f.py"]
    project.tool("beanie", "migrate", *arguments, "--backward", "-d", "1")
    assert project.pending("beanie") == theirs()
    project.tool("beanie", "migrate", *arguments, "--backward")
    assert project.pending("beanie") == theirs()


def test_pymongo_migrate(project: Project) -> None:
    source = 'name = "NAME"\ndependencies = {}\ndef upgrade(db): pass\ndef downgrade(db): pass\n'
    folder = "pymongo_migrations"
    for name, needs in (("first", []), ("second", ["first"]), ("third", ["second"])):
        project.put(folder, f"{name}.py", content=source.format(needs))
    arguments = ("-u", project.url, "-d", project.database.name)
    project.tool("pymongo-migrate", "upgrade", *arguments)
    project.tool("pymongo-migrate", "downgrade", *arguments, "first")
    project.put(folder, "side.py", content=source.format(["first"]))
    shown = project.tool("pymongo-migrate", "show", *arguments)
    theirs = [line.split()[0] for line in shown.splitlines() if "Not applied" in line]
    assert sorted(project.pending("pymongo-migrate")) == sorted(theirs) == ["second", "side", "third"]


def test_mongodb_migrations(project: Project) -> None:
    source = (
        "from mongodb_migrations.base import BaseMigration\n"
        "class Migration(BaseMigration):\n    def upgrade(self): pass\n    def downgrade(self): pass\n"
    )
    (project.folder / "config.ini").write_text("[mongo]\nmigrations = steps\nmetastore = our_log\ndry_run = False\n")
    project.put("steps", "20240101_a.py", "20240103_c.py", content=source)
    project.tool("mongodb-migrate", "--url", project.direct)
    project.put("steps", "20240102_b.py", "20240104_d.py", "20240105_Capital.py", content=source)
    shown = project.tool("mongodb-migrate", "--url", project.direct, "--dry-run")
    theirs = [f"{name}.py" for name in re.findall(r"Trying to upgrade version: (\S+)", shown)]
    assert project.pending("mongodb-migrations") == theirs == ["20240104_d.py"]


def test_mongomig(project: Project) -> None:
    (project.folder / "mongomig.yaml").write_text(
        f'database:\n  uri: "{project.direct}"\nmigrations:\n  directory: steps\n  tracking_collection: our_revisions\n'
    )
    source = "revision = 'NAME'\ndown_revision = {}\ndef upgrade(ctx): pass\ndef downgrade(ctx): pass\n"
    for name, down in (("aaaa", None), ("bbbb", "aaaa")):
        project.put("steps/versions", f"{name}.py", content=source.format(repr(down)))
    project.tool("mongomig", "upgrade", "--yes")
    for name, down in (("cccc", "aaaa"), ("dddd", ("bbbb", "cccc"))):
        project.put("steps/versions", f"{name}.py", content=source.format(repr(down)))
    theirs = project.tool("python", str(HERE / "mongomig_next.py")).split()
    assert project.pending("mongomig") == theirs == ["cccc", "dddd"]
