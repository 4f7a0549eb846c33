"""Random histories of schemas, squashed: the folded operations lead where the long way leads, and back to nothing."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.operations import NeedsRebuild, Operation, reverse
from asyncmig.operations.folding import fold
from asyncmig.schema.state import DatabaseState

from ..clients import DRIVERS, drop
from .convergence import facts, see, walk
from .schemas import FIXED, NEW_NAMES, VIEWS, pairs

EXAMPLES = int(os.environ.get("ASYNCMIG_EXAMPLES", "80")) // 10
OURS = Policy(drop_collections=True, owned=frozenset({*FIXED, *NEW_NAMES.values(), *VIEWS}))


@pytest.mark.timeout(60 + 5 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    schemas=pairs(),
    turns=st.lists(st.sampled_from([0, 1]), min_size=2, max_size=4),
    driver=st.sampled_from(DRIVERS),
)
async def test_a_squash_leads_where_its_range_leads(
    clients: dict[str, Any], schemas: tuple[DatabaseState, DatabaseState], turns: list[int], driver: str
) -> None:
    client = clients[driver]
    long, short = client["test_squash_long"], client["test_squash_short"]
    try:
        forth: list[Operation] = []
        back: list[Operation] = []
        at = DatabaseState()
        for turn in turns:
            before = await see(long, schemas[turn])
            step = difference(before, schemas[turn], OURS).operations
            await walk(long, step)
            forth, back, at = [*forth, *step], [*reverse(step), *back], schemas[turn]
        if any(isinstance(operation, NeedsRebuild) for operation in forth):
            return
        inserted = await walk(short, fold(forth))
        assert facts(await see(short, at)) == facts(await see(long, at))
        await walk(short, fold(back), inserted)
        assert facts(await see(short, at)) == {}
    finally:
        for database in (long, short):
            await drop(client, database.name)
