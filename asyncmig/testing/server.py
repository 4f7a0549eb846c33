"""``LocalServer``: a real MongoDB server of one's own, on a free port, gone when it is no longer needed."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from asyncmig.errors import AsyncmigError
from asyncmig.testing import wire
from asyncmig.testing.binary import find_mongod
from asyncmig.testing.child import Child, Signal

__all__ = ["FolderInUse", "LocalServer", "ServerFailed"]

_SET = "asyncmig"
_NO_CONFIG, _NOT_IN_CONFIG = 94, 93
_TAKEN = "Address already in use"
_MAX_LINE_CHARACTERS = 600  # of a line
_SMALL_AND_QUICK = (
    "--wiredTigerCacheSizeGB=0.5",  # at 0.25 there may be no room for a document of 16 MB and its copy in the oplog
    "--wiredTigerEngineConfigString=log=(prealloc=false,file_max=32MB)",  # else 300 MB before the first write
    "--journalCommitInterval=10",  # ms; an index over documents waits for it, else 100 ms each; 1 ms costs 5 % of a CPU
    "--syncdelay=20",  # s; what is dropped keeps its files open until the next checkpoint, else 60 s
)
_PARAMETERS = {
    "diagnosticDataCollectionEnabled": "false",
    "minSnapshotHistoryWindowInSeconds": "5",  # else what is dropped keeps its files open for 5 minutes
}


class ServerFailed(AsyncmigError, RuntimeError):
    """Raised when the server does not start, or does not answer; shows the last lines of its log."""

    def __init__(self, what: str, log: Path, lines: Sequence[str]) -> None:
        self.what, self.log, self.lines = what, log, tuple(lines)
        said = "; the last lines of its log:" if lines else ""
        super().__init__("".join([f"mongod {what}{said}", *(f"\n  {line}" for line in lines)]))


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
    ``--setParameter`` takes them. ``args``: more arguments of mongod, before our own. ``mongod``: the binary, else
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
        self._parameters = {**_PARAMETERS, **(parameters or {})}
        self._args = tuple(args)
        self._mongod = mongod
        self._timeout = timeout
        self._port = 0
        self._child: Child | None = None

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
        """The process id of the running mongod; None when it has ended."""
        return self._child.pid if self._child is not None and not self._child.ended else None

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

    def require(self) -> None:
        """Raise ServerFailed, with what its log says last, when the server has ended though nobody stopped it."""
        if self._child is not None and self._child.ended:
            errors = _errors(self._written(0))
            raise ServerFailed(
                "has ended" if errors else "has ended without an error: was it killed?", self.log, errors
            )

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
        self._make_writable(self._folder)
        mongod = str(self._mongod or find_mongod())
        while not self._listens(mongod, deadline):
            self._port = 0  # somebody took the port in the meantime
        if self._replset:
            self._become_primary(deadline)

    def _make_writable(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.log.open("ab").close()
        except OSError as error:
            raise ServerFailed(
                f"cannot keep its data in {folder}: {error.strerror}; name a folder that it may write to", self.log, ()
            ) from error

    def _listens(self, mongod: str, deadline: float) -> bool:
        """Start the process; False to try again: the port was taken meanwhile, or a parameter is too new."""
        fixed = bool(self._port)
        self._port = self._port or _free_port()
        seen = self.log.stat().st_size if self.log.exists() else 0
        self._child = Child(self.folder, self._given is None, self.log, [mongod, *self._arguments()])
        while "aiting for connections" not in (written := self._written(seen)):
            if self._child.ended and "aiting for connections" not in (written := self._written(seen)):
                self._end("kill")
                if not fixed and (_TAKEN in written or self._does_without(written)):
                    return False
                raise self._failure("did not start", written)
            if time.monotonic() > deadline:
                raise self._failure(f"did not listen within {self._timeout:g} s", written)
            time.sleep(0.01)
        return True

    def _does_without(self, written: str) -> bool:
        """Leave out a parameter of ours that an older server does not know."""
        unknown = re.search(r"Unknown --setParameter '(\w+)'", written)
        return unknown is not None and unknown[1] in _PARAMETERS and self._parameters.pop(unknown[1], None) is not None

    def _arguments(self) -> list[str]:
        parameters = [f"--setParameter={name}={value}" for name, value in self._parameters.items()]
        given = {argument.partition("=")[0] for argument in self._args}
        small = [argument for argument in _SMALL_AND_QUICK if argument.partition("=")[0] not in given]
        place = [f"--port={self._port}", "--bind_ip=127.0.0.1", f"--dbpath={self.folder}"]
        sockets = [] if sys.platform == "win32" else ["--nounixsocket"]
        members = [f"--replSet={_SET}", "--oplogSize=32"] if self._replset else []
        return [*place, *sockets, *members, *small, *parameters, *self._args]

    def _failure(self, what: str, written: str) -> AsyncmigError:
        if "DBPathInUse" in written:
            holder = self.folder / "mongod.lock"
            return FolderInUse(self.folder, holder.read_text().strip() if holder.exists() else "")
        return ServerFailed(what, self.log, written.splitlines()[-12:])

    def _become_primary(self, deadline: float) -> None:
        """Make the server the only member of its set, and wait until it takes writes."""
        member = f"127.0.0.1:{self._port}"
        while not self._is_primary(member):
            if time.monotonic() > deadline:
                raise self._failure(f"did not become primary within {self._timeout:g} s", self._written(0))
            time.sleep(0.01)

    def _is_primary(self, member: str) -> bool:
        """Ask, and take the next step to it; one that leaves the set of its old port closes its connections."""
        try:
            if wire.command(self.port, {"hello": 1}).get("isWritablePrimary"):
                return True
            state = wire.command(self.port, {"replSetGetStatus": 1}).get("code")
            if state == _NO_CONFIG:
                members = [{"_id": 0, "host": member}]
                wire.command(self.port, {"replSetInitiate": {"_id": _SET, "members": members}})
            elif state == _NOT_IN_CONFIG:  # the folder was served on another port before
                self._move(member)
        except OSError as error:
            if self._child is None or self._child.ended:
                raise self._failure(f"does not answer ({error})", self._written(0)) from error
        return False

    def _move(self, member: str) -> None:
        config = wire.command(self.port, {"replSetGetConfig": 1}).get("config")
        if config:
            config |= {"members": [{"_id": 0, "host": member}], "version": config["version"] + 1}
            wire.command(self.port, {"replSetReconfig": config, "force": True})

    def _written(self, offset: int) -> str:
        """What the log says, from the offset (bytes) on."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")

    def _end(self, signal: Signal) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(signal)


def _errors(written: str) -> list[str]:
    """The errors in a log, without the stack traces that follow them."""
    lines = [line[:_MAX_LINE_CHARACTERS] for line in written.splitlines() if '"s":"F"' in line or '"s":"E"' in line]
    return lines[:6]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
