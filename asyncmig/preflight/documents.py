"""P02, P03, P08, P10: documents that a validator refuses, that a time to live deletes, that go with what is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import PyMongoError

from asyncmig.errors import UnsupportedByDriver
from asyncmig.preflight.asking import CUT_OFF, Asker, Counted, plural
from asyncmig.preflight.probe import Probe

__all__ = ["dropped", "expiring", "field_values", "in_bytes", "violators"]

_MAX_RULES: Final = 40
"""How many rules of a schema are counted one by one."""
_BREAKING: Final = "documents that break the validator"
_UNITS: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


async def violators(asker: Asker, collection: str, options: Mapping[str, Any]) -> Probe | None:
    """P02: documents that a validator would refuse, by rule."""
    now, validator = asker.now(collection), options.get("validator")
    if now is None or not validator or options.get("validationLevel") == "off" or not asker.may("C"):
        return None
    warns = options.get("validationAction") == "warn"
    try:
        broken = await asker.count(now, {"$nor": [dict(validator)]})
        if broken is None:
            return Probe(
                "P02", "unknown", f"documents that break the validator: {CUT_OFF.format(seconds=asker.budget)}"
            )
        if not broken.number:
            return Probe(
                "P02", "note", f"no document breaks the validator{asker.proviso(collection)}", {"documents": 0}
            )
        rules = await _by_rule(asker, now, validator)
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P02", _BREAKING, error, "read")
    total = await _total(asker, now)
    listed = ", ".join(f"{name}: {count:,}" for name, count in rules.items())
    then = _consequence(options, warns=warns)
    return Probe(
        "P02",
        "warning" if warns or options.get("validationLevel") == "moderate" else "problem",
        f"{broken} of {plural(total, 'document')} break{'s' if broken.number == 1 else ''} the validator"
        f"{f' ({listed})' if listed else ''}; {then}{asker.proviso(collection)}",
        {"documents": broken.number, "is_exact": broken.is_exact, "of": total, "rules": dict(rules)},
    )


def _consequence(options: Mapping[str, Any], *, warns: bool) -> str:
    if warns:
        return "each update of them is logged"
    if options.get("validationLevel") == "moderate":
        return "they stay as they are, and may be updated"
    return "they can no longer be updated, unless the update mends them"


async def _by_rule(asker: Asker, collection: str, validator: Mapping[str, Any]) -> dict[str, int]:
    """How many documents break each rule of a $jsonSchema, in one scan of those that break any."""
    rules = dict(list(_rules(validator))[:_MAX_RULES])
    if len(rules) < 2:
        return {}
    facets = {f"r{place}": [{"$match": broken}, {"$count": "n"}] for place, broken in enumerate(rules.values())}
    (row,) = await asker.scan(collection, [{"$match": {"$nor": [dict(validator)]}}, {"$facet": facets}])
    counts = {name: row[f"r{place}"][0]["n"] if row[f"r{place}"] else 0 for place, name in enumerate(rules)}
    return {name: count for name, count in counts.items() if count}


def _rules(validator: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule by name, and the query for documents that break it."""
    schema = validator.get("$jsonSchema")
    if not isinstance(schema, Mapping):
        return
    for name in schema.get("required", ()):
        yield f"{name} is missing", {name: {"$exists": False}}
    properties = schema.get("properties", {})
    for name, shape in properties.items():
        yield f"{name} does not fit", _breaks({"properties": {name: shape}})
    if schema.get("additionalProperties", True) is not True:
        known = {
            "properties": {name: {} for name in properties},
            "additionalProperties": schema["additionalProperties"],
        }
        patterns = {"patternProperties": schema["patternProperties"]} if "patternProperties" in schema else {}
        yield "other fields", _breaks({**known, **patterns})
    covered = {
        "required",
        "properties",
        "additionalProperties",
        "patternProperties",
        "title",
        "description",
        "bsonType",
    }
    rest = {keyword: value for keyword, value in schema.items() if keyword not in covered}
    if rest:
        yield "other rules", _breaks(rest)
    query = {key: value for key, value in validator.items() if key != "$jsonSchema"}
    if query:
        yield "the query", {"$nor": [query]}


def _breaks(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$nor": [{"$jsonSchema": dict(schema)}]}


async def expiring(
    asker: Asker, collection: str, field: str, seconds: float, partial: Mapping[str, Any] | None = None
) -> list[Probe]:
    """P03: documents that are due at once; P08: documents that never will be, for want of a date."""
    now = asker.now(collection)
    if now is None or not asker.may("C"):
        return []
    within = [dict(partial)] if partial else []
    try:
        server_time = await _server_time(asker)
        limit = server_time - timedelta(seconds=min(seconds, _since_year_one(server_time)))
        due = await asker.count(now, {"$and": [{field: {"$lt": limit}}, *within]})
        never = await asker.count(now, {"$and": [{field: {"$not": {"$type": "date"}}}, *within]})
    except (PyMongoError, UnsupportedByDriver) as error:
        return [asker.unanswered("P03", "documents that would expire", error, "read")]
    except OverflowError:
        return []
    total = await _total(asker, now)
    return [_due(asker, collection, due, total), *_never(field, never)]


def _due(asker: Asker, collection: str, due: Counted | None, total: int) -> Probe:
    if due is None:
        return Probe("P03", "unknown", f"documents that would expire: {CUT_OFF.format(seconds=asker.budget)}")
    figures = {"documents": due.number, "is_exact": due.is_exact, "of": total}
    if not due.number:
        return Probe("P03", "note", f"no document is due{asker.proviso(collection)}", figures)
    return Probe(
        "P03",
        "warning",
        f"{due} of {plural(total, 'document')} {'is' if due.number == 1 else 'are'} due, and deleted within a minute"
        f"{asker.proviso(collection)}",
        figures,
    )


def _never(field: str, never: Counted | None) -> Iterator[Probe]:
    if never is not None and never.number:
        verb = "has" if never.number == 1 else "have"
        text = f"{plural(never, 'document')} {verb} no date in {field}, and will never expire"
        yield Probe("P08", "note", text, {"documents": never.number, "is_exact": never.is_exact})


def _since_year_one(moment: datetime) -> float:
    """The seconds before ``moment`` that a date can have."""
    return (moment - datetime.min.replace(tzinfo=UTC)).total_seconds()


async def _server_time(asker: Asker) -> datetime:
    """The server's clock, by which documents expire."""
    if "time" not in asker.cache:
        asker.cache["time"] = (await asker.command({"hello": 1}, admin=True))["localTime"]
    said: datetime = asker.cache["time"]
    return said if said.tzinfo else said.replace(tzinfo=UTC)


async def _total(asker: Asker, collection: str) -> int:
    """How many documents there are, by the collection's metadata."""
    return int((await asker.command({"count": collection}))["n"])


async def dropped(asker: Asker, collection: str) -> Probe | None:
    """P10: what goes with a collection."""
    now = asker.now(collection)
    if now is None or not asker.may("A"):
        return None
    try:
        stats = await asker.aggregate(now, [{"$collStats": {"storageStats": {}}}, {"$project": _SIZES}])
        newest = await asker.aggregate(now, [{"$sort": {"_id": -1}}, {"$limit": 1}, {"$project": {"_id": 1}}])
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P10", "what goes with it", error, "read")
    count, size = (int(stats[0].get(key, 0)) if stats else 0 for key in ("n", "size"))
    figures: dict[str, Any] = {"documents": count, "bytes": size}
    last = ""
    if newest and isinstance(newest[0]["_id"], ObjectId):
        figures["last"] = newest[0]["_id"].generation_time
        last = f", the last one made {figures['last']:%Y-%m-%d %H:%M} UTC"
    if not count:
        return Probe("P10", "note", f"{collection} is empty", figures)
    return Probe("P10", "warning", f"{plural(count, 'document')} ({in_bytes(size)}) go with it{last}", figures)


_SIZES: Final = {"n": "$storageStats.count", "size": "$storageStats.size"}


def in_bytes(size: float) -> str:
    """``1.1 GiB``."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,.0f} bytes"


async def field_values(asker: Asker, collection: str, field: str) -> Probe | None:
    """P10: documents that lose a field."""
    now = asker.now(collection)
    if now is None or not asker.may("C"):
        return None
    try:
        holding = await asker.count(now, {field: {"$exists": True}})
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P10", f"documents with {field}", error, "read")
    if holding is None:
        return Probe("P10", "unknown", f"documents with {field}: {CUT_OFF.format(seconds=asker.budget)}")
    figures = {"documents": holding.number, "is_exact": holding.is_exact}
    if not holding.number:
        return Probe("P10", "note", f"no document has {field}{asker.proviso(collection)}", figures)
    verb = "loses" if holding.number == 1 else "lose"
    return Probe("P10", "warning", f"{plural(holding, 'document')} {verb} {field}{asker.proviso(collection)}", figures)
