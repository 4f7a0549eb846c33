"""Random schemas that every server takes, by construction; what cannot change in place goes with the name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Int64
from hypothesis import strategies as st

from asyncmig.schema.declaration import Collection, View
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
    first = draw(_models())
    second = draw(st.one_of(_models(), _later(first), _later(first)))
    return _declared(first), _declared(second)


def _declared(models: Sequence[Model]) -> DatabaseState:
    bases = (View if "__view_on__" in model else Collection for model in models)
    return load_models([type("Model", (base,), model) for base, model in zip(bases, models, strict=True)]).state


@st.composite
def _models(draw: st.DrawFn) -> list[Model]:
    names = draw(st.lists(st.sampled_from([*FIXED]), max_size=3, unique=True))
    return [*[draw(_collection(name)) for name in names], *draw(_views())]


@st.composite
def _later(draw: st.DrawFn, models: Sequence[Model]) -> list[Model]:
    """The same collections, some of them gone or changed, and other views."""
    kept = [model for model in models if "__view_on__" not in model and draw(st.integers(0, 5))]
    return [*[draw(_changed(model)) for model in kept], *draw(_views())]


@st.composite
def _views(draw: st.DrawFn) -> list[Model]:
    collation = draw(st.sampled_from([{}, {"collation": FR}]))
    order = draw(st.permutations(VIEWS))
    sources = [name for name in FIXED if name != "series" or not collation]
    count = draw(st.integers(0, len(VIEWS)))
    return [draw(_view(order[place], [*sources, *order[:place]], collation)) for place in range(count)]


@st.composite
def _collection(draw: st.DrawFn, name: str) -> Model:
    fixed = FIXED[name]
    renamed = name in NEW_NAMES and draw(st.booleans())
    return {
        "__collection_name__": NEW_NAMES[name] if renamed else name,
        "__renamed_from__": name if renamed else None,
        "__options__": {**fixed, **draw(_options(fixed))},
        "__indexes__": draw(index_lists(_normal(fixed))),
        "__initial_data__": [] if name in ("capped", "series") else draw(_documents()),
    }


@st.composite
def _changed(draw: st.DrawFn, model: Model) -> Model:
    name = model["__renamed_from__"] or model["__collection_name__"]
    changed: Model = {
        **draw(_collection(name)),
        "__indexes__": draw(changed_lists(model["__indexes__"], _normal(FIXED[name]))),
    }
    return changed


def _normal(options: Mapping[str, Any]) -> dict[str, Any]:
    kind: CollectionKind = "timeseries" if "timeseries" in options else "collection"
    return normal_options(options, kind)


def _options(fixed: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
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
def _view(draw: st.DrawFn, name: str, sources: Sequence[str], options: Mapping[str, Any]) -> Model:
    stages: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.sampled_from(
            [{"$match": {"a": 1}}, {"$match": {"a": Int64(1)}}, {"$limit": 5}, {"$project": {"b": 1, "a": 1}}]
        ),
        st.sampled_from([source for source in sources if source != "series"]).map(
            lambda source: {"$unionWith": source}
        ),
    )
    return {
        "__collection_name__": name,
        "__view_on__": draw(st.sampled_from(sources)),
        "__pipeline__": draw(st.lists(stages, max_size=2)),
        "__options__": options,
    }
