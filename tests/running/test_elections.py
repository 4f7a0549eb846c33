"""A replica set of three elects another primary in the middle of a run: the run goes on, and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asyncmig.drivers.real import maybe
from asyncmig.errors import AsyncmigError
from asyncmig.events import DataProgress, Event, OperationFinished, OperationStarted

from ..clients import CLIENTS, DRIVERS, taking_turns
from .database_snapshot import sync_snapshot
from .history_files import History, states
from .replica_set import Members
from .sample_histories import many, transforming, twelve, updating

ROUNDS = 10 if os.environ.get("ASYNCMIG_CHAOS") else 1  # `nox -s chaos` sets it
DOCUMENTS = 20_000


@pytest.fixture(scope="module")
def members() -> Iterator[Members]:
    with Members() as three:
        yield three


@pytest.fixture
def name() -> str:
    return f"elected_{uuid.uuid4().hex[:12]}"


async def upgraded(members: Members, history: History, name: str, driver: str, hear: Callable[[Event], None]) -> None:
    client = CLIENTS[driver](members.url)
    try:
        await history.runner(client[name], wait=60, on_event=hear).upgrade()
        assert set((await states(client[name])).values()) == {"applied"}
    finally:
        await maybe(client.close())


@pytest.mark.parametrize("how", ["step down", "die"])
@pytest.mark.parametrize(
    ("driver", "kind", "at"),
    [(DRIVERS[0], OperationStarted, "r03"), (DRIVERS[-1], OperationFinished, "r06")],
)
async def test_in_the_middle_of_a_history(
    members: Members, tmp_path: Path, name: str, how: str, driver: str, kind: type[Event], at: str
) -> None:
    history = twelve(tmp_path / "history")
    await upgraded(members, history, f"{name}_calm", driver, lambda event: None)
    deposing: list[asyncio.Task[None]] = []

    def hear(event: Event) -> None:
        if isinstance(event, kind) and event.revision.revision == at and not deposing:  # type: ignore[attr-defined]
            deposing.append(asyncio.ensure_future(asyncio.to_thread(members.depose, how)))

    await upgraded(members, history, name, driver, hear)
    await deposing[0]
    assert members.patiently(lambda: sync_snapshot(members.client[name])) == sync_snapshot(
        members.client[f"{name}_calm"]
    )


@pytest.mark.parametrize(
    ("make", "driver", "how"), [(updating, DRIVERS[0], "step down"), (transforming, DRIVERS[-1], "die")]
)
async def test_in_the_middle_of_the_documents(
    members: Members, tmp_path: Path, name: str, make: Callable[[Path], History], driver: str, how: str
) -> None:
    """x + 1, which must not be done twice."""
    documents = members.client[name]["c"]
    members.patiently(lambda: documents.insert_many([{"_id": key, "n": key} for key in range(DOCUMENTS)]))
    deposing: list[asyncio.Task[None]] = []

    def hear(event: Event) -> None:
        if isinstance(event, DataProgress) and not deposing:
            deposing.append(asyncio.ensure_future(asyncio.to_thread(members.depose, how)))

    await upgraded(members, make(tmp_path / "history"), name, driver, hear)
    await deposing[0]
    found = members.patiently(lambda: [(one["_id"], one["n"]) for one in documents.find().sort("_id")])
    assert found == [(key, key + 1) for key in range(DOCUMENTS)]


@pytest.mark.chaos
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", ["step down", "die"])
@pytest.mark.parametrize("make", [twelve, many])
async def test_again_and_again(
    members: Members, tmp_path: Path, name: str, make: Callable[[Path], History], how: str
) -> None:
    """An election every second or two; running `upgrade` again, where it gave up, gets to the end."""
    history = make(tmp_path / "history")
    await upgraded(members, history, f"{name}_calm", DRIVERS[-1], lambda event: None)
    calm = members.patiently(lambda: sync_snapshot(members.client[f"{name}_calm"]))
    for number in range(ROUNDS):
        one = f"{name}_{number}"
        storm = asyncio.ensure_future(_storm(members, how))
        for _ in range(30):
            try:
                await upgraded(members, history, one, taking_turns(number), lambda event: None)
            except AsyncmigError:
                continue
            break
        storm.cancel()
        await asyncio.wait([storm])
        assert members.patiently(lambda one=one: sync_snapshot(members.client[one])) == calm
    assert members.elections > 0


async def _storm(members: Members, how: str) -> None:
    while True:
        await asyncio.sleep(random.uniform(0.02, 2.0))
        await asyncio.shield(asyncio.to_thread(members.depose, how))
