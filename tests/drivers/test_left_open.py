"""Nothing that asyncmig has opened is left to the garbage collector: seen by a process that tells of each socket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REVISION = """
from asyncmig import Env

revision, down_revision = "aaaaaaaaaaaa", None

async def upgrade(env: Env) -> None:
    await env.insert_documents("a", [{"_id": 1}])
    await env.create_index("a", [("x", 1)], name="x")

async def downgrade(env: Env) -> None:
    await env.delete_documents("a", [1])
"""

MIGRATOR = """
import asyncio, sys
from asyncmig import Migrator
from asyncmig.drivers.connection import close, connect
from asyncmig.errors import AsyncmigError

async def main(url, driver, name, folder):
    client = await connect(url + ("&" if "?" in url else "?") + "maxPoolSize=1", driver=driver)
    migrator = Migrator(client[name], directory=folder, lock_lease=2)
    await migrator.upgrade()
    await migrator.status()
    try:
        await migrator.upgrade("unknown")
    except AsyncmigError:
        pass
    await close(client)

asyncio.run(main(*sys.argv[1:]))
"""

COMMAND = "import sys; from asyncmig.cli.main import main; sys.argv[0] = 'asyncmig'; sys.exit(main())"


def _told(program: str, *arguments: str, cwd: Path) -> str:
    """What a process says of what it left open; only that: it may say other things, too."""
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", program, *arguments]
    process = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in process.stderr, process.stderr
    return "\n".join(line for line in process.stderr.splitlines() if "ResourceWarning" in line)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "aaaaaaaaaaaa_first.py").write_text(REVISION)
    return tmp_path


def test_a_migrator_on_a_client_with_one_connection(server_url: str, driver_name: str, project: Path) -> None:
    database = f"left_open_{driver_name}"
    assert _told(MIGRATOR, server_url, driver_name, database, "migrations", cwd=project) == ""


@pytest.mark.parametrize("words", [["upgrade"], ["upgrade", "unknown"], ["downgrade", "base", "--yes"], ["check"]])
def test_a_command(server_url: str, driver_name: str, project: Path, words: list[str]) -> None:
    place = ["--url", server_url, "--database", f"left_open_by_{words[0]}_{driver_name}", "--driver", driver_name]
    assert _told(COMMAND, *place, *words, cwd=project) == ""


def test_the_means_sees_a_socket(server_url: str, tmp_path: Path) -> None:
    program = (
        "import socket, sys; s = socket.create_connection(sys.argv[1].split('//')[1].split('/')[0].split(':')); del s"
    )
    assert "unclosed <socket" in _told(program, server_url, cwd=tmp_path)
