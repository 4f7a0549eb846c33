"""Random schemas that every server takes, by construction; what cannot change in place goes with the name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Int64
from hypothesis import strategies as st

from asyncmig.schema.declaration import Collection, View, declared_state
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index, signature
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionKind, DatabaseState
from asyncmig.schema.text import is_text

__all__ = ["document", "index_lists", "schemas"]

EN, FR, TH = {"locale": "en", "strength": 2}, {"locale": "fr"}, {"locale": "th"}
CLUSTERED = {"key": {"_id": 1}, "unique": True}

FIXED: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "имя": {},
    "collated": {"collation": FR},
    "capped": {"capped": True, "size": 2**20},
    "clustered": {"clusteredIndex": CLUSTERED},
    "series": {"timeseries": {"timeField": "t", "metaField": "m"}},
}
"""By name, what a collection is from the start and for ever."""

NEW_NAMES = {"plain": "plain2", "имя": "имена"}
"""What a collection may be renamed to."""

VIEWS = ("v", "w")


def schemas() -> st.SearchStrategy[DatabaseState]:
    """A few collections and views, in normal form."""
    return _models().map(declared_state)


@st.composite
def index_lists(draw: st.DrawFn, options: Mapping[str, Any] | None = None) -> list[Index]:
    """Indexes that one collection with these options can have all at once."""
    options = options or {}
    series = "timeseries" in options
    kept: list[Index] = []
    for index in draw(st.lists(_series_indexes() if series else _indexes(), max_size=5)):
        if "capped" in options:
            index = index.replace(expireAfterSeconds=None)  # refused on a capped collection
        candidate = normal_index(index, options.get("collation"))
        if not any(_clash(candidate, normal_index(other, options.get("collation"))) for other in kept):
            kept.append(index)
    return kept


def _clash(one: Index, other: Index) -> bool:
    both_text = is_text(one.keys) and is_text(other.keys)
    return one.name == other.name or both_text or signature(one) == signature(other)


@st.composite
def _models(draw: st.DrawFn) -> list[type[Any]]:
    names = draw(st.lists(st.sampled_from([*FIXED]), max_size=3, unique=True))
    models: list[type[Any]] = [draw(_collection(name)) for name in names]
    collation = draw(st.sampled_from([{}, {"collation": FR}]))
    order = draw(st.permutations(VIEWS))
    for place in range(draw(st.integers(0, len(VIEWS)))):
        sources = [*(name for name in FIXED if name != "series" or not collation), *order[:place]]
        models.append(draw(_view(order[place], sources, collation)))
    return models


@st.composite
def _collection(draw: st.DrawFn, name: str) -> type[Collection]:
    fixed = FIXED[name]
    changing = draw(_series_options() if "timeseries" in fixed else _options(fixed))
    kind: CollectionKind = "timeseries" if "timeseries" in fixed else "collection"
    normal = normal_options(fixed, kind)
    documents = [] if name in ("capped", "series") else draw(_documents())
    renamed = name in NEW_NAMES and draw(st.booleans())
    attributes = {
        "__collection_name__": NEW_NAMES[name] if renamed else name,
        "__renamed_from__": name if renamed else None,
        "__options__": {**fixed, **changing},
        "__indexes__": draw(index_lists(normal)),
        "__initial_data__": documents,
    }
    return type("Model", (Collection,), attributes)


def _options(fixed: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    changing: dict[str, st.SearchStrategy[Any]] = {
        "validator": st.sampled_from(
            [{}, {"x": {"$ne": 1}}, {"$jsonSchema": {"properties": {"x": {"bsonType": "int"}}}}]
        ),
        "validationLevel": st.sampled_from(["off", "moderate", "strict"]),
        "validationAction": st.sampled_from(["warn", "error"]),
        "changeStreamPreAndPostImages": st.builds(lambda on: {"enabled": on}, st.booleans()),
    }
    if "capped" in fixed:
        changing |= {"size": st.sampled_from([2**20, 2**20 + 1.5, 2**21]), "max": st.sampled_from([500, 600.0, 0])}
    if "clusteredIndex" in fixed:
        changing |= {"expireAfterSeconds": st.sampled_from([0, 60, Int64(10**9)])}
    return st.fixed_dictionaries({}, optional=changing)


def _series_options() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={"expireAfterSeconds": st.sampled_from([10**8, 10**9])})


def _documents() -> st.SearchStrategy[list[dict[str, Any]]]:
    """What stands in a document follows from its id, so that two schemas never want the same one otherwise."""
    identities = st.lists(st.sampled_from([1, 2, 3]), max_size=3, unique=True)
    return identities.map(lambda found: [document(f"data{one}", -one) | {"_id": one} for one in found])


def document(text: str, number: int) -> dict[str, Any]:
    """One that every index takes, unique or not, as long as no other has this text or this number."""
    return {
        "a": number,
        "b": number + 0.5,
        "c": {"d": text},
        "ü": text,
        "h": text,
        "s": text,
        "g": [number, number],
        "p": {"x": number, "y": number},
        "t": datetime(2100, 1, 1, tzinfo=UTC) + timedelta(days=number),
        "m": {"k": number},
        "v": number,
    }


@st.composite
def _view(draw: st.DrawFn, name: str, sources: Sequence[str], options: Mapping[str, Any]) -> type[View]:
    stages: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.sampled_from(
            [{"$match": {"a": 1}}, {"$match": {"a": Int64(1)}}, {"$limit": 5}, {"$project": {"b": 1, "a": 1}}]
        ),
        st.sampled_from([source for source in sources if source != "series"]).map(
            lambda source: {"$unionWith": source}
        ),
    )
    attributes = {
        "__collection_name__": name,
        "__view_on__": draw(st.sampled_from(sources)),
        "__pipeline__": draw(st.lists(stages, max_size=2)),
        "__options__": options,
    }
    return type("Model", (View,), attributes)


NUMBERS = st.sampled_from([1, -1, 1.0, Int64(-1), 2])
FIELDS = ("a", "b", "c.d", "ü")
FILTERS: Sequence[Mapping[str, Any]] = (
    {"b": {"$gt": 1}},
    {"b": {"$gt": 1.0}},
    {"a": {"$exists": True}, "b": {"$lte": 900}},
    {"$or": [{"a": 5}, {"b": {"$in": [1, 2]}}]},
    {},
)
ENGINE = {"wiredTiger": {"configString": "prefix_compression=false"}}


@st.composite
def _numbers(draw: st.DrawFn, least: int = 1, most: int = 3) -> list[tuple[str, Any]]:
    fields = draw(st.lists(st.sampled_from(FIELDS), min_size=least, max_size=most, unique=True))
    return [(field, draw(NUMBERS)) for field in fields]


def _indexes() -> st.SearchStrategy[Index]:
    return st.one_of(_ordered(), _ordered(), _hashed(), _geographic(), _plane(), _texts(), _wildcards())


def _named(options: dict[str, st.SearchStrategy[Any]]) -> dict[str, st.SearchStrategy[Any]]:
    """A name of a few, so that one moves from index to index, and what every index can have."""
    return {
        "name": st.sampled_from(["x", "y", "z", "名前"]),
        "hidden": st.booleans(),
        "storageEngine": st.just(ENGINE),
        **options,
    }


@st.composite
def _with(draw: st.DrawFn, keys: Sequence[tuple[str, Any]], **options: st.SearchStrategy[Any]) -> Index:
    chosen = draw(st.fixed_dictionaries({}, optional=_named(options)))
    if chosen.get("sparse"):
        chosen.pop("partialFilterExpression", None)
    if chosen.get("unique"):
        chosen.pop("prepareUnique", None)
    return Index(keys, **chosen)


COLLATIONS = st.sampled_from([EN, FR, TH, {"locale": "simple"}])
PARTIAL = st.sampled_from(FILTERS)
LIFE = st.sampled_from([0, 5, 3600.0, Int64(2**31 - 1)])


@st.composite
def _ordered(draw: st.DrawFn) -> Index:
    keys = draw(_numbers())
    options: dict[str, st.SearchStrategy[Any]] = {
        "unique": st.booleans(),
        "prepareUnique": st.booleans(),
        "sparse": st.booleans(),
        "partialFilterExpression": PARTIAL,
        "collation": COLLATIONS,
    }
    if len(keys) == 1:
        options["expireAfterSeconds"] = LIFE
    return draw(_with(keys, **options))


@st.composite
def _hashed(draw: st.DrawFn) -> Index:
    keys = [*draw(_numbers(0, 1)), ("h", "hashed")]
    return draw(
        _with(
            keys,
            sparse=st.booleans(),
            partialFilterExpression=PARTIAL,
            collation=COLLATIONS,
            prepareUnique=st.booleans(),
        )
    )


@st.composite
def _geographic(draw: st.DrawFn) -> Index:
    keys = [*draw(_numbers(0, 1)), ("g", "2dsphere")]
    return draw(_with(keys, sparse=st.booleans(), partialFilterExpression=PARTIAL))


@st.composite
def _plane(draw: st.DrawFn) -> Index:
    keys = [("p", "2d"), *draw(_numbers(0, 1))]
    return draw(_with(keys, bits=st.sampled_from([20, 26]), min=st.just(-200), max=st.sampled_from([200, 300.5])))


@st.composite
def _texts(draw: st.DrawFn) -> Index:
    fields = draw(st.sampled_from([["s"], ["s", "h"], ["$**"]]))
    before = draw(st.sampled_from([[], [("a", 1)], [("b", -1)]]))  # here no other numbers will do
    keys = [*before, *((field, "text") for field in fields)]
    return draw(
        _with(
            keys,
            weights=st.sampled_from([{fields[0]: 1}, {fields[0]: 5}, {fields[0]: 2.0, "elsewhere": 3}]),
            default_language=st.sampled_from(["english", "french", "none"]),
            language_override=st.sampled_from(["language", "tongue"]),
            partialFilterExpression=PARTIAL,
            prepareUnique=st.booleans() if fields == ["s"] else st.just(False),
        )
    )


@st.composite
def _wildcards(draw: st.DrawFn) -> Index:
    field = draw(st.sampled_from(["$**", "c.$**"]))
    options: dict[str, st.SearchStrategy[Any]] = {"partialFilterExpression": PARTIAL, "collation": COLLATIONS}
    if field == "$**":
        options["wildcardProjection"] = st.sampled_from([{"a": 1}, {"c": {"d": 1}}, {"c.d": True}, {"s": 0}])
    return draw(_with([(field, 1)], **options))


@st.composite
def _series_indexes(draw: st.DrawFn) -> Index:
    fields = draw(st.lists(st.sampled_from(["m.k", "t", "v"]), min_size=1, max_size=3, unique=True))
    chosen = draw(st.fixed_dictionaries({}, optional={"name": st.sampled_from(["x", "y"]), "hidden": st.booleans()}))
    return Index([(field, draw(st.sampled_from([1, -1]))) for field in fields], **chosen)
