"""``Members``: a replica set of three, whose primary steps down or dies when it is told to."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from asyncmig.testing.server import LocalServer

_SETTINGS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
_PATIENCE = 60.0  # seconds


class Members:
    """Three servers. ``elections``: how often the primary was made to go."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.elections = 0

    def __enter__(self) -> Self:
        alone = [LocalServer(replset=False, args=["--replSet=three", "--oplogSize=32"]) for _ in range(3)]
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
