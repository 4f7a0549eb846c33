"""Beanie models as they were written for Pydantic 1 (Beanie 1.11 to 1.30), for Python 3.8: marks inside Optional and
List, the early inner class ``Collection``, parents that are not in the list, indexes on the same fields.
"""

import asyncio
import sys
from datetime import datetime
from typing import List, Optional

import pymongo
from pydantic import BaseModel, Field
from pymongo import IndexModel

try:
    import beanie
except ImportError:  # its synchronous twin
    import bunnet as beanie

Document, Indexed, TimeSeriesConfig = beanie.Document, beanie.Indexed, beanie.TimeSeriesConfig
UnionDoc, View = beanie.UnionDoc, beanie.View
VERSION = tuple(int(part) for part in beanie.__version__.split(".")[:2]) if hasattr(beanie, "__version__") else (0, 0)
EARLY = beanie.__name__ == "beanie" and VERSION < (1, 14)


class Zip(BaseModel):
    code: Indexed(str, unique=True)


class User(Document):
    email: Indexed(str, unique=True)
    sender: Indexed(str) = Field("", alias="sender_id")
    nick: Optional[Indexed(str)] = None
    tags: List[Indexed(str)] = []
    zip: Optional[Zip] = None
    text: Indexed(str, index_type=pymongo.TEXT) = ""

    class Settings:
        name = "users"
        indexes = [
            "age",
            [("age", -1), ("email", 1)],
            IndexModel([("at", 1)], expireAfterSeconds=3600, partialFilterExpression={"age": {"$gt": 17}}),
            IndexModel([("c", 1)], name="c_collated", collation={"locale": "en", "strength": 2}),
        ]


class Plain(Document):
    x: int


class Parent(Document):
    p: Indexed(int)

    class Settings:
        name = "parents"


class Child(Parent):
    class Settings:
        name = "children"
        indexes = ["q"]


class Heir(Child):
    """Inherits the settings as a whole."""


class Mixin(BaseModel):
    created: Indexed(int) = 0


class Mixed(Document, Mixin):
    class Settings:
        name = "metadata.definitions"


class Union(UnionDoc):
    class Settings:
        name = "uni"


class Member(Document):
    u: Indexed(int)

    class Settings:
        union_doc = Union


class Series(Document):
    ts: datetime
    meta: str

    class Settings:
        name = "series"
        timeseries = TimeSeriesConfig(time_field="ts", meta_field="meta", expire_after_seconds=60)


class ByAge(View):
    n: int

    class Settings:
        source = User
        pipeline = [{"$group": {"_id": "$age", "n": {"$sum": 1}}}]


MODELS = [Union, User, Plain, Child, Heir, Mixed, Member, Series, ByAge]

if EARLY:

    class Old(Document):
        o: Indexed(int)

        class Collection:
            name = "old_ones"
            indexes = ["older"]

    MODELS.append(Old)
else:

    class Root(Document):
        r: Indexed(int)

        class Settings:
            name = "things"
            is_root = True

    class Leaf(Root):
        c: Indexed(int)

        class Settings:
            indexes = [[("c", -1)], [("d", 1), ("c", 1)], [("c", 1), ("d", 1)]]
            is_root = True
            name = "ignored"

    MODELS.append(Leaf)


async def create(uri: str, name: str) -> None:
    if beanie.__name__ == "bunnet":
        with pymongo.MongoClient(uri) as client:
            beanie.init_bunnet(database=client[name], document_models=MODELS)
        return
    if beanie.__version__.startswith("1."):
        from motor.motor_asyncio import AsyncIOMotorClient as Client
    else:
        from pymongo import AsyncMongoClient as Client
    await beanie.init_beanie(database=Client(uri)[name], document_models=MODELS)


if __name__ == "__main__":
    asyncio.run(create(*sys.argv[1:]))
