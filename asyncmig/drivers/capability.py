"""Ask a server what it can do: its feature compatibility version, or else the release that its wire version means."""

from __future__ import annotations

from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.schema.capabilities import UNLIMITED, Server, version_of_wire

__all__ = ["server_of"]


async def server_of(driver: Driver) -> Server:
    """What the server can do. Reading the compatibility version needs clusterMonitor; without it the binary's counts.

    https://www.mongodb.com/docs/manual/reference/command/getParameter/
    """
    try:
        hello = await driver.command({"hello": 1}, admin=True)
    except (UnsupportedByDriver, NotImplementedError, TypeError):  # the mock
        return UNLIMITED
    binary = version_of_wire(int(hello.get("maxWireVersion", 0)))
    is_set = "setName" in hello or hello.get("msg") == "isdbgrid"
    try:
        reply = await driver.command({"getParameter": 1, "featureCompatibilityVersion": 1}, admin=True)
        said = str(reply["featureCompatibilityVersion"]["version"])
        major, _, minor = said.partition(".")
        return Server((int(major), int(minor)), binary, is_set=is_set)
    except (PyMongoError, KeyError, ValueError):
        return Server(binary, binary, is_exact=False, is_set=is_set)
