"""Two random schemas A and B: up to A, up to B equals a fresh B, down equals A, base equals empty."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.operations import CreateIndexes, ModifyIndex, NeedsRebuild, reverse
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.state import CollectionKind, CollectionState, DatabaseState
from asyncmig.schema.text import is_text

from ..clients import DRIVERS, drop
from .convergence import Step, facts
from .index_rules import listed, moments, outcome, services
from .random_indexes import changed_lists, index_lists
from .schemas import FIXED, NEW_NAMES, VIEWS, document, pairs

EXAMPLES = int(os.environ.get("ASYNCMIG_EXAMPLES", "80"))
"""Of each property that needs a server; a session of its own asks for thousands."""

OURS = Policy(drop_collections=True, owned=frozenset({*FIXED, *NEW_NAMES.values(), *VIEWS}))

on_a_server = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
without_a_server = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def fill(database: Any, state: DatabaseState) -> None:
    for collection in state:
        if collection.kind != "view":
            documents = [document(f"word{number}", number) for number in range(3)]
            await database.get_collection(collection.name).insert_many(documents)


@pytest.mark.timeout(60 + 5 * EXAMPLES)
@on_a_server
@given(schemas=pairs(), driver=st.sampled_from(DRIVERS))
async def test_there_and_back(
    clients: dict[str, Any], schemas: tuple[DatabaseState, DatabaseState], driver: str
) -> None:
    await check(clients[driver]["test_there_and_back"], *schemas)


async def check(database: Any, a: DatabaseState, b: DatabaseState) -> None:
    """The law, for these two; leaves an empty database."""
    try:
        first, second, fresh = Step(database, a, OURS), Step(database, b, OURS), Step(database, b, OURS)
        await first.up()
        await fill(database, a)
        await second.up()
        assert not any(isinstance(operation, NeedsRebuild) for operation in second.found.operations)
        await second.down()
        await first.down()
        await fresh.up()
        assert facts(second.after) == facts(fresh.after)
        await fresh.down()
    finally:
        await drop(database.client, database.name)


Lists = tuple[list[Index], list[Index]]

LISTS: st.SearchStrategy[Lists] = index_lists().flatmap(
    lambda indexes: st.tuples(st.just(indexes), st.one_of(index_lists(), changed_lists(indexes)))
)
KINDS: st.SearchStrategy[CollectionKind] = st.sampled_from(["collection", "timeseries"])


def state(indexes: list[Index], kind: CollectionKind) -> DatabaseState:
    normal = sorted((normal_index(index) for index in indexes), key=lambda index: index.name)
    return DatabaseState({"c": CollectionState("c", kind, indexes=tuple(normal))})


@without_a_server
@given(ab=LISTS, kind=KINDS, undeclared=st.sampled_from(["drop", "hide", "ignore"]))
def test_the_rules_of_the_server_are_kept(ab: Lists, kind: CollectionKind, undeclared: Any) -> None:
    """No step of the way there or back would be refused, or end the server; see index_rules."""
    before, wanted = (state(indexes, kind) for indexes in ab)
    operations = difference(before, wanted, Policy(undeclared_indexes=undeclared)).operations
    old, new = before.collections["c"].indexes, wanted.collections["c"].indexes
    reached = outcome(old, operations)
    assert listed(new).items() <= reached.items()
    if undeclared == "drop":
        assert listed(new) == reached
        assert outcome(new, reverse(operations)) == listed(old)


@without_a_server
@given(ab=LISTS)
def test_what_both_have_is_there_at_every_moment(ab: Lists) -> None:
    """Queries find an index, and duplicates are kept out, on the way there and on the way back.

    Not so for what no second index of a collection can stand in for: see asyncmig.authoring.bridge.
    """
    assume(
        not any(index.options.get("partialFilterExpression") == {} for indexes in ab for index in indexes)
    )  # taken by a bridge
    before, wanted = (state(indexes, "collection") for indexes in ab)
    old, new = before.collections["c"].indexes, wanted.collections["c"].indexes
    operations = difference(before, wanted).operations
    lasting = services(old) & services(new) - services([index for index in (*old, *new) if _is_singular(index)])
    for moment in [*moments(old, operations), *moments(new, reverse(operations))]:
        assert lasting <= services(moment)


def _is_singular(index: Index) -> bool:
    return is_text(index.keys) or bool({"sparse", "partialFilterExpression"} & index.options.keys())


DEADLY = {"expireAfterSeconds", "unique", "prepareUnique"}


@without_a_server
@given(ab=LISTS)
def test_nothing_that_ends_a_server_is_ever_planned(ab: Lists) -> None:
    """collMod of these on a key with $** stops MongoDB 6.0.5 at once."""
    before, wanted = (state(indexes, "collection") for indexes in ab)
    operations = difference(before, wanted).operations
    known = {index.name: index for indexes in ab for index in indexes if _is_wildcard(index)}
    plain = {index.name for indexes in ab for index in indexes if not _is_wildcard(index)}
    for operation in [*operations, *reverse(operations)]:
        if isinstance(operation, ModifyIndex) and operation.name in known.keys() - plain:
            assert not DEADLY & set(operation.options)
        if isinstance(operation, CreateIndexes):
            assert operation.indexes


def _is_wildcard(index: Index) -> bool:
    return any("$**" in field for field, _ in index.keys)
