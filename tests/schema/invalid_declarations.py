"""Declarations that no server takes: the fault that is told when the class is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bson import Decimal128, Int64

from asyncmig import Index

SERIES = {"timeseries": {"timeField": "t", "metaField": "m"}}
CLUSTERED = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}
CAPPED = {"capped": True, "size": 4096}
NAN = float("nan")

INDEXES: list[tuple[list[Index], str]] = [
    ([Index([])], "no keys"),
    ([Index([("a", 0)])], "0 is no direction for 'a'"),
    ([Index([("a", 0.0)])], "is no direction"),
    ([Index([("a", Decimal128("0"))])], "is no direction"),
    ([Index([("a", NAN)])], "is no direction"),
    ([Index([("a", True)])], "True is no direction"),
    ([Index([("a", None)])], "None is no direction"),
    ([Index([("a", [1])])], "is no direction"),
    ([Index([("a", "")])], "'' is no kind of index"),
    ([Index([("a", "foo")])], "there are 1, -1, 'text', '2d'"),
    ([Index([("a", "Text")])], "did you mean 'text'"),
    ([Index([("a", "2dSphere")])], "did you mean '2dsphere'"),
    ([Index([("a", "geoHaystack")])], "is no kind of index"),
    ([Index("")], "a field's name is empty"),
    ([Index("a..b")], "has an empty name in it"),
    ([Index("a.")], "has an empty name in it"),
    ([Index(".a")], "has an empty name in it"),
    ([Index("$a")], "only the wildcard"),
    ([Index("a.$b")], "only the wildcard"),
    ([Index("$id")], "only the wildcard"),
    ([Index("a.$**.b")], "only the wildcard"),
    ([Index([(f"f{i}", 1) for i in range(33)])], "33 keys are too many"),
    ([Index([*((f"f{i}", 1) for i in range(31)), ("a", "text")])], "32 keys are too many"),
    ([Index([("a", "hashed"), ("b", "hashed")])], "only one of its keys can be hashed"),
    ([Index([("a", "2d"), ("b", "2dsphere")])], "'2d' and '2dsphere' cannot be in one index"),
    ([Index([("a", "text"), ("b", "hashed")])], "cannot be in one index"),
    ([Index([("a", 1), ("b", "2d")])], "the 2d key comes first"),
    ([Index([("a", "2d"), ("b", "2d")])], "there can be only one"),
    ([Index([("a", "text"), ("b", 1), ("c", "text")])], "side by side"),
    ([Index([("a", "text"), ("b", 2)])], "beside text fields a direction is 1 or -1"),
    ([Index([("b", -0.5), ("a", "text")])], "beside text fields a direction is 1 or -1"),
    ([Index("a", name="_id_")], "the name is reserved"),
    ([Index("a", name="*")], "the name is reserved"),
    ([Index("a", name="x\0y")], "NUL"),
    ([Index("a", comment="x")], "unknown option 'comment'"),
    ([Index("a", uniqe=True)], "unknown option 'uniqe'; did you mean 'unique'"),
    ([Index("a", expire_after_seconds=5)], "did you mean 'expireAfterSeconds'"),
    ([Index("a", partial_filter_expression={})], "did you mean 'partialFilterExpression'"),
    ([Index("a", bucketSize=1)], "unknown option 'bucketSize'"),
    ([Index("a", unique=None)], "unique is true or false, not None"),
    ([Index("a", unique="yes")], "unique is true or false"),
    ([Index("a", expireAfterSeconds=-1)], "from 0 to 2147483647"),
    ([Index("a", expireAfterSeconds=2**31)], "from 0 to 2147483647"),
    ([Index("a", expireAfterSeconds=Int64(2**40))], "from 0 to 2147483647"),
    ([Index("a", expireAfterSeconds=float("inf"))], "from 0 to 2147483647"),
    ([Index("a", expireAfterSeconds=True)], "is a number of seconds"),
    ([Index("a", expireAfterSeconds="5")], "is a number of seconds"),
    ([Index("a", expireAfterSeconds=None)], "is a number of seconds"),
    ([Index([("a", 1), ("b", 1)], expireAfterSeconds=5)], "a single field only"),
    ([Index([("a", "text"), ("b", "text")], expireAfterSeconds=5)], "a single field only"),
    ([Index("$**", expireAfterSeconds=5)], "a wildcard index cannot have expireAfterSeconds"),
    ([Index("$**", unique=True)], "a wildcard index cannot have unique"),
    ([Index("a.$**", unique=True)], "a wildcard index cannot have unique"),
    ([Index("$**", sparse=True)], "a wildcard index cannot have sparse"),
    ([Index("$**", wildcardProjection={})], "a document with something in it"),
    ([Index("a", wildcardProjection={"b": 1})], "for wildcard indexes"),
    ([Index([("a", "hashed")], unique=True)], "a hashed index cannot be unique"),
    ([Index("a", sparse=True, partialFilterExpression={"b": 1})], "partial or sparse, not both"),
    ([Index("a", sparse=True, partialFilterExpression={})], "partial or sparse, not both"),
    ([Index("a", partialFilterExpression=None)], "is a document"),
    ([Index("a", partialFilterExpression="b")], "is a document"),
    ([Index("a", weights={"a": 2})], "weights are for text indexes"),
    ([Index([("a", "text")], weights={"a": 0})], "from 1 to 99999"),
    ([Index([("a", "text")], weights={"a": 100000})], "from 1 to 99999"),
    ([Index([("a", "text")], weights={"a": "x"})], "from 1 to 99999"),
    ([Index([("a", "text")], weights="a")], "weights is a document"),
    ([Index([("a", "text")], default_language="")], "default_language is a string"),
    ([Index("a", storageEngine={})], "a document with something in it"),
    ([Index("a", v="2")], "v is a number"),
    ([Index("a", collation="en")], "collation is a document"),
    ([Index("a", collation={})], "collation needs a locale"),
    ([Index("a", collation={"strength": 2})], "collation needs a locale"),
    ([Index("a", collation={"locale": "en", "strenght": 2})], "did you mean 'strength'"),
    ([Index("a", collation={"locale": "en", "strength": 0})], "from 1 to 5"),
    ([Index("a", collation={"locale": "en", "strength": 6})], "from 1 to 5"),
    ([Index("a", collation={"locale": "en", "caseLevel": 1})], "caseLevel is True or False"),
    ([Index("a", collation={"locale": "en", "caseFirst": "x"})], "caseFirst is one of"),
    ([Index("a", collation={"locale": "en", "alternate": "x"})], "alternate is one of"),
    ([Index("a", collation={"locale": "en", "maxVariable": "x"})], "maxVariable is one of"),
    ([Index("a", collation={"locale": "en", "caseFirst": "upper", "strength": 2})], "goes only with caseLevel"),
    ([Index("a", collation={"locale": "da", "strength": 1})], "the default of 'da'"),
    ([Index("a", collation={"locale": "en", "backwards": True, "strength": 1})], "backwards goes only"),
    ([Index("_id", unique=True)], "the index on _id takes no options \\(unique\\)"),
    ([Index("_id", expireAfterSeconds=5)], "the index on _id takes no options"),
    ([Index("_id", hidden=False)], "the index on _id takes no options"),
    ([Index("_id", collation={"locale": "en"})], "has the collation of its collection"),
    ([Index("a", name="x"), Index("b", name="x")], "two indexes have the name 'x'"),
    ([Index("a"), Index("a", name="y")], "'a_1' and 'y' have the same keys"),
    ([Index("a"), Index([("a", 1.0)], name="y", expireAfterSeconds=5)], "have the same keys"),
    (
        [
            Index("a", partialFilterExpression={"b": 1}),
            Index("a", name="y", partialFilterExpression={"b": {"$eq": 1.0}}),
        ],
        "have the same keys",
    ),
    ([Index([("a", "text")]), Index([("b", "text")], partialFilterExpression={"c": 1})], "both text indexes"),
    ([Index(f"f{i}") for i in range(64)], "64 indexes are too many: MongoDB takes 63"),
]
"""Indexes of a plain collection, and a word of the fault."""

IN_SERIES: list[tuple[list[Index], str]] = [
    ([Index("m", unique=True)], "of a time series cannot be unique"),
    ([Index([("m", "text")])], "cannot have a text index"),
    ([Index("t", expireAfterSeconds=5)], "expires as a whole"),
    ([Index("m", partialFilterExpression={"m": 1}, collation={"locale": "en"})], "always has the collection's"),
]

OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"fooBar": 1}, "unknown option 'fooBar'"),
    ({"validatorr": {}}, "did you mean 'validator'"),
    ({"validation_level": "off"}, "did you mean 'validationLevel'"),
    ({"temp": True}, "unknown option 'temp'"),
    ({"pipeline": []}, "derive from View"),
    ({"capped": True}, "needs a 'size'"),
    ({"capped": True, "max": 5}, "needs a 'size'"),
    ({"capped": True, "size": None}, "needs a 'size'"),
    ({"capped": "yes"}, "True or False is wanted"),
    ({"size": 5000}, "'size' is for capped collections"),
    ({"capped": False, "size": 5000}, "'size' is for capped collections"),
    ({"max": 5}, "'max' is for capped collections"),
    ({"capped": True, "size": 0}, "bytes from 1 to"),
    ({"capped": True, "size": 0.5}, "bytes from 1 to"),
    ({"capped": True, "size": NAN}, "bytes from 1 to"),
    ({"capped": True, "size": 2**50 + 1}, "bytes from 1 to"),
    ({"capped": True, "size": "5"}, "bytes from 1 to"),
    ({**CAPPED, "max": 2**31}, "documents from"),
    ({**CAPPED, "max": "5"}, "documents from"),
    ({**CAPPED, **CLUSTERED}, "cannot be clustered"),
    ({"validator": "x"}, "validator: a document is wanted"),
    ({"validationLevel": "strcit"}, "did you mean 'strict'"),
    ({"validationLevel": True}, "one of 'off', 'strict', 'moderate'"),
    ({"validationAction": "log"}, "one of 'error', 'warn'"),
    ({"collation": {}}, "collation needs a locale"),
    ({"collation": "en"}, "collation: a document is wanted"),
    ({"collation": {"locale": "en", "strength": 7}}, "from 1 to 5"),
    ({"collation": {"locale": "en", "caseFirst": "upper", "strength": 1}}, "goes only with caseLevel"),
    ({"timeseries": {}}, "'timeField' is required"),
    ({"timeseries": {"metaField": "m"}}, "'timeField' is required"),
    ({"timeseries": True}, "{'timeField': ...} is wanted"),
    ({"timeseries": {"timeField": "a.b"}}, "a top-level field"),
    ({"timeseries": {"timeField": "t", "metaField": "t"}}, "'metaField' cannot be 't'"),
    ({"timeseries": {"timeField": "t", "metaField": "_id"}}, "'metaField' cannot be '_id'"),
    ({"timeseries": {"timeField": "t", "granularity": "days"}}, "one of 'seconds'"),
    ({"timeseries": {"timeField": "t", "timefield": 1}}, "did you mean 'timeField'"),
    ({**SERIES, "validator": {"a": 1}}, "a time series cannot have 'validator'"),
    ({**SERIES, "validator": {}}, "a time series cannot have 'validator'"),
    ({**SERIES, "validationLevel": "strict"}, "a time series cannot have 'validationLevel'"),
    ({**SERIES, "changeStreamPreAndPostImages": {"enabled": False}}, "a time series cannot have"),
    ({**SERIES, **CLUSTERED}, "a time series cannot have 'clusteredIndex'"),
    ({**SERIES, **CAPPED}, "a time series cannot be capped"),
    ({**SERIES, "expireAfterSeconds": -1}, "seconds from 0"),
    ({**SERIES, "expireAfterSeconds": 2**31}, "seconds from 0"),
    ({**SERIES, "expireAfterSeconds": "off"}, "seconds from 0"),
    ({"expireAfterSeconds": 5}, "for time series and clustered collections"),
    ({"clusteredIndex": True}, "is wanted, not True"),
    ({"clusteredIndex": {"key": {"a": 1}, "unique": True}}, "only be clustered by {'_id': 1}"),
    ({"clusteredIndex": {"key": {"_id": -1}, "unique": True}}, "only be clustered by {'_id': 1}"),
    ({"clusteredIndex": {"key": {"_id": 1}}}, "'unique': True is required"),
    ({"clusteredIndex": {"key": {"_id": 1}, "unique": True, "nam": "x"}}, "did you mean 'name'"),
    ({"changeStreamPreAndPostImages": True}, "{'enabled': True} or"),
    ({"changeStreamPreAndPostImages": {}}, "{'enabled': True} or"),
    ({"changeStreamPreAndPostImages": {"enabled": 1}}, "{'enabled': True} or"),
    ({"changeStreamPreAndPostImages": {"enabled": True, "x": 1}}, "{'enabled': True} or"),
    ({"storageEngine": 5}, "storageEngine: a document is wanted"),
    ({"autoIndexId": False}, "has its index on _id"),
]

NAMES = [
    ("", "cannot be empty"),
    ("$a", "a character in it"),
    ("a$b", "a character in it"),
    ("a\0b", "a character in it"),
    (".a", "starts with a point"),
    ("system.foo", "MongoDB's own"),
    ("foo.system.bar", "MongoDB's own"),
    ("x" * 256, "a name of 256 bytes"),
    ("я" * 127, "a name of 254 bytes"),
]


def matching(text: str) -> str:
    """A pattern for ``pytest.raises``: the text as it is, unless it has an escape in it."""
    return text if "\\" in text else re.escape(text)


def attributes(**given: Any) -> Mapping[str, Any]:
    """The attributes of a class, without the underscores."""
    return {f"__{name}__": value for name, value in given.items()}
