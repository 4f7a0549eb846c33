"""``$jsonSchema`` as declared: what MongoDB refuses is told with class, field and keyword, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig import Collection
from asyncmig.errors import DeclarationError

from .conftest import Place
from .json_schemas import REFUSED, TAKEN


def validator(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$jsonSchema": {"bsonType": "object", "properties": {"a": schema}}}


@pytest.mark.parametrize(("schema", "fault"), REFUSED)
async def test_refused(place: Place, schema: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeclarationError) as told:
        type("Order", (Collection,), {"__collection_name__": "o", "__options__": {"validator": validator(schema)}})
    assert "Order.__options__: validator: $jsonSchema: " in str(told.value)
    assert fault in str(told.value)
    with pytest.raises(OperationFailure):
        await place.create(validator=validator(schema))


@pytest.mark.parametrize("schema", TAKEN)
async def test_taken(place: Place, schema: dict[str, Any]) -> None:
    type("Order", (Collection,), {"__collection_name__": "o", "__options__": {"validator": validator(schema)}})
    await place.drop(await place.create(validator=validator(schema)))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"$jsonSchema": []}, "at the top: a schema is a document, not []"),
        ({"$and": [{"x": 1}, {"$jsonSchema": {"format": "x"}}]}, "at the top: MongoDB does not know"),
        ({"$where": "true"}, "$where is not allowed in a validator"),
        ({"place": {"$near": [0, 0]}}, "$near is not allowed in a validator"),
    ],
)
async def test_anywhere_in_a_validator(place: Place, given: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeclarationError) as told:
        type("Order", (Collection,), {"__collection_name__": "o", "__options__": {"validator": given}})
    assert fault in str(told.value)
    with pytest.raises(OperationFailure):
        await place.create(validator=given)
