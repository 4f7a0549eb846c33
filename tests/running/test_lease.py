"""The lease by a clock of its own: when it is renewed, and when it is given up, to the tenth of a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import anyio
import pytest
from pymongo.errors import AutoReconnect

from asyncmig.drivers.guard import Late
from asyncmig.errors import LockLost
from asyncmig.events import Event, LoopBlocked
from asyncmig.running.locking import lease as module
from asyncmig.running.locking.lease import Lease

START, LENGTH = 1000.0, 30.0
THEN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """The local clock, which goes on where somebody sleeps, or waits for the server. ``overslept``: seconds more."""

    def __init__(self) -> None:
        self.now, self.overslept = START, list[float]()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + (self.overslept.pop(0) if self.overslept else 0)
        await anyio.lowlevel.checkpoint()


class Work:
    """What is guarded; ``stopped_at`` by the local clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.stopped_at = clock, 0.0

    def cancel(self) -> None:
        self.stopped_at = self.stopped_at or self.clock.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "local_clock", clock)
    monkeypatch.setattr(
        module, "anyio", SimpleNamespace(sleep=clock.sleep, fail_after=anyio.fail_after, Lock=anyio.Lock)
    )
    return clock


class Server:
    """Answers after so many seconds each time, then not at all; ``asked`` are the moments at which it was asked."""

    def __init__(self, clock: Clock, *answers: float) -> None:
        self.clock, self.answers, self.asked = clock, list(answers), list[float]()

    async def renew(self, lease: Lease) -> datetime:
        self.asked.append(self.clock.now)
        if not self.answers:
            raise AutoReconnect("the connection broke")
        answer = self.answers.pop(0)
        self.clock.now += answer
        return THEN + timedelta(seconds=self.asked[-1] + answer - START + LENGTH)


def lease_of(server: Server, events: list[Event] | None = None) -> Lease:
    return Lease(
        "us",
        1,
        length=LENGTH,
        sent=START,
        expires_at=THEN + timedelta(seconds=LENGTH),
        renew=server.renew,
        tell=(events if events is not None else []).append,
    )


@pytest.mark.parametrize("answers", [(), (0.1,), (9.9,), (9.9, 9.9, 9.9)])
async def test_the_work_stops_before_the_lease_ends(clock: Clock, answers: tuple[float, ...]) -> None:
    """However long the last answer took: another may begin a lease after the server got the last renewal."""
    server = Server(clock, *answers)
    lease, work = lease_of(server), Work(clock)
    with lease.guarding(work):
        await lease.keep()
    last_sent = (START, *server.asked)[len(answers)]
    assert "could not be renewed for 25 s" in lease.loss
    assert last_sent + LENGTH * 5 / 6 <= work.stopped_at < last_sent + LENGTH
    with pytest.raises(LockLost):
        lease.check_sending()


async def test_it_is_renewed_every_third_of_it(clock: Clock) -> None:
    server = Server(clock, *[0.1] * 4)
    await lease_of(server).keep()
    assert server.asked[:4] == pytest.approx([1010, 1020, 1030, 1040])


async def test_nothing_is_sent_from_five_sixths_of_it_on(clock: Clock) -> None:
    lease = lease_of(Server(clock))
    clock.now = START + 24.9
    lease.check_sending()
    clock.now = START + 25
    with pytest.raises(Late):
        lease.check_sending()


@pytest.mark.parametrize(("late", "asks"), [(10.0, False), (12.4, False), (12.5, True), (29.0, True), (500.0, True)])
async def test_who_is_about_to_write_asks_when_a_renewal_is_overdue(clock: Clock, late: float, asks: bool) -> None:
    server = Server(clock, 0.0)
    lease = lease_of(server)
    clock.now = START + late
    await lease.ensure()
    assert bool(server.asked) is asks
    if not asks:
        await lease.ensure(now=True)
    assert server.asked == [clock.now]


async def test_a_standstill_is_told_from_a_second_on(clock: Clock) -> None:
    events: list[Event] = []
    lease = lease_of(Server(clock, 0.0, 0.0), events)
    clock.overslept = [0.9, 1.5]
    await lease.keep()
    assert [round(one.seconds, 1) for one in events if isinstance(one, LoopBlocked)] == [1.5]


def test_the_server_refuses_writes_a_moment_before_its_end() -> None:
    lease = lease_of(Server(Clock()))
    assert lease.writes_until == THEN + timedelta(seconds=27)
