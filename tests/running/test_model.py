"""The engine beside a model of it: what hypothesis does to both, in any order, ends with the same documents.

Runs go up and down by two runners and more; each may die, or be stopped while the others go on, at any position
(``positions.py``); the clock goes past a lease; a stopped one continues; what is not done yet of a revision is
edited; the application writes. Whenever the ledger has nothing half-done, the database is what the model says.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from asyncmig.errors import AsyncmigError, LockLost, LockTimeout

from ..clients import CLIENTS, DRIVERS
from .history_files import History
from .model import KINDS, Change, Contents, beginning
from .positions import told

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it
EXAMPLES, STEPS = (150, 25) if CHAOS else (4, 8)
REVISIONS = 3
LEASE = 300.0  # seconds; it ends when a test says so
LAST_POSITION = 900
_RUNNER: ContextVar[Process | None] = ContextVar("_RUNNER", default=None)


class Process:
    """A runner that can be stopped at a position, and go on; ``position``: 0 for one that is not."""

    def __init__(self, runner: Any, direction: str, target: str, position: int) -> None:
        self._position, self._count, self._within = position, 0, 0
        self.direction, self.target = direction, target
        self.stopped, self._gate = asyncio.Event(), asyncio.Event()
        self._runner, self.leases = runner, list[Any]()
        made = runner._lock._lease
        runner._lock._lease = lambda *known: self._kept(made(*known))
        self.task = asyncio.ensure_future(self._run())

    def _kept(self, lease: Any) -> Any:
        self.leases.append(lease)
        return lease

    async def _run(self) -> None:
        _RUNNER.set(self)
        await getattr(self._runner, self.direction)(self.target)

    def reached(self, name: str) -> Any:
        """Stop there, if it is time; not between the moment in which a write is dated and its sending."""
        self._within += {"before Ledger._put": 1, "after Ledger._put": -1}.get(name, 0)
        if name == "before Ledger._send":
            self._within = 0
        self._count += bool(self.leases)
        if self._position and self._count == self._position:
            self.stopped.set()
        if self.stopped.is_set() and not self._gate.is_set() and not self._within:
            return self._gate.wait()
        return None

    async def until_stopped(self) -> None:
        """Until it has stopped, or ended."""
        stopping = asyncio.ensure_future(self.stopped.wait())
        await asyncio.wait([stopping, self.task], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.sleep(0.02)  # what it has sent comes to its end

    async def go_on(self) -> BaseException | None:
        """Until it has ended; what it has raised."""
        self._gate.set()
        await asyncio.wait([self.task])
        return self.task.exception()

    def let_time_pass(self) -> None:
        """Its lease is over by its own clock."""
        for lease in self.leases:
            lease._due -= 2 * LEASE
            lease._deadline -= 2 * LEASE
            lease.expires_at -= timedelta(seconds=2 * LEASE)


def _reached(name: str) -> Any:
    process = _RUNNER.get()
    return process.reached(name) if process is not None else None


class World:
    """An event loop of the model's own, with a client of each driver in it."""

    def __init__(self, url: str, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self.folder, self.clients = folder, {name: self.do(self._client(name, url)) for name in DRIVERS}
        self.processes: list[Process] = []

    async def _client(self, name: str, url: str) -> Any:
        return CLIENTS[name](url)

    def do(self, work: Any) -> Any:
        return self._runner.run(work)

    def close(self) -> None:
        async def close() -> None:
            for process in self.processes:  # where a test has failed, some are stopped still
                process.let_time_pass()
                await process.go_on()
            for client in self.clients.values():
                closing = client.close()
                if closing is not None:
                    await closing

        self.do(close())
        self._runner.close()


@pytest.fixture(scope="module")
def world(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(server_url, tmp_path_factory.mktemp("histories"))
    with told(_reached):
        yield made
    made.close()


POSITIONS = st.integers(1, LAST_POSITION)
TARGETS = st.integers(0, REVISIONS)
SOME = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3)


class Engine(RuleBasedStateMachine):
    """No rule has a precondition: on a busy machine a run may stop elsewhere, and what is drawn must not differ.

    ``applied``: how many revisions are, by the model. ``half``: the one that has stopped half-way, if any.

    ``was_cut_short``: half an upgrade was taken back, so that nobody knows of what has no way back.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.numbers = world, count(2)
        self.history = History(world.folder / uuid.uuid4().hex[:12])
        self.changes: list[list[Change]] = []
        self.contents, self.applied = beginning(), 0
        self.half: int | None = None
        self.was_cut_short = False
        self.stopped: list[Process] = []
        self.dead: list[Process] = []

    @initialize(driver=st.sampled_from(DRIVERS), chosen=st.lists(SOME, min_size=REVISIONS, max_size=REVISIONS))
    def begin(self, driver: str, chosen: list[list[str]]) -> None:
        self.database = self.world.clients[driver][f"model_{uuid.uuid4().hex[:12]}"]
        self.changes = [self._made(kinds) for kinds in chosen]
        for number in range(REVISIONS):
            self._write(number)
        self.world.do(self._fill())

    def _made(self, kinds: list[str]) -> list[Change]:
        return [Change(kind, next(self.numbers)) for kind in kinds]

    async def _fill(self) -> None:
        for name, documents in self.contents.items():
            await self.database[name].insert_many([{"_id": key, **value} for key, value in documents.items()])

    def _write(self, number: int) -> None:
        changes = self.changes[number]
        up, down = (one.up for one in changes), (one.down for one in reversed(changes))
        self.history.add(f"r{number + 1}", "\n".join(up), "\n".join(down))

    # -- runs ---------------------------------------------------------------------------------------

    @rule(goal=TARGETS)
    def run(self, goal: int) -> None:
        """Undisturbed; where a stopped one holds the lock, it is refused."""
        self.world.do(self._whole(goal))

    @rule(goal=TARGETS, position=POSITIONS)
    def die(self, goal: int, position: int) -> None:
        """By SIGKILL; its lease ends."""
        self.world.do(self._cut_short(goal, position, self.dead))
        self.world.do(self._end_leases())

    @rule(goal=TARGETS, position=POSITIONS)
    def stop(self, goal: int, position: int) -> None:
        """By SIGSTOP, while its lease goes on."""
        self.world.do(self._cut_short(goal, position, self.stopped))

    @rule()
    def let_time_pass(self) -> None:
        """Past every lease."""
        if self.stopped:
            self.world.do(self._end_leases())

    @rule(which=st.integers(0, 5))
    def go_on(self, which: int) -> None:
        """A stopped one: it comes to its end, or has lost the lock and changes nothing more."""
        if self.stopped:
            self.world.do(self._continue(self.stopped.pop(which % len(self.stopped))))

    async def _start(self, target: int, position: int = 0) -> Process:
        """A run from wherever the ledger is to that many revisions."""
        here = len(await self._ledger())
        direction = "upgrade" if target > here or (target == here and self.half is not None) else "downgrade"
        runner = self.history.runner(self.database, lease=LEASE, wait=0)
        process = Process(runner, direction, f"r{target}" if target else "base", position)
        self.world.processes.append(process)
        return process

    async def _whole(self, target: int) -> None:
        process = await self._start(target)
        await asyncio.wait([process.task])
        error = process.task.exception()
        if isinstance(error, LockTimeout):
            assert self.stopped
            return
        await self._settle(error)

    async def _cut_short(self, target: int, position: int, into: list[Process]) -> None:
        process = await self._start(target, position)
        await process.until_stopped()
        if not process.task.done():
            into.append(process)
        elif not isinstance(error := process.task.exception(), LockTimeout):
            await self._settle(error)
            return
        await self._look()

    async def _continue(self, process: Process) -> None:
        token = await self._token()
        has_lost = bool(process.leases) and process.leases[-1].token != token
        before = await self._everything()
        error = await process.go_on()
        if has_lost and isinstance(error, LockLost):
            assert await self._everything() == before
        elif has_lost:
            assert error is None, error
            assert await self._everything() == before
        else:
            await self._settle(error)

    async def _end_leases(self) -> None:
        await self.database["asyncmig_lock"].update_one(
            {"owner": {"$ne": None}}, [{"$set": {"expires_at": {"$subtract": ["$$NOW", 1000]}}}]
        )
        for process in [*self.stopped, *self.dead]:
            process.let_time_pass()

    # -- what else happens --------------------------------------------------------------------------

    @rule(kinds=SOME)
    def edit(self, kinds: list[str]) -> None:
        """What is not begun of the revision that has stopped half-way on its way up."""
        self.world.do(self._edit(kinds))

    async def _edit(self, kinds: list[str]) -> None:
        if self.half is None:
            return
        record = (await self._ledger()).get(f"r{self.half + 1}")
        if record is None or record["direction"] != "upgrade" or self.stopped:
            return
        begun = len(record["journal"])
        changes, kept = self.changes[self.half], list[Change]()
        for change in changes:
            if begun <= 0:
                break
            kept.append(change)
            begun -= change.up.count("await ")
        self.changes[self.half] = [*kept, *self._made(kinds)]
        self._write(self.half)

    @rule(key=st.integers(100, 110))
    def write(self, key: int) -> None:
        """What an application does to a database that is where it should be."""
        if self.half is None:
            self.world.do(self._application(key))

    async def _application(self, key: int) -> None:
        for name, document in (("d", {"n": key, "tags": ["x"]}), ("t", {"new": key})):
            self.contents[name][key] = dict(document)
            await self.database[name].replace_one({"_id": key}, document, upsert=True)

    # -- what is seen -------------------------------------------------------------------------------

    async def _ledger(self) -> dict[str, Any]:
        return {one["_id"]: one async for one in self.database["asyncmig_revisions"].find().sort("_id")}

    async def _token(self) -> int:
        document = await self.database["asyncmig_lock"].find_one()
        return int(document["token"]) if document else 0

    async def _contents(self) -> Contents:
        names = sorted(name for name in await self.database.list_collection_names() if not name.startswith("asyncmig_"))
        return {name: {one.pop("_id"): one async for one in self.database[name].find()} for name in names}

    async def _everything(self) -> Any:
        return await self._contents(), await self._ledger()

    async def _settle(self, error: BaseException | None) -> None:
        """After a run that has come to its end, or was refused."""
        if error is not None:
            assert isinstance(error, AsyncmigError), error
            assert self.half is not None or (await self._ledger_half()) is not None, error
        await self._look()

    async def _ledger_half(self) -> int | None:
        half = [name for name, record in (await self._ledger()).items() if record["state"] != "applied"]
        assert len(half) <= 1, half
        return int(half[0][1:]) - 1 if half else None

    async def _look(self) -> None:
        """Bring the model to where the ledger says that the database is."""
        half = await self._ledger_half()
        whole = sum(record["state"] == "applied" for record in (await self._ledger()).values())
        goal = whole if half is None or self.applied <= half else half + 1  # half-way down it counts as applied still
        while self.applied < goal:
            for change in self.changes[self.applied]:
                self.contents = change.applied(self.contents)
            self.applied += 1
        while self.applied > goal:
            self.applied -= 1
            for change in reversed(self.changes[self.applied]):
                self.contents = change.reverted(self.contents)
        is_back = self.half is not None and self.applied <= self.half and (half is None or half < self.half)
        self.was_cut_short = self.was_cut_short or is_back
        self.half = half

    @invariant()
    def is_as_the_model_says(self) -> None:
        """Where nothing is half-done, and nobody is at work."""
        if self.half is not None or not self.changes:
            return
        self.world.do(self._compare())

    async def _compare(self) -> None:
        found = await self._contents()
        if self.was_cut_short:
            self.contents["t"] = found.setdefault("t", {})
            self.was_cut_short = False
        assert {"t": {}} | found == {"t": {}} | self.contents

    def teardown(self) -> None:
        if self.changes:
            self.world.do(self._end())

    async def _end(self) -> None:
        """Whatever has happened, running again gets to an end."""
        await self._end_leases()
        if self.half is not None:
            errors = [await self._error_of(target) for target in (REVISIONS, 0)]
            assert None in errors, errors
            assert self.half is None
            await self._compare()
        for process in [*self.stopped, *self.dead]:
            await process.go_on()
        await self.database.client.drop_database(self.database.name)
        self.world.processes.clear()

    async def _error_of(self, target: int) -> BaseException | None:
        if self.half is None:
            return None
        process = await self._start(target)
        await asyncio.wait([process.task])
        await self._look()
        return process.task.exception()


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_the_engine_is_as_its_model(world: World) -> None:
    run_state_machine_as_test(
        lambda: Engine(world),  # pyright: ignore[reportArgumentType] - any callable will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not CHAOS,
            database=None,
            phases=[Phase.generate],  # to make a failure smaller would take an hour
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
