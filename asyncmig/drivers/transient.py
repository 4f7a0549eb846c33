"""Transient errors: which of a driver's mean "ask again", for the outcome is unknown or the server changes roles."""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from asyncmig.errors import DriverError

__all__ = ["is_transient", "outcome_is_unknown", "wants_another_transaction"]

_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        64,  # WriteConcernFailed
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        100,  # UnsatisfiableWriteConcern
        112,  # WriteConflict
        134,  # ReadConcernMajorityNotAvailableYet
        189,  # PrimarySteppedDown
        234,  # RetryChangeStream
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether the same request, sent again, may well succeed.

    True for broken connections, elections and unmet write concerns: there the server may or may
    not have done what was asked, so only a request that is safe to repeat may be repeated. Of one of
    our errors its cause is looked at.
    https://www.mongodb.com/docs/manual/reference/error-codes/
    """
    if isinstance(error, DriverError) and error.__cause__ is not None:
        return is_transient(error.__cause__)
    if isinstance(error, BulkWriteError):
        return _bulk_is_transient(error)
    if isinstance(error, (AutoReconnect, WaitQueueTimeoutError, WriteConcernError)):
        return not isinstance(error, DuplicateKeyError)
    return isinstance(error, OperationFailure) and error.code in _CODES


def _bulk_is_transient(error: BulkWriteError) -> bool:
    refused = (error.details or {}).get("writeErrors", [])
    return all(error.get("code") in _CODES for error in refused)  # none at all: a write concern was not met


def wants_another_transaction(error: BaseException) -> bool:
    """Whether the server has aborted a transaction that deserves another try, wherever in the chain that stands."""
    return _is_labelled(error, "TransientTransactionError")


def outcome_is_unknown(error: BaseException) -> bool:
    """Whether a transaction was to be committed, and nobody could tell whether it was."""
    return _is_labelled(error, "UnknownTransactionCommitResult")


def _is_labelled(error: BaseException, label: str) -> bool:
    return any(isinstance(cause, PyMongoError) and cause.has_error_label(label) for cause in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
