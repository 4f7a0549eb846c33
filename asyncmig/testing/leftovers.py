"""What tests leave behind on the server, and what stands in the way of the next one."""

from __future__ import annotations

from typing import Any

from pymongo.errors import PyMongoError

from asyncmig.drivers import driver_for
from asyncmig.running.abandoned import end_sessions

__all__ = ["OURS", "end_transactions"]

OURS = "asyncmig-tests-"
"""What the ``appname`` of the clients of a test session begins with; a unique part follows."""


async def end_transactions(client: Any, name: str) -> int:
    """End the open transactions of clients of that ``appname``, one of ours; returns how many there were.

    A transaction that nobody ends keeps its locks for a minute. Does nothing where the user may not ask.
    https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/
    """
    if not name.startswith(OURS):
        return 0
    stages = [
        {"$currentOp": {"idleSessions": True}},
        {"$match": {"appName": name, "transaction": {"$exists": True}, "lsid": {"$exists": True}}},
    ]
    try:
        sessions = [session["lsid"] async for session in await client.admin.aggregate(stages)]
    except PyMongoError:
        return 0
    await end_sessions(driver_for(client.admin), sessions)
    return len(sessions)
