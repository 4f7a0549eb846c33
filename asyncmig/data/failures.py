"""Documents that could not be changed: why, and where that is written down."""

from __future__ import annotations

import re
import traceback
from typing import Any

from bson import MaxKey, MinKey
from pymongo.errors import PyMongoError

from asyncmig.data.progress import ProgressHooks
from asyncmig.data.task import Fault
from asyncmig.drivers.base import Document
from asyncmig.drivers.explain import facts
from asyncmig.errors import OperationRefused
from asyncmig.operations import Operation, Tally
from asyncmig.operations.advice import advice
from asyncmig.printable import plural

__all__ = ["OUR_WORDS", "collect", "fault_of", "forget", "refusal_of"]

OUR_WORDS = "asyncmig: "
"""What a pipeline of ours says when it stops on purpose begins so; the server puts words of its own around it."""

_SAID = re.compile(rf"{OUR_WORDS}(.*?) \(\w+\)' in \$convert")
_MAX_TRACEBACK_CHARACTERS = 10_000  # of a traceback that are kept


def fault_of(key: Any, cause: Exception) -> Fault:
    """The fault of one document: what the server, or the function, has said."""
    if isinstance(cause, PyMongoError):
        code, message, details = facts(cause)
        said = _SAID.search(message)
        return Fault(key, cause, None if said else code, said[1] if said else message, details)
    text = "".join(traceback.format_exception(cause))[-_MAX_TRACEBACK_CHARACTERS:]
    return Fault(key, cause, None, f"{type(cause).__name__}: {cause}", {"traceback": text})


def refusal_of(operation: Operation, fault: Fault, tally: Tally | None) -> OperationRefused:
    """The error that stops an operation at a document; ``tally``: what is kept, None where everything is undone."""
    kept = "nothing of it is done" if tally is None else _kept(tally.matched)
    counsel = advice(operation, fault.code)
    return OperationRefused(
        operation,
        fault.code,
        f"the document with _id {fault.key!r}: {fault.message}",
        "\n  ".join(part for part in (counsel, kept, str(fault.details.get("traceback", ""))) if part),
        details={**fault.details, "_id": fault.key},
    )


async def collect(progress: ProgressHooks, fault: Fault, operation: Operation, session: Any) -> bool:
    """Write a failure down; whether it was not known yet."""
    where = progress.driver.collection(progress.failures)
    entry: Document = {
        "collection": operation.collection,
        "operation": operation.describe(),
        "code": fault.code,
        "message": fault.message,
        "traceback": fault.details.get("traceback"),
    }
    done = await where.update_one(
        {"_id": progress.failure_key(fault.key)},
        {"$set": entry, "$currentDate": {"at": True}},
        upsert=True,
        session=session,
    )
    return done.upserted_id is not None


async def forget(progress: ProgressHooks) -> None:
    """Take away what was written down when the same operation ran to its end before, and was reverted since."""
    first, last = (progress.failure_key(key) for key in (MinKey(), MaxKey()))
    await progress.driver.collection(progress.failures).delete_many(
        {"_id": {"$gte": first, "$lte": last}}, session=progress.session
    )


def _kept(number: int) -> str:
    done = "is done, and stays so" if number == 1 else "are done, and stay so"
    return f"{number:,} {plural(number, 'document')} before it {done}"
