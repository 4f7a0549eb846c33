"""MongoEngine documents that say less, or more, than they seem to."""

import mongoengine as me

FRAMEWORK = "mongoengine"
ALIAS = "awkward"


class Address(me.EmbeddedDocument):
    city = me.StringField(db_field="c", required=True)
    code = me.StringField(unique=True, sparse=True)


class Author(me.Document):
    name = me.StringField(max_length=50, unique=True)
    meta = {"db_alias": ALIAS}


class ActionDB(me.Document):
    """Called action_d_b."""

    meta = {"db_alias": ALIAS}


class Page(me.Document):
    title = me.StringField(db_field="t")
    slug = me.StringField(unique_with="category")
    category = me.StringField()
    hits = me.IntField()
    at = me.DateTimeField()
    where = me.PointField()
    flat = me.GeoPointField()
    address = me.EmbeddedDocumentField(Address, db_field="a")
    tags = me.ListField(me.StringField())
    author = me.ReferenceField(Author)
    meta = {
        "db_alias": ALIAS,
        "collection": "pages",
        "indexes": [
            "title",
            ("category", "-hits"),
            "#category",
            {"fields": ["$title", "$tags"], "weights": {"t": 3}, "default_language": "english"},
            {"fields": ["at"], "expireAfterSeconds": 3600, "name": "ttl"},
            {"fields": ["hits"], "partialFilterExpression": {"hits": {"$gt": 5}}, "name": "part"},
            {"fields": ["address.city"], "collation": {"locale": "en", "strength": 2}},
        ],
    }


class Base(me.Document):
    x = me.IntField()
    meta = {"db_alias": ALIAS, "collection": "bases", "allow_inheritance": True, "indexes": ["x"]}


class Sub(Base):
    y = me.IntField()
    meta = {"indexes": ["y"]}


class Bare(me.Document):
    """Shares a collection with nobody yet: the index on _cls is made all the same."""

    meta = {"db_alias": ALIAS, "allow_inheritance": True}


class Owned(me.Document):
    """Abstract, with a unique field that a subclass declares anew."""

    owner = me.StringField(unique=True)
    label = me.StringField()
    meta = {"db_alias": ALIAS, "abstract": True, "indexes": ["label"]}


class Thing(Owned):
    owner = me.StringField()
    meta = {"indexes": [*Owned._meta["indexes"], "label", "owner"]}


class Once(Owned):
    """unique on the field, and the same field again in meta: the unique one wins."""

    meta = {"indexes": ["owner"], "index_opts": {"sparse": False}}


class Mixin:
    meta = {"indexes": ["m"]}
    m = me.IntField()


class Mixed(Mixin, me.Document):
    meta = {"db_alias": ALIAS, "indexes": ["-m"]}


class Log(me.Document):
    meta = {"db_alias": ALIAS, "max_documents": 10, "max_size": 2_000_001}


class Series(me.Document):
    ts = me.DateTimeField()
    meta = {"db_alias": ALIAS, "timeseries": {"timeField": "ts", "metaField": "m", "granularity": "seconds"}}


class Elsewhere(me.Document):
    meta = {"indexes": [("other", "database")]}
    other, database = me.IntField(), me.IntField()


MODELS = [Author, ActionDB, Page, Base, Sub, Bare, Owned, Thing, Once, Mixed, Log, Series, Elsewhere]

NOTES = [
    "index address.code_1 is on 'address.code', but documents hold 'a.code'",
    "db_alias 'default': left out, as it is another database: elsewhere",
]


def create(uri, name):
    me.register_connection(ALIAS, db=name, host=uri, uuidRepresentation="standard")
    for model in MODELS:
        if model is not Elsewhere and not model._meta.get("abstract"):
            model._collection = None  # of a connection before; disconnecting forgets it by name, and names are shared
            model.ensure_indexes()
    me.disconnect(ALIAS)
