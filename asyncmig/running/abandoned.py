"""Transactions that nobody will end any more: their client was killed, and the server does not know it.

Such a transaction keeps its locks until its time is over, a minute by default; whoever comes to the
same documents waits for that. What it has written was never committed, so to end it loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Driver

__all__ = ["end_sessions"]

_log = logging.getLogger("asyncmig")


async def end_sessions(driver: Driver, sessions: Sequence[Mapping[str, Any]]) -> None:
    """End these sessions, and so their transactions; where the server refuses, time will do it.

    A user may end sessions of their own without any privilege.
    https://www.mongodb.com/docs/manual/reference/command/killSessions/
    """
    if not sessions:
        return
    try:
        await driver.command({"killSessions": [{"id": session["id"]} for session in sessions]}, admin=True)
    except PyMongoError as error:
        _log.debug("sessions of a former run could not be ended: %s", error)
