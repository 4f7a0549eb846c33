"""The first signal stops after what is running, the second at once; a real process shows the rest."""

from __future__ import annotations

import os
import signal

import anyio
import pytest

from asyncmig.cli.console import Console
from asyncmig.cli.failures import Interrupted
from asyncmig.cli.signals import interruptible


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


async def until_cancelled(log: list[str]) -> None:
    try:
        await anyio.sleep(5)
        log.append("slept")
    finally:
        log.append("cleaned up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_idle_work_is_stopped_at_once(number: int) -> None:
    log: list[str] = []
    with pytest.raises(Interrupted) as caught:
        async with interruptible(Console()):
            send(number)
            await until_cancelled(log)
    assert (caught.value.exit_code, log) == (128 + number, ["cleaned up"])


async def test_an_operation_comes_to_its_end_first(capsys) -> None:
    log: list[str] = []
    with pytest.raises(Interrupted):
        async with interruptible(Console()) as interrupts:
            interrupts.started("create collection wallet")
            send()
            await anyio.sleep(0.05)
            log.append("operation done")
            interrupts.finished()
            await until_cancelled(log)
    assert log == ["operation done", "cleaned up"]
    assert "stopping after this: create collection wallet; once more to stop it now" in capsys.readouterr().err


async def test_the_second_one_cuts_it() -> None:
    log: list[str] = []
    with pytest.raises(Interrupted) as caught:
        async with interruptible(Console()) as interrupts:
            interrupts.started("create collection wallet")
            send(signal.SIGTERM)
            await anyio.sleep(0.05)
            send(signal.SIGINT)
            await until_cancelled(log)
    assert (caught.value.exit_code, log) == (143, ["cleaned up"])


async def test_work_that_came_to_its_end_all_the_same() -> None:
    with pytest.raises(Interrupted):
        async with interruptible(Console()) as interrupts:
            interrupts.started("the last one")
            send()
            await anyio.sleep(0.05)
            interrupts.finished()


async def test_what_cancelling_turned_into_is_not_shown() -> None:
    with pytest.raises(Interrupted) as caught:
        async with interruptible(Console()):
            send()
            try:
                await anyio.sleep(5)
            finally:
                raise ValueError("because it was cancelled")
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_failure_of_its_own_is() -> None:
    with pytest.raises(ValueError, match="its own"):
        async with interruptible(Console()):
            raise ValueError("its own")


async def test_nothing_happened() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with interruptible(Console()):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) == before
