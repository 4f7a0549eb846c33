"""The command line as processes: exit codes, streams, signals, a terminal, a server of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..clients import DRIVERS

SLOW = """\
import anyio
await env.create_collection("a")
await anyio.sleep({pause})
await env.create_collection("b")
await anyio.sleep({pause})
"""

PACED = 'await env.update_in_batches("a", {}, {"$inc": {"n": 1}}, batch_size=50, max_per_second=200)'


async def finished_documents(database: Any) -> int:
    """How many documents the journal says are done by its first operation."""
    found = await database["asyncmig_revisions"].find_one({"journal.0.checkpoint": {"$exists": True}})
    return found["journal"]["0"]["checkpoint"]["tally"]["matched"] if found else 0


@pytest.fixture
def settings(server, server_url: str) -> dict[str, str]:
    """The environment for a process that works on the test's database."""
    return {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": server.name}


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process writes to stderr up to these words."""
    seen = ""
    while words not in seen:
        line = process.stderr.readline()
        assert line, f"{words!r} never came: {seen}"
        seen += line
    return seen


class TestStreamsAndExitCodes:
    @pytest.mark.parametrize(
        ("args", "code"),
        [
            (["--version"], 0),
            ([], 2),
            (["nonsense"], 2),
            (["current"], 0),
            (["current", "--json"], 0),
            (["upgrade", "zzzz"], 1),
            (["current", "--url", "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50"], 1),
            (["current", "--url", "http://x"], 2),
        ],
    )
    def test_they_are_what_they_should_be(self, run_cli, write_revision, settings, args: list[str], code: int) -> None:
        write_revision("aaaa")
        result = run_cli(*args, env=settings)
        assert result.returncode == code, result.stderr
        assert "Traceback (" not in result.stderr
        assert "\x1b" not in result.stdout + result.stderr
        if code:
            assert result.stdout == ""

    def test_as_a_module(self, folder: Path) -> None:
        done = subprocess.run([sys.executable, "-m", "asyncmig", "--version"], capture_output=True, text=True)
        assert (done.returncode, done.stdout[:9], done.stderr) == (0, "asyncmig ", "")

    def test_a_terminal_that_knows_ascii_alone(self, run_cli, write_revision, settings) -> None:
        write_revision("aaaa", message="prix en €")
        result = run_cli("show", "aaaa", env=settings | {"PYTHONIOENCODING": "ascii"})
        assert (result.returncode, result.stderr) == (0, "")
        assert "prix en \\u20ac" in result.stdout

    async def test_a_run_goes_on_when_nobody_reads_its_messages(
        self, start_cli, write_revision, settings, server
    ) -> None:
        write_revision("aaaa", body='await env.create_collection("a")\nawait env.create_collection("b")')
        process = start_cli("upgrade", env=settings)
        process.stderr.close()
        assert process.wait(timeout=300) == 0
        assert {"a", "b"} <= set(await server.list_collection_names())

    def test_nothing_is_left_to_warn_about(self, run_cli, write_revision, settings) -> None:
        write_revision("aaaa", body='await env.create_collection("a")')
        for driver in DRIVERS:
            result = run_cli("--driver", driver, "upgrade", env=settings | {"PYTHONWARNINGS": "error"})
            assert result.returncode == 0, result.stderr
            assert "Warning" not in result.stderr


class TestSignals:
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    async def test_the_first_stops_after_what_is_running(
        self, start_cli, run_cli, run, write_revision, settings, server, number: int, code: int
    ) -> None:
        write_revision("aaaa", body=SLOW.format(pause=0.3), undo='await env.drop_collection("a")')
        process = start_cli("upgrade", env=settings)
        read_until(process, "create collection a")
        process.send_signal(number)
        rest = process.communicate(timeout=300)[1]
        assert process.returncode == code, rest
        assert "stopping after this" in rest
        assert "Traceback" not in rest
        assert await server.list_collection_names(filter={"name": {"$in": ["a", "b"]}}) != []
        status = (await run("status", "--json")).document
        assert (status["lock"], status["failed"][0]["finished_operations"]) == (None, 2)
        again = run_cli("upgrade", env=settings)
        assert again.returncode == 0, again.stderr
        assert "skipped" in again.stderr

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    async def test_among_documents_it_stops_after_the_batch(
        self, start_cli, run_cli, write_revision, settings, server, number: int, code: int
    ) -> None:
        """And goes on from there: each document is changed once."""
        await server["a"].insert_many([{"_id": key, "n": 0} for key in range(400)])
        write_revision("aaaa", body=PACED)
        process = start_cli("upgrade", env=settings)
        while not (done := await finished_documents(server)):
            assert process.poll() is None
        process.send_signal(number)
        rest = process.communicate(timeout=300)[1]
        assert process.returncode == code, rest
        assert "stopping after the batch that is under way" in rest
        assert "Traceback" not in rest
        assert done <= (stopped_at := await finished_documents(server)) < 400
        assert await server["a"].count_documents({"n": 1}) == stopped_at
        again = run_cli("upgrade", env=settings)
        assert again.returncode == 0, again.stderr
        assert await server["a"].count_documents({"n": 1}) == 400

    async def test_the_second_stops_at_once(self, start_cli, run, write_revision, settings) -> None:
        write_revision("aaaa", body=SLOW.format(pause=3600))
        process = start_cli("upgrade", env=settings)
        read_until(process, "create collection a")
        process.send_signal(signal.SIGINT)
        read_until(process, "stopping after this")
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=300)[1]
        assert process.returncode == 130
        assert "Traceback" not in rest
        assert (await run("status", "--json")).document["lock"] is None

    async def test_while_it_waits_for_the_lock(self, start_cli, write_revision, settings, server) -> None:
        from asyncmig.drivers import driver_for
        from asyncmig.running.locking.lock import Lock

        write_revision("aaaa")
        async with Lock(driver_for(server)).held(command="another"):
            process = start_cli("upgrade", env=settings)
            assert "another" in read_until(process, "Waiting for the lock")
            process.send_signal(signal.SIGTERM)
            rest = process.communicate(timeout=300)[1]
        assert process.returncode == 143, rest

    def test_before_there_is_a_loop(self, start_cli, folder: Path) -> None:
        """Ctrl-C while an embedded server starts: the server goes, too."""
        (folder / "migrations" / "versions").mkdir(parents=True)
        process = start_cli("current", "--url", "embedded:db")
        while not (folder / "db" / "mongod.log").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=300)[1]
        assert process.returncode == 130, rest
        assert "Traceback" not in rest


class Terminal:
    """A process on a terminal of its own, and what is typed there."""

    def __init__(self, *args: str, folder: Path, environment: dict[str, str]) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "asyncmig", *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def until(self, words: str, seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self._ours], [], [], 0.1)[0]:
                self.seen += os.read(self._ours, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        while True:
            try:
                data = os.read(self._ours, 4096)
            except OSError:  # Linux says so when the other side has gone
                break
            if not data:
                break
            self.seen += data.decode()
        os.close(self._ours)
        return self._process.wait(20)


class TestTerminal:
    @pytest.fixture
    def on_terminal(self, folder: Path, settings) -> Callable[..., Terminal]:
        return lambda *args, **more: Terminal(*args, folder=folder, environment=settings | more)

    @pytest.mark.parametrize(
        ("answer", "code", "left"), [("y\n", 0, []), ("n\n", 1, ["wallet"]), ("\n", 1, ["wallet"])]
    )
    async def test_losing_data_is_asked_for(
        self, on_terminal, write_revision, server, answer: str, code: int, left: list[str]
    ) -> None:
        write_revision("aaaa", body='await env.drop_collection("wallet")')
        await server.wallet.insert_one({"coins": 1})
        terminal = on_terminal("upgrade")
        terminal.until("Go on? [y/N]")
        assert "drop collection wallet with its documents" in terminal.seen
        terminal.type(answer)
        assert terminal.end() == code, terminal.seen
        assert [n for n in await server.list_collection_names() if not n.startswith("asyncmig")] == left

    async def test_ctrl_c_at_the_question(self, on_terminal, write_revision, server) -> None:
        write_revision("aaaa", body='await env.drop_collection("wallet")')
        await server.wallet.insert_one({"coins": 1})
        terminal = on_terminal("upgrade")
        terminal.until("Go on? [y/N]")
        terminal.interrupt()
        assert terminal.end() == 130, terminal.seen
        assert await server.wallet.count_documents({}) == 1

    def test_colour_tables_and_operations_as_they_begin(self, on_terminal, write_revision) -> None:
        write_revision("aaaa", message="first", body='await env.create_collection("a")')
        terminal = on_terminal("upgrade")
        assert terminal.end() == 0
        assert "Upgrading \x1b[36maaaa\x1b[0m first" in terminal.seen
        assert re.search(r"  create collection a \.\.\.\r +\r  create collection a  \x1b\[2m\d+ ms", terminal.seen)
        terminal = on_terminal("history")
        assert terminal.end() == 0
        assert "Message" in terminal.seen

    def test_no_color(self, on_terminal, write_revision) -> None:
        write_revision("aaaa", message="first", body='await env.create_collection("a")')
        for command in ("upgrade", "history", "show"):
            terminal = on_terminal(command, *(["head"] if command == "show" else []), NO_COLOR="1")
            assert terminal.end() == 0
            assert "\x1b" not in terminal.seen


def test_a_server_of_its_own(run_cli, write_revision, folder: Path) -> None:
    """``embedded:PATH`` keeps its data from one command to the next; ``embedded:`` does not."""
    write_revision("aaaa", message="first")
    (folder / "pyproject.toml").write_text('[tool.asyncmig]\nurl = "embedded:db"\n')
    upgraded = run_cli("upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert re.match(r"Database: 127\.0\.0\.1:\d+/app\n", upgraded.stderr)
    assert run_cli("current").stdout == "aaaa  first  (head, base)\n"
    assert run_cli("current", env={"ASYNCMIG_URL": "embedded:"}).stdout == ""


async def test_several_at_once(start_cli, write_revision, settings: dict[str, str], server: Any) -> None:
    for name, down in (("aaaa", None), ("bbbb", "aaaa"), ("cccc", "bbbb")):
        write_revision(name, down, body=f'await env.db["log"].insert_one({{"revision": "{name}"}})')
    processes = [start_cli("upgrade", env=settings) for _ in range(4)]
    outputs = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert sorted([one["revision"] async for one in server.log.find()]) == ["aaaa", "bbbb", "cccc"]
