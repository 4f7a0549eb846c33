"""Comparing the models with a live database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from bson.binary import Binary, UuidRepresentation

from asyncmig.authoring.diff import Difference, difference
from asyncmig.authoring.gathering import gather
from asyncmig.authoring.introspect import initial_ids, introspect
from asyncmig.authoring.policy import Policy, Usage
from asyncmig.authoring.usage import index_usage
from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Driver
from asyncmig.drivers.capability import server_of
from asyncmig.operations import DropIndex, RenameCollection
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Include", "Scope", "compare"]

Include = Callable[[str, str], bool]

_STANDARD = (UuidRepresentation.UNSPECIFIED, UuidRepresentation.STANDARD)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which collections a comparison looks at: not ``own``, and of the others those that ``include`` lets in.

    ``include(kind, name)`` gets ``collection``, ``timeseries`` or ``view`` and the collection's name.
    """

    include: Include | None = None
    own: frozenset[str] = field(default_factory=frozenset)

    def of(self, state: DatabaseState) -> DatabaseState:
        """The part of a declared state that lies in the scope."""
        return DatabaseState(
            {c.name: c for c in state if c.name not in self.own and (not self.include or self.include(c.kind, c.name))}
        )


async def compare(
    database: Any, wanted: DatabaseState, scope: Scope, policy: Policy, *, look: bool = False
) -> Difference:
    """What would bring ``database`` to ``wanted``, in the part that ``scope`` looks at.

    The server is asked again only where an index would go: how often it has been used becomes
    the remark beside its drop. With ``look`` also where a schema changes: what the documents hold, within bounds.
    """
    driver = driver_for(database)
    wanted = _as_sent(scope.of(wanted), driver)
    current = await introspect(database, include=scope.include, own=scope.own, documents=initial_ids(wanted))
    policy = policy.without(driver.lost_index_options)
    if driver.has_server:
        policy = replace(policy, server=await server_of(driver))
    first = difference(current, wanted, policy)
    if not driver.has_server:
        return first
    now = {
        operation.new: operation.collection for operation in first.operations if isinstance(operation, RenameCollection)
    }
    evidence = await gather(driver, first.operations, now) if look else {}
    counted = await _usage(driver, first, now)
    if not evidence and not counted:
        return first
    second = difference(current, wanted, policy, counted, evidence)
    return second if evidence else replace(second, notes=first.notes)  # left_alone is the same


async def _usage(driver: Driver, planned: Difference, now: Mapping[str, str]) -> Usage:
    """How often the indexes have been used that would go; the server counts under the name that it still has."""
    dropped = {operation.collection for operation in planned.operations if isinstance(operation, DropIndex)}
    if not dropped:
        return {}
    names = {now.get(name, name): name for name in dropped}
    return {(names[name], index): count for (name, index), count in (await index_usage(driver, names)).items()}


def _as_sent(wanted: DatabaseState, driver: Driver) -> DatabaseState:
    """The models with every UUID as the user's client will send it, where that is set to a legacy spelling."""
    if not driver.has_server or (spelling := driver.database.codec_options.uuid_representation) in _STANDARD:
        return wanted

    def collection(state: CollectionState) -> CollectionState:
        indexes = tuple(Index.made(index.keys, _spelled(index.options, spelling)) for index in state.indexes)
        options, documents = _spelled(state.options, spelling), _spelled(state.documents, spelling)
        return replace(state, options=options, indexes=indexes, documents=tuple(documents))

    return DatabaseState({state.name: collection(state) for state in wanted})


def _spelled(value: Any, spelling: int) -> Any:
    """The value with a Binary in place of every UUID."""
    if isinstance(value, UUID):
        return Binary.from_uuid(value, spelling)
    if isinstance(value, Mapping):
        return {key: _spelled(item, spelling) for key, item in value.items()}
    return [_spelled(item, spelling) for item in value] if isinstance(value, list | tuple) else value
