"""What the server tells of an index build that goes on: its operation, who has voted, which members are down.

The operation of the client only waits; what carries the progress is a thread of the server's, in
``$currentOp`` of all users. A user who may not ask for that (it takes ``inprog``) learns that it is so.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/
https://www.mongodb.com/docs/manual/core/index-creation/#index-builds-in-replicated-environments
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.drivers.base import Document, Driver

__all__ = ["Seen", "builds", "members_down", "missing_votes", "read_build"]

_NOT_ALLOWED: Final = (13, 8000)  # Unauthorized, and what Atlas says instead
_NOT_FOUND: Final = 26
_UP: Final = ("PRIMARY", "SECONDARY", "ARBITER")
_THREAD: Final = "^IndexBuildsCoordinator"


@dataclass(frozen=True, slots=True)
class Seen:
    """One read_build: ``thread`` is the server's operation that builds, ``client`` the one that waits for it."""

    thread: Document | None = None
    client: Document | None = None
    is_allowed: bool = True


async def read_build(driver: Driver, collection: str, names: Sequence[str], mark: str) -> Seen:
    """What ``$currentOp`` shows of the build that carries ``mark``, or builds one of these indexes.

    Raises PyMongoError, unless it says that this user may not ask.
    """
    namespace = f"{driver.database.name}.{collection}"
    wanted = {"ns": namespace, "$or": [{"desc": {"$regex": _THREAD}}, {"command.createIndexes": collection}]}
    command = {"aggregate": 1, "pipeline": [{"$currentOp": {"allUsers": True}}, {"$match": wanted}]}
    try:
        operations = await driver.read(command, admin=True)
    except OperationFailure as error:
        if error.code not in _NOT_ALLOWED:
            raise
        return Seen(is_allowed=False)
    threads = [
        operation for operation in operations if str(operation.get("desc", "")).startswith("IndexBuildsCoordinator")
    ]
    clients = [operation for operation in operations if operation not in threads and _mark(operation) == mark]
    return Seen(_ours(threads, names, mark), clients[0] if clients else None)


async def builds(driver: Driver, collection: str) -> dict[str, Any]:
    """The indexes of a collection by name, with the id of the build that is making them; None of those that are there.

    https://www.mongodb.com/docs/manual/reference/command/listIndexes/
    """
    try:
        listed = await driver.read({"listIndexes": collection, "includeBuildUUIDs": True})
    except OperationFailure as error:
        if error.code != _NOT_FOUND:
            raise
        return {}
    return {str(row.get("spec", row)["name"]): row.get("buildUUID") for row in listed}


def _ours(threads: Sequence[Document], names: Sequence[str], mark: str) -> Document | None:
    """The one that was begun by our command; else the one that builds the same, which our command waits for."""
    marked = [thread for thread in threads if _mark(thread) == mark]
    alike = [thread for thread in threads if not _names(thread) or not _names(thread).isdisjoint(names)]
    return next(iter([*marked, *alike]), None)


def _mark(operation: Mapping[str, Any]) -> Any:
    comment = (operation.get("command") or {}).get("comment")
    return comment.get("comment", comment) if isinstance(comment, Mapping) else comment


def _names(operation: Mapping[str, Any]) -> set[str]:
    indexes = (operation.get("command") or {}).get("indexes") or ()
    return {str(index.get("name")) for index in indexes if isinstance(index, Mapping)}


async def missing_votes(driver: Driver, names: Sequence[str]) -> tuple[tuple[str, ...], str | int | None] | None:
    """The members that have not built the indexes, and the quorum; None where the server, or this user, cannot tell.

    None, too, as long as this member itself has not: then nobody is waited for.
    """
    config = driver.database.client["config"]
    command: Document = {"find": "system.indexBuilds", "filter": {"indexNames": {"$in": list(names)}}, "limit": 1}
    try:
        builds = (await config.command(command))["cursor"]["firstBatch"]
        ready = builds[0].get("commitReadyMembers", ()) if builds else ()
        hello = await driver.command({"hello": 1}, admin=True)
        if hello.get("me") not in ready:
            return None
        voting = await _voting(driver, hello)
    except PyMongoError:
        return None
    return tuple(member for member in voting if member not in ready), builds[0].get("commitQuorum")


async def _voting(driver: Driver, hello: Document) -> list[str]:
    """The members that build indexes and vote; without the configuration, all that have documents."""
    try:
        config = (await driver.command({"replSetGetConfig": 1}, admin=True))["config"]
    except OperationFailure:
        return [*hello.get("hosts", ()), *hello.get("passives", ())]
    members = config["members"]
    builders = [member for member in members if member.get("votes", 1) and member.get("buildIndexes", True)]
    return [member["host"] for member in builders if not member.get("arbiterOnly")]


async def members_down(driver: Driver) -> dict[str, str]:
    """By name, the state of each member that does not answer, or answers no queries.

    The set's own word on it takes clusterMonitor; without that, what the driver itself has found.
    """
    try:
        members = (await driver.command({"replSetGetStatus": 1}, admin=True))["members"]
    except PyMongoError:
        return _unknown_to_driver(driver)
    return {
        member["name"]: str(member.get("stateStr", "down")).strip("()")
        for member in members
        if member.get("stateStr") not in _UP or not member.get("health", 1)
    }


def _unknown_to_driver(driver: Driver) -> dict[str, str]:
    known = driver.database.client.topology_description.server_descriptions().values()
    down = [member for member in known if str(member.server_type_name) == "Unknown"]
    return {f"{member.address[0]}:{member.address[1]}": "does not answer" for member in down}
