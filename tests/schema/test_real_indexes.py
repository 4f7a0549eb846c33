"""The oracle's indexes replayed on a real server: as asked, and in normal form."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig import Index
from asyncmig.schema.normal import agree, definition, index_from_server, normal_index
from asyncmig.schema.server import is_id_index

from .conftest import Place
from .index_cases import ACCEPTED, ASKED, PAIRS, REFUSED, declared
from .invalid_declarations import IN_SERIES, INDEXES, SERIES
from .test_canonical import OTHER_FILTER, PROJECTIONS, SAME_FILTER
from .test_normal_index import LISTED

COLLATED = {"locale": "fr", "strength": 1}


async def listed(place: Place, name: str, collation: Any = None) -> dict[str, Index]:
    specs = [spec for spec in await place.indexes(name) if not is_id_index(spec["key"], "collection")]
    return {spec["name"]: index_from_server(spec, collation) for spec in specs}


async def converges(place: Place, indexes: list[Index], collation: Any = None) -> None:
    """What is sent in normal form is listed as wanted, and sending it again changes nothing."""
    wanted = [normal_index(index, collation) for index in indexes]
    name = await place.create(**({"collation": collation} if collation else {}))
    assert await place.index(name, *(index.document for index in wanted)) == len(wanted)
    found = await listed(place, name, collation)
    assert {index.name: definition(index) for index in wanted} == {key: definition(one) for key, one in found.items()}
    assert all(agree(found[index.name], index) for index in wanted)
    assert await place.index(name, *(index.document for index in found.values())) == 0
    await place.drop(name)


@pytest.mark.parametrize("case", ACCEPTED)
async def test_zoo(place: Place, case: str) -> None:
    indexes = [declared(spec) for spec in ASKED[case] if not is_id_index(spec["key"], "collection")]
    name = await place.create()
    await place.index(name, *ASKED[case])
    found = await listed(place, name)
    assert {index.name: definition(normal_index(index)) for index in indexes} == {
        key: definition(index) for key, index in found.items()
    }
    await place.drop(name)
    if indexes:
        await converges(place, indexes)


@pytest.mark.parametrize("case", [case for case in ACCEPTED if case not in ("v1", "name_1MB")])
async def test_zoo_where_the_collection_has_a_collation(place: Place, case: str) -> None:
    indexes = [declared(spec) for spec in ASKED[case] if not is_id_index(spec["key"], "collection")]
    if indexes:
        await converges(place, indexes, COLLATED)


@pytest.mark.parametrize("case", REFUSED)
async def test_zoo_refused(place: Place, case: str) -> None:
    with pytest.raises(OperationFailure) as refusal:
        await place.index(await place.create(), *ASKED[case])
    assert refusal.value.code == REFUSED[case]


@pytest.mark.parametrize(("asked", "spec"), LISTED, ids=lambda value: repr(value)[:60])
async def test_what_the_oracle_does_not_have(place: Place, asked: Index, spec: dict[str, Any]) -> None:
    name = await place.create()
    await place.index(name, asked.document)
    (found,) = (one for one in await place.indexes(name) if one["name"] != "_id_")
    assert {"v": 2, "name": asked.name, **spec} == found or "2d" in dict(asked.keys).values()
    await place.drop(name)
    await converges(place, [asked])


@pytest.mark.parametrize(("case", "first", "second", "said"), PAIRS, ids=[case for case, *_ in PAIRS])
async def test_pairs(place: Place, case: str, first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    assert await opinion(place, first, second) == said
    one, other = (normal_index(declared(spec)).document for spec in (first, second))
    assert await opinion(place, one, other) == said


async def opinion(place: Place, first: dict[str, Any], second: dict[str, Any]) -> str:
    name = await place.create()
    await place.index(name, first)
    try:
        return "CREATED (coexist)" if await place.index(name, second) else "EXISTS (no-op)"
    except OperationFailure as refusal:
        return f"{refusal.code} {(refusal.details or {}).get('codeName')}"
    finally:
        await place.drop(name)


@pytest.mark.parametrize(("one", "other"), SAME_FILTER)
async def test_one_filter(place: Place, one: dict[str, Any], other: dict[str, Any]) -> None:
    specs = (Index("a", partialFilterExpression=filter).document for filter in (one, other))
    assert await opinion(place, *specs) == "EXISTS (no-op)"


@pytest.mark.parametrize(("one", "other"), OTHER_FILTER)
async def test_two_filters(place: Place, one: dict[str, Any], other: dict[str, Any]) -> None:
    specs = (Index("a", partialFilterExpression=filter).document for filter in (one, other))
    assert await opinion(place, *specs) == "86 IndexKeySpecsConflict"


@pytest.mark.parametrize(("one", "other", "same"), PROJECTIONS)
async def test_projections(place: Place, one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    specs = (Index("$**", wildcardProjection=projection).document for projection in (one, other))
    assert await opinion(place, *specs) == ("EXISTS (no-op)" if same else "86 IndexKeySpecsConflict")


@pytest.mark.parametrize(("indexes", "fault"), INDEXES)
async def test_faults_are_faults(place: Place, indexes: list[Index], fault: str) -> None:
    """Whatever a declaration is refused for, the server refuses, too."""
    with pytest.raises(OperationFailure):
        await place.index(place.name(), *(index.document for index in indexes))


@pytest.mark.parametrize(("indexes", "fault"), IN_SERIES)
async def test_faults_of_time_series_are_faults(place: Place, indexes: list[Index], fault: str) -> None:
    name = await place.create(**SERIES)
    with pytest.raises(OperationFailure):
        await place.index(name, *(index.document for index in indexes))


IN_TIME_SERIES = [
    Index("m"),
    Index([("m", 1), ("t", -1)]),
    Index("m.a", sparse=True),
    Index("v", hidden=True),
    Index("_id"),
    Index([("m", "hashed")]),
    Index([("m", "2d")]),
    Index([("v", "2dsphere")], collation={"locale": "simple"}),
    Index("m.$**"),
    Index("v", name="p", partialFilterExpression={"v": {"$gt": 1}}),
    Index("t", name="c", collation={"locale": "en"}),
]


@pytest.mark.parametrize("collation", [None, COLLATED])
async def test_time_series(place: Place, collation: Any) -> None:
    name = await place.create(**SERIES, **({"collation": collation} if collation else {}))
    wanted = [normal_index(index, collation, "timeseries") for index in IN_TIME_SERIES]
    assert await place.index(name, *(index.document for index in wanted)) == len(wanted)
    found = {spec["name"]: index_from_server(spec, collation, "timeseries") for spec in await place.indexes(name)}
    assert {index.name: definition(index) for index in wanted} == {key: definition(one) for key, one in found.items()}
    await place.drop(name)
