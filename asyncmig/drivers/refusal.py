"""What the server says no to: told from what merely went wrong on the way, and answered with advice."""

from __future__ import annotations

from bson.errors import BSONError
from pymongo.errors import InvalidName, OperationFailure, PyMongoError

from asyncmig.drivers.explain import facts
from asyncmig.drivers.transient import is_transient
from asyncmig.errors import AsyncmigError, OperationRefused
from asyncmig.operations import Operation
from asyncmig.operations.advice import advice

__all__ = ["REFUSALS", "is_refusal", "refused"]

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
