"""How a LocalServer lives and dies: its folder, its port, its process, and the process that owns it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import bson
import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.testing import wire
from asyncmig.testing.server import FolderInUse, LocalServer, ServerFailed

OWNER = """
import sys, time
from asyncmig.testing.server import LocalServer
server = LocalServer(sys.argv[1] if len(sys.argv) > 1 else None).start()
print(server.pid, server.folder, flush=True)
time.sleep(60)
"""


def insert(server: LocalServer, value: int) -> None:
    reply = wire.command(
        server.port, {"insert": "things", "documents": [{"_id": value}], "writeConcern": {"w": "majority"}}
    )
    assert reply["ok"] == 1.0


def things(server: LocalServer) -> list[int]:
    found = wire.command(server.port, {"find": "things", "sort": {"_id": 1}})["cursor"]["firstBatch"]
    return [document["_id"] for document in found]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return sys.platform != "linux" or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def gone_within(seconds: float, pid: int) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


def test_a_server_is_small_and_local() -> None:
    with LocalServer() as server:
        folder, pid = server.folder, server.pid
        assert pid is not None
        assert server.url == f"mongodb://127.0.0.1:{server.port}/?directConnection=true"
        assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 64_000_000
        assert wire.command(server.port, {"getCmdLineOpts": 1})["parsed"]["net"]["bindIp"] == "127.0.0.1"
    assert not is_alive(pid)
    assert not folder.exists()
    assert server.pid is None


def test_the_largest_document_fits_the_small_journal(shared: LocalServer) -> None:
    payload = bson.Binary(os.urandom(16 * 1024 * 1024 - 200))
    reply = wire.command(
        shared.port, {"insert": "large", "documents": [{"_id": 1, "payload": payload}], "writeConcern": {"j": True}}
    )
    assert (reply["ok"], reply.get("writeErrors")) == (1.0, None)


def test_stop_and_start_twice_do_nothing_more(shared: LocalServer) -> None:
    pid = shared.pid
    assert shared.start().pid == pid
    server = LocalServer()
    server.stop()
    with pytest.raises(RuntimeError, match="was not started"):
        _ = server.url


def test_standalone_has_no_set() -> None:
    with LocalServer(replset=False) as server:
        assert "setName" not in wire.command(server.port, {"hello": 1})


def test_parameters_and_arguments_reach_the_server() -> None:
    with LocalServer(parameters={"enableTestCommands": "1"}, args=["--notablescan"]) as server:
        assert wire.command(server.port, {"getParameter": 1, "notablescan": 1})["notablescan"] is True
        fail_point = {"configureFailPoint": "failCommand", "mode": "off"}
        assert wire.command(server.port, fail_point)["ok"] == 1.0


def test_an_argument_stands_before_the_one_that_the_server_would_have() -> None:
    with LocalServer(
        args=["--wiredTigerCacheSizeGB", "0.3"], parameters={"diagnosticDataCollectionEnabled": "true"}
    ) as server:
        asked = {"getParameter": 1, "diagnosticDataCollectionEnabled": 1}
        assert wire.command(server.port, asked)["diagnosticDataCollectionEnabled"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is read from /proc")
def test_it_may_open_more_files_than_we() -> None:
    """Each index of each database is one; a server that runs out of them aborts."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        with LocalServer(replset=False) as server:
            allowed = re.search(r"Max open files +(\d+)", Path(f"/proc/{server.pid}/limits").read_text())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed is not None
    assert int(allowed[1]) == (64_000 if hard == resource.RLIM_INFINITY else min(hard, 64_000))


def test_kill_then_restart_keeps_majority_writes_and_the_port() -> None:
    with LocalServer() as server:
        insert(server, 1)
        port, pid = server.port, server.pid
        server.kill()
        assert server.pid is None
        server.restart()
        insert(server, 2)
        assert (server.port, things(server)) == (port, [1, 2])
        assert server.pid not in (None, pid)


def test_a_server_killed_by_others_can_be_restarted() -> None:
    with LocalServer() as server:
        insert(server, 1)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.restart()
        assert things(server) == [1]


def test_a_given_folder_keeps_its_data_for_the_next_server(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "db") as first:
        insert(first, 1)
    with LocalServer(tmp_path / "db") as second:
        insert(second, 2)
        assert things(second) == [1, 2]


def test_a_server_that_closes_connections_while_it_starts_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalServer(tmp_path) as first:
        insert(first, 1)
    answer, cut = wire.command, set[str]()

    def once_cut(port: int, document: dict[str, object]) -> dict[str, object]:
        if (name := next(iter(document))) in cut:
            return answer(port, document)
        cut.add(name)
        raise ConnectionError("the server closed the connection")  # as when it leaves the set of its old port

    monkeypatch.setattr(wire, "command", once_cut)
    with LocalServer(tmp_path):
        assert cut == {"hello", "replSetGetStatus", "replSetGetConfig", "replSetReconfig"}


@pytest.mark.parametrize("place", ["a_file", "a_file/db", "a_folder"])
def test_a_folder_that_cannot_be_written_to(tmp_path: Path, place: str) -> None:
    (tmp_path / "a_file").touch()
    (tmp_path / "a_folder/mongod.log").mkdir(parents=True)  # rights do not stop root
    with pytest.raises(ServerFailed, match=rf"cannot keep its data in {tmp_path / place}: .*name a folder"):
        LocalServer(tmp_path / place).start()


def test_two_servers_cannot_share_a_folder(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as first:
        with pytest.raises(FolderInUse, match=rf"another mongod \(pid {first.pid}\) is running on {tmp_path}"):
            LocalServer(tmp_path).start()
        insert(first, 1)  # and the first has not noticed


def test_a_failed_start_shows_the_log_and_leaves_nothing() -> None:
    server = LocalServer(parameters={"noSuchParameter": "1"})
    with pytest.raises(ServerFailed, match=r"did not start; the last lines of its log:(.|\n)*noSuchParameter"):
        server.start()
    with pytest.raises(RuntimeError):
        _ = server.folder


def test_something_that_is_no_program_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "mongod"
    fake.write_text("not a program")
    fake.chmod(0o755)
    with pytest.raises(AsyncmigError, match=r"did not start(.|\n)*Exec format error"):
        LocalServer(mongod=fake).start()


def test_a_taken_port_is_replaced(shared: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = iter([shared.port])
    honest = __import__("asyncmig.testing.server", fromlist=["_free_port"])._free_port
    monkeypatch.setattr("asyncmig.testing.server._free_port", lambda: next(offered, None) or honest())
    with LocalServer() as server:
        assert server.port != shared.port


async def test_the_async_context_manager_stops_it_too() -> None:
    async with LocalServer() as server:
        pid = server.pid
        assert pid is not None
    assert not is_alive(pid)


async def test_cancelled_while_starting_leaves_nothing() -> None:
    server = LocalServer()
    with anyio.move_on_after(0.05) as scope:
        async with server:
            await anyio.sleep(5)
    assert scope.cancelled_caught
    assert server.pid is None


@pytest.mark.chaos
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
@pytest.mark.parametrize("kept", [True, False], ids=["given-folder", "temporary-folder"])
def test_the_server_ends_with_its_owner(how: signal.Signals, kept: bool, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "db")] if kept else []
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert owner.stdout is not None
    pid, folder = owner.stdout.readline().split()
    owner.send_signal(how)
    owner.communicate()
    assert gone_within(60, int(pid))
    until = time.monotonic() + (0.3 if kept else 60)
    while Path(folder).exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert Path(folder).exists() is kept


@pytest.mark.chaos
def test_the_server_ends_with_its_owner_though_a_fork_holds_the_pipe() -> None:
    forking = OWNER.replace("print(", "import os; os.fork() or time.sleep(60)\nprint(")
    owner = subprocess.Popen(
        [sys.executable, "-c", forking],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline().split()[0])
    owner.kill()
    owner.wait()
    owner.stdout.close()
    try:
        assert gone_within(50, pid)
    finally:
        os.killpg(owner.pid, signal.SIGKILL)  # the fork


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_the_server_ends_with_its_supervisor(shared: LocalServer) -> None:
    with LocalServer() as server:
        assert server.pid is not None
        supervisor = int(Path(f"/proc/{server.pid}/stat").read_text().rsplit(")")[-1].split()[1])
        pid = server.pid
        os.kill(supervisor, signal.SIGKILL)
        assert gone_within(60, pid)
