"""An operation that dies at every write of a checkpoint, and is gone on with: each document is done exactly once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asyncmig.data.progress import ProgressHooks
from asyncmig.drivers import driver_for
from asyncmig.operations import ConvertField, DataOperation, Pace, Tally, TransformDocuments, UpdateInBatches
from asyncmig.running.applying.apply import Context, apply

from ..clients import DRIVERS, drop
from .keys import KEYS
from .standalone import opened

PACE = Pace(batch_size=3)


class Death(BaseException):
    """Raised in place of a SIGKILL."""


class Mortal(ProgressHooks):
    """Keeps what was committed; dies at the ``last``-th checkpoint, before or after it is stored."""

    def __init__(self, database: Any) -> None:
        super().__init__(driver_for(database))
        self.last, self.after = -1, False
        self._kept: Any = None
        self._pending: Any = None

    async def former(self) -> Any:
        return self._kept

    async def save(self, checkpoint: Any, session: Any) -> None:
        self.last -= 1
        if self.last == 0 and not self.after:
            raise Death
        self._pending = checkpoint
        if session is None:
            self._store()

    def _store(self) -> None:
        self._kept = self._pending
        if self.last == 0:
            raise Death

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with super().transaction() as session:
            yield session
        self._store()


def plus_one(document: Any) -> Any:
    return document | {"n": document["n"] + 1}


OPERATIONS: dict[str, tuple[DataOperation, Any]] = {
    "update": (UpdateInBatches("c", {}, {"$inc": {"n": 1}}, pace=PACE), 1),
    "update, its filter made false": (UpdateInBatches("c", {"n": 0}, {"$inc": {"n": 1}}, pace=PACE), 1),
    "update, its filter true for ever": (UpdateInBatches("c", {"n": {"$lt": 9}}, {"$inc": {"n": 1}}, pace=PACE), 1),
    "update that may be done twice": (UpdateInBatches("c", {}, {"$set": {"n": 1}}, pace=PACE), 1),
    "update that may be done twice, its filter made false": (
        UpdateInBatches("c", {"n": 0}, {"$set": {"n": 1}}, pace=PACE),
        1,
    ),
    "function": (TransformDocuments("c", {}, plus_one, pace=PACE), 1),
    "function, its filter made false": (TransformDocuments("c", {"n": 0}, plus_one, pace=PACE), 1),
    "function, by an update": (TransformDocuments("c", {}, lambda one: {"$inc": {"n": 1}}, pace=PACE), 1),
    "conversion": (ConvertField("c", "n", "string", from_="int", on_error=str, pace=PACE), "0"),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["replica set", "standalone"])
async def test_dying_at_every_checkpoint(standalone: str, server_url: str, name: str, after: bool, kind: str) -> None:
    operation, expected = OPERATIONS[name]
    async with opened(standalone if kind == "standalone" else server_url, DRIVERS[-1]) as database:
        # every fourth, each time others: what is read and done again grows with their square
        keys = [key for key in KEYS[2 * after :: 4] if type(key).__name__ != "DatetimeMS"]
        documents, deaths = database["c"], 0
        for number in range(1, 100):
            await documents.delete_many({})
            await documents.insert_many([{"_id": key, "n": 0} for key in keys])
            progress = Mortal(database)
            progress.last, progress.after = number, after
            try:
                await apply(operation, Context(driver_for(database), progress=progress))
            except Death:
                deaths += 1
            else:
                break
            result = await apply(operation, Context(driver_for(database), progress=progress))
            found = await documents.find({}, {"_id": 0}).to_list(None)
            assert found == [{"n": expected}] * len(keys), (number, deaths)
            if kind == "replica set":
                assert Tally.read(result).modified == len(keys), number
        assert deaths > 5
        await drop(database.client, database.name)
