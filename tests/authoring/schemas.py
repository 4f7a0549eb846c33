"""Random schemas that every server takes, by construction; what cannot change in place goes with the name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bson import Int64
from hypothesis import strategies as st

from asyncmig.schema.declaration import Collection, View
from asyncmig.schema.index import Index
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionKind, DatabaseState
from asyncmig.sources import load_models

from .random_indexes import changed_lists, index_lists

__all__ = ["document", "pairs"]

FR = {"locale": "fr"}
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


Model = dict[str, Any]
"""The attributes of a class that is yet to be made."""


@st.composite
def pairs(draw: st.DrawFn) -> tuple[DatabaseState, DatabaseState]:
    """Two schemas in normal form: a few collections and views each, the second often what became of the first."""
    first = draw(MODELS)
    second = _later(draw, first) if draw(IS_LATER) else draw(MODELS)
    return _declared(first), _declared(second)


def _declared(models: Sequence[Model]) -> DatabaseState:
    bases = (View if "__view_on__" in model else Collection for model in models)
    return load_models([type("Model", (base,), model) for base, model in zip(bases, models, strict=True)]).state


@st.composite
def _models(draw: st.DrawFn) -> list[Model]:
    return [*[draw(_collection(name)) for name in draw(SOME_NAMES)], *_views(draw)]


MODELS = _models()
IS_LATER = st.sampled_from([False, True, True])
IS_KEPT = st.integers(0, 5)
SOME_NAMES = st.lists(st.sampled_from([*FIXED]), max_size=3, unique=True)


def _later(draw: st.DrawFn, models: Sequence[Model]) -> list[Model]:
    """The same collections, some of them gone or changed, and other views."""
    kept = [model for model in models if "__view_on__" not in model and draw(IS_KEPT)]
    return [*[_changed(draw, model) for model in kept], *_views(draw)]


VIEW_COLLATIONS = st.sampled_from([{}, {"collation": FR}])
VIEW_ORDERS = st.permutations(VIEWS)
VIEW_COUNTS = st.integers(0, len(VIEWS))


def _views(draw: st.DrawFn) -> list[Model]:
    collation, order = draw(VIEW_COLLATIONS), draw(VIEW_ORDERS)
    sources = [name for name in FIXED if name != "series" or not collation]
    views = [_view((*sources, *order[:place])) for place in range(draw(VIEW_COUNTS))]
    return [
        {"__collection_name__": name, "__options__": collation, **draw(view)}
        for name, view in zip(order, views, strict=False)
    ]


@cache
@st.composite
def _collection(draw: st.DrawFn, name: str) -> Model:
    fixed = FIXED[name]
    renamed = name in NEW_NAMES and draw(IS_RENAMED)
    return {
        "__collection_name__": NEW_NAMES[name] if renamed else name,
        "__renamed_from__": name if renamed else None,
        "__options__": {**fixed, **draw(_options(name))},
        "__indexes__": draw(_index_lists(name)),
        "__initial_data__": [] if name in ("capped", "series") else draw(DOCUMENTS),
    }


IS_RENAMED = st.booleans()


def _changed(draw: st.DrawFn, model: Model) -> Model:
    name = model["__renamed_from__"] or model["__collection_name__"]
    changed: Model = {
        **draw(_collection(name)),
        "__indexes__": draw(changed_lists(model["__indexes__"], _normal(FIXED[name]))),
    }
    return changed


@cache
def _index_lists(name: str) -> st.SearchStrategy[list[Index]]:
    return index_lists(_normal(FIXED[name]))


def _normal(options: Mapping[str, Any]) -> dict[str, Any]:
    kind: CollectionKind = "timeseries" if "timeseries" in options else "collection"
    return normal_options(options, kind)


@cache
def _options(name: str) -> st.SearchStrategy[dict[str, Any]]:
    fixed = FIXED[name]
    if "timeseries" in fixed:
        return st.fixed_dictionaries({}, optional={"expireAfterSeconds": st.sampled_from([10**8, 10**9])})
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


def _documents() -> st.SearchStrategy[list[dict[str, Any]]]:
    """What stands in a document follows from its id, so that two schemas never want the same one otherwise."""
    identities = st.lists(st.sampled_from([1, 2, 3]), max_size=3, unique=True)
    return identities.map(lambda found: [document(f"data{one}", -one) | {"_id": one} for one in found])


DOCUMENTS = _documents()


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


@cache
def _view(sources: tuple[str, ...]) -> st.SearchStrategy[Model]:
    stages: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.sampled_from(
            [{"$match": {"a": 1}}, {"$match": {"a": Int64(1)}}, {"$limit": 5}, {"$project": {"b": 1, "a": 1}}]
        ),
        st.sampled_from([source for source in sources if source != "series"]).map(
            lambda source: {"$unionWith": source}
        ),
    )
    pipelines = st.lists(stages, max_size=2)
    return st.fixed_dictionaries({"__view_on__": st.sampled_from(sources), "__pipeline__": pipelines})
