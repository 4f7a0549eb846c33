"""The command line within the process of the tests, and revision files by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from asyncclick.testing import CliRunner

from asyncmig.cli.json_schemas import DOCUMENTS, schema_of
from asyncmig.cli.main import cli

from ..clients import DRIVERS, drop


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


Run = Callable[..., Awaitable[Result]]


def imported(stderr: str) -> set[str]:
    """The packages that a process with PYTHONPROFILEIMPORTTIME has imported, but for what asyncclick itself takes."""
    return _packages(stderr) - _packages_of_asyncclick()


def _packages(stderr: str) -> set[str]:
    return {name.partition(".")[0] for name in re.findall(r"\| +([\w.]+)$", stderr, re.MULTILINE)}


@cache
def _packages_of_asyncclick() -> set[str]:
    """Up to 8.3.0 it imports anyio, later versions import next to nothing."""
    command = [sys.executable, "-X", "importtime", "-c", "import asyncclick"]
    return _packages(subprocess.run(command, capture_output=True, text=True, check=True).stderr)


@cache
def _validator(command: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema_of(command), format_checker=Draft202012Validator.FORMAT_CHECKER)


def hold_to_schema(args: Sequence[str], stdout: str) -> None:
    """Whatever a command prints with ``--json`` is one document that its schema describes; nobody has to ask for it."""
    command = next((word for word in args if word in DOCUMENTS), "init")  # what no command is has an error alone
    document = json.loads(stdout)
    closest = min(
        (list(_validator(command).evolve(schema=shape).iter_errors(document)) for shape in schema_of(command)["anyOf"]),
        key=len,
    )
    assert not closest, (args, [f"{error.json_path}: {error.message}" for error in closest])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without anybody's settings."""
    for name in [*os.environ]:
        if name.startswith("ASYNCMIG_") and name != "ASYNCMIG_MONGOD":
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run one command line within this process."""

    async def invoke(*args: str, input: str | None = None, **environment: str) -> Result:
        result = await CliRunner(env=environment).invoke(cli, list(args), input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if "--json" in args:
            hold_to_schema(args, result.stdout)
        return Result(result.exit_code, result.stdout, result.stderr)

    return invoke


@pytest.fixture
def write_revision(folder: Path) -> Callable[..., Path]:
    """Write a revision file by hand, as short as one can be."""

    def write(
        name: str,
        down: str | tuple[str, ...] | None = None,
        *,
        message: str = "",
        body: str = "pass",
        undo: str = "pass",
        **header: Any,
    ) -> Path:
        versions = folder / "migrations" / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        names = {"revision": name, "down_revision": down, "branch_labels": None, "depends_on": None} | header
        lines = [f'"""{message or "make " + name}"""', "from asyncmig import Env, Index"]
        lines += [f"{key} = {value!r}" for key, value in names.items()]
        lines += ["async def upgrade(env: Env) -> None:", *(f"    {line}" for line in body.splitlines())]
        lines += ["async def downgrade(env: Env) -> None:", f"    {undo}"]
        path = versions / f"{name}_step.py"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
async def server(
    folder: Path, server_url: str, clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """A fresh database that the settings point at, and a project to work in; the database itself, to look into it."""
    name = f"test_cli_{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("ASYNCMIG_URL", server_url)
    monkeypatch.setenv("ASYNCMIG_DATABASE", name)
    (folder / "migrations" / "versions").mkdir(parents=True)
    yield clients[DRIVERS[-1]][name]
    await drop(clients[DRIVERS[-1]], name)


@pytest.fixture
def write_models(folder: Path) -> Callable[[str], None]:
    """Write ``models.py`` with these classes, and have the settings name it; a fresh module each time."""

    def write(source: str) -> None:
        name = f"models_{uuid.uuid4().hex[:8]}"
        (folder / f"{name}.py").write_text(f"from asyncmig import Collection, Index, View\n{dedent(source)}\n")
        (folder / "asyncmig.toml").write_text(f'models = "{name}"\n')

    return write
