"""What the server says no to: told from what merely went wrong on the way, and answered with advice."""

from __future__ import annotations

from typing import Any

from bson.errors import BSONError
from pymongo.errors import BulkWriteError, InvalidName, OperationFailure, PyMongoError

from asyncmig.drivers.transient import is_transient
from asyncmig.errors import AsyncmigError, OperationRefused, reason
from asyncmig.operations import Operation
from asyncmig.operations.advice import advice

__all__ = ["REFUSALS", "facts", "is_refusal", "refused"]

REFUSALS = (OperationFailure, InvalidName, BSONError, OverflowError, ValueError)
"""What a driver raises when the answer is no, its own (a value that BSON does not have) or the server's."""


def is_refusal(error: BaseException) -> bool:
    """Whether the server has decided against it, so that trying again as it is makes no sense.

    Not so for a write concern that was not met (the write was done, its durability is open), for a
    conflict inside a transaction, and for a server that is going down or stepping down.
    """
    if not isinstance(error, REFUSALS) or isinstance(error, AsyncmigError) or is_transient(error):
        return False
    return not (isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"))


def refused(operation: Operation, error: Exception, counsel: str = "") -> OperationRefused:
    """The server's no to ``operation``, in its own words, with what to do about it."""
    code, message, details = facts(error)
    return OperationRefused(operation, code, message, counsel or advice(operation, code), details=details)


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
