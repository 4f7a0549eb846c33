"""How asyncmig asks for what is its own: with which read and write concern, of which member, and again when it may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from pymongo.errors import ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from asyncmig.drivers.codec import EXACT
from asyncmig.drivers.retry import Backoff, retry
from asyncmig.drivers.transient import is_transient

__all__ = ["MAJORITY", "concerned", "own_documents", "preferring", "read_again"]

T = TypeVar("T")

MAJORITY = WriteConcern("majority")
_TAKES_WRITE_CONCERN = frozenset(
    {"collMod", "convertToCapped", "create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "renameCollection"}
)
_BACKOFF, _RETRIES = Backoff(0.1, 2.0, factor=5.0), 3


async def read_again(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer to what changes nothing; a server that cannot be found was waited for already."""
    return await retry(
        ask,
        _BACKOFF,
        times=_RETRIES,
        is_retryable=lambda error: is_transient(error) and not isinstance(error, ServerSelectionTimeoutError),
    )


def own_documents(database: Any, name: str, codec_options: CodecOptions[Any] = EXACT) -> Any:
    """A collection whose writes are there on a majority of the members, and whose reads see only such."""
    return database.get_collection(
        name,
        codec_options=codec_options,
        read_preference=ReadPreference.PRIMARY,
        write_concern=MAJORITY,
        read_concern=ReadConcern("majority"),
    )


def preferring(*, secondary: bool) -> dict[str, Any]:
    """The option for a command that a secondary may answer."""
    return {"read_preference": ReadPreference.SECONDARY_PREFERRED} if secondary else {}


def concerned(command: Mapping[str, Any], session: Any) -> Mapping[str, Any]:
    """The command, to be done on a majority where it takes a write concern and has none; in a transaction as it is."""
    in_transaction = session is not None and session.in_transaction
    if next(iter(command)) in _TAKES_WRITE_CONCERN and not in_transaction and "writeConcern" not in command:
        return {**command, "writeConcern": {"w": "majority"}}
    return command
