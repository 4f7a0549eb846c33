"""The documents that a library itself stores pass the schema that is made of its classes, on a real server."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
from decimal import Decimal
from typing import Annotated, Any

import mongoengine as me
import pytest
from bson import DBRef, Decimal128, ObjectId
from odmantic import AIOEngine
from pydantic import BaseModel, ConfigDict, Field, RootModel

from asyncmig.fields.models import fields_of
from asyncmig.schema.fields import RenamedFrom

from ..clients import drop
from .odmantic_models import Converted

pytestmark = pytest.mark.pymongo_async
NAME = "test_fields_as_stored"


class Tint(enum.Enum):
    red = 1


async def refused(database: Any, models: dict[str, Any], store: Any) -> dict[str, Any]:
    """The documents of each collection that break its schema, once ``store`` has stored some."""
    schemas = {name: {"$jsonSchema": fields_of([model]).schema} for name, model in models.items()}
    found = {}
    try:
        for name, schema in schemas.items():
            await database.create_collection(name, validator=schema, validationLevel="off")
        await store()
        for name, schema in schemas.items():
            assert await database[name].count_documents({}) > 0, name
            found[name] = await database[name].find({"$nor": [schema]}).to_list(None)
    finally:
        await drop(database.client, NAME)
    return found


def as_text(day: dt.date) -> str:
    return day.isoformat()


def test_a_name_that_a_schema_takes_for_a_path_is_left_out() -> None:
    """A document with the key "a.b" can never have what the schema calls "a.b"."""

    class Odd(BaseModel):
        model_config = ConfigDict(extra="forbid")
        dotted: int = Field(alias="a.b")
        dollar: int = Field(alias="$x")

    found = fields_of([Odd])
    properties = {"$x": {"bsonType": ["int", "long"]}}
    assert found.schema == {"bsonType": "object", "required": ["$x"], "properties": properties}
    assert [note.partition(":")[0].rpartition(".")[2] for note in found.notes] == ["dotted"]


async def test_beanie(clients: dict[str, Any]) -> None:
    from beanie import Document, PydanticObjectId, init_beanie

    class Note(BaseModel):
        text: str | None
        at: dt.datetime

    class Encoded(Document):
        """Each of its types is stored in another way than usual, one of them in a way that nobody can know."""

        day: dt.date
        at: dt.datetime = dt.datetime(2020, 1, 1)
        owner: PydanticObjectId
        tint: Tint
        notes: list[Note]

        class Settings:
            bson_encoders = {
                ObjectId: str,
                dt.date: as_text,
                enum.Enum: lambda member: member.name,
            }

    class WithoutNulls(Document):
        """None is left out, within sub-documents too."""

        nick: str | None
        note: Note | None
        notes: list[Note]

        class Settings:
            keep_nulls = False

    async def store() -> None:
        await init_beanie(database=database, document_models=[Encoded, WithoutNulls])
        now = dt.datetime(2026, 1, 2, 3)
        note = Note(text=None, at=now)
        await Encoded(day=now.date(), owner=PydanticObjectId(), tint=Tint.red, notes=[note]).insert()
        await WithoutNulls(nick=None, note=None, notes=[note]).insert()

    database = clients["pymongo"][NAME]
    assert await refused(database, {"Encoded": Encoded, "WithoutNulls": WithoutNulls}, store) == {
        "Encoded": [],
        "WithoutNulls": [],
    }
    fields, text = fields_of([Encoded]), {"bsonType": "string"}
    kinds = [fields.schema["properties"][name] for name in ("day", "at", "owner", "tint")]
    assert kinds == [text, text, text, {}]
    assert fields.defaults == {"at": "2020-01-01T00:00:00"}  # a date and time is a date
    assert any("Encoded.tint: it is stored as one of bson_encoders makes it" in note for note in fields.notes)


async def test_links_of_beanie(clients: dict[str, Any]) -> None:
    """In fields of the document itself a reference is stored; elsewhere the linked document, where it is there."""
    from beanie import Document, Link, PydanticObjectId, init_beanie

    class Tag(Document):
        name: str = "x"

    class Inner(BaseModel):
        tag: Link[Tag]

    class Tagged(Document):
        tag: Link[Tag]
        tags: list[Link[Tag]] | None = None
        inner: Inner
        by_name: dict[str, Link[Tag]] = {}
        either: Link[Tag] | str = "y"
        some: list[Link[Tag] | None] = []

    async def store() -> None:
        await init_beanie(database=database, document_models=[Tag, Tagged])
        tag = Tag(id=PydanticObjectId())
        link = Link(tag.to_ref(), Tag)
        await Tagged(tag=link, inner=Inner(tag=link), by_name={"a": link}, either=link, some=[link]).insert()
        await Tagged(tag=tag, tags=[tag], inner=Inner(tag=tag), by_name={"a": tag}, either=tag, some=[tag]).insert()

    database = clients["pymongo"][NAME]
    assert await refused(database, {"Tagged": Tagged}, store) == {"Tagged": []}
    properties = fields_of([Tagged]).schema["properties"]
    reference = {"bsonType": "object", "required": ["$ref", "$id"]}
    assert (properties["tag"], properties["tags"]["items"]) == (reference, reference)


async def test_odmantic(clients: dict[str, Any]) -> None:
    database = clients["pymongo"][NAME]
    engine = AIOEngine(client=clients["motor"], database=NAME)
    assert await refused(database, {"converted": Converted}, lambda: engine.save(Converted())) == {"converted": []}


class Place(me.EmbeddedDocument):  # type: ignore[misc]
    city = me.StringField()


class Author(me.Document):  # type: ignore[misc]
    name = me.StringField()
    meta = {"db_alias": NAME}


class Wrapped(me.StringField):  # type: ignore[misc]
    def to_mongo(self, value: str) -> dict[str, str]:
        return {"text": value}


class Choosing(me.Document):  # type: ignore[misc]
    """Choices may be classes, and are told as Python has them, not as they are stored."""

    anyone = me.GenericReferenceField(choices=(Author,), required=True)
    some = me.ListField(me.GenericLazyReferenceField(choices=["Author"]))
    place = me.GenericEmbeddedDocumentField(choices=[Place])
    size = me.EnumField(Tint, choices=[Tint.red])
    share = me.DecimalField(choices=[Decimal("0.5"), Decimal(1)])
    wrapped = Wrapped()
    kind = me.StringField(choices=[("a", "label"), ("b", "other label")])
    meta = {"db_alias": NAME}


async def test_mongoengine(clients: dict[str, Any], server_url: str) -> None:
    def work() -> None:
        me.register_connection(NAME, db=NAME, host=server_url, uuidRepresentation="standard")
        author = Author(name="x").save()
        Choosing(
            anyone=author, some=[author], place=Place(city="y"), size=Tint.red, share=Decimal("0.5"), kind="b"
        ).save()
        me.disconnect(NAME)

    async def store() -> None:
        await asyncio.to_thread(work)
        assert isinstance((await database["choosing"].find_one())["anyone"]["_ref"], DBRef)

    database = clients["pymongo"][NAME]
    assert await refused(database, {"author": Author, "choosing": Choosing}, store) == {"author": [], "choosing": []}


def test_a_class_that_is_not_imported_is_told() -> None:
    class Lazy(me.Document):  # type: ignore[misc]
        other = me.ReferenceField("NobodyHasImportedThis")

    found = fields_of([Lazy])
    assert found.schema["properties"]["other"] == {}
    told = f"{Lazy.__qualname__}.other: NobodyHasImportedThis is not imported, and nothing is known of it"
    assert found.notes == (told,)


def test_the_default_of_a_root_model_is_its_root() -> None:
    class Price(BaseModel):
        amount: RootModel[Decimal] = RootModel[Decimal](Decimal("1.5"))
        tags: RootModel[list[str]] = RootModel[list[str]](["a"])

    assert fields_of([Price]).defaults == {"amount": Decimal128("1.5"), "tags": ["a"]}


def test_a_rename_to_which_no_path_leads_is_told() -> None:
    class Line(BaseModel):
        code: Annotated[str, RenamedFrom("sku")]

    class Order(BaseModel):
        lines: list[Line]
        by_day: dict[str, Line]

    found = fields_of([Order])
    assert found.renames == {"lines.sku": "lines.code"}
    told = [note.partition(",")[0] for note in found.notes]
    assert told == [f"{Line.__qualname__}.code: it is marked as renamed from sku"]
