"""The road that a schema takes in tests: compare with a live database, apply, compare again, and all the way back."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pytest

from asyncmig.authoring import catalog
from asyncmig.authoring.diff import Difference, difference
from asyncmig.authoring.introspect import initial_ids, introspect
from asyncmig.authoring.policy import Policy
from asyncmig.drivers import driver_for
from asyncmig.operations import InsertDocuments, NeedsRebuild, Operation, reverse
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.schema.canonical import canonical
from asyncmig.schema.normal import definition
from asyncmig.schema.options import options_definition
from asyncmig.schema.state import CollectionState, DatabaseState

Inserted = dict[str, list[Any]]


async def see(database: Any, wanted: DatabaseState) -> DatabaseState:
    """What the database has, seen in both ways, which must agree."""
    states = []
    for worth_it in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalog, "_MIN_COLLECTIONS", worth_it)
            states.append(await introspect(database, documents=initial_ids(wanted)))
    one, other = states
    assert facts(one) == facts(other)
    return one


async def walk(database: Any, operations: Sequence[Operation], inserted: Inserted | None = None) -> Inserted:
    """Apply the operations; ``inserted`` is what the way up has put in, and what comes back."""
    context = Context(driver_for(database), inserted=inserted or {})
    put: Inserted = {}
    for operation in operations:
        if isinstance(operation, NeedsRebuild):
            continue
        result = await apply(operation, context, await prepare(operation, context))
        if isinstance(operation, InsertDocuments):
            assert result is not None
            put.setdefault(operation.collection, []).extend(result["inserted"])
    return put


class Step:
    """From what a database has to ``wanted`` and back: the law that holds for every pair of schemas."""

    def __init__(self, database: Any, wanted: DatabaseState, policy: Policy | None = None) -> None:
        self.database, self.wanted, self.policy = database, wanted, policy
        self.before = self.after = DatabaseState()
        self.found = Difference()
        self._inserted: Inserted = {}

    async def up(self) -> None:
        """Apply the difference; then there is none."""
        self.before = await see(self.database, self.wanted)
        self.found = difference(self.before, self.wanted, self.policy)
        self._inserted = await walk(self.database, self.found.operations)
        self.after = await see(self.database, self.wanted)
        rebuilds = tuple(step for step in self.found.operations if isinstance(step, NeedsRebuild))
        assert difference(self.after, self.wanted, self.policy).operations == rebuilds

    async def down(self) -> None:
        """Apply the mirror; then all is as it was before."""
        await walk(self.database, reverse(self.found.operations), self._inserted)
        assert facts(await see(self.database, self.wanted)) == facts(self.before)

    async def there_and_back(self) -> None:
        await self.up()
        await self.down()


def facts(state: DatabaseState) -> dict[str, Hashable]:
    """All that there is to compare, by collection."""
    return {collection.name: _facts(collection) for collection in state}


def _facts(collection: CollectionState) -> Hashable:
    return (
        options_definition(collection),
        frozenset((index.name, definition(index)) for index in collection.indexes),
        frozenset(canonical(document) for document in collection.documents),
    )
