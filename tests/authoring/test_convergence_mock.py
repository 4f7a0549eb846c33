"""What mongomock-motor can do converges as on a server; what it cannot is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient

from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.drivers.mock import MockDriver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.schema.index import Index
from asyncmig.sources import load_models

from .convergence import Step, see
from .models import collection

INDEXES = [
    Index([("a", 1), ("b", -1)], unique=True),
    Index("c", sparse=True),
    Index("t", expireAfterSeconds=60),
    Index("d", partialFilterExpression={"d": {"$gt": 1}}),
    Index([("s", "text")], name="words"),
    Index([("g", "2dsphere")]),
    Index([("h", "hashed")]),
]
POLICY = Policy().without(MockDriver.lost_index_options)


@pytest.fixture
def mock() -> Any:
    """A fresh database of the mock."""
    return AsyncMongoMockClient()["x"]


async def test_there_and_back(mock: Any) -> None:
    await Step(mock, load_models([collection(INDEXES, data=[{"_id": 1}])]).state, POLICY).there_and_back()


@pytest.mark.parametrize(
    "new",
    [
        [],
        [Index("a"), *INDEXES],
        [index.replace(name=f"new{place}") for place, index in enumerate(INDEXES)],
        [Index("a", name="words"), Index("c", unique=True)],
    ],
    ids=["none", "one more", "renamed", "others"],
)
async def test_from_one_to_another(mock: Any, new: list[Index]) -> None:
    first = Step(mock, load_models([collection(INDEXES)]).state, POLICY)
    await first.up()
    await mock["c"].insert_many([{"a": number, "c": number} for number in range(3)])
    await Step(mock, load_models([collection(new)]).state, POLICY).there_and_back()
    await first.down()


async def test_rename(mock: Any) -> None:
    await Step(mock, load_models([collection(["a"], name="purse")]).state, POLICY).up()
    await Step(mock, load_models([collection(["a"], name="wallet", old="purse")]).state, POLICY).there_and_back()


async def test_what_it_cannot_do_is_refused(mock: Any) -> None:
    step = Step(mock, load_models([collection([Index("a", collation={"locale": "en"})])]).state, POLICY)
    with pytest.raises(UnsupportedByDriver, match="collation"):
        await step.up()


async def test_what_it_has_lost_is_no_difference(mock: Any) -> None:
    """The mock takes an index with a collation and keeps one without."""
    await mock["c"].create_index("a", collation={"locale": "en"}, hidden=True)
    wanted = load_models([collection([Index("a", collation={"locale": "en"}, hidden=True)])]).state
    assert difference(await see(mock, wanted), wanted, POLICY).operations == ()
    assert difference(await see(mock, wanted), wanted).operations != ()
