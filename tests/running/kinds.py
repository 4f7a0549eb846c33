"""One operation of each kind, with what an application does before it and after: done twice it would do harm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .history_files import History

__all__ = ["KINDS", "Kind", "kinds"]

Work = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """``operation``: a call of env's. ``before`` it, and ``after`` it: what the application does."""

    operation: str
    before: Work
    after: Work


async def _old(database: Any) -> None:
    await database["old"].insert_many([{"_id": n, "n": 0} for n in range(3)])


async def _indexed(database: Any) -> None:
    await _old(database)
    await database["old"].create_index("n", name="by_n")


async def _view(database: Any) -> None:
    await database.create_collection("shown", viewOn="old", pipeline=[])


async def _nothing(database: Any) -> None: ...


async def _new_release(database: Any) -> None:
    await database["old"].insert_one({"_id": "of the new release"})


async def _replaced(database: Any) -> None:
    await database["old"].replace_one({"_id": 1}, {"new": True}, upsert=True)


async def _gone(database: Any) -> None:
    await database["old"].drop()


async def _renamed_on(database: Any) -> None:
    await database["new"].rename("newer")
    await _old(database)


async def _index_gone(database: Any) -> None:
    await database["old"].drop_index("by_n")


async def _index_back(database: Any) -> None:
    await database["old"].create_index("n", name="by_n", expireAfterSeconds=3600)


async def _validated(database: Any) -> None:
    await database.command("collMod", "old", validator={"n": {"$gte": 0}})


async def _view_gone(database: Any) -> None:
    await database["shown"].drop()


async def _view_changed(database: Any) -> None:
    await database.command("collMod", "shown", viewOn="old", pipeline=[{"$match": {"new": True}}])


async def _index_shown(database: Any) -> None:
    await database.command("collMod", "old", index={"name": "by_n", "hidden": False})


async def _counted(database: Any) -> None:
    await database["old"].update_many({}, {"$set": {"n": 0}})


async def _several(database: Any) -> None:
    await database["old"].insert_many([{"_id": n, "n": 0, "k": n % 2, "tags": ["x", "y"]} for n in range(5)])


async def _rewritten(database: Any) -> None:
    await database["new"].update_many({}, {"$set": {"by": "the new release"}})


async def _filled_again(database: Any) -> None:
    await database["old"].delete_many({})
    await _several(database)


KINDS = {
    "drop_collection": Kind("drop_collection('old')", _old, _new_release),
    "delete_documents": Kind("delete_documents('old', [1])", _old, _replaced),
    "insert_documents": Kind("insert_documents('old', [{'_id': 1}])", _nothing, _gone),
    "rename_collection": Kind("rename_collection('old', 'new')", _old, _renamed_on),
    "create_collection": Kind("create_collection('old')", _nothing, _gone),
    "drop_index": Kind("drop_index('old', 'by_n')", _indexed, _index_back),
    "modify_collection": Kind("modify_collection('old', validator={'n': {'$lt': 5}})", _old, _validated),
    "create_view": Kind("create_view('shown', 'old', [])", _nothing, _view_gone),
    "modify_view": Kind("modify_view('shown', 'old', [{'$match': {'n': 1}}])", _view, _view_changed),
    "drop_view": Kind("drop_view('shown')", _view, _view),
    "create_indexes": Kind("create_index('old', 'n', name='by_n')", _old, _index_gone),
    "modify_index": Kind("modify_index('old', 'by_n', hidden=True)", _indexed, _index_shown),
    "update_in_batches": Kind("update_in_batches('old', {}, {'$inc': {'n': 1}})", _old, _counted),
    "transform_documents": Kind("transform_documents('old', {}, lambda d: {**d, 'n': d['n'] + 1})", _old, _counted),
    "rename_field": Kind("rename_field('old', 'n', 'm')", _old, _counted),
    "remove_field": Kind("remove_field('old', 'n')", _old, _counted),
    "convert_field": Kind("convert_field('old', 'n', to='string')", _old, _counted),
    "merge_into": Kind("merge_into('old', [{'$set': {'m': 1}}], 'new', batch_size=2)", _several, _rewritten),
    "split_array": Kind("split_array('old', 'tags', 'new', batch_size=2)", _several, _rewritten),
    "move_documents": Kind("move_documents('old', {}, 'new', batch_size=2)", _several, _filled_again),
    "transform_batches": Kind(
        "transform_batches('old', {}, lambda them: [{**d, 'n': d['n'] + 1} for d in them], batch_size=2)",
        _several,
        _counted,
    ),
    "deduplicate": Kind("deduplicate('old', ['k'], keep=[('_id', -1)], batch_size=2)", _several, _filled_again),
}


def kinds(folder: Path) -> History:
    """A revision for each kind, none after another."""
    history = History(folder)
    for name, kind in KINDS.items():
        history.add(name, f"await env.{kind.operation}", parents=())
    return history
