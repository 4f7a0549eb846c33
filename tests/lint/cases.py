"""For each rule, revisions that it has something to say about, and revisions that it has not.

A case is the body of ``upgrade``; what else it needs stands beside it. ``before`` is the body of an
earlier revision, in which ``user`` is created with an index on ``email``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asyncmig.lint.subject import Options

__all__ = ["BAD", "GOOD", "Case"]

USER = 'await env.create_collection("user")\nawait env.create_index("user", "email")'


@dataclass(frozen=True)
class Case:
    upgrade: str
    before: str = USER
    head: str = ""
    downgrade: str = "raise NotImplementedError"
    options: Options = field(default_factory=Options)


def schema(**rest: Any) -> str:
    return repr({"$jsonSchema": rest})


MOVED_TO_NAME = 'await env.update_in_batches("user", {"name": {"$exists": False}}, {"$set": {"name": ""}})'
NAMED = f'await env.create_collection("user", validator={schema(required=["a"], properties={"a": {}})})'
FLAGS = (
    'await env.create_collection("user", validator='
    + schema(properties={"active": {"bsonType": "bool"}, "kind": {"enum": ["a", "b"]}, "n": {"bsonType": "int"}})
    + ")"
)
SERIES = 'await env.create_collection("user", timeseries={"timeField": "at"})'
WILD = 'await env.create_collection("user")\nawait env.create_index("user", "$**")'
LARGE = Options(members=5, commit_quorum="votingMembers")

BAD: dict[str, list[Case | str]] = {
    "L00": [
        'await env.drop_index("user", "email_1")  # asyncmig: allow L05',
        'await env.create_index("user", "n")  # asyncmig: allow L05 (nobody uses it)',
        'await env.create_index("user", "n")  # asyncmig: allow L99 (no such rule)',
        Case("pass", head='"""two\n\nasyncmig: allow L01 (there are no documents yet)\n"""'),
    ],
    "L01": [
        'await env.create_index("user", "uid", unique=True)',
        'for field in ("a", "b"):\n    await env.create_indexes("user", [Index(field, unique=1.0)])',
        'await env.db["user"].create_index([("uid", 1)], unique=True)',
        Case('await env.create_index("never_seen", "uid", unique=True)', before="pass"),
        'if "user" in env.collections:\n    await env.create_index("user", [("a", 1)], unique=True)',
    ],
    "L02": [
        'await env.create_index("user", "at", expireAfterSeconds=3600)',
        'await env.modify_index("user", "email_1", expireAfterSeconds=60)',
        Case(
            'await env.modify_index("user", "at_1", expireAfterSeconds=60)',
            before='await env.create_collection("user")\n'
            'await env.create_index("user", "at", expireAfterSeconds=60 * 60)',
        ),
        Case('await env.modify_collection("user", expireAfterSeconds=60)', before=SERIES),
    ],
    "L03": [
        'await env.drop_index("user", "email_1")\nawait env.create_index("user", [("email", 1), ("at", 1)])',
        'await env.drop_index("user", "a_1_b_-1")\nawait env.create_index("user", [("a", 1), ("b", -1)], sparse=True)',
        'await env.drop_index("user", "email_1")\n'
        'await env.create_indexes("user", [Index("n"), Index("email", unique=True)])',
    ],
    "L04": [
        Case('await env.modify_index("user", "$**_1", expireAfterSeconds=60)', before=WILD),
        Case(
            'await env.modify_index("user", "all", unique=True)',
            before='await env.create_index("user", "a.$**", name="all")',
        ),
        Case('await env.db.command("collMod", "user", index={"keyPattern": {"$**": 1}, "prepareUnique": True})'),
        Case('await env.db.command({"collMod": "user", "index": {"name": "$**_1", "unique": True}})', before=WILD),
    ],
    "L05": [
        'await env.drop_index("user", "email_1")',
        'await env.drop_index("user", "who_knows")',
        'await env.modify_index("user", "email_1", hidden=True)\nawait env.drop_index("user", "email_1")',
    ],
    "L06": [
        'await env.drop_collection("user")',
        'await env.remove_field("user", "name")',
        "await env.db.user.drop()",
        "await env.db.user.delete_many({})",
        'await env.db.drop_collection("user")',
        'await env.update_in_batches("user", {}, [{"$unset": "name"}])',
        'await env.delete_documents("user", [1, 2])',
        'users = env.db.get_collection("user")\nawait users.update_many({}, {"$unset": {"name": ""}})',
    ],
    "L07": [
        f'{MOVED_TO_NAME}\nawait env.remove_field("user", "first")',
        'await env.update_in_batches("user", {}, [{"$set": {"b": "$a"}}])\n'
        'await env.update_in_batches("user", {}, {"$unset": {"a": 1}})',
        'await env.convert_field("user", "n", to="long")\nawait env.remove_field("user", "m", keep_in="m_removed")',
    ],
    "L08": [
        'await env.rename_field("user", "uid", "user_id")',
        'await env.rename_collection("user", "member")',
        'await env.rename_field("user", "address.zip", "address.postcode")',
    ],
    "L09": [
        'await env.modify_collection("user", validator={"n": {"$gte": 0}})',
        Case(
            f'await env.modify_collection("user", validator={schema(required=["a", "b"], properties={"a": {}})})',
            before=NAMED,
        ),
        Case(
            'await env.modify_collection("user", validationLevel="strict", validationAction="error")',
            before=('await env.create_collection("user", validator={"a": 1}, validationAction="warn")'),
        ),
    ],
    "L10": [
        Case(f'await env.modify_collection("user", validator={schema(required=["a", "name"])})', before=NAMED),
        f'await env.modify_collection("user", validator={schema(required=["name"])})',
        Case(f'await env.modify_collection("user", validator={schema(required=["name"])})\n{MOVED_TO_NAME}'),
    ],
    "L11": [
        'await env.db.user.update_many({}, {"$set": {"a": 1}})',
        "async for user in env.db.user.find({}):\n"
        '    await env.db.user.update_one({"_id": user["_id"]}, {"$set": {"a": 1}})',
        Case(
            "await fill(env.db)",
            head=(
                'async def fill(db):\n    users = db["user"]\n'
                '    await users.update_many({"a": None}, [{"$set": {"a": "$b"}}])'
            ),
        ),
    ],
    "L12": [
        'await env.db.user.update_one({"_id": 1}, {"$inc": {"n": 1}})',
        'await env.db.user.update_many({}, {"$push": {"list": 1}})',
        'await env.db["log"].insert_one({"text": "migrated"})',
        'await env.db.user.update_many({}, [{"$set": {"n": {"$add": ["$n", 1]}}}])',
    ],
    "L13": [
        Case('await env.create_index("user", "n")', head="transactional = True"),
        Case('await env.drop_collection("user")', head="transactional = True"),
        Case('await env.db.command("collMod", "user", validator={})', head="transactional = True"),
        Case("pass", downgrade='await env.drop_index("user", "email_1")', head="transactional = True"),
    ],
    "L14": [
        'await env.create_index("user", [("email", 1), ("at", 1)])',
        'await env.create_indexes("user", [Index("a"), Index([("a", 1), ("b", -1)])])',
        'await env.create_indexes("user", [Index("a", sparse=True), Index([("a", 1), ("b", 1)], sparse=True)])',
    ],
    "L15": [
        'await env.create_indexes("user", [Index(f"f{n}") for n in range(12)])',
        'for n in range(9):\n    await env.create_index("user", f"f{n}")',
        Case('await env.create_indexes("user", [Index("a"), Index("b")])', options=Options(max_indexes=3)),
    ],
    "L16": [
        Case('await env.create_index("user", "active")', before=FLAGS),
        Case('await env.create_index("user", [("kind", -1)])', before=FLAGS),
        Case(
            f'await env.create_collection("team", validator={schema(properties={"open": {"type": "boolean"}})})\n'
            'await env.create_index("team", "open")'
        ),
    ],
    "L17": [
        'await env.create_index("user", [("bio", "text")], collation={"locale": "de"})',
        'await env.create_index("user", [("uid", "hashed")], unique=True)',
        'await env.create_index("user", "n", sparse=True, partialFilterExpression={"n": {"$gt": 0}})',
        'await env.create_index("user", [("place", "2d")], min=10, max=-10)',
        'await env.create_index("user", "n", uniqe=True)',
        'await env.create_indexes("user", [])',
        'await env.modify_index("user", "email_1", unique=False)',
        'await env.create_index("user", [("a", 1), ("b", 1)], expireAfterSeconds=60)',
        'await env.create_indexes("user", [Index([("a", "text")]), Index([("b", "text")])])',
        'await env.create_collection("log", capped=True)',
        'name = (await env.db.user.find_one())["name"]\nawait env.create_index("user", [("a", "txt")])',
    ],
    "L18": [
        'await env.db.user.create_index("n")',
        'await env.db.command("createIndexes", "user", indexes=[{"key": {"n": 1}, "name": "n_1"}])',
        Case('await env.create_index("user", "n")', options=LARGE),
        Case('await env.create_index("user", "n")', options=Options(members=3, commit_quorum=3)),
    ],
    "L19": [
        Case('await env.create_index("user", "n")', before=SERIES, options=Options(min_server=(5, 0))),
        Case(
            'await env.create_collection("log", clusteredIndex={"key": {"_id": 1}, "unique": True})',
            options=Options(min_server=(5, 0)),
        ),
        Case(
            'await env.modify_collection("user", changeStreamPreAndPostImages={"enabled": True})',
            options=Options(min_server=(5, 0)),
        ),
        Case('await env.modify_index("user", "email_1", unique=True)', options=Options(min_server=(4, 4))),
    ],
    "L20": [
        Case('await env.create_index("user", "n")', downgrade="pass"),
        Case('await env.create_collection("team")', downgrade='await env.drop_index("user", "email_1")'),
        Case(
            'await env.create_indexes("user", [Index("a"), Index("b")])',
            downgrade='await env.drop_index("user", "a_1")',
        ),
        Case('await env.rename_collection("user", "member")', downgrade='await env.drop_collection("other")'),
    ],
    "L22": [
        Case("time.sleep(1)", head="import time"),
        Case(
            "await fill(env)", head="from requests import get\n\nasync def fill(env):\n    get('https://example.org')"
        ),
        Case("client = MongoClient()", head="from pymongo import MongoClient"),
        Case("sp.check_output(['true'])", head="import subprocess as sp"),
    ],
    "L23": [
        Case(
            'await env.update_in_batches("user", {}, {"$set": {"at": datetime.now()}})',
            head="from datetime import datetime",
        ),
        Case(
            'now = datetime.datetime.now(datetime.UTC)\nawait env.insert_documents("user", [{"_id": 1, "at": now}])',
            head="import datetime",
        ),
        Case(
            'await env.transform_documents("user", {}, stamp)',
            head='import time\n\ndef stamp(document):\n    document["at"] = time.time()\n    return document',
        ),
    ],
    "L24": [
        Case("pass", head="from app.models import User"),
        Case("pass", head="import shop.documents"),
        Case("pass", head="from shop.domain import Order", options=Options(models=("shop.domain",))),
        Case("pass", head="from app import models"),
    ],
    "L25": [
        Case("pass", head='URL = "mongodb://admin:geheim@db.example.org/app"'),
        Case("pass", head='API_KEY = "a8f5f167f44f4964e6c998dee827110c"'),
        'await env.insert_documents("user", [{"_id": 1, "key": "AKIAIOSFODNN7EXAMPLE"}])',
        'await env.insert_documents("user", [{"_id": 1, "password": "s3cret!pw"}])',
    ],
}

GOOD: dict[str, list[Case | str]] = {
    "L00": [
        'await env.drop_index("user", "email_1")  # asyncmig: allow L05 (nobody has used it for a year)',
        "# asyncmig: allow L05 (the old shop is gone)\n"
        'await env.drop_index("user", "email_1")\n'
        'await env.drop_collection("user")  # asyncmig: allow L06 (the old shop is gone)',
        Case('await env.drop_index("user", "email_1")', head='"""two\n\nasyncmig: allow L05 (an empty database)\n"""'),
    ],
    "L01": [
        'await env.create_collection("team")\nawait env.create_index("team", "uid", unique=True)',
        'await env.create_index("user", "uid")\nawait env.modify_index("user", "uid_1", unique=True)',
        'await env.create_index("user", "uid", unique=False)',
    ],
    "L02": [
        'await env.create_collection("team")\nawait env.create_index("team", "at", expireAfterSeconds=60)',
        Case(
            'await env.modify_index("user", "at_1", expireAfterSeconds=1800)',
            before='await env.create_index("user", "at", expireAfterSeconds=3600)',
        ),
        Case(
            'await env.modify_index("user", "at_1", expireAfterSeconds=7200)',
            before='await env.create_index("user", "at", expireAfterSeconds=3600)',
        ),
        Case('await env.modify_collection("user", expireAfterSeconds="off")', before=SERIES),
    ],
    "L03": [
        'await env.create_index("user", [("email", 1), ("at", 1)])\nawait env.drop_index("user", "email_1")',
        'await env.drop_index("user", "email_1")\nawait env.create_index("user", "n")',
        Case(
            'await env.drop_index("user", "a_text")\nawait env.create_index("user", [("a", "text"), ("b", "text")])',
            before='await env.create_index("user", [("a", "text")])',
        ),
    ],
    "L04": [
        Case('await env.modify_index("user", "$**_1", hidden=True)', before=WILD),
        'await env.modify_index("user", "email_1", unique=True)',
        'await env.db.command("collMod", "user", index={"name": "email_1", "expireAfterSeconds": 60})',
    ],
    "L05": [
        Case(
            'await env.drop_index("user", "email_1")',
            before=f'{USER}\nawait env.modify_index("user", "email_1", hidden=True)',
        ),
        'await env.create_index("user", "n")\nawait env.drop_index("user", "n_1")',
        'await env.create_index("user", [("email", 1), ("at", 1)])\nawait env.drop_index("user", "email_1")',
    ],
    "L06": [
        Case('await env.drop_collection("user")', head="irreversible = True"),
        'await env.remove_field("user", "name", keep_in="name_removed")',
        'await env.create_collection("temp")\nawait env.drop_collection("temp")',
        'await env.db.user.aggregate([{"$out": "user_before"}])\nawait env.db.user.delete_many({})',
        'await env.delete_documents("user", [1], if_unchanged=True)',
    ],
    "L07": [
        'await env.remove_field("user", "first")',
        MOVED_TO_NAME,
        f'await env.remove_field("team", "first")\n{MOVED_TO_NAME}',
    ],
    "L08": [
        'await env.create_collection("team")\nawait env.rename_collection("team", "teams")',
        MOVED_TO_NAME,
        'await env.create_view("active", "user", [])',
    ],
    "L09": [
        'await env.modify_collection("user", validator={"n": {"$gte": 0}}, validationLevel="moderate")',
        'await env.modify_collection("user", validator={"n": {"$gte": 0}}, validationAction="warn")',
        Case(f'await env.modify_collection("user", validator={schema(properties={"a": {}})})', before=NAMED),
        'await env.modify_collection("user", validator={})',
    ],
    "L10": [
        f'{MOVED_TO_NAME}\nawait env.modify_collection("user", validator={schema(required=["name"])})',
        Case(
            f'await env.modify_collection("user", validator={schema(required=["name"])})',
            before=f"{USER}\n{MOVED_TO_NAME}",
        ),
        f'await env.modify_collection("user", validator={schema(required=["name"])}, validationAction="warn")',
        Case(f'await env.modify_collection("user", validator={schema(required=["a"], properties={})})', before=NAMED),
    ],
    "L11": [
        'await env.update_in_batches("user", {}, {"$set": {"a": 1}})',
        'await env.db.user.update_one({"_id": 1}, {"$set": {"a": 1}})',
        "async for user in env.db.user.find({}):\n    print(user)",
    ],
    "L12": [
        'await env.db.user.update_many({}, {"$set": {"n": 1}})',
        'await env.db.user.update_one({"_id": 1}, {"$addToSet": {"list": 1}})',
        'await env.db["log"].insert_one({"_id": 1, "text": "migrated"})',
        'await env.update_in_batches("user", {}, {"$inc": {"n": 1}})',
    ],
    "L13": [
        'await env.create_index("user", "n")',
        Case(MOVED_TO_NAME, head="transactional = True"),
        Case('await env.db.user.update_one({"_id": 1}, {"$set": {"a": 1}})', head="transactional = True"),
    ],
    "L14": [
        'await env.create_index("user", [("at", 1), ("email", 1)])',
        'await env.create_index("user", [("email", 1), ("at", 1)], sparse=True)',
        'await env.create_indexes("user", [Index("a", unique=True), Index([("a", 1), ("b", 1)])])',
    ],
    "L15": [
        'await env.create_indexes("user", [Index(f"f{n}") for n in range(8)])',
        Case('await env.create_indexes("user", [Index("a"), Index("b")])', options=Options(max_indexes=4)),
        'await env.create_index("user", "n")',
    ],
    "L16": [
        Case('await env.create_index("user", [("active", 1), ("n", 1)])', before=FLAGS),
        Case('await env.create_index("user", "n")', before=FLAGS),
        Case('await env.create_index("user", "active", partialFilterExpression={"active": False})', before=FLAGS),
    ],
    "L17": [
        'await env.create_index("user", [("bio", "text")])',
        'await env.create_index("user", [("uid", "hashed")])',
        'await env.create_index("user", [("place", "2d")], min=-10, max=10)',
        'await env.create_collection("log", capped=True, size=4096)',
        'await env.create_indexes("user", [Index("a"), Index([("a", -1)]), Index([("a", "hashed")])])',
    ],
    "L18": [
        'await env.create_index("user", "n")',
        'await env.db.user.create_index("n", commitQuorum="majority")',
        Case('await env.create_index("user", "n")', options=Options(members=5, commit_quorum="majority")),
    ],
    "L19": [
        Case('await env.create_index("user", "n")', before=SERIES, options=Options(min_server=(6, 0))),
        Case('await env.create_index("user", "n")', options=Options(min_server=(4, 4))),
        'await env.create_collection("log", clusteredIndex={"key": {"_id": 1}, "unique": True})',
    ],
    "L20": [
        Case('await env.create_index("user", "n")', downgrade='await env.drop_index("user", "n_1")'),
        Case(
            'await env.create_collection("team")\nawait env.create_index("team", "n")',
            downgrade='await env.drop_collection("team")',
        ),
        Case('await env.remove_field("user", "n")', downgrade="pass", head="irreversible = True"),
        Case('await env.drop_index("user", "email_1")', downgrade='await env.create_index("user", "email")'),
    ],
    "L22": [
        Case("await asyncio.sleep(0)", head="import asyncio"),
        Case("await asyncio.to_thread(time.sleep, 0)", head="import asyncio\nimport time"),
        Case("subprocess.list2cmdline([])", head="import subprocess"),
    ],
    "L23": [
        'await env.update_in_batches("user", {}, [{"$set": {"at": "$$NOW"}}])',
        Case("started = time.time()\nprint(time.time() - started)", head="import time"),
        Case(
            'await env.insert_documents("user", [{"_id": 1, "at": datetime(2024, 1, 1)}])',
            head="from datetime import datetime",
        ),
    ],
    "L24": [
        Case("pass", head="from asyncmig import Collection"),
        Case("pass", head="from datetime import datetime\nfrom bson import ObjectId"),
        Case("pass", head="import json"),
    ],
    "L25": [
        Case("pass", head='import os\nURL = os.environ["MONGODB_URL"]'),
        'await env.update_in_batches("user", {}, [{"$set": {"token": "$api_token"}}])',
        'await env.insert_documents("page", [{"_id": 1, "url": "https://example.org/a"}])',
        Case("pass", head='PASSWORD = ""'),
    ],
}
