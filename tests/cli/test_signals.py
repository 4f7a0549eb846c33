"""The first signal stops after what is running, the second at once; real processes show the rest."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable

import anyio
import pytest

from asyncmig.cli.console import Console
from asyncmig.cli.failures import Interrupted
from asyncmig.cli.signals import Interrupts, interruptible

Work = Callable[[Interrupts], Awaitable[None]]


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


async def until_cancelled(log: list[str]) -> None:
    try:
        await anyio.sleep(5)
        log.append("slept")
    finally:
        log.append("cleaned up")


async def do(work: Work) -> None:
    async with interruptible(Console()) as interrupts:
        await work(interrupts)


async def interrupted(work: Work) -> Interrupted:
    with pytest.raises(Interrupted) as caught:
        await do(work)
    return caught.value


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_idle_work_is_stopped_at_once(number: int) -> None:
    log: list[str] = []

    async def idle(interrupts: Interrupts) -> None:
        send(number)
        await until_cancelled(log)

    assert (await interrupted(idle)).exit_code == 128 + number
    assert log == ["cleaned up"]


async def test_an_operation_comes_to_its_end_first(capsys) -> None:
    log: list[str] = []

    async def busy(interrupts: Interrupts) -> None:
        interrupts.started("create collection wallet")
        send()
        await anyio.sleep(0.05)
        log.append("operation done")
        interrupts.finished()
        await until_cancelled(log)

    await interrupted(busy)
    assert log == ["operation done", "cleaned up"]
    assert "stopping after this: create collection wallet; once more to stop it now" in capsys.readouterr().err


async def test_the_second_one_cuts_it() -> None:
    log: list[str] = []

    async def busy(interrupts: Interrupts) -> None:
        interrupts.started("create collection wallet")
        send(signal.SIGTERM)
        await anyio.sleep(0.05)
        send(signal.SIGINT)
        await until_cancelled(log)

    assert (await interrupted(busy)).exit_code == 143
    assert log == ["cleaned up"]


async def test_work_that_came_to_its_end_all_the_same() -> None:
    async def last(interrupts: Interrupts) -> None:
        interrupts.started("the last one")
        send()
        await anyio.sleep(0.05)
        interrupts.finished()

    assert (await interrupted(last)).exit_code == 130


async def test_what_cancelling_turned_into_is_not_shown() -> None:
    async def clumsy(interrupts: Interrupts) -> None:
        send()
        try:
            await anyio.sleep(5)
        finally:
            raise ValueError("because it was cancelled")

    assert isinstance((await interrupted(clumsy)).__cause__, ValueError)


async def test_a_failure_of_its_own_is() -> None:
    async def failing(interrupts: Interrupts) -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await do(failing)


async def test_the_handlers_are_there_for_the_block_only() -> None:
    before, within = signal.getsignal(signal.SIGTERM), []

    async def looking(interrupts: Interrupts) -> None:
        within.append(signal.getsignal(signal.SIGTERM))

    await do(looking)
    assert signal.getsignal(signal.SIGTERM) == before
    assert within != [before]
