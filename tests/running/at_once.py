"""Revisions whose operations run at once: every two and three of eight kinds, each on a collection of its own."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from .history_files import History

__all__ = ["COLLECTIONS", "NAMES", "at_once"]

COLLECTIONS = ("a", "b", "c")
_KINDS = {
    "create": "create_collection('{0}_x')",
    "drop": "drop_collection('{0}')",
    "rename": "rename_collection('{0}', '{0}_new')",
    "index": "create_index('{0}', 'n')",
    "insert": "insert_documents('{0}', [{{'_id': 100 + n, 'n': 0}} for n in range(5)])",
    "delete": "delete_documents('{0}', [1, 2])",
    "inc": "update_in_batches('{0}', {{}}, {{'$inc': {{'n': 1}}}}, batch_size=2)",
    "transform": "transform_documents('{0}', {{}}, lambda one: one | {{'n': one['n'] + 1}}, batch_size=2)",
}
NAMES = ["_".join(chosen) for size in (2, 3) for chosen in combinations(_KINDS, size)]


def at_once(folder: Path) -> History:
    """A revision for each, none after another."""
    history = History(folder)
    for name in NAMES:
        pairs = zip(name.split("_"), COLLECTIONS, strict=False)
        calls = ", ".join(f"env.{_KINDS[kind].format(collection)}" for kind, collection in pairs)
        history.add(name, f"await asyncio.gather({calls})", parents=())
    return history
