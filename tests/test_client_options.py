"""The caller's client is his: whatever it is set to, asyncmig reads and writes what it has to."""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import SON, Binary, CodecOptions, DatetimeMS, Decimal128
from bson.binary import UuidRepresentation
from bson.codec_options import TypeCodec, TypeDecoder, TypeRegistry
from bson.raw_bson import RawBSONDocument

from asyncmig import Collection, Index, Migrator, View, introspect
from asyncmig.drivers import driver_for
from asyncmig.drivers.codec import EXACT
from asyncmig.operations import Pace, TransformDocuments, UpdateInBatches

from .clients import HAS_ASYNC
from .running.applying_helpers import run
from .running.database_snapshot import OWN

pytestmark = pytest.mark.servers

KEY = UUID(int=7)
FAR = DatetimeMS(2**60)
NEAR = datetime(2024, 5, 6, tzinfo=UTC)


class Shouted(TypeDecoder):
    """A string comes back as another one: nothing that asyncmig reads for itself may do so."""

    bson_type = str

    def transform_bson(self, value: str) -> str:
        return value.upper()


class Money(TypeCodec):
    python_type = Decimal
    bson_type = Decimal128

    def transform_python(self, value: Decimal) -> Decimal128:
        return Decimal128(value)

    def transform_bson(self, value: Decimal128) -> Decimal:
        return value.to_decimal()


class Custom:
    """What only the fallback of the client's registry can encode."""


REGISTRY = TypeRegistry([Shouted(), Money()], fallback_encoder=lambda value: f"<{type(value).__name__}>")

OPTIONS: dict[str, dict[str, Any]] = {
    "the default": {},
    "SON, zones": {"document_class": SON, "tz_aware": True, "uuidRepresentation": "standard"},
    "raw, milliseconds": {
        "document_class": RawBSONDocument,
        "uuidRepresentation": "pythonLegacy",
        "datetime_conversion": "DATETIME_MS",
    },
    "OrderedDict, clamped": {
        "document_class": OrderedDict,
        "uuidRepresentation": "javaLegacy",
        "datetime_conversion": "DATETIME_CLAMP",
        "tz_aware": True,
    },
    "broken text": {
        "unicode_decode_error_handler": "ignore",
        "uuidRepresentation": "csharpLegacy",
        "datetime_conversion": "DATETIME_AUTO",
    },
    "types": {"type_registry": REGISTRY},
}


class Order(Collection):
    __collection_name__ = "order"
    __options__ = {
        "validator": {"$or": [{"shop": {"$exists": False}}, {"shop": {"$in": [KEY, "other"]}}, {"at": {"$lt": FAR}}]}
    }
    __indexes__ = [
        Index("until", name="late", partialFilterExpression={"until": {"$gt": FAR}}),
        Index("shop", name="ours", partialFilterExpression={"shop": {"$eq": KEY}}),
    ]
    __initial_data__ = [{"_id": KEY, "until": FAR, "shop": KEY}, {"_id": FAR, "at": NEAR}, {"_id": "plain"}]


class Late(View):
    __collection_name__ = "late_order"
    __view_on__ = "order"
    __pipeline__ = [{"$match": {"until": {"$gt": FAR}, "shop": KEY}}]


@pytest.fixture(params=OPTIONS, ids=str)
def odd(request: pytest.FixtureRequest, make_client: Any, driver_name: str, database: Any) -> Any:
    """The database, by a client with such options."""
    return make_client(driver_name, **OPTIONS[request.param])[database.name]


async def test_the_whole_road(odd: Any, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    migrator = Migrator(odd, tmp_path, [Order, Late])
    written = await migrator.revision("orders", autogenerate=True)
    assert written is not None
    assert await migrator.upgrade() == [written]
    assert await migrator.diff() == []
    await migrator.check()
    state = await introspect(odd)
    assert list(state.collections) == ["late_order", "order"]
    assert [index.name for index in state.collections["order"].indexes] == ["late", "ours"]
    assert await migrator.losses("base", direction="downgrade") == ()
    assert await migrator.downgrade("base") == [written]
    assert set(await odd.list_collection_names()) <= {*OWN, "system.views"}


async def test_what_was_written_elsewhere_is_changed_and_made_anew(odd: Any, database: Any, tmp_path: Path) -> None:
    """By a client that takes everything; then looked at, changed and dropped by the odd one."""
    driver, uuid = driver_for(database), Binary.from_uuid(KEY)
    await driver.command({"create": "order", "validator": {"at": {"$ne": FAR}, "shop": {"$ne": uuid}}})
    keys = [{"key": {"a": 1}, "name": "a", "partialFilterExpression": {"at": {"$gt": FAR}, "shop": {"$eq": uuid}}}]
    await driver.command({"createIndexes": "order", "indexes": keys})
    await driver.command({"create": "seen", "viewOn": "order", "pipeline": [{"$match": {"at": FAR, "shop": uuid}}]})
    place = tmp_path / "versions"
    place.mkdir()
    (place / "20240101000000_a.py").write_text(
        textwrap.dedent("""
            revision, down_revision, branch_labels, depends_on = "20240101000000", None, None, None

            async def upgrade(env):
                await env.modify_index("order", "a", hidden=True)
                await env.drop_view("seen")
                await env.rename_collection("order", "orders")

            async def downgrade(env):
                await env.rename_collection("orders", "order")
                await env.modify_index("order", "a", hidden=False)
        """)
    )
    migrator = Migrator(odd, tmp_path)
    (done,) = await migrator.upgrade()
    assert await migrator.downgrade("base") == [done]
    assert await migrator.current() == ()


DOCUMENTS = [
    {"_id": KEY, "n": 1, "at": FAR, "shop": KEY, "text": "x"},
    {"_id": FAR, "n": 2, "at": FAR, "text": "x"},
    {"_id": {"deep": KEY, "at": FAR}, "n": 3, "text": "x"},
    {"_id": NEAR, "n": 4, "at": NEAR, "text": "x"},
]


async def test_data_through_the_server(odd: Any) -> None:
    """Filters and updates are the user's, spelled as his client spells them; keys may be anything."""
    driver = driver_for(odd)
    await driver.insert("c", [driver.encode(document) for document in DOCUMENTS])
    update = UpdateInBatches("c", {"$or": [{"shop": KEY}, {"at": {"$gte": NEAR}}]}, {"$set": {"by": KEY, "to": FAR}})
    (result,) = await run(odd, update)
    assert (result["matched"], result["modified"]) == (3, 3)
    assert await odd["c"].count_documents({"to": FAR}) == 3


async def test_a_function_sees_what_the_client_shows(odd: Any, make_client: Any, driver_name: str) -> None:
    """And what it returns is stored as that client would store it."""
    driver = driver_for(odd)
    near = [{**document, "at": NEAR} for document in DOCUMENTS if isinstance(document["_id"], UUID)]
    near.append({"_id": NEAR, "n": 4, "at": NEAR, "text": "x"})
    await driver.insert("c", [driver.encode(document) for document in near])
    shown = {document["n"]: type(document["at"]) async for document in odd["c"].find()}
    texts = {document["n"]: document["text"] async for document in odd["c"].find()}

    def function(document: Any) -> Mapping[str, Any]:
        assert isinstance(document, odd.codec_options.document_class)
        assert type(document["at"]) is shown[document["n"]]
        assert document["text"] == texts[document["n"]]
        return {"$set": {"by": KEY, "to": FAR}}

    (result,) = await run(odd, TransformDocuments("c", {"shop": KEY}, function, pace=Pace(batch_size=1)))
    (other,) = await run(odd, TransformDocuments("c", {"shop": {"$ne": KEY}}, function, pace=Pace(batch_size=1)))
    assert (result["modified"], other["modified"]) == (1, 1)
    spelling = odd.codec_options.uuid_representation or UuidRepresentation.STANDARD
    documents = odd.get_collection("c", codec_options=EXACT)
    assert await documents.count_documents({"to": FAR, "by": Binary.from_uuid(KEY, spelling), "text": "x"}) == 2


async def test_types_of_the_users_own(make_client: Any, driver_name: str, database: Any, tmp_path: Path) -> None:
    """His registry encodes what he wrote, and decodes nothing of ours."""
    odd = make_client(driver_name, type_registry=REGISTRY)[database.name]

    class Priced(Collection):
        __collection_name__ = "priced"
        __initial_data__ = [{"_id": "tea", "price": Decimal128("1.5")}]

    (tmp_path / "versions").mkdir()
    migrator = Migrator(odd, tmp_path, [Priced])
    await migrator.revision("lower case", autogenerate=True)
    await migrator.upgrade()
    assert await migrator.diff() == []
    update = UpdateInBatches("priced", {"price": Decimal("1.5")}, {"$set": {"cost": Decimal("1.2"), "by": Custom()}})
    (result,) = await run(odd, update)
    assert result["modified"] == 1
    stored = bson.decode((await driver_for(odd).stored("priced", ["tea"]))[0], CodecOptions())
    assert stored == {"_id": "tea", "price": Decimal128("1.5"), "cost": Decimal128("1.2"), "by": "<Custom>"}


async def test_an_id_that_only_looks_like_a_uuid(database: Any) -> None:
    """A Binary of that subtype may have any length: nobody need be able to decode it as a UUID."""
    odd = [Binary(b"x" * 16, 3), Binary(b"\x00" * 16, 4)]
    if HAS_ASYNC:  # an older PyMongo decodes no other length, whatever its options
        odd += [Binary(b"short", 4), Binary(b"", 4)]
    driver = driver_for(database)
    await driver.insert("c", [driver.encode({"_id": key, "n": 1}) for key in odd])
    (result,) = await run(database, UpdateInBatches("c", {}, {"$inc": {"n": 1}}, pace=Pace(batch_size=1)))
    assert result["modified"] == len(odd)
    (result,) = await run(
        database, TransformDocuments("c", {}, lambda one: {"$inc": {"n": 1}}, pace=Pace(batch_size=1))
    )
    assert result["modified"] == len(odd)
    assert await database["c"].count_documents({"n": 3}) == len(odd)
