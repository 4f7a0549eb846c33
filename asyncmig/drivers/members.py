"""Each member of a replica set asked on its own, for what it counts for itself, as the uses of an index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_preferences import ReadPreference

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.codec import encoded
from asyncmig.drivers.own_connection import options

__all__ = ["NEAREST", "read_each_member"]

NEAREST: Mapping[str, Any] = {"read_preference": ReadPreference.NEAREST}
_ANSWER_SECONDS = 5.0  # for one member
_WITHOUT_DATA = frozenset({"RSArbiter", "RSGhost", "RSOther"})

Ask = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[Document]]
"""What a client of its own is to have, and a command: the reply of the member that this client leads to."""
Answer = list[Document] | OperationFailure | None


async def read_each_member(driver: Driver, command: Mapping[str, Any], ask: Ask) -> dict[str, list[Document] | None]:
    """As ``driver.read``, by each member that has data; None for one that does not answer.

    Where no client can be made for a member, the primary alone answers, through the caller's client.
    Raises OperationFailure where members refuse it, and none has anything to say.
    """
    known = driver.database.client.topology_description
    if known.topology_type_name == "Single" or len(known.server_descriptions()) < 2:
        return {driver.hosts[0] if driver.hosts else "this server": await driver.read(command)}
    answers: dict[str, Answer] = {
        f"{address[0]}:{address[1]}": await _answer(driver, command, ask, address, str(member.server_type_name))
        for address, member in known.server_descriptions().items()
        if str(member.server_type_name) not in _WITHOUT_DATA
    }
    given = {name: answer for name, answer in answers.items() if not isinstance(answer, OperationFailure)}
    refusals = [answer for answer in answers.values() if isinstance(answer, OperationFailure)]
    if refusals and not any(given.values()):
        raise refusals[-1]
    return given


async def _answer(driver: Driver, command: Mapping[str, Any], ask: Ask, address: tuple[str, int], kind: str) -> Answer:
    try:
        reply = await ask(
            _options(driver.database.client.options, address), encoded(command, driver.database.codec_options)
        )
        batch: list[Document] = reply["cursor"]["firstBatch"]
    except OperationFailure as refusal:
        return refusal
    except PyMongoError:
        return None
    except (AttributeError, TypeError):  # this PyMongo copies no client
        return await driver.read(command) if kind == "RSPrimary" else None
    return batch


def _options(client_options: Any, address: tuple[str, int]) -> Mapping[str, Any]:
    """What a client has of its own that talks to one member alone, found through the set as the caller's is."""

    def only(servers: Any) -> Any:
        return [server for server in servers if server.address == address]

    return {**options(client_options, _ANSWER_SECONDS), "maxPoolSize": 1, "server_selector": only}
