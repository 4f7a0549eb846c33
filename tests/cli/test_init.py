"""``asyncmig init``: makes what is missing, changes nothing that is there."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from asyncmig.settings import load_settings


async def test_in_an_empty_folder(run, folder: Path) -> None:
    result = await run("init")
    assert (result.code, result.stdout) == (0, "")
    assert "Created migrations/versions/" in result.stderr
    assert "Created pyproject.toml" in result.stderr
    assert 'asyncmig revision -m "first" --autogenerate' in result.stderr
    assert [*map(str, (folder / "migrations" / "versions").iterdir())] == [str(folder / "migrations/versions/.gitkeep")]
    assert load_settings(folder, {}).file == folder / "pyproject.toml"


async def test_twice(run, folder: Path) -> None:
    await run("init")
    before = (folder / "pyproject.toml").read_bytes()
    result = await run("init")
    assert result.code == 0
    assert "migrations/versions/ is there already" in result.stderr
    assert "pyproject.toml has the settings already" in result.stderr
    assert (folder / "pyproject.toml").read_bytes() == before


async def test_what_is_there_stays_byte_for_byte(run, folder: Path) -> None:
    before = b'[project]\r\nname = "x"\r\n# the end'
    (folder / "pyproject.toml").write_bytes(before)
    assert "Added [tool.asyncmig] to pyproject.toml" in (await run("init")).stderr
    after = (folder / "pyproject.toml").read_bytes()
    assert after.startswith(before)
    assert tomllib.loads(after.decode())["project"] == {"name": "x"}


async def test_options_become_settings(run, folder: Path) -> None:
    await run("--models", 'app:"A"', "init", "--url", "embedded:./db", "--database", "shop", "--directory", "history")
    assert (folder / "history" / "versions").is_dir()
    found = load_settings(folder, {})
    assert (found.models, found.database, found.directory) == ('app:"A"', "shop", folder / "history")
    assert found.embedded_path == folder / "db"


async def test_a_password_is_not_written_down(run, folder: Path) -> None:
    result = await run("init", "--url", "mongodb://me:secret@h")
    assert "secret" not in (folder / "pyproject.toml").read_text()
    assert "name the server: url in pyproject.toml or ASYNCMIG_URL" in result.stderr


@pytest.mark.parametrize("path", ["migrations", "migrations/versions"])
async def test_what_stands_in_the_way_is_named(run, folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).touch()
    result = await run("init")
    assert result.code == 2
    assert "migrations/versions cannot be made or written: " in result.stderr
    assert "internal error" not in result.stderr


async def test_a_project_that_cannot_take_the_table(run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text("tool = {}\n")
    result = await run("init")
    assert result.code == 2
    assert "add it by hand" in result.stderr
    assert (folder / "pyproject.toml").read_text() == "tool = {}\n"


async def test_git_keeps_the_folder(run, folder: Path, tmp_path_factory, monkeypatch) -> None:
    """A clone of a project that has no revision yet is one that commands work in."""
    await run("init")
    clone = tmp_path_factory.mktemp("clone")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for args in (
        ["init", "-q"],
        ["add", "-A"],
        [*identity, "commit", "-q", "-m", "x"],
        ["clone", "-q", ".", str(clone)],
    ):
        subprocess.run(["git", *args], cwd=folder, check=True)
    monkeypatch.chdir(clone)
    assert (await run("heads")).code == 0
    assert (await run("revision", "-m", "first")).code == 0


async def test_its_document(run, folder: Path) -> None:
    made = ["migrations/versions", "migrations/versions/.gitkeep", "pyproject.toml"]
    document = {"directory": "migrations", "settings": "pyproject.toml"}
    assert (await run("init", "--json")).document == {**document, "created": made}
    assert (await run("init", "--json")).document == {**document, "created": []}
