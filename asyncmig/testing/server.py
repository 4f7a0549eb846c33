"""``LocalServer``: a real MongoDB server of one's own, on a free port, gone when it is no longer needed."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from asyncmig.errors import AsyncmigError
from asyncmig.testing import wire
from asyncmig.testing.binary import find_mongod

__all__ = ["FolderInUse", "LocalServer", "ServerFailed"]

_SET = "asyncmig"
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_PATIENCE = 20.0
_NO_CONFIG, _NOT_IN_CONFIG = 94, 93
_TAKEN = ("Address already in use", "address already in use")
_SMALL = (
    "--wiredTigerCacheSizeGB=0.25",
    "--wiredTigerEngineConfigString=log=(prealloc=false,file_max=32MB)",  # else 300 MB before the first write
    "--setParameter=diagnosticDataCollectionEnabled=false",
)


class ServerFailed(AsyncmigError, RuntimeError):
    """Raised when the server does not start, or ends by itself; shows the last lines of its log."""

    def __init__(self, what: str, log: Path, lines: Sequence[str]) -> None:
        self.what, self.log, self.lines = what, log, tuple(lines)
        super().__init__(f"mongod {what}; the last lines of {log}:" + "".join(f"\n  {line}" for line in lines))


class FolderInUse(AsyncmigError, RuntimeError):
    """Raised when another server is running on the folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        self.folder, self.pid = folder, pid
        super().__init__(
            f"another mongod{f' (pid {pid})' if pid else ''} is running on {folder}: "
            "two servers cannot share a folder; stop that one first, or use another folder"
        )


class LocalServer:
    """A ``mongod`` on 127.0.0.1 for tests and first tries.

    ``folder``: where the data lives and stays; made if missing, used again with its data at the next
    start. None: a temporary folder, deleted at the end. ``replset``: a replica set of one member, as
    transactions need it; else a standalone server. ``parameters``: server parameters, as
    ``--setParameter`` takes them. ``args``: more arguments of mongod. ``mongod``: the binary, else
    as :func:`~asyncmig.testing.binary.find_mongod` finds it. ``timeout``: seconds to start.

    A context manager, plain and async. The server ends with this process, however that ends: a small
    child process watches over it. Runs on Linux and macOS; not tried on Windows.

    Raises MongodNotFound, FolderInUse, or ServerFailed with the last lines of the server's log.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        replset: bool = True,
        parameters: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
        mongod: str | Path | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._given = None if folder is None else Path(folder).expanduser().resolve()
        self._folder: Path | None = self._given
        self._replset = replset
        self._parameters = dict(parameters or {})
        self._args = tuple(args)
        self._mongod = mongod
        self._timeout = timeout
        self._port = 0
        self._child: _Child | None = None

    @property
    def url(self) -> str:
        """The connection string; it names this one server directly, so no driver looks for others."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    @property
    def port(self) -> int:
        """The port, on 127.0.0.1 only. The same after a restart."""
        if not self._port:
            raise RuntimeError("the server was not started; use `with LocalServer() as server:`")
        return self._port

    @property
    def pid(self) -> int | None:
        """The process id of the running mongod; None when it is stopped."""
        return self._child.pid if self._child is not None else None

    @property
    def folder(self) -> Path:
        """Where data and log live."""
        if self._folder is None:
            raise RuntimeError("the server was not started; use `with LocalServer() as server:`")
        return self._folder

    @property
    def log(self) -> Path:
        """The server's log file, one JSON document per line."""
        return self.folder / "mongod.log"

    def start(self) -> Self:
        """Start the server and wait until it takes writes; a second call does nothing."""
        if self._child is None:
            try:
                self._start(time.monotonic() + self._timeout)
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Stop the server; a temporary folder is deleted. A second call does nothing."""
        self._end("kill" if self._given is None else "term")
        if self._given is None and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """Let the server die at once, as in a power cut (SIGKILL); :meth:`restart` brings it back."""
        self._end("kill")

    def restart(self) -> None:
        """Stop the server, if it runs, and start it again: same data, same port."""
        self._end("term")
        self._start(time.monotonic() + self._timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        import anyio

        try:
            return await anyio.to_thread.run_sync(self.start)
        except BaseException:  # also when cancelled meanwhile: the thread has gone on to the end
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.stop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import anyio

        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)

    def _start(self, deadline: float) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="asyncmig-mongod-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        mongod = str(self._mongod or find_mongod())
        while not self._listens(mongod, deadline):
            self._port = 0  # somebody took the port in the meantime
        if self._replset:
            self._initiate(deadline)

    def _listens(self, mongod: str, deadline: float) -> bool:
        """Start the process; False when the port that was free a moment ago is not any more."""
        fixed = bool(self._port)
        self._port = self._port or _free_port()
        seen = self.log.stat().st_size if self.log.exists() else 0
        self._child = _Child(self.folder, self._given is None, self.log, [mongod, *self._arguments()])
        while b"aiting for connections" not in (written := _read_from(self.log, seen)):
            if self._child.ended:
                self._child = None
                if not fixed and any(sign.encode() in written for sign in _TAKEN):
                    return False
                raise self._failure("did not start", written.decode(errors="replace"))
            if time.monotonic() > deadline:
                raise self._failure(f"did not listen within {self._timeout:g} s", written.decode(errors="replace"))
            time.sleep(0.01)
        return True

    def _arguments(self) -> list[str]:
        parameters = [f"--setParameter={name}={value}" for name, value in self._parameters.items()]
        place = [f"--port={self._port}", "--bind_ip=127.0.0.1", f"--dbpath={self.folder}"]
        sockets = [] if sys.platform == "win32" else ["--nounixsocket"]
        members = [f"--replSet={_SET}", "--oplogSize=32"] if self._replset else []
        return [*place, *sockets, *members, *_SMALL, *parameters, *self._args]

    def _failure(self, what: str, written: str) -> AsyncmigError:
        if "DBPathInUse" in written:
            holder = self.folder / "mongod.lock"
            return FolderInUse(self.folder, holder.read_text().strip() if holder.exists() else "")
        return ServerFailed(what, self.log, written.splitlines()[-12:])

    def _initiate(self, deadline: float) -> None:
        """Make the server the only member of its set, and wait until it is primary."""
        member = f"127.0.0.1:{self._port}"
        status = self._command({"replSetGetStatus": 1})
        if status.get("code") == _NO_CONFIG:
            self._command({"replSetInitiate": {"_id": _SET, "members": [{"_id": 0, "host": member}]}})
        while not self._command({"hello": 1}).get("isWritablePrimary"):
            if status.get("code") == _NOT_IN_CONFIG:  # the folder was served on another port before
                self._move(member)
            if time.monotonic() > deadline:
                raise self._failure(f"did not become primary within {self._timeout:g} s", _tail(self.log))
            time.sleep(0.01)
            status = self._command({"replSetGetStatus": 1})

    def _move(self, member: str) -> None:
        config = self._command({"replSetGetConfig": 1}).get("config")
        if config:
            config["members"] = [{"_id": 0, "host": member}]
            config["version"] += 1
            self._command({"replSetReconfig": config, "force": True})

    def _command(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return wire.command(self.port, document)

    def _end(self, signal: str) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(signal)


class _Child:
    """The supervisor process, and through it the server."""

    def __init__(self, folder: Path, remove: bool, log: Path, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder), str(int(remove)), str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: the server must outlive what we still have to say to it
            text=True,
        )
        self.pid = int(self._output.readline() or 0)

    @property
    def ended(self) -> bool:
        """Whether the server has ended; its supervisor ends right after it."""
        return self._process.poll() is not None

    def end(self, signal: str) -> None:
        """Send the signal and wait; a server that does not close its files in time is killed."""
        self._send(signal)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._send("kill")
            self._process.wait()
        self.close()

    def close(self) -> None:
        """Close the pipes."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _send(self, signal: str) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended by itself
                self._process.stdin.write(f"{signal}\n")
                self._process.stdin.flush()

    @property
    def _output(self) -> IO[str]:
        if self._process.stdout is None:
            raise RuntimeError("the supervisor has no pipe")
        return self._process.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read_from(log: Path, offset: int) -> bytes:
    if not log.exists():
        return b""
    with log.open("rb") as file:
        file.seek(offset)
        return file.read()


def _tail(log: Path) -> str:
    return _read_from(log, max(0, log.stat().st_size - 20_000)).decode(errors="replace")
