"""What a driver's error means to whoever has to do something about it: what, where, and what to do.

Drivers speak of topologies and time-outs. :func:`explaining` turns that into one of our errors, with
the driver's own as its cause; no message holds more of a URL than host and port.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from asyncmig.drivers.base import Driver
from asyncmig.errors import DriverError, ServerUnreachable, reason

__all__ = ["explained", "explaining", "facts", "no_primary"]

_NOT_ALLOWED = (13, 8000)  # Unauthorized, and what Atlas says instead
_WRONG_PASSWORD = 18
_NO_MAJORITY = (64, 100)


@contextmanager
def explaining(driver: Driver, doing: str) -> Iterator[None]:
    """A block whose driver's errors leave it as DriverError; ``doing`` is what was to be done: "reading wallet"."""
    try:
        yield
    except PyMongoError as error:
        raise explained(error, driver, doing) from error


def explained(error: PyMongoError, driver: Driver, doing: str) -> DriverError:
    """The error to raise in its place; ServerUnreachable where nobody answers."""
    where, name = driver.hosts, driver.database.name
    task = f"{doing} (database {name} at {', '.join(where)})"
    if cause := no_primary(error, driver.database.client):
        return DriverError(f"{task}: {cause}")
    if isinstance(error, ServerSelectionTimeoutError):
        seconds = float(driver.database.client.options.server_selection_timeout)
        return ServerUnreachable(where, seconds, f"{doing}; {reason(str(error))}")
    if isinstance(error, ConnectionFailure):
        return DriverError(
            f"{task}: the connection broke: {reason(str(error))}. "
            "What was sent may have been done; once the server answers again, run the same command again"
        )
    if isinstance(error, OperationFailure):
        return DriverError(f"{task}: {_refusal(error, name)}")
    return DriverError(f"{task}: {type(error).__name__}: {reason(str(error))}")


def no_primary(error: Exception, client: Any) -> str:
    """Why a replica set that answers takes no commands; empty where that is not the trouble."""
    if not isinstance(error, ServerSelectionTimeoutError | NotPrimaryError):
        return ""
    servers = client.topology_description.server_descriptions().values()
    kinds = {str(server.server_type_name) for server in servers}
    if "RSGhost" in kinds:
        return (
            "the server is a member of a replica set that has not been initiated, or is only starting: "
            "run rs.initiate() on it once (mongosh --eval 'rs.initiate()')"
        )
    if isinstance(error, NotPrimaryError) and kinds <= {"RSSecondary", "RSOther"}:
        return (
            "the server is not the primary of its replica set, and the URL leads to it alone: leave directConnection "
            "out of the URL, or connect to the primary"
        )
    if kinds & {"RSSecondary", "RSOther", "RSArbiter"} and "RSPrimary" not in kinds:
        return "the replica set has no primary: an election is under way, or too few members are there; see rs.status()"
    return ""


def _refusal(error: OperationFailure, name: str) -> str:
    code, said, _ = facts(error)
    if code in _NOT_ALLOWED:
        said = said.partition(" to execute command")[0]  # the command is ours, and may be long
        return (
            f"the server does not allow it: {said}. Give the user the role dbOwner on {name}, or readWrite and "
            "dbAdmin; to look only (`status`, `current`, `check`), read is enough"
        )
    if code == _WRONG_PASSWORD:
        return "the server refused the user name or the password; check both, and authSource in the URL"
    if isinstance(error, WriteConcernError) or code in _NO_MAJORITY:
        return (
            f"the write was done, and no majority of the replica set has confirmed it: {said}. "
            "See rs.status(), and run the same command again once enough members are there"
        )
    return f"the server refused it (code {code}): {said}"


def facts(error: Exception) -> tuple[int | None, str, dict[str, Any]]:
    """Code, words and details of a driver's error."""
    if isinstance(error, BulkWriteError):
        details = dict(error.details or {})
        first = next(iter([*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]), details)
        return first.get("code", error.code), first.get("errmsg") or reason(str(error)), dict(first)
    if isinstance(error, OperationFailure):
        details = dict(error.details or {})
        return error.code, details.get("errmsg") or reason(str(error)), details
    return None, str(error), {}
