"""How a class says what its documents hold, and how that is enforced; faults are told when the class is made."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from asyncmig import Collection
from asyncmig.errors import ConfigurationError, DeclarationError
from asyncmig.fields.declaring import FieldSettings, declared_schemas, with_fields
from asyncmig.migrator import Migrator
from asyncmig.schema.fields import LEVELS
from asyncmig.sources import load_models


class Model(BaseModel):
    a: int


SCHEMA = {"bsonType": "object", "required": ["a"], "properties": {"a": {"bsonType": ["int", "long"]}}}
BY_HAND = {"validator": {"$jsonSchema": {"properties": {"b": {"bsonType": "int"}}}}}


def declared(settings: FieldSettings, **attributes: Any) -> dict[str, Any]:
    model = type("Order", (Collection,), {"__collection_name__": "orders", **attributes})
    found = load_models([model])
    state = with_fields(found.state, found.classes, settings).get("orders")
    assert state is not None
    return dict(state.options)


@pytest.mark.parametrize(
    ("settings", "attributes", "levels"),
    [
        (FieldSettings(), {}, None),
        (FieldSettings("record"), {}, ("off", "error")),
        (FieldSettings("warn"), {}, ("strict", "warn")),
        (FieldSettings("moderate"), {}, ("moderate", "error")),
        (FieldSettings("strict"), {}, ("strict", "error")),
        (FieldSettings("record"), {"__fields__": "moderate"}, ("moderate", "error")),
        (FieldSettings("strict"), {"__fields__": "ignore"}, None),
        (FieldSettings("strict", {"orders": "record"}), {"__fields__": "moderate"}, ("off", "error")),
        (FieldSettings("strict", {"orders": "ignore"}), {}, None),
    ],
)
def test_levels(settings: FieldSettings, attributes: dict[str, Any], levels: tuple[str, str] | None) -> None:
    options = declared(settings, __model__=Model, **attributes)
    if levels is None:
        assert options == {}
    else:
        assert options.pop("validator") == {"$jsonSchema": SCHEMA}
        assert (options.pop("validationLevel"), options.pop("validationAction"), options) == (*levels, {})


def test_a_schema_that_is_written_by_hand_stays_as_it_is() -> None:
    assert declared(FieldSettings("strict"), __options__=BY_HAND) == BY_HAND


def test_what_fields_are_compared_with_whatever_the_level() -> None:
    model = type("Order", (Collection,), {"__collection_name__": "orders", "__model__": Model})
    other = type("Other", (Collection,), {"__collection_name__": "others", "__options__": BY_HAND})
    found = load_models([model, other])
    schemas = declared_schemas(found.state, found.classes)
    assert schemas == {"orders": SCHEMA, "others": BY_HAND["validator"]["$jsonSchema"]}


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"__model__": 7}, "__model__: is a Pydantic model's class, not 7"),
        ({"__model__": Model(a=1)}, "__model__: is a Pydantic model's class"),
        ({"__model__": Model, "__options__": BY_HAND}, "so does the $jsonSchema in __options__; keep one of them"),
        (
            {"__model__": Model, "__options__": {"timeseries": {"timeField": "t"}}},
            "a time series cannot have a validator",
        ),
        ({"__fields__": "strickt"}, "__fields__: is one of 'ignore', 'record', 'warn', 'moderate', 'strict'"),
        ({"__fields__": "strickt"}, "did you mean 'strict'?"),
        ({"__renamed_fields__": ["zip"]}, "is a dictionary of old paths and new ones"),
        ({"__renamed_fields__": {"zip": "post..code"}}, "'post..code' is no field's path"),
        ({"__renamed_fields__": {"zip": "zip"}}, "'zip' is the same path twice"),
        ({"__renamed_fields__": {"a": "c", "b": "c"}}, "'c' stands for two fields"),
        ({"__renamed_field__": {"a": "b"}}, "did you mean '__renamed_fields__'?"),
    ],
)
def test_faults(attributes: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError) as error:
        type("Order", (Collection,), {"__collection_name__": "orders", **attributes})
    assert told in str(error.value)


@pytest.mark.parametrize(
    "options", [{"fields": "on"}, {"fields_by_collection": {"orders": "on"}}, {"removed_fields": "keep"}]
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="must be"):
        Migrator(None, "migrations", [], **options)
    assert "on" not in LEVELS
