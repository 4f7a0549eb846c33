"""Random indexes that every server takes, by construction, and lists that one collection can have all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import Int64
from hypothesis import strategies as st

from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index, signature
from asyncmig.schema.text import is_text

__all__ = ["changed_lists", "index_lists"]

EN, FR, TH = {"locale": "en", "strength": 2}, {"locale": "fr"}, {"locale": "th"}


@st.composite
def index_lists(draw: st.DrawFn, options: Mapping[str, Any] | None = None) -> list[Index]:
    """Indexes that one collection with these options can have all at once."""
    options = options or {}
    return _together(draw(st.lists(_fitting(options), max_size=5)), options)


@st.composite
def changed_lists(draw: st.DrawFn, indexes: Sequence[Index], options: Mapping[str, Any] | None = None) -> list[Index]:
    """The same indexes, some of them gone, renamed or changed, and perhaps one more."""
    options = options or {}
    kept = [index for index in indexes if draw(st.integers(0, 5))]
    changed = [draw(_changed(index, "timeseries" in options)) for index in kept]
    return _together([*draw(st.permutations(changed)), *draw(st.lists(_fitting(options), max_size=1))], options)


def _fitting(options: Mapping[str, Any]) -> st.SearchStrategy[Index]:
    return _series_indexes() if "timeseries" in options else _indexes()


def _together(indexes: Iterable[Index], options: Mapping[str, Any]) -> list[Index]:
    kept: list[Index] = []
    for index in indexes:
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
def _changed(draw: st.DrawFn, index: Index, in_series: bool) -> Index:
    options: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"name": NAMES, "hidden": st.sampled_from([None, True])})
    )
    if not in_series and all(not isinstance(direction, str) and "$**" not in field for field, direction in index.keys):
        options |= draw(st.sampled_from(UNIQUENESS))
        if draw(st.booleans()) and "partialFilterExpression" not in index.options:
            options["sparse"] = draw(st.sampled_from([None, True]))
        if len(index.keys) == 1:
            options |= draw(st.fixed_dictionaries({}, optional={"expireAfterSeconds": st.none() | LIFE}))
    return index.replace(**options)


NAMES = st.sampled_from(["x", "y", "z", "名前"])
UNIQUENESS: Sequence[dict[str, Any]] = (
    {},
    {"unique": True, "prepareUnique": None},
    {"unique": None, "prepareUnique": True},
    {"unique": None, "prepareUnique": None},
)

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
        "name": NAMES,
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
