"""ODMantic models that say less, or more, than they seem to."""

from datetime import datetime

from odmantic import AIOEngine, EmbeddedModel, Field, Index, Model, Reference
from odmantic.query import asc, desc
from pymongo import IndexModel

FRAMEWORK = "odmantic"


class Deep(EmbeddedModel):
    mark: str = Field(index=True, key_name="m")


class Address(EmbeddedModel):
    city: str = Field(unique=True)
    deep: Deep


class PullRequestModel(Model):
    """Called pull_request."""

    number: int = Field(index=True)


class Publisher(Model):
    name: str = Field(primary_field=True)
    founded: int = Field(ge=1440, index=True)


class Book(Model):
    title: str = Field(key_name="t", index=True)
    pages: int
    at: datetime
    address: Address
    publisher: Publisher = Reference(key_name="pub")
    model_config = {
        "collection": "books",
        "indexes": lambda: [
            Index(Book.title, desc(Book.pages), name="title and pages", unique=True),
            Index(asc(Book.address.city)),
            Index(Book.publisher),
            IndexModel([("at", 1)], expireAfterSeconds=5),
            IndexModel([("t", "text")]),
        ],
    }


class Plain(Model):
    x: int


MODELS = [PullRequestModel, Publisher, Book, Plain]

NOTES = ["address.city: `index` and `unique` in an EmbeddedModel", "address.deep.m: `index` and `unique`"]


async def create(uri, name):
    from motor.motor_asyncio import AsyncIOMotorClient

    client = AsyncIOMotorClient(uri)
    await AIOEngine(client=client, database=name).configure_database(MODELS)
    client.close()
