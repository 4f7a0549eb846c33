"""What a revision's own code may do to a run: leave it by an exit, stop the loop, start what it does not await."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import RevisionFailed

from .history_files import History, states


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@pytest.mark.parametrize(
    "leaving",
    [
        "import sys; sys.exit(0)",
        "raise asyncio.CancelledError",
        "raise GeneratorExit",
        "raise BaseException('x')",
        "task = asyncio.create_task(asyncio.sleep(9)); task.cancel(); await task",
        "await env.transform_documents('c', {}, lambda document: exit(0))",
    ],
)
@pytest.mark.parametrize("transactional", [False, True])
async def test_it_is_left_by_what_is_no_error(
    history: History, database: Any, leaving: str, transactional: bool
) -> None:
    """It has failed, as by any error, and goes on where it stopped."""
    await database["c"].insert_one({"_id": 1})
    before = "await env.insert_documents('x', [{'_id': 1}])"
    history.add("a", f"{before}\n{leaving}", transactional=transactional)
    with pytest.raises(RevisionFailed, match="revision a failed in upgrade at") as failure:
        await history.runner(database).upgrade()
    assert failure.value.exit_code == 7
    assert await states(database) == {"a": "failed"}
    history.add("a", before, transactional=transactional)
    await history.runner(database).upgrade()
    assert await states(database) == {"a": "applied"}


UNAWAITED = {
    "forgotten = env.create_collection('x')": "env.create_collection()",
    "asyncio.create_task(env.create_collection('x'))": "the task Env.create_collection",
    "async def helper():\n    await asyncio.sleep(0.05)\n    await env.create_collection('x')\n"
    "asyncio.create_task(helper())": "the task upgrade.<locals>.helper",
    "asyncio.ensure_future(asyncio.gather(env.create_collection('x'), env.create_collection('y')))": "the task",
    "async def helper():\n    await env.create_collection('x')\n    await asyncio.sleep(0.05)\n"
    "asyncio.create_task(helper())": "the task upgrade.<locals>.helper",
}


@pytest.mark.parametrize("code", UNAWAITED)
@pytest.mark.parametrize("before", ["", "await env.create_collection('z')\n"])
async def test_what_it_does_not_await_is_refused_by_name(
    history: History, database: Any, code: str, before: str
) -> None:
    history.add("a", before + code)
    with pytest.raises(RevisionFailed, match="had not awaited") as failure:
        await history.runner(database).upgrade()
    assert UNAWAITED[code] in str(failure.value)
    assert await states(database) == {"a": "failed"}
    history.add("a", f"{before}await env.create_collection('x')\nawait env.create_collection('y')")
    await history.runner(database).upgrade()
    assert {"x", "y"} <= set(await database.list_collection_names())


async def test_a_refusal_in_a_task_that_nobody_awaits_is_heard(history: History, database: Any) -> None:
    await database.create_collection("x")
    task = "task = asyncio.create_task(env.create_collection('x', capped=True, size=4096))"
    history.add("a", f"{task}\nwhile not task.done(): await asyncio.sleep(0.01)")
    with pytest.raises(RevisionFailed, match="the server refused it"):
        await history.runner(database).upgrade()
    assert await states(database) == {"a": "failed"}


async def test_what_others_do_in_the_same_loop_is_none_of_its_business(history: History, database: Any) -> None:
    """An application that migrates at its start has tasks of its own, and may start others meanwhile."""
    import asyncio

    history.add("a", "await env.create_collection('x')\nawait asyncio.sleep(0.1)\nawait env.create_collection('y')")
    others: list[asyncio.Task[None]] = []
    asyncio.get_running_loop().call_later(0.05, lambda: others.append(asyncio.create_task(asyncio.sleep(0.5))))
    await history.runner(database).upgrade()
    assert await states(database) == {"a": "applied"}
    assert not others[0].cancelled()
    await others[0]


async def test_the_same_file_that_runs_on_another_database_is_none_of_its_business(
    history: History, database: Any
) -> None:
    """Two databases, two runs in one loop: the second begins within the first one's revision, and outlives it."""
    import asyncio

    history.add(
        "a", "await env.create_collection('x')\nawait env.context['meet'](env)\nawait env.create_collection('y')"
    )
    is_in, is_over = asyncio.Event(), asyncio.Event()
    other = database.client[f"{database.name}_2"]

    async def meet(env: Any) -> None:
        if env.db.name == other.name:
            is_in.set()
            await is_over.wait()
        else:
            runs.append(asyncio.create_task(upgrade(other)))
            await is_in.wait()

    def upgrade(on: Any) -> Any:
        runner = history.runner(on)
        runner._context = {"meet": meet}
        return runner.upgrade()

    runs: list[asyncio.Task[Any]] = []
    await upgrade(database)
    is_over.set()
    await runs[0]
    assert await states(database) == await states(other) == {"a": "applied"}
    await other.client.drop_database(other.name)


async def test_tasks_that_it_awaits_are_none(history: History, database: Any) -> None:
    history.add(
        "a",
        "async with asyncio.TaskGroup() as group:\n"
        "    for name in 'xyz':\n        group.create_task(env.create_collection(name))\n"
        "first = asyncio.create_task(env.create_collection('v'))\nawait asyncio.wait([first])",
    )
    await history.runner(database).upgrade()
    assert {*"xyzv"} <= set(await database.list_collection_names())
