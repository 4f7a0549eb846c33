"""``createIndexes`` as a build that takes its time: for whom it waits, for how long, and what ends it.

A build goes on in the server when its client is gone: by itself it would end, or not, behind a run
that has stopped. So a run that is cancelled takes the build along, unless it is told to leave it. The
same command, sent again while the build goes on, waits for it and makes no second one: that is how a
run that is resumed attaches to it.

https://www.mongodb.com/docs/manual/core/index-creation/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import anyio
from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.operations import CreateIndexes
from asyncmig.operations.build_progress import MAJORITY
from asyncmig.running.applying.build_state import builds
from asyncmig.running.applying.build_watch import watching
from asyncmig.running.applying.context import Context

__all__ = ["build", "built_together", "end_build", "under_construction"]

_UNKNOWN_FIELD: Final = 40415
_CANCEL_SECONDS: Final = 10.0  # for ending a build that nobody waits for any more


async def build(operation: CreateIndexes, context: Context, indexes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Build the indexes, and return the server's reply; a cancelled build is ended on the server, too."""
    command: dict[str, Any] = {"createIndexes": operation.collection, "indexes": list(indexes)}
    if operation.max_time is not None:
        command["maxTimeMS"] = max(1, int(operation.max_time * 1000))
    quorum, names = await _quorum(operation, context), [index.name for index in operation.indexes]
    mark = uuid4().hex
    if context.driver.has_server:
        command["comment"] = mark
    try:
        async with watching(context.driver, operation.collection, names, mark, context.build, quorum):
            return await _sent(context.driver, command, quorum)
    except anyio.get_cancelled_exc_class():
        if not context.keep_building:
            with anyio.move_on_after(_CANCEL_SECONDS, shield=True), suppress(PyMongoError):
                await end_build(context.driver, operation.collection, names)
        raise


async def _sent(driver: Driver, command: Mapping[str, Any], quorum: str | int | None) -> dict[str, Any]:
    try:
        return await driver.command(command if quorum is None else {**command, "commitQuorum": quorum})
    except OperationFailure as error:
        if error.code != _UNKNOWN_FIELD or "commitQuorum" not in str(error):
            raise
        return await driver.command(command)  # before 4.4 there is no quorum


async def _quorum(operation: CreateIndexes, context: Context) -> str | int | None:
    """What the operation or the settings ask for, else a majority; a standalone refuses any."""
    if not await context.driver.has_transactions():
        return None
    asked = operation.commit_quorum if operation.commit_quorum is not None else context.commit_quorum
    return MAJORITY if asked is None else asked


async def under_construction(driver: Driver, collection: str) -> list[str]:
    """The names of the indexes of a collection that are being built."""
    return [name for name, build in (await builds(driver, collection)).items() if build is not None]


async def built_together(driver: Driver, collection: str, names: Sequence[str]) -> list[str]:
    """Those of ``names`` that are being built, with all that the same builds make: a build is one, and asked for whole.

    In the order in which the server has them, by which it knows a build.
    """
    listed = await builds(driver, collection)
    ours = [build for name, build in listed.items() if name in names and build is not None]
    return [name for name, build in listed.items() if build is not None and build in ours]


async def end_build(driver: Driver, collection: str, names: Sequence[str]) -> list[str]:
    """End the build of those of ``names`` that are being built, together with those of the same build."""
    building = await built_together(driver, collection, names)
    if building:
        await driver.command({"dropIndexes": collection, "index": building})
    return building
