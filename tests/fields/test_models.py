"""From models to a schema: each type as it is stored, by the library that stores it; a real server takes the result."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import pathlib
import re
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pydantic
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, json_util
from pydantic import BaseModel, ConfigDict, Field, computed_field, create_model, field_serializer
from typing_extensions import TypedDict

from asyncmig.errors import DeclarationError
from asyncmig.fields.models import fields_of
from asyncmig.schema.fields import RenamedFrom
from asyncmig.schema.json_schema_rules import schema_faults

from ..clients import DRIVERS, drop

INT = {"bsonType": ["int", "long"]}
FLOAT = {"bsonType": ["double", "int", "long"]}
STRING = {"bsonType": "string"}


class Kind(str, enum.Enum):  # noqa: UP042 - as most projects have it
    a = "a"
    b = "b"


class Size(enum.IntEnum):
    small = 1
    large = 2


class Address(BaseModel):
    city: str
    zip: str | None = None


ADDRESS = {
    "bsonType": "object",
    "required": ["city"],
    "properties": {"city": STRING, "zip": {"bsonType": ["string", "null"]}},
}
T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


class Tags(pydantic.RootModel[list[str]]):
    pass


class Point(TypedDict, total=False):
    x: float
    y: int


@dataclass
class Money:
    amount: decimal.Decimal
    currency: str


UserId = NewType("UserId", str)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, STRING),
        (int, INT),
        (bool, {"bsonType": "bool"}),
        (float, FLOAT),
        (bytes, {"bsonType": "binData"}),
        (Binary, {"bsonType": "binData"}),
        (Int64, INT),
        (ObjectId, {"bsonType": "objectId"}),
        (decimal.Decimal, {"bsonType": "decimal"}),
        (Decimal128, {"bsonType": "decimal"}),
        (dt.datetime, {"bsonType": "date"}),
        (dt.date, {"bsonType": "date"}),
        (dt.timedelta, FLOAT),
        (uuid.UUID, {"bsonType": "binData"}),
        (pathlib.Path, STRING),
        (ipaddress.IPv4Address, STRING),
        (re.Pattern, {"bsonType": "regex"}),
        (pydantic.AwareDatetime, {"bsonType": "date"}),
        (pydantic.PastDate, {"bsonType": "date"}),
        (pydantic.HttpUrl, STRING),
        (pydantic.MongoDsn, STRING),
        (pydantic.SecretStr, STRING),
        (pydantic.IPvAnyAddress, STRING),
        (pydantic.ByteSize, INT),
        (pydantic.Json[int], INT),
        (pydantic.Json, {}),
        (enum.IntFlag("Rights", "read write"), INT),
        (pydantic.StrictStr, STRING),
        (pydantic.PositiveInt, INT),
        (pydantic.UUID4, {"bsonType": "binData"}),
        (UserId, STRING),
        (Kind, {"enum": ["a", "b"]}),
        (Size, {"enum": [1, 2]}),
        (Literal["p", 1, None], {"enum": ["p", 1, None]}),
        (Literal[Kind.a], {"enum": ["a"]}),
        (Kind | None, {"enum": ["a", "b", None]}),
        (str | None, {"bsonType": ["string", "null"]}),
        (int | str, {"bsonType": ["int", "long", "string"]}),
        (int | float, {"bsonType": ["int", "long", "double"]}),
        (Any, {}),
        (Any | None, {}),
        (object, {}),
        (list, {"bsonType": "array"}),
        (list[str], {"bsonType": "array", "items": STRING}),
        (Sequence[int], {"bsonType": "array", "items": INT}),
        (deque[int], {"bsonType": "array", "items": INT}),
        (set[str], {"bsonType": "array", "items": STRING, "uniqueItems": True}),
        (tuple[str, ...], {"bsonType": "array", "items": STRING}),
        (tuple[int, str], {"bsonType": "array", "items": [INT, STRING]}),
        (list[Address], {"bsonType": "array", "items": ADDRESS}),
        (dict, {"bsonType": "object"}),
        (dict[str, Any], {"bsonType": "object"}),
        (Mapping[str, int], {"bsonType": "object", "additionalProperties": INT}),
        (Address, ADDRESS),
        (Address | None, {**ADDRESS, "bsonType": ["object", "null"]}),
        (Address | str | None, {"anyOf": [ADDRESS, STRING, {"bsonType": "null"}]}),
        (
            Page[int],
            {"bsonType": "object", "required": ["items"], "properties": {"items": {"bsonType": "array", "items": INT}}},
        ),
        (Tags, {"bsonType": "array", "items": STRING}),
        (Point, {"bsonType": "object", "properties": {"x": FLOAT, "y": INT}}),
        (
            Money,
            {
                "bsonType": "object",
                "required": ["amount", "currency"],
                "properties": {"amount": {"bsonType": "decimal"}, "currency": STRING},
            },
        ),
        (Annotated[complex, Field(json_schema_extra={"bsonType": "string"})], STRING),
        (Annotated[dt.time, pydantic.PlainSerializer(lambda value: value.isoformat(), return_type=str)], STRING),
    ],
)
async def test_types(annotation: Any, schema: dict[str, Any]) -> None:
    model = create_model("Order", __config__=ConfigDict(arbitrary_types_allowed=True), x=(annotation, ...))
    found = fields_of([model]).schema["properties"]["x"]
    assert found == schema
    assert json_util.dumps(found) == json_util.dumps(schema), "keywords stand in another order"
    assert not list(schema_faults(found))


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Annotated[int, Field(ge=0, lt=10)], {**INT, "minimum": 0, "maximum": 10, "exclusiveMaximum": True}),
        (Annotated[str, Field(min_length=1, max_length=5)], {**STRING, "minLength": 1, "maxLength": 5}),
        (Annotated[str, Field(pattern=r"^\d{5}$")], {**STRING, "pattern": r"^\d{5}$"}),
        (
            Annotated[list[Annotated[str, Field(max_length=3)]], Field(min_length=1)],
            {"bsonType": "array", "items": {**STRING, "maxLength": 3}, "minItems": 1},
        ),
        (
            Annotated[decimal.Decimal, Field(multiple_of=decimal.Decimal("0.01"))],
            {"bsonType": "decimal", "multipleOf": Decimal128("0.01")},
        ),
        (pydantic.PositiveInt, {**INT, "minimum": 0, "exclusiveMinimum": True}),
        (Annotated[str | None, Field(max_length=5)], {"bsonType": ["string", "null"], "maxLength": 5}),
        (Annotated[dt.datetime, Field(gt=dt.datetime(2020, 1, 1))], {"bsonType": "date"}),
    ],
)
def test_bounds_on_request(annotation: Any, schema: dict[str, Any]) -> None:
    model = create_model("Order", x=(annotation, ...))
    assert fields_of([model], constraints=True).schema["properties"]["x"] == schema
    assert not {"minimum", "maxLength", "pattern"} & set(fields_of([model]).schema["properties"]["x"])


class Node(BaseModel):
    value: int
    next: Node | None = None


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(alias="_id")
    number: int = Field(serialization_alias="no")
    mail: Annotated[str, RenamedFrom("email")]
    to: Address
    lines: list[Address] = []
    note: Annotated[str, Field(json_schema_extra={"renamed_from": "remark"})] = "-"
    price: decimal.Decimal = decimal.Decimal("1.5")
    made: dt.datetime = Field(default_factory=dt.datetime.now)
    head: Node = Node(value=1)
    hidden: str = Field(default="", exclude=True)
    at: dt.time = dt.time(1)
    loose: int = None  # type: ignore[assignment]

    @field_serializer("at")
    def _at(self, value: dt.time) -> str:
        return value.isoformat()

    @computed_field
    def total(self) -> int:
        return 1


def test_a_model_as_a_whole() -> None:
    found = fields_of([Order])
    assert found.schema["required"] == ["_id", "no", "mail", "to"]
    properties = found.schema["properties"]
    assert list(properties) == [
        "_id", "no", "mail", "to", "lines", "note", "price", "made", "head", "at", "loose", "total"
    ]  # fmt: skip
    assert properties["_id"] == {"bsonType": ["objectId", "string"]}, "what is read as a string may be an ObjectId"
    assert properties["head"]["properties"]["next"] == {"bsonType": ["object", "null"]}
    assert (properties["at"], properties["loose"]) == (STRING, {"bsonType": ["int", "long", "null"]})
    assert found.schema["additionalProperties"] is False
    assert found.renames == {"email": "mail", "remark": "note"}
    assert found.defaults == {"lines": [], "note": "-", "price": Decimal128("1.5"), "head": {"value": 1, "next": None}}
    assert [note.partition(":")[0] for note in found.notes] == ["made", "Node.next", "at"]


def test_paths_lead_through_sub_documents_and_arrays_but_not_through_what_has_no_path() -> None:
    class Line(BaseModel):
        quantity: Annotated[int, RenamedFrom("count")] = 1

    class Basket(BaseModel):
        one: Line
        many: list[Line]
        deep: list[list[Line]] = [[]]
        named: dict[str, Line] = {}
        either: Line | Address | None = None

    found = fields_of([Basket])
    assert found.renames == {"one.count": "one.quantity", "many.count": "many.quantity"}
    assert found.defaults == {"one.quantity": 1, "many.quantity": 1, "deep": [[]], "named": {}}


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (complex, "Order.x: BSON has no type for complex"),
        (list[dict[str, dt.time]], "Order.x: BSON has no type for time"),
    ],
)
def test_what_has_no_type_is_named(annotation: Any, told: str) -> None:
    model = create_model("Order", __config__=ConfigDict(arbitrary_types_allowed=True), x=(annotation, ...))
    with pytest.raises(DeclarationError, match=re.escape(told)):
        fields_of([model])


def test_several_classes_of_one_collection() -> None:
    first = create_model("First", a=(int, ...), b=(int, 1))
    second = create_model("Second", a=(str, ...), c=(int, ...))
    assert fields_of([first, second]).schema == {
        "bsonType": "object",
        "required": ["a"],
        "properties": {"a": {"bsonType": ["int", "long", "string"]}, "b": INT, "c": INT},
    }


@pytest.mark.pymongo_async
def test_beanie() -> None:
    from beanie import BackLink, Document, Indexed, Link

    class Tag(Document):
        label: Annotated[str, Indexed(unique=True)]

    class User(Document):
        model_config = ConfigDict(extra="forbid")

        nick: Annotated[str | None, Indexed(sparse=True)] = Field(default=None, alias="nickName")
        tag: Link[Tag]
        tags: list[Link[Tag]] = []
        back: BackLink[Tag] | None = Field(default=None, json_schema_extra={"original_field": "user"})

    found = fields_of([User]).schema
    link = {"bsonType": "object", "required": ["$ref", "$id"]}
    assert found == {
        "bsonType": "object",
        "required": ["tag"],
        "properties": {
            "_id": {"bsonType": "objectId"},
            "nickName": {"bsonType": ["string", "null"]},
            "tag": link,
            "tags": {"bsonType": "array", "items": link},
            "_class_id": {"bsonType": "string"},
        },
        "additionalProperties": False,
    }


async def test_a_real_server_takes_it(clients: dict[str, Any]) -> None:
    database = clients[DRIVERS[-1]]["test_fields_models"]
    await database.command(
        {"create": "orders", "validator": {"$jsonSchema": fields_of([Order], constraints=True).schema}}
    )
    order = Order(_id="1", number=1, mail="x", to=Address(city="y"))
    stored = order.model_dump(by_alias=True) | {"price": Decimal128("1.5")}
    try:
        await database["orders"].insert_one(stored)
    finally:
        await drop(clients[DRIVERS[-1]], "test_fields_models")


def test_odmantic() -> None:
    from .odmantic_models import Book

    place = {"bsonType": "object", "required": ["city"], "properties": {"city": STRING, "c": STRING}}
    found = fields_of([Book])
    assert found.schema == {
        "bsonType": "object",
        "required": ["t", "place", "publisher"],
        "properties": {
            "t": STRING,
            "price": {"bsonType": "decimal"},
            "place": place,
            "others": {"bsonType": "array", "items": place},
            "publisher": {"bsonType": "objectId"},
            "_id": {"bsonType": "objectId"},
        },
    }
    assert found.defaults == {"price": Decimal128("0"), "place.c": "", "others.c": "", "others": []}


def test_mongoengine() -> None:
    import mongoengine as me

    class Place(me.EmbeddedDocument):
        city = me.StringField(db_field="c", required=True)

    class Author(me.Document):
        name = me.StringField(primary_key=True)

    class Page(me.Document):
        title = me.StringField(db_field="t", required=True, max_length=200)
        hits = me.IntField(min_value=0, default=0)
        price = me.DecimalField()
        exact = me.Decimal128Field(required=True)
        at = me.DateTimeField()
        stamp = me.ComplexDateTimeField()
        where = me.PointField()
        place = me.EmbeddedDocumentField(Place)
        places = me.EmbeddedDocumentListField(Place)
        tags = me.ListField(me.StringField())
        author = me.ReferenceField(Author)
        kind = me.StringField(choices=(("a", "A"), ("b", "B")), required=True)
        raw = me.MapField(me.IntField())
        uid = me.UUIDField(binary=False)
        file = me.FileField()
        any = me.DynamicField()

    def optional(schema: dict[str, Any]) -> dict[str, Any]:
        kinds = schema["bsonType"]
        return {**schema, "bsonType": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}

    place = {"bsonType": "object", "required": ["c"], "properties": {"c": STRING}}
    found = fields_of([Page], constraints=True)
    assert found.schema["required"] == ["t", "exact", "kind"]
    assert found.schema["properties"] == {
        "_id": {"bsonType": "objectId"},
        "t": {**STRING, "maxLength": 200},
        "hits": optional({**INT, "minimum": 0}),
        "price": optional(FLOAT),
        "exact": {"bsonType": "decimal"},
        "at": optional({"bsonType": "date"}),
        "stamp": optional(STRING),
        "where": optional({"bsonType": "object"}),
        "place": optional(place),
        "places": optional({"bsonType": "array", "items": place}),
        "tags": optional({"bsonType": "array", "items": STRING}),
        "author": optional(STRING),
        "kind": {"enum": ["a", "b"]},
        "raw": optional({"bsonType": "object", "additionalProperties": INT}),
        "uid": optional(STRING),
        "file": optional({"bsonType": "objectId"}),
        "any": {},
    }
    assert found.defaults == {"hits": 0, "places": [], "tags": [], "raw": {}}
