"""``Members``: a replica set of three, whose primary steps down or dies when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from asyncmig.testing.server import LocalServer

_SETTINGS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
_PATIENCE = 300.0  # seconds


class Members:
    """Three servers, with these server parameters. ``elections``: how often the primary was made to go."""

    def __init__(self, **parameters: str) -> None:
        self._stack, self._parameters = ExitStack(), parameters
        self.elections = 0

    def __enter__(self) -> Self:
        options: dict[str, Any] = {"args": ["--replSet=three", "--oplogSize=32"], "parameters": self._parameters}
        alone = [LocalServer(replset=False, **options) for _ in range(3)]
        self._servers = [self._stack.enter_context(one) for one in alone]
        hosts = [f"127.0.0.1:{one.port}" for one in self._servers]
        members = [{"_id": number, "host": host} for number, host in enumerate(hosts)]
        with MongoClient[dict[str, Any]](self._servers[0].url) as client:
            client.admin.command("replSetInitiate", {"_id": "three", "members": members, "settings": _SETTINGS})
        self.url = f"mongodb://{','.join(hosts)}/?replicaSet=three"
        self.client = self._stack.enter_context(MongoClient[dict[str, Any]](self.url))
        self.client.admin.command("ping")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def servers(self) -> list[LocalServer]:
        """The three, whoever is primary."""
        return list(self._servers)

    @property
    def secondary(self) -> LocalServer:
        """One that is not the primary just now."""
        primary = self.patiently(lambda: self.client.admin.command("hello"))["primary"]
        return next(one for one in self._servers if f"127.0.0.1:{one.port}" != primary)

    @contextmanager
    def direct(self, server: LocalServer) -> Iterator[MongoClient[dict[str, Any]]]:
        """A client of this member alone."""
        with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{server.port}/?directConnection=true") as client:
            yield client

    @contextmanager
    def stopped(self, server: LocalServer) -> Iterator[None]:
        """The member answers nothing any more, until the block ends."""
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(server.pid, signal.SIGCONT)

    def depose(self, how: str) -> None:
        """Let the primary ``step down``, or ``die`` and come back; whether another is elected is not waited for."""
        with suppress(PyMongoError):  # there is none at this moment
            if how == "step down":
                self.client.admin.command({"replSetStepDown": 2, "secondaryCatchUpPeriodSecs": 1, "force": True})
            elif (primary := self.client.primary) is not None:
                (server,) = [one for one in self._servers if one.port == primary[1]]
                server.kill()
                time.sleep(0.3)
                server.start()
            self.elections += 1

    def patiently(self, work: Any) -> Any:
        """What ``work`` gives, as soon as there is a primary to ask."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return work()
            except AutoReconnect:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
