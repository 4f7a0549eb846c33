"""A proxy that makes a server look far away, for the benchmarks: ``python benchmarks/proxy.py HOST PORT SECONDS``.

Every piece of data arrives so many seconds after it was sent, each way, in order, however many are
under way: a long line, not a thin one. Prints the port that it listens on, and runs until its input
ends, in a process of its own so that it takes no time from what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

__all__ = ["far_away"]


@contextlib.contextmanager
def far_away(host: str, port: int, seconds: float) -> Iterator[int]:
    """The port of a proxy to a server, in a process that ends with the block."""
    command = [sys.executable, __file__, host, str(port), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class Line(asyncio.Protocol):
    """One end of a connection: what it receives is written to the other end, later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: list[bytes] = []
        self._other: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def join(self, other: asyncio.Transport) -> None:
        """Send what comes, and what has come, to the other end."""
        self._other = other
        for data in self._waiting:
            self._send(data)

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._waiting.append(data)
        else:
            self._send(data)

    def _send(self, data: bytes) -> None:
        assert self._other is not None
        asyncio.get_running_loop().call_later(self._seconds, self._other.write, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._other is not None:
            self._other.close()


async def main(host: str, port: int, seconds: float) -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    joining: set[asyncio.Task[None]] = set()

    async def join(near: Line) -> None:
        transport, far = await loop.create_connection(lambda: Line(seconds), host, port)
        assert near.transport is not None
        far.join(near.transport)
        near.join(transport)

    def accepted() -> Line:
        near = Line(seconds)
        joining.add(task := asyncio.ensure_future(join(near)))
        task.add_done_callback(joining.discard)
        return near

    server = await loop.create_server(accepted, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
