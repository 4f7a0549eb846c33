"""Which server the tests run on: ours, unless ``nox -s servers`` names another one.

Mark what depends on the server with ``@pytest.mark.servers``: ``nox -s servers`` runs exactly these, on
each of :data:`SERVERS`. What needs a feature says since when there is one, by featureCompatibilityVersion:
``@pytest.mark.servers(since="6.0")``; on a server below it is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymongo import MongoClient

from asyncmig.testing.server import LocalServer

from .running.replica_set import Members


@dataclass(frozen=True, slots=True)
class Server:
    """``version`` of the program, "" for the one that is found; ``compatibility``: its featureCompatibilityVersion."""

    version: str = ""
    compatibility: str = "6.0"
    members: int = 1

    def supports(self, since: str) -> bool:
        """Whether it has what a version brought."""
        return [int(part) for part in self.compatibility.split(".")] >= [int(part) for part in since.split(".")]


SERVERS = {
    "4.4.2": Server("4.4.2", "4.4"),
    "5.0.4": Server("5.0.4", "5.0"),
    "6.0.27": Server("6.0.27"),
    "6.0.5 as 5.0": Server(compatibility="5.0"),
    "three members": Server(members=3),
}
_NAMED = os.environ.get("ASYNCMIG_TEST_SERVER", "")
SERVER = SERVERS[_NAMED] if _NAMED else Server()


def is_for_another(item: pytest.Item) -> bool:
    """Whether a test is not for the server that is named."""
    marks = list(item.iter_markers("servers"))
    if not _NAMED:
        return False
    return not marks or not all(SERVER.supports(mark.kwargs.get("since", "4.4")) for mark in marks)


@contextmanager
def started() -> Iterator[str]:
    """The URL of that server."""
    if SERVER.members > 1:
        with Members(enableTestCommands="1") as three:
            yield three.url
        return
    mongod = Path(os.environ["ASYNCMIG_TEST_SERVERS"]) / f"mongod-{SERVER.version}" if SERVER.version else None
    with LocalServer(parameters={"enableTestCommands": "1"}, mongod=mongod) as server:
        if _NAMED:
            with MongoClient(server.url) as client:
                client.admin.command("setFeatureCompatibilityVersion", SERVER.compatibility)
                # as it is from 5.0 on: else the tests' own writes are not yet there for a read of the majority
                client.admin.command("setDefaultRWConcern", defaultWriteConcern={"w": "majority"})
        yield server.url
