"""A loop only when it is asked for, and then a real one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from asyncmig.cli.loop import LoopStopped, WorkCancelled, event_loop, run


@asynccontextmanager
async def on_a_loop(log: list[str]) -> AsyncIterator[None]:
    await event_loop()
    try:
        await asyncio.sleep(0)
        yield
    finally:
        await asyncio.sleep(0)
        log.append("closed")


async def plain() -> int:
    return 5


async def looped(log: list[str], fault: Exception | None = None) -> int:
    async with on_a_loop(log):
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        await event_loop()
        if fault:
            raise fault
        return 7


def in_thread(function):
    """Away from the loop that the tests themselves run on."""
    return asyncio.to_thread(function)


async def test_without_a_loop() -> None:
    assert await in_thread(lambda: run(plain())) == 5


async def test_with_a_loop() -> None:
    log: list[str] = []
    assert await in_thread(lambda: run(looped(log))) == 7
    assert log == ["closed"]


async def test_errors_come_through() -> None:
    log: list[str] = []
    with pytest.raises(ValueError, match="boom"):
        await in_thread(lambda: run(looped(log, ValueError("boom"))))
    assert log == ["closed"]


async def test_on_a_loop_that_runs_already() -> None:
    assert await looped([]) == 7


async def test_awaiting_before_asking_is_a_fault() -> None:
    class Foreign:
        def __await__(self):
            yield "something"

    async def wrong() -> None:
        await Foreign()

    with pytest.raises(RuntimeError, match=r"before event_loop\(\)"):
        await in_thread(lambda: run(wrong()))


def test_asyncio_is_not_even_imported() -> None:
    code = "import sys; from asyncmig.cli.loop import run\nasync def f(): pass\nrun(f())\n"
    code += "sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


async def stopping(log: list[str]) -> None:
    async with on_a_loop(log):
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        log.append("went on")


def test_a_loop_that_is_stopped_ends_the_work_in_order() -> None:
    log: list[str] = []
    with pytest.raises(LoopStopped) as error:
        run(stopping(log))
    assert (log, error.value.exit_code) == (["closed"], 7)


async def cancelling(log: list[str]) -> None:
    async with on_a_loop(log):
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)


def test_work_that_cancels_itself_ends_in_order() -> None:
    log: list[str] = []
    with pytest.raises(WorkCancelled, match=r"task\.cancel") as error:
        run(cancelling(log))
    assert (log, error.value.exit_code) == (["closed"], 7)


async def left_in_a_task(log: list[str]) -> int:
    async with on_a_loop(log):
        with pytest.raises(SystemExit):
            await asyncio.gather(leaving())
        return 5


async def leaving() -> None:
    sys.exit(0)


def test_an_exit_in_a_task_is_heard_by_whoever_awaits_it() -> None:
    log: list[str] = []
    assert run(left_in_a_task(log)) == 5
    assert log == ["closed"]
