"""Random indexes that every server takes, by construction, and lists that one collection can have all at once.

What does not hang on something drawn is a strategy of the module: to make one anew costs more than to draw from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
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
    return _together(draw(_fitting("timeseries" in options, 5)), options)


@st.composite
def changed_lists(draw: st.DrawFn, indexes: Sequence[Index], options: Mapping[str, Any] | None = None) -> list[Index]:
    """The same indexes, some of them gone, renamed or changed, and perhaps one more."""
    options = options or {}
    in_series = "timeseries" in options
    kept = [index for index in indexes if draw(IS_KEPT)]
    changed = [_changed(draw, index, in_series) for index in kept]
    return _together([*draw(st.permutations(changed)), *draw(_fitting(in_series, 1))], options)


IS_KEPT = st.integers(0, 5)


@cache
def _fitting(in_series: bool, most: int) -> st.SearchStrategy[list[Index]]:
    return st.lists(_series_indexes() if in_series else _indexes(), max_size=most)


def _together(indexes: Iterable[Index], options: Mapping[str, Any]) -> list[Index]:
    kept: list[tuple[Index, Index]] = []
    for index in indexes:
        if "capped" in options:
            index = index.replace(expireAfterSeconds=None)  # refused on a capped collection
        candidate = normal_index(index, options.get("collation"))
        if not any(_clash(candidate, other) for _, other in kept):
            kept.append((index, candidate))
    return [index for index, _ in kept]


def _clash(one: Index, other: Index) -> bool:
    both_text = is_text(one.keys) and is_text(other.keys)
    return one.name == other.name or both_text or signature(one) == signature(other)


NAMES = st.sampled_from(["x", "y", "z", "名前"])
UNIQUENESS: Sequence[dict[str, Any]] = (
    {},
    {"unique": True, "prepareUnique": None},
    {"unique": None, "prepareUnique": True},
    {"unique": None, "prepareUnique": None},
)
LIFE = st.sampled_from([0, 5, 3600.0, Int64(2**31 - 1)])


def _some(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these options."""
    return st.fixed_dictionaries({}, optional=options)


NEW_LOOKS = _some(name=NAMES, hidden=st.sampled_from([None, True]))
NEW_UNIQUENESS = st.sampled_from(UNIQUENESS)
NEW_SPARSE = st.sampled_from([None, True])
NEW_LIFE = _some(expireAfterSeconds=st.none() | LIFE)


def _changed(draw: st.DrawFn, index: Index, in_series: bool) -> Index:
    options = draw(NEW_LOOKS)
    if not in_series and all(not isinstance(direction, str) and "$**" not in field for field, direction in index.keys):
        options |= draw(NEW_UNIQUENESS)
        if draw(BOOLEANS) and "partialFilterExpression" not in index.options:
            options["sparse"] = draw(NEW_SPARSE)
        if len(index.keys) == 1:
            options |= draw(NEW_LIFE)
    return index.replace(**options)


BOOLEANS = st.booleans()
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


@cache
@st.composite
def _numbers(draw: st.DrawFn, least: int = 1, most: int = 3) -> list[tuple[str, Any]]:
    return [(field, draw(NUMBERS)) for field in draw(_fields(least, most))]


@cache
def _fields(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(FIELDS), min_size=least, max_size=most, unique=True)


def _indexes() -> st.SearchStrategy[Index]:
    return st.one_of(_ordered(), _ordered(), _hashed(), _geographic(), _plane(), _texts(), _wildcards())


def _options(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A name of a few, so that one moves from index to index, what every index can have, and these."""
    found = _some(name=NAMES, hidden=BOOLEANS, storageEngine=st.just(ENGINE), **options)
    return found.map(_possible)


def _possible(chosen: dict[str, Any]) -> dict[str, Any]:
    if chosen.get("sparse"):
        chosen.pop("partialFilterExpression", None)
    if chosen.get("unique"):
        chosen.pop("prepareUnique", None)
    return chosen


COLLATIONS = st.sampled_from([EN, FR, TH, {"locale": "simple"}])
PARTIAL = st.sampled_from(FILTERS)

OF_ORDERED: dict[str, st.SearchStrategy[Any]] = {
    "unique": BOOLEANS,
    "prepareUnique": BOOLEANS,
    "sparse": BOOLEANS,
    "partialFilterExpression": PARTIAL,
    "collation": COLLATIONS,
}
ON_SEVERAL, ON_ONE = _options(**OF_ORDERED), _options(**OF_ORDERED, expireAfterSeconds=LIFE)


@st.composite
def _ordered(draw: st.DrawFn) -> Index:
    keys = draw(_numbers())
    return Index(keys, **draw(ON_ONE if len(keys) == 1 else ON_SEVERAL))


OF_HASHED = _options(sparse=BOOLEANS, partialFilterExpression=PARTIAL, collation=COLLATIONS, prepareUnique=BOOLEANS)


@st.composite
def _hashed(draw: st.DrawFn) -> Index:
    return Index([*draw(_numbers(0, 1)), ("h", "hashed")], **draw(OF_HASHED))


OF_GEOGRAPHIC = _options(sparse=BOOLEANS, partialFilterExpression=PARTIAL)


@st.composite
def _geographic(draw: st.DrawFn) -> Index:
    return Index([*draw(_numbers(0, 1)), ("g", "2dsphere")], **draw(OF_GEOGRAPHIC))


OF_PLANE = _options(bits=st.sampled_from([20, 26]), min=st.just(-200), max=st.sampled_from([200, 300.5]))


@st.composite
def _plane(draw: st.DrawFn) -> Index:
    return Index([("p", "2d"), *draw(_numbers(0, 1))], **draw(OF_PLANE))


TEXT_FIELDS = st.sampled_from([["s"], ["s", "h"], ["$**"]])
BEFORE_TEXT = st.sampled_from([[], [("a", 1)], [("b", -1)]])  # here no other numbers will do


@st.composite
def _texts(draw: st.DrawFn) -> Index:
    fields = draw(TEXT_FIELDS)
    keys = [*draw(BEFORE_TEXT), *((field, "text") for field in fields)]
    return Index(keys, **draw(_of_text(fields[0], fields == ["s"])))


@cache
def _of_text(field: str, is_one: bool) -> st.SearchStrategy[dict[str, Any]]:
    return _options(
        weights=st.sampled_from([{field: 1}, {field: 5}, {field: 2.0, "elsewhere": 3}]),
        default_language=st.sampled_from(["english", "french", "none"]),
        language_override=st.sampled_from(["language", "tongue"]),
        partialFilterExpression=PARTIAL,
        prepareUnique=BOOLEANS if is_one else st.just(False),
    )


WILDCARDS = st.sampled_from(["$**", "c.$**"])
PROJECTIONS = st.sampled_from([{"a": 1}, {"c": {"d": 1}}, {"c.d": True}, {"s": 0}])
OF_PART = _options(partialFilterExpression=PARTIAL, collation=COLLATIONS)
OF_WHOLE = _options(partialFilterExpression=PARTIAL, collation=COLLATIONS, wildcardProjection=PROJECTIONS)


@st.composite
def _wildcards(draw: st.DrawFn) -> Index:
    field = draw(WILDCARDS)
    return Index([(field, 1)], **draw(OF_WHOLE if field == "$**" else OF_PART))


OF_SERIES = _some(name=st.sampled_from(["x", "y"]), hidden=BOOLEANS)


SERIES_FIELDS = st.lists(st.sampled_from(["m.k", "t", "v"]), min_size=1, max_size=3, unique=True)
DIRECTIONS = st.sampled_from([1, -1])


@st.composite
def _series_indexes(draw: st.DrawFn) -> Index:
    return Index([(field, draw(DIRECTIONS)) for field in draw(SERIES_FIELDS)], **draw(OF_SERIES))
