"""The oracle's collection options replayed on a real server: as asked, and in normal form."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig.schema.options import changed_options, normal_options, options_definition
from asyncmig.schema.server import collection_from_server
from asyncmig.schema.state import CollectionKind, CollectionState

from .conftest import Place
from .index_cases import CREATED, NOT_CREATED, OPTIONS
from .invalid_declarations import NAMES
from .invalid_declarations import OPTIONS as FAULTS
from .test_collection_options import NORMAL, kind_of


async def converges(place: Place, kind: CollectionKind, options: dict[str, Any]) -> None:
    """As asked and in normal form, the server lists what has the same normal form."""
    wanted = normal_options(options, kind)
    for sent in (options, wanted):
        name = await place.create(**sent)
        found = collection_from_server(await place.info(name), [] if kind == "view" else await place.indexes(name))
        state = CollectionState(name, kind, wanted)
        assert (found.kind, found.indexes) == (kind, ())
        assert options_definition(found) == options_definition(state)
        assert changed_options(found, state) == changed_options(state, found) == {}
        await place.drop(name)


@pytest.mark.parametrize("name", CREATED)
async def test_oracle(place: Place, name: str) -> None:
    options = OPTIONS[name]["asked"]
    await converges(place, kind_of(options), options)


@pytest.mark.parametrize(("kind", "options"), [case[:2] for case in NORMAL if "bucketRounding" not in str(case)])
async def test_beyond_the_oracle(place: Place, kind: CollectionKind, options: dict[str, Any]) -> None:
    known = {key: value for key, value in options.items() if key not in ("uuid", "idIndex")}
    await converges(place, kind, known)


@pytest.mark.parametrize("name", NOT_CREATED)
async def test_oracle_refused(place: Place, name: str) -> None:
    with pytest.raises(OperationFailure) as refusal:
        await place.database.command({"create": name, **OPTIONS[name]["asked"]})
    assert refusal.value.code == NOT_CREATED[name]


@pytest.mark.parametrize(("options", "fault"), FAULTS)
async def test_faults_are_faults(place: Place, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(OperationFailure):
        await place.create(**options)


@pytest.mark.parametrize(("name", "fault"), NAMES)
async def test_names_are_refused(place: Place, name: str, fault: str) -> None:
    with pytest.raises(OperationFailure):
        await place.database.command({"create": name})
