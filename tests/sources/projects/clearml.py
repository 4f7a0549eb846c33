"""clearml-server (MongoEngine 0.29): two databases by db_alias, and a class of one name in each; numeric collation,
text indexes with weights and a dotted name, unique_with, sparse, ``id`` as primary key inside a text index (``$id`` is
``_id``), an abstract base whose fields and meta are inherited, one field unique and again in meta.
"""

import mongoengine as me

FRAMEWORK = "mongoengine"
AUTH, BACKEND = "auth-db", "backend-db"
ALIASES = {AUTH: "auth", BACKEND: "backend"}
NUMERIC = {"locale": "en_US", "numericOrdering": True}


class GetManyScrollState(me.Document):  # a document class nested in a mix-in class
    meta = {"db_alias": BACKEND, "strict": False}
    id = me.StringField(primary_key=True)
    position = me.IntField(default=0)


class Company(me.Document):
    meta = {"db_alias": BACKEND, "strict": False}
    id = me.StringField(primary_key=True)
    name = me.StringField(min_length=3)


class AuthUser(me.Document):
    meta = {"db_alias": AUTH, "strict": False, "collection": "user"}
    id = me.StringField(primary_key=True)
    role = me.StringField(required=True)
    company = me.StringField(required=True)
    email = me.EmailField(unique=True, sparse=True)


class User(me.Document):
    meta = {"db_alias": BACKEND, "strict": False}
    id = me.StringField(primary_key=True)
    company = me.StringField(required=True)
    name = me.StringField(required=True)


class AttributedDocument(me.Document):
    meta = {"abstract": True}
    company = me.StringField()
    user = me.StringField()


class Project(AttributedDocument):
    meta = {
        "db_alias": BACKEND,
        "strict": False,
        "indexes": [
            "parent",
            "path",
            ("company", "name"),
            ("company", "basename"),
            {
                "name": "backend-db.project.main_text_index",
                "fields": ["$name", "$id", "$description"],
                "default_language": "english",
                "weights": {"name": 10, "id": 10, "description": 10},
            },
        ],
    }
    id = me.StringField(primary_key=True)
    name = me.StringField(required=True, unique_with="company", sparse=True)
    basename = me.StringField(required=True)
    description = me.StringField()
    parent = me.StringField()
    path = me.ListField(me.StringField())


class ModelItem(me.EmbeddedDocument):
    model = me.StringField(required=True)


class Models(me.EmbeddedDocument):
    input = me.EmbeddedDocumentListField(ModelItem)
    output = me.EmbeddedDocumentListField(ModelItem)


class Script(me.EmbeddedDocument):
    repository = me.StringField()
    entry_point = me.StringField()


class Task(AttributedDocument):
    meta = {
        "db_alias": BACKEND,
        "strict": False,
        "indexes": [
            "created",
            "started",
            "completed",
            "active_duration",
            "parent",
            "project",
            "last_update",
            "status_changed",
            "models.input.model",
            ("company", "name"),
            ("company", "status", "type"),
            ("company", "last_update", "system_tags"),
            ("company", "type", "system_tags", "status"),
            ("company", "project", "type", "system_tags", "status"),
            ("status", "last_update"),
            {"fields": ["company", "project"], "collation": NUMERIC},
            ("company", "tags"),
            ("company", "system_tags"),
            ("company", "project", "tags"),
            ("company", "project", "system_tags"),
            ("company", "user"),
            ("company", "project", "user"),
            ("company", "parent"),
            ("company", "project", "parent"),
            ("company", "type"),
            ("company", "project", "type"),
            {
                "name": "backend-db.task.main_text_index",
                "fields": [
                    "$name",
                    "$id",
                    "$comment",
                    "$report",
                    "$models.input.model",
                    "$models.output.model",
                    "$script.repository",
                    "$script.entry_point",
                ],
                "default_language": "english",
                "weights": {
                    "name": 10,
                    "id": 10,
                    "comment": 10,
                    "report": 10,
                    "models.output.model": 2,
                    "models.input.model": 2,
                    "script.repository": 1,
                    "script.entry_point": 1,
                },
            },
        ],
    }
    id = me.StringField(primary_key=True)
    name = me.StringField(required=True, sparse=False, min_length=3)
    type = me.StringField(required=True)
    status = me.StringField(default="created")
    comment = me.StringField()
    report = me.StringField()
    created = me.DateTimeField()
    started = me.DateTimeField()
    completed = me.DateTimeField()
    active_duration = me.IntField()
    parent = me.StringField()
    project = me.StringField()
    last_update = me.DateTimeField()
    status_changed = me.DateTimeField()
    tags = me.ListField(me.StringField())
    system_tags = me.ListField(me.StringField())
    models = me.EmbeddedDocumentField(Models)
    script = me.EmbeddedDocumentField(Script)


class Model(AttributedDocument):
    meta = {
        "db_alias": BACKEND,
        "strict": False,
        "indexes": [
            "parent",
            "project",
            "task",
            "last_update",
            ("company", "last_update"),
            ("company", "name"),
            ("company", "uri"),
            ("company", "tags"),
            ("company", "system_tags"),
            ("company", "project", "tags"),
            ("company", "project", "system_tags"),
            ("company", "user"),
            ("company", "project", "user"),
            ("company", "framework"),
            ("company", "project", "framework"),
            {
                "name": "backend-db.model.main_text_index",
                "fields": ["$name", "$id", "$comment", "$parent", "$task", "$project"],
                "default_language": "english",
                "weights": {"name": 10, "id": 10, "comment": 10, "parent": 5, "task": 3, "project": 3},
            },
        ],
    }
    id = me.StringField(primary_key=True)
    name = me.StringField()
    parent = me.StringField()
    project = me.StringField()
    task = me.StringField()
    comment = me.StringField()
    tags = me.ListField(me.StringField())
    system_tags = me.ListField(me.StringField())
    uri = me.StringField()
    framework = me.StringField()
    last_update = me.DateTimeField()


class Queue(me.Document):
    meta = {"db_alias": BACKEND, "strict": False}
    id = me.StringField(primary_key=True)
    name = me.StringField(required=True, unique_with="company", min_length=3)
    company = me.StringField(required=True)


class Settings(me.Document):
    meta = {"db_alias": BACKEND, "strict": False}
    key = me.StringField(primary_key=True)
    value = me.DynamicField()


class StorageSettings(me.Document):
    meta = {"db_alias": BACKEND, "strict": False, "indexes": ["company"]}
    id = me.StringField(primary_key=True)
    company = me.StringField(required=True, unique=True)  # and "company" again in meta: one of the two wins


class UrlToDelete(AttributedDocument):
    meta = {
        "db_alias": BACKEND,
        "strict": False,
        "indexes": [
            ("company", "user", "task"),
            ("company", "storage_type", "url"),
            ("status", "retry_count", "storage_type"),
        ],
    }
    id = me.StringField(primary_key=True)
    url = me.StringField(required=True, unique_with="company")
    task = me.StringField(required=True)
    storage_type = me.StringField()
    retry_count = me.IntField(default=0)
    status = me.StringField()


class Version(me.Document):
    meta = {"collection": "versions", "db_alias": BACKEND, "strict": False, "indexes": [("-created", "-num")]}
    id = me.StringField(primary_key=True)
    num = me.StringField(required=True)
    created = me.DateTimeField(required=True)


MODELS = [
    GetManyScrollState,
    Company,
    AuthUser,
    User,
    Project,
    Task,
    Model,
    Queue,
    Settings,
    StorageSettings,
    UrlToDelete,
    Version,
]


def create(uri, name):
    """`name` is a prefix: each alias has a database of its own, NAME_auth and NAME_backend."""
    for alias, suffix in ALIASES.items():
        me.register_connection(alias, db=f"{name}_{suffix}", host=uri, uuidRepresentation="standard")
    for model in MODELS:
        model._collection = None  # of a connection before; disconnecting forgets it by name, and names are shared
        model.ensure_indexes()


if __name__ == "__main__":
    import sys

    create(*sys.argv[1:])
