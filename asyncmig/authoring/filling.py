"""Updates that put a value where a field is missing, null or of a kind that is no longer allowed."""

from __future__ import annotations

from typing import Any

from asyncmig.fields.changes import Place
from asyncmig.operations import Operation, UpdateInBatches

__all__ = ["condition", "fill"]


def condition(
    *,
    missing: bool = False,
    null: bool = False,
    values: tuple[Any, ...] = (),
    others: tuple[Any, ...] = (),
    in_arrays: bool = False,
) -> Any:
    """What a field is to be, so that it gets another value: missing, null, one of ``values``, none of ``others``.

    ``in_arrays``: whether the field may be an array, of which MongoDB asks all this of the elements, too.
    """
    single = {"$not": {"$type": "array"}} if in_arrays else {}
    if values:
        return {"$in": list(values), **single}
    if others:
        return {"$exists": True, "$nin": list(others), **single}
    if missing and null:
        return {"$eq": None, **single} if single else None
    return {"$type": "null", **single} if null else {"$exists": False}


def fill(
    collection: str, place: Place, value: Any, wanted: Any, *, was: tuple[Operation, ...] | None = None, note: str = ""
) -> UpdateInBatches:
    """Set the field at a path where ``wanted`` holds of it, in each element of the arrays on its way.

    A sub-document that is not there stays away: only the fields of those that are there are filled in.
    """
    if not place.arrays:
        inside = {place.above: {"$type": "object"}} if place.above else {}
        return UpdateInBatches(
            collection, {**inside, place.path: wanted}, {"$set": {place.path: value}}, was=was, note=note
        )
    path, filters = _through(place, wanted)
    where = _elements(place.arrays, place.path, wanted)
    options = {"arrayFilters": filters}
    return UpdateInBatches(collection, where, {"$set": {path: value}}, options, was=was, note=note)


def _through(place: Place, wanted: Any) -> tuple[str, list[dict[str, Any]]]:
    """The path with a name for the elements of each array, and what is asked of these."""
    path, filters, before = "", [], ""
    names = [f"e{number}" if len(place.arrays) > 1 else "e" for number, _ in enumerate(place.arrays)]
    stops = [*place.arrays[1:], place.path]
    for array, name, stop in zip(place.arrays, names, stops, strict=True):
        path += ("." if path else "") + _rest(array, before) + f".$[{name}]"
        rest = _rest(stop, array)
        asked: dict[str, Any] = {name: {"$type": "object"}}
        if "." in rest and stop == place.path:
            asked[f"{name}.{rest.rpartition('.')[0]}"] = {"$type": "object"}
        asked[f"{name}.{rest}"] = wanted if stop == place.path else {"$type": "array"}
        filters.append(asked)
        before = array
    return f"{path}.{_rest(place.path, before)}", filters


def _elements(arrays: tuple[str, ...], path: str, wanted: Any, before: str = "") -> dict[str, Any]:
    array, *others = arrays
    name = _rest(array, before)
    if others:
        return {name: {"$elemMatch": _elements(tuple(others), path, wanted, array)}}
    rest = _rest(path, array)
    inside = {rest.rpartition(".")[0]: {"$type": "object"}} if "." in rest else {}
    return {name: {"$elemMatch": {**inside, rest: wanted}}}


def _rest(path: str, above: str) -> str:
    return path.removeprefix(f"{above}.") if above else path
