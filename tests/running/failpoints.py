"""Faults on purpose: the server's fail points, and a proxy that stalls and cuts connections."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self


@asynccontextmanager
async def failing(
    client: Any, database: Any, commands: Sequence[str], *, times: int, collection: str = "asyncmig_lock", **fault: Any
) -> AsyncIterator[None]:
    """Let the server fail the next ``times`` of these commands on one collection; ``failCommand``'s own options.

    https://github.com/mongodb/mongo/wiki/The-failCommand-Fail-Point
    """
    data = {"failCommands": list(commands), "namespace": f"{database.name}.{collection}", **fault}
    async with _failing(client, {"times": times}, data):
        yield


@asynccontextmanager
async def failing_for(
    client: Any, app: str, commands: Sequence[str], mode: dict[str, Any], **fault: Any
) -> AsyncIterator[list[int]]:
    """Let the server fail these commands of the clients that call themselves ``app``; how often, at the end."""
    async with _failing(client, mode, {"failCommands": list(commands), "appName": app, **fault}) as count:
        yield count


@asynccontextmanager
async def _failing(client: Any, mode: dict[str, Any], data: dict[str, Any]) -> AsyncIterator[list[int]]:
    count: list[int] = []
    await client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
    try:
        yield count
    finally:
        count.append((await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"}))["count"])


class Proxy:
    """A TCP proxy to one server, whose connections can be held up and cut."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.delay = 0.0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()
        self.flow()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """Let nothing through any more; connections stay open."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    def go_down(self) -> None:
        """Close every connection, and the new ones at once, until :meth:`come_up`."""
        self._refusing = True
        self.cut()

    def come_up(self) -> None:
        """Let connections in again."""
        self._refusing = False

    def cut(self) -> None:
        """Close every connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there_writer}
        for source, drain in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.ensure_future(self._pump(source, drain))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                drain.write(data)
                await drain.drain()
        except OSError:
            pass
        finally:
            self._open.discard(drain)
            drain.transport.abort()


class ReplyLoss(Proxy):
    """A proxy that loses the ``number``-th reply of the server to a command, and with it the connection.

    The server has carried the command out; nobody is told. Greetings do not count, nor the ends of sessions.
    """

    def __init__(self, host: str, port: int, number: int = 0) -> None:
        super().__init__(host, port)
        self.number, self.count, self.lost = number, 0, ""
        self._asked: dict[int, str] = {}

    async def _pump(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await source.readexactly(16)
                length, request, answers, opcode = struct.unpack("<iiii", head)
                rest = await source.readexactly(length - 16)
                if opcode == _OP_MSG and not answers:
                    self._note(request, rest)
                elif self._is_to_be_lost(answers):
                    break
                drain.write(head + rest)
                await drain.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(drain)
            drain.transport.abort()

    def _note(self, request: int, message: bytes) -> None:
        name = message[10 : message.index(b"\0", 10)].decode()
        if name.lower() not in ("hello", "ismaster", "endsessions"):
            self._asked[request] = name

    def _is_to_be_lost(self, answers: int) -> bool:
        name = self._asked.pop(answers, None)
        self.count += name is not None
        if name is None or self.count != self.number:
            return False
        self.lost = name
        return True


_OP_MSG = 2013


def address(url: str) -> tuple[str, int]:
    """Host and port of a URL with one server."""
    host, _, port = url.removeprefix("mongodb://").partition("/")[0].partition(":")
    return host, int(port)


async def closed(client: Any) -> None:
    """Close a client of either driver; Motor's blocks, and its proxy may live in this loop."""
    closing = await asyncio.to_thread(client.close)
    if closing is not None:
        await closing
