"""Rules on indexes: L01 to L05, L14 to L16."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from asyncmig.lint.commands import index_change, raw_indexes
from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import RawCall, Step, Subject
from asyncmig.operations import CreateIndexes, DropIndex, ModifyCollection, ModifyIndex
from asyncmig.operations.known import KnownState
from asyncmig.schema.index import Index
from asyncmig.schema.value import number, truthy

__all__ = [
    "dropped_before_replacement",
    "dropped_unhidden",
    "expiry_on_documents",
    "few_values",
    "included_in_another",
    "many_indexes",
    "unique_on_documents",
    "wildcard_change",
]

_TWO_STEPS: Final = (
    "create it plain, then `await env.modify_index({collection!r}, {index!r}, unique=True)`: that names every "
    "duplicate, and cannot fail after hours of building"
)
_SHORTER_FACTOR: Final = 10
_DOOMED: Final = ("expireAfterSeconds", "prepareUnique", "unique")
_HARD_LIMIT: Final = 64
_MAX_ENUM_VALUES: Final = 10
_DIRECTIONS: Final = (1, -1)


def unique_on_documents(subject: Subject) -> Iterator[Finding]:
    """L01: a unique index built over documents fails at the first duplicate, perhaps after hours."""
    for step, index in _created(subject):
        if truthy(index.options.get("unique")) and subject.is_standing(step.operation.collection):
            yield subject.on_step("L01", step, _unique_message(step.operation.collection, index))
    for call, collection, index in _created_raw(subject):
        if truthy(index.options.get("unique")) and subject.is_standing(collection):
            yield subject.on_call("L01", call, _unique_message(collection or "...", index))


def _unique_message(collection: str, index: Index) -> str:
    advice = _TWO_STEPS.format(collection=collection, index=index.name)
    return (
        f"unique index {index.name} on {collection}, which was there before this revision: one pair of duplicates "
        f"makes the build fail. Rather {advice}"
    )


def expiry_on_documents(subject: Subject) -> Iterator[Finding]:
    """L02: a new or much shorter time to live deletes documents within a minute."""
    for step, state in subject.states():
        collection = step.operation.collection
        if not subject.is_standing(collection):
            continue
        for what, seconds, before in _expiries(step, state):
            shorter = before is not None and seconds * _SHORTER_FACTOR < before
            if before is None or shorter:
                was = f" (it was {before:,.0f} s)" if before is not None else ""
                yield subject.on_step(
                    "L02",
                    step,
                    f"{what} of {collection} expires documents {seconds:,.0f} s old{was}: those that are due go within "
                    "a minute. Count them first (`asyncmig upgrade --preflight`), or come down in steps",
                )
    for call, target, index in _created_raw(subject):
        if "expireAfterSeconds" in index.options and subject.is_standing(target):
            yield subject.on_call(
                "L02",
                call,
                f"index {index.name} of {target or '...'} expires documents: those that are due go at once",
            )


def _expiries(step: Step, state: KnownState) -> Iterator[tuple[str, float, float | None]]:
    """What expires documents from now on, after how many seconds, and after how many before."""
    operation = step.operation
    known = state.get(operation.collection)
    if isinstance(operation, CreateIndexes):
        for index in operation.indexes:
            if (seconds := number(index.options.get("expireAfterSeconds"))) is not None:
                yield f"index {index.name}", float(seconds), _shortest(known.indexes.values(), index)
    elif isinstance(operation, ModifyIndex):
        seconds, old = number(operation.options.get("expireAfterSeconds")), known.indexes.get(operation.name)
        if seconds is not None:
            yield f"index {operation.name}", float(seconds), _expiry(old.options if old else {})
    elif isinstance(operation, ModifyCollection) and (seconds := _expiry(operation.options)) is not None:
        yield "the collection option", seconds, _expiry(known.options)


def _expiry(options: Mapping[str, Any]) -> float | None:
    seconds = number(options.get("expireAfterSeconds"))
    return None if seconds is None else float(seconds)


def _shortest(indexes: Iterable[Index], like: Index) -> float | None:
    """The time to live that another index on the same key has already set."""
    times = [
        seconds
        for index in indexes
        if index.keys[0][0] == like.keys[0][0]
        and index.options.get("partialFilterExpression") == like.options.get("partialFilterExpression")
        and (seconds := _expiry(index.options)) is not None
    ]
    return min(times, default=None)


def dropped_before_replacement(subject: Subject) -> Iterator[Finding]:
    """L03: between a drop and the creation of its replacement, queries scan the whole collection."""
    steps = subject.upgrade.steps
    for place, (step, state) in enumerate(subject.states()):
        drop = step.operation
        if not isinstance(drop, DropIndex) or not subject.is_standing(drop.collection):
            continue
        old = state.index(drop.collection, drop.name) or _definition(subject, drop)
        if old is None or _serves_meanwhile(state, drop, old):
            continue
        for later in steps[place + 1 :]:
            if isinstance(later.operation, CreateIndexes) and later.operation.collection == drop.collection:
                for index in later.operation.indexes:
                    if _serves(index, old) and not _cannot_coexist(index, old):
                        yield subject.on_step(
                            "L03",
                            step,
                            f"index {drop.name} of {drop.collection} goes before {index.name} is built in its place "
                            f"(line {later.place.line}): meanwhile nothing serves its queries. Create the new one "
                            "first, under another name if need be, then drop this one",
                        )


def _definition(subject: Subject, drop: DropIndex) -> Index | None:
    """The index that is dropped, where nothing before tells: as the downgrade makes it again, or as its name says."""
    for operation in subject.downgrade.operations:
        if isinstance(operation, CreateIndexes) and operation.collection == drop.collection:
            for index in operation.indexes:
                if index.name == drop.name:
                    return index
    return _by_default_name(drop.name)


def _by_default_name(name: str) -> Index | None:
    parts = name.split("_")
    keys = []
    field: list[str] = []
    for part in parts:
        if part in ("1", "-1") and field:
            keys.append(("_".join(field), int(part)))
            field = []
        else:
            field.append(part)
    return Index(keys, name=name) if keys and not field else None


def _serves(index: Index, old: Index) -> bool:
    """Whether queries of the old index find their keys in the other one, as its first ones."""
    return index.keys[: len(old.keys)] == old.keys and not truthy(index.options.get("hidden"))


def _serves_meanwhile(state: KnownState, drop: DropIndex, old: Index) -> bool:
    others = (index for name, index in state.get(drop.collection).indexes.items() if name != drop.name)
    return any(_serves(index, old) for index in others)


def _cannot_coexist(index: Index, old: Index) -> bool:
    """Text indexes: a collection has one at a time, so that there is no other order."""
    return all(any(kind == "text" for _, kind in index_.keys) for index_ in (index, old))


def wildcard_change(subject: Subject) -> Iterator[Finding]:
    """L04: collMod of these options on a key with $** ends a MongoDB 6.0 server (fassert)."""
    for step, state in subject.states():
        change = step.operation
        if isinstance(change, ModifyIndex):
            index = state.index(change.collection, change.name)
            fatal = [option for option in _DOOMED if option in change.options]
            if fatal and (_is_wildcard(index) or "$**" in change.name):
                yield subject.on_step("L04", step, _fatal_message(change.collection, change.name, fatal))
    for call in subject.upgrade.raw:
        if (changed := index_change(call)) is not None:
            collection, name, options = changed
            index = subject.after.index(collection, name)
            fatal = [option for option in _DOOMED if option in options]
            if fatal and (_is_wildcard(index) or "$**" in name):
                yield subject.on_call("L04", call, _fatal_message(collection, name, fatal))


def _fatal_message(collection: str, name: str, fatal: list[str]) -> str:
    return (
        f"{name} of {collection} is a wildcard index: MongoDB 6.0 ends itself when collMod sets "
        f"{', '.join(fatal)} on it. Create another index instead"
    )


def _is_wildcard(index: Index | None) -> bool:
    return index is not None and any("$**" in field for field, _ in index.keys)


def dropped_unhidden(subject: Subject) -> Iterator[Finding]:
    """L05: a hidden index can be shown again in a moment, a dropped one has to be built."""
    for step, state in subject.states():
        drop = step.operation
        if not isinstance(drop, DropIndex) or _is_made_here(subject, step, drop.name):
            continue
        if not subject.is_standing(drop.collection):
            continue
        index = state.index(drop.collection, drop.name)
        hidden = subject.before.index(drop.collection, drop.name)
        if hidden is not None and truthy(hidden.options.get("hidden")):
            continue
        if index is not None and _serves_meanwhile(state, drop, index):
            continue
        yield subject.on_step(
            "L05",
            step,
            f"index {drop.name} of {drop.collection} goes at once. Hide it in an earlier revision "
            f"(`await env.modify_index({drop.collection!r}, {drop.name!r}, hidden=True)`): that can be taken back in "
            "a moment, and shows whether anybody misses it",
        )


def included_in_another(subject: Subject) -> Iterator[Finding]:
    """L14: an index whose keys begin another one of equal options costs writes and serves nothing more."""
    new = {(step.operation.collection, index.name): step for step, index in _created(subject)}
    after = subject.after
    for (collection, name), step in new.items():
        for other in after.get(collection).indexes.values():
            index = after.index(collection, name)
            if index is None or other.name == name:
                continue
            if _begins(index, other):
                yield subject.on_step("L14", step, _included_message(collection, name, other.name))
            elif (collection, other.name) not in new and _begins(other, index):
                yield subject.on_step("L14", step, _included_message(collection, other.name, name))


def _included_message(collection: str, short: str, long: str) -> str:
    return (
        f"index {short} of {collection} begins {long} and has the same options: the longer one serves its queries, too"
    )


def _begins(short: Index, long: Index) -> bool:
    plain = all(direction in _DIRECTIONS for _, direction in short.keys)
    rests = [{key: value for key, value in declared.options.items() if key != "name"} for declared in (short, long)]
    return (
        plain
        and len(short.keys) < len(long.keys)
        and long.keys[: len(short.keys)] == short.keys
        and rests[0] == rests[1]
        and not truthy(short.options.get("unique"))
        and "expireAfterSeconds" not in short.options
    )


def many_indexes(subject: Subject) -> Iterator[Finding]:
    """L15: each index costs every write; the server takes 64."""
    last = {step.operation.collection: step for step, _ in _created(subject)}
    for collection, step in last.items():
        count = len(subject.after.get(collection).indexes) + 1  # the one on _id
        if count > _HARD_LIMIT:
            yield subject.on_step(
                "L15", step, f"{collection} would have {count} indexes; MongoDB takes {_HARD_LIMIT}", "error"
            )
        elif count > subject.options.max_indexes:
            yield subject.on_step(
                "L15",
                step,
                f"{collection} has {count} indexes with the one on _id, more than {subject.options.max_indexes}: each "
                "of them is written with every document",
            )


def few_values(subject: Subject) -> Iterator[Finding]:
    """L16: an index on a boolean or an enumeration alone splits a collection into a few heaps."""
    for step, index in _created(subject):
        if len(index.keys) != 1 or "partialFilterExpression" in index.options or truthy(index.options.get("unique")):
            continue
        field, direction = index.keys[0]
        values = _values(subject.after.get(step.operation.collection).options, field)
        if direction in _DIRECTIONS and values is not None and "expireAfterSeconds" not in index.options:
            yield subject.on_step(
                "L16",
                step,
                f"{field} of {step.operation.collection} has {values} values: an index on it alone hardly narrows a "
                "search. Put it behind another field, or index the rare value (partialFilterExpression)",
            )


def _values(options: Mapping[str, Any], field: str) -> int | None:
    """How few values a field can have, by the collection's schema."""
    schema: Any = options.get("validator")
    schema = schema.get("$jsonSchema") if isinstance(schema, Mapping) else None
    for part in field.split("."):
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        schema = properties.get(part) if isinstance(properties, Mapping) else None
    if not isinstance(schema, Mapping):
        return None
    kinds = schema.get("bsonType", schema.get("type"))
    if kinds in ("bool", "boolean", ["bool"], ["boolean"]):
        return 2
    enum = schema.get("enum")
    return len(enum) if isinstance(enum, list | tuple) and len(enum) <= _MAX_ENUM_VALUES else None


def _created(subject: Subject) -> Iterator[tuple[Step, Index]]:
    for step in subject.upgrade.steps:
        if isinstance(step.operation, CreateIndexes):
            yield from ((step, index) for index in step.operation.indexes)


def _created_raw(subject: Subject) -> Iterator[tuple[RawCall, str | None, Index]]:
    for call in subject.upgrade.raw:
        yield from ((call, collection, index) for collection, index in raw_indexes(call))


def _is_made_here(subject: Subject, before: Step, index: str) -> bool:
    """Whether an earlier step of the same revision has created the index: a stand-in for the time between."""
    for step, made in _created(subject):
        if step.place.line > before.place.line:
            return False
        if step.operation.collection == before.operation.collection and made.name == index:
            return True
    return False
