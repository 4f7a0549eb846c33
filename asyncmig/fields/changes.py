"""What two schemas of one collection's documents differ in, field by field; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from asyncmig.fields.shapes import element, moved, properties, required, types
from asyncmig.schema.canonical import canonical_schema
from asyncmig.schema.fields import Schema

__all__ = [
    "Added",
    "Change",
    "Changes",
    "Exchanged",
    "Gone",
    "Narrowed",
    "Place",
    "Renamed",
    "Restricted",
    "Retyped",
    "changes",
]


@dataclass(frozen=True, slots=True)
class Place:
    """A field's dotted path, and which of the paths above it lead to arrays: a path goes through their elements.

    ``closed``: whether the document that holds it may have no fields but the declared ones.
    """

    path: str
    arrays: tuple[str, ...] = ()
    closed: bool = False

    @property
    def above(self) -> str:
        """The path of the document that holds it; empty for the whole one."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Renamed:
    """A field that the models say was called otherwise.

    ``through_array``: whether one of the paths leads through an array. ``siblings``: whether, where
    the new path is above the old one, other fields stand beside it. ``closed``: whether the document
    that it comes into may have no fields but the declared ones.
    """

    old: str
    new: str
    through_array: bool = False
    siblings: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """A field that is declared no more."""

    place: Place
    schema: Schema


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One field gone and one come, beside each other and of the same schema: it may be a rename, or not."""

    gone: Gone
    come: Added


@dataclass(frozen=True, slots=True)
class Added:
    """A field that documents need not have had: a new one, or one that is required now.

    ``was_refused``: whether the old schema lets no document have it.
    """

    place: Place
    schema: Schema
    required: bool
    is_new: bool
    was_refused: bool = False


@dataclass(frozen=True, slots=True)
class Retyped:
    """A field, or the elements of an array, that may no longer be of the types ``lost``."""

    place: Place
    lost: frozenset[str]
    old: Schema
    new: Schema
    required: bool
    array: Schema | None = None

    @property
    def elements(self) -> bool:
        """Whether it is about the elements of an array, of which ``array`` is the schema."""
        return self.array is not None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A field that may be null no more."""

    place: Place
    new: Schema
    required: bool


@dataclass(frozen=True, slots=True)
class Restricted:
    """A field, or the elements of an array, of which fewer values are allowed.

    ``lost`` are those of an enumeration that are allowed no more; ``allowed`` are those that are, where
    there was no enumeration before. Both are empty for bounds.
    """

    place: Place
    new: Schema
    lost: tuple[Any, ...] = ()
    allowed: tuple[Any, ...] = ()
    elements: bool = False


Change = Renamed | Gone | Added | Exchanged | Retyped | Narrowed | Restricted


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences, by kind, each in the order of the schemas.

    ``blocked``: renames of a field to one that was there already, beside it; none of the two becomes the other.
    """

    renamed: tuple[Renamed, ...] = ()
    others: tuple[Change, ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()


def changes(old: Mapping[str, Any], new: Mapping[str, Any], renames: Mapping[str, str] | None = None) -> Changes:
    """What turns documents of ``old`` into documents of ``new``; ``renames`` are old paths to new ones.

    A rename counts where ``old`` has a field at the old path and none at the new one, or one that is renamed, too.
    """
    renamed: list[Renamed] = []
    current: Mapping[str, Any] = old
    waiting = {source: target for source, target in (renames or {}).items() if source != target}
    before = -1
    while len(renamed) != before:
        before = len(renamed)
        for source, target in list(waiting.items()):
            is_late = before > 0 and not _has(new, target)  # of renames one after the other, the last has been made
            if is_late or (_has(current, target) and not _is_within(source, target)):
                continue
            if (changed := moved(current, source.split("."), target.split("."))) is not None:
                renamed.append(_renamed(current, new, source, target))
                current = changed
                del waiting[source]
    blocked = [pair for pair in waiting.items() if all(_has(current, path) for path in pair)]
    return Changes(tuple(renamed), tuple(_documents(current, new, Place(""))), tuple(blocked))


def _is_within(path: str, other: str) -> bool:
    """Whether one of two paths leads through the other."""
    return path.startswith(f"{other}.") or other.startswith(f"{path}.")


def _renamed(schema: Mapping[str, Any], new: Mapping[str, Any], source: str, target: str) -> Renamed:
    arrays = any("items" in above for path in (source, target) for above in _above(schema, path))
    parent = next(iter(_above(schema, source)[::-1]), {})
    holder = [new, *_above(new, target)][-1]
    closed = (element(holder) or holder).get("additionalProperties") is False
    return Renamed(source, target, arrays, len(properties(element(parent) or parent)) > 1, closed)


def _above(schema: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The schemas of the documents that a path leads through, without that of the whole one."""
    schemas: list[Mapping[str, Any]] = []
    for name in path.split(".")[:-1]:
        known = properties(element(schema) or schema)
        if name not in known:
            break
        schema = known[name]
        schemas.append(schema)
    return schemas


def _has(schema: Mapping[str, Any], path: str) -> bool:
    for name in path.split("."):
        inner = element(schema) or schema
        known = properties(inner)
        if name not in known:
            return False
        schema = known[name]
    return True


def _documents(old: Mapping[str, Any], new: Mapping[str, Any], at: Place) -> Iterator[Change]:
    """The differences between two kinds of documents, or sub-documents."""
    before, after = properties(old), properties(new)
    closed = new.get("additionalProperties") is False
    gone = {
        name: Gone(_below(at, name, closed), schema)
        for name, schema in before.items()
        if name not in after and (at.path or name != "_id")
    }
    come = {
        name: Added(_below(at, name, closed), schema, name in required(new), True, _limits_others(old))
        for name, schema in after.items()
        if name not in before and (at.path or name != "_id")
    }
    if len(gone) == len(come) == 1 and _alike(before[next(iter(gone))], after[next(iter(come))]):
        yield Exchanged(next(iter(gone.values())), next(iter(come.values())))
    else:
        yield from gone.values()
        yield from come.values()
    for name in [child for child in after if child in before and (at.path or child != "_id")]:
        place = _below(at, name, closed)
        if name in required(new) and name not in required(old):
            yield Added(place, after[name], required=True, is_new=False)
        yield from value_changes(before[name], after[name], place, name in required(new))


def _limits_others(schema: Mapping[str, Any]) -> bool:
    """Whether fields that are not among the properties may not be there, or only in some way."""
    others = schema.get("additionalProperties", True)
    return others is not True or bool(
        schema.keys() & {"maxProperties", "patternProperties", "not", "oneOf", "allOf", "anyOf"}
    )


def _alike(schema: Schema, other: Schema) -> bool:
    return bool(schema) and canonical_schema(schema) == canonical_schema(other)


def _below(at: Place, name: str, closed: bool) -> Place:
    return Place(f"{at.path}.{name}" if at.path else name, at.arrays, closed)


def value_changes(old: Schema, new: Schema, place: Place, needed: bool) -> Iterator[Change]:
    """The differences between what a field may hold."""
    if canonical_schema(old) == canonical_schema(new):
        return
    lost = _lost(old, new)
    if lost == {"null"}:
        yield Narrowed(place, new, needed)
    elif lost:
        yield Retyped(place, lost, old, new, needed)
        if "null" in lost:
            yield Narrowed(place, new, needed)
        return
    yield from _inner(old, new, place, needed)


def _lost(old: Schema, new: Schema) -> frozenset[str]:
    """The types that were allowed and are no more; where anything was, nobody can tell."""
    before, after = types(old), types(new)
    return frozenset() if before is None or after is None else before - after


def _inner(old: Schema, new: Schema, place: Place, needed: bool) -> Iterator[Change]:
    """Where the types are the same: what a sub-document or the elements of an array differ in, and the values."""
    yield from _sub_documents(old, new, place, needed)
    before, after = element(old), element(new)
    if before is not None and after is not None:
        yield from _elements(before, after, place, needed, new)
    yield from _restricted(old, new, place)


def _elements(old: Schema, new: Schema, place: Place, needed: bool, array: Schema) -> Iterator[Change]:
    inside = Place(place.path, (*place.arrays, place.path))
    if lost := _lost(old, new) - {"null"}:
        yield Retyped(place, lost, old, new, needed, array)
    elif "properties" in new:
        yield from _sub_documents(old, new, inside, needed, array)
    elif element(new) is not None and canonical_schema(old) != canonical_schema(new):
        yield Restricted(place, new, elements=True)
    else:
        yield from _restricted(old, new, place, elements=True)


def _restricted(old: Schema, new: Schema, place: Place, *, elements: bool = False) -> Iterator[Restricted]:
    if "enum" in new:
        lost = tuple(value for value in _values_of(old) if value not in _values_of(new))
        if lost:
            yield Restricted(place, new, lost, elements=elements)
        elif "enum" not in old:
            yield Restricted(place, new, (), tuple(new["enum"]), elements=elements)
    elif _tightened(old, new):
        yield Restricted(place, new, elements=elements)


def _sub_documents(
    old: Schema, new: Schema, place: Place, needed: bool, array: Schema | None = None
) -> Iterator[Change]:
    """Sub-documents that could hold anything may hold more than is declared now."""
    if "properties" in old and "properties" in new:
        yield from _documents(old, new, place)
    elif "properties" in new and "object" in (types(old) or ()):
        if new.get("additionalProperties") is False:
            yield Retyped(
                replace(place, arrays=place.arrays[: -1 if array else None]), _OBJECT, old, new, needed, array
            )
        for name in required(new):
            yield Added(_below(place, name, False), properties(new).get(name, {}), required=True, is_new=False)


_OBJECT = frozenset({"object"})


def _values_of(schema: Schema) -> list[Any]:
    return list(schema.get("enum", ()))


_BOUNDS = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "allOf",
        "anyOf",
        "dependencies",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "oneOf",
        "pattern",
        "patternProperties",
        "uniqueItems",
    }
)


def _tightened(old: Schema, new: Schema) -> bool:
    """Whether a bound is new or another one: whether documents break it is for the server to count."""
    return any(
        canonical_schema({"x": new[bound]}) != canonical_schema({"x": old.get(bound)}) for bound in _BOUNDS & new.keys()
    )
