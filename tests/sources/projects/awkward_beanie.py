"""Beanie models that say less, or more, than they seem to: each trap was met in a public project."""

from datetime import datetime
from typing import Annotated, ClassVar, Generic, TypeVar

import pymongo
from beanie import Document, Granularity, Indexed, Link, TimeSeriesConfig, UnionDoc, View
from beanie.odm.documents import DocumentWithSoftDelete
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

FRAMEWORK = "beanie"


class Chat(Document):
    pass


class Zip(BaseModel):
    code: Annotated[str, Indexed(unique=True)]


class Address(BaseModel):
    zip: Zip
    city: Indexed(str)


class Message(Document):
    """Aliases count, a link is indexed as a whole, wrapped marks do nothing."""

    chat: Annotated[Link[Chat], Indexed()]
    sender: Annotated[str, Indexed()] = Field(alias="sender_id")
    nick: Indexed(str) | None = None
    tags: list[Annotated[str, Indexed()]] = []
    later: "Annotated[Later | None, Indexed(unique=True)]" = None
    address: Address | None = None
    text: Annotated[str, Indexed(index_type=pymongo.TEXT)] = ""
    place: Annotated[dict | None, Indexed(index_type=pymongo.GEOSPHERE, sparse=True)] = None

    class Settings:
        name = "messages"
        indexes = [
            IndexModel("name"),
            "age",
            ["a", "b"],
            [("b", -1), ("a", 1)],
            IndexModel([("c", 1)], name="c_plain"),
            IndexModel([("c", 1)], name="c_collated", collation={"locale": "en", "strength": 2}),
            IndexModel([("at", 1)], expireAfterSeconds=3600, partialFilterExpression={"age": {"$gt": 17}}),
        ]


class Later(str):
    __slots__ = ()


class Stamped(BaseModel):
    """Settings and marks on a plain model, taken up by whoever derives from it."""

    created: Annotated[datetime, Indexed()] = Field(default_factory=datetime.now)

    class Settings:
        name = "stamped"
        indexes = ["by_mixin"]


class Taking(Document, Stamped):
    pass


class Overriding(Document, Stamped):
    class Settings(Stamped.Settings):
        name = "overriding"
        use_state_management = True


class Parent(Document):
    """Not in the list: its indexes are made all the same, since a child is."""

    p: Annotated[int, Indexed()]

    class Settings:
        name = "parents"
        indexes = ["q"]


class Child(Parent):
    class Settings:
        name = "children"


class Root(Document):
    r: Annotated[int, Indexed()]

    class Settings:
        name = "things"
        is_root = True
        indexes = [[("r", 1), ("_class_id", 1)]]


class Leaf(Root):
    c: Annotated[int, Indexed()]

    class Settings:
        indexes = [[("c", -1)]]
        merge_indexes = True
        is_root = True
        name = "ignored"


class Twig(Leaf):
    """Inherits the settings as a whole."""


T = TypeVar("T")


class Page(Document, Generic[T]):
    item: T | None = None
    number: Annotated[int, Indexed()] = 0

    class Settings:
        name = "pages"


class IntPage(Page[int]):
    class Settings:
        name = "int_pages"


class Camel(Document):
    model_config = ConfigDict(alias_generator=lambda name: name.title().replace("_", ""), populate_by_name=True)
    first_name: Annotated[str, Indexed()] = ""


class Series(Document):
    ts: datetime
    meta: Annotated[str, Indexed()]

    class Settings:
        name = "series"
        timeseries = TimeSeriesConfig(
            time_field="ts", meta_field="meta", granularity=Granularity.minutes, expire_after_seconds=60
        )


class Union(UnionDoc):
    class Settings:
        name = "uni"
        timeseries = TimeSeriesConfig(time_field="ts")


class Member(Document):
    u: Annotated[int, Indexed()]

    class Settings:
        name = "member"
        union_doc = Union


class OtherMember(Document):
    class Settings:
        union_doc = Union
        indexes = ["v"]


class ByKind(View):
    n: int

    class Settings:
        source = Message
        pipeline: ClassVar[list] = [
            {"$match": {"text": {"$regex": "^a", "$options": "i"}}},
            {"$group": {"_id": "$age"}},
        ]


class Dotted(DocumentWithSoftDelete):
    class Settings:
        name = "metadata.definitions"
        collection = "nothing"
        index = ["nothing"]


class Both(Chat, Parent):
    class Settings:
        name = "never"


MODELS = [
    ByKind, Both, Camel, Chat, Child, Dotted, IntPage, Leaf, Member, Message, OtherMember, Overriding, Root, Series,
    Taking, Twig, Union,
]  # fmt: skip

NOTES = [
    "Message: later: its type names a class that is defined further down, and Beanie does not see its `Indexed`",
    "Message: nick: `Indexed` inside another type",
    "Message: tags: `Indexed` inside another type",
    "address.zip.code: `Indexed` in an embedded model",
    "address.city: `Indexed` in an embedded model",
    "index a_1_b_1 on {a: 1, b: 1} is not made, index b_-1_a_1 on {b: -1, a: 1} stands",
    "index c_plain on {c: 1} is not made, index c_collated on {c: 1} (collation=",
    "Parent is not in the list of models, and Beanie makes its indexes too",
    "Page is not in the list of models",
    "Page[int] is not in the list of models",
    "does not look at `timeseries` of a UnionDoc",
    "Settings.collection is no setting of Beanie, which ignores it; did you mean `name`?",
    "Settings.index is no setting of Beanie, which ignores it; did you mean `indexes`?",
    "it derives from two Documents, Chat and Parent",
]


async def create(uri, name):
    from beanie import init_beanie
    from pymongo import AsyncMongoClient

    async with AsyncMongoClient(uri) as client:
        await init_beanie(database=client[name], document_models=list(MODELS))
