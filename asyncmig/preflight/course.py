"""P05, P06 and P09: how a step on documents will go, what it writes into the oplog, and who uses what goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo.errors import PyMongoError

from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import DropIndex, RenameCollection, RenameField
from asyncmig.preflight.asking import CUT_OFF, Asker, plural
from asyncmig.preflight.documents import in_bytes
from asyncmig.preflight.probe import Level, Probe
from asyncmig.schema.text import is_text

__all__ = ["both_fields", "oplog", "scan", "target_is_there", "uses_of_collection", "uses_of_index"]

_FAST, _SLOW = 60_000, 8_000
"""Documents that a step has changed in a second on small machines, at best and at worst."""
_MAX_OPLOG_SHARE: Final = 0.5
"""The share of the oplog that one step had better not write."""
_ENTRY_BYTES: Final = 200  # of the oplog for a changed document, besides what is changed


async def scan(asker: Asker, collection: str, query: Mapping[str, Any]) -> Probe | None:
    """P05: how many documents a step goes through, and whether an index finds them."""
    now = asker.now(collection)
    if now is None or not asker.may("B"):
        return None
    try:
        total = int((await asker.command({"count": now}))["n"])
        plan = await asker.command({"explain": {"find": now, "filter": dict(query)}, "verbosity": "queryPlanner"})
        matched = await asker.count(now, query) if query and asker.may("C") else None
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P05", "documents to change", error, "read")
    is_scan = "COLLSCAN" in str(plan.get("queryPlanner", {}).get("winningPlan", {}))
    number = matched.number if matched and matched.is_exact else total
    low, high = number / _FAST, number / _SLOW
    which = f"{matched} of {plural(total, 'document')} match" if matched else plural(total, "document")
    how = ", found by a scan of the collection" if is_scan and query and total else ""
    text = f"{which}{how}; about {low:,.0f} to {high:,.0f} s{asker.proviso(collection)}"
    figures = {"documents": number, "of": total, "scan": is_scan and bool(query), "seconds": [low, high]}
    return Probe("P05", "note", text, figures)


async def oplog(asker: Asker, documents: int) -> Probe | None:
    """P06: what a step writes into the oplog, against what that holds."""
    if not documents or not asker.server.is_set or not asker.may("A"):
        return None
    try:
        size, hours = await _window(asker)
    except (PyMongoError, UnsupportedByDriver) as error:
        if "oplog" in asker.cache:
            return None
        asker.cache["oplog"] = None
        return asker.unanswered("P06", "the oplog window", error, "clusterMonitor")
    written = documents * _ENTRY_BYTES
    figures = {"bytes": written, "size": size, "hours": hours}
    text = f"writes about {in_bytes(written)} into an oplog of {in_bytes(size)} ({hours:,.1f} h)"
    if written > size * _MAX_OPLOG_SHARE:
        return Probe("P06", "warning", f"{text}: a secondary may fall out", figures)
    return Probe("P06", "note", text, figures)


async def _window(asker: Asker) -> tuple[int, float]:
    """The size of the oplog in bytes, and the hours that it goes back; asked once."""
    if not asker.cache.get("oplog"):
        local = asker.driver.database.client["local"]
        stats = await local.command({"collStats": "oplog.rs"})
        ends = [
            (await local["oplog.rs"].find({}, {"ts": 1}).sort("$natural", way).limit(1).to_list(1))[0]["ts"].time
            for way in (1, -1)
        ]
        asker.cache["oplog"] = int(stats["maxSize"]), (ends[1] - ends[0]) / 3600
    oplog: tuple[int, float] = asker.cache["oplog"]
    return oplog


async def both_fields(asker: Asker, operation: RenameField) -> Probe | None:
    """P05: documents that have both fields of a rename that stops at them."""
    now = asker.now(operation.collection)
    if now is None or operation.on_conflict != "fail" or operation.on_error != "fail" or not asker.may("C"):
        return None
    what = f"documents that have {operation.new} already"
    try:
        query = {operation.field: {"$exists": True}, operation.new: {"$exists": True}}
        count = await asker.count(now, query)
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P05", what, error, "read")
    if count is None:
        return Probe("P05", "unknown", f"{what}: {CUT_OFF.format(seconds=asker.budget)}")
    if not count.number:
        return None
    have = "has" if count.number == 1 else "have"
    proviso = asker.proviso(operation.collection)
    text = f"{plural(count, 'document')} {have} both fields: it stops there; say on_conflict{proviso}"
    return Probe("P05", "problem", text, {"documents": count.number, "is_exact": count.is_exact})


async def uses_of_index(asker: Asker, operation: DropIndex) -> list[Probe]:
    """P09: how often the server has used an index that goes, and what only it can do."""
    now = asker.now(operation.collection)
    index = asker.collection(operation.collection).indexes.get(operation.name)
    if now is None or not asker.may("A"):
        return []
    if index is None:
        return [Probe("P09", "note", f"{operation.name} is not there: nothing to drop")]
    probed = []
    if is_text(index.keys):
        probed.append(Probe("P09", "warning", "$text queries fail without it: it is the collection's text index"))
    try:
        rows = await asker.driver.read_each_member(_statistics(now, operation.name))
    except (PyMongoError, UnsupportedByDriver) as error:
        return [*probed, asker.unanswered("P09", f"uses of {operation.name}", error, "clusterMonitor")]
    silent = [member for member, said in rows.items() if said is None]
    probed += [_uses(row, member) for member, said in rows.items() for row in said or ()]
    if silent:
        text = f"uses of {operation.name} on {', '.join(silent)}: no answer; each member counts its own"
        probed.append(Probe("P09", "unknown", text, {"silent": silent}))
    return probed


def _statistics(collection: str, index: str) -> dict[str, Any]:
    return {"aggregate": collection, "pipeline": [{"$indexStats": {}}, {"$match": {"name": index}}], "cursor": {}}


def _uses(row: Mapping[str, Any], member: str) -> Probe:
    uses, since = int(row["accesses"]["ops"]), row["accesses"]["since"]
    host = f"{row['shard']}, {member}" if "shard" in row else member
    level: Level = "warning" if uses else "note"
    text = f"used {plural(uses, 'time')} since {since:%Y-%m-%d %H:%M} UTC on {host}"
    return Probe("P09", level, text, {"uses": uses, "since": since, "host": host})


async def uses_of_collection(asker: Asker, name: str) -> Probe | None:
    """P10: views, and pipelines of views, over a collection that goes or gets another name."""
    if not asker.may("A"):
        return None
    try:
        views = await asker.driver.read({"listCollections": 1, "filter": {"type": "view"}})
    except (PyMongoError, UnsupportedByDriver):
        return None
    over = sorted(view["name"] for view in views if name in _sources(view["options"]))
    if not over:
        return None
    noun = "view" if len(over) == 1 else "views"
    return Probe("P10", "warning", f"{', '.join(over)}: {noun} over {name}, which will be empty", {"views": over})


def _sources(options: Mapping[str, Any]) -> set[str]:
    """The collections that a view reads."""
    return {options.get("viewOn", ""), *_within(options.get("pipeline", ()))}


def _within(stages: Sequence[Any]) -> Iterator[str]:
    for stage in stages:
        for operator, body in stage.items() if isinstance(stage, Mapping) else ():
            if operator == "$unionWith" and isinstance(body, str):
                yield body
            if isinstance(body, Mapping):
                if isinstance(source := body.get("from", body.get("coll")), str):
                    yield source
                for inner in body.values():
                    yield from _within(inner) if isinstance(inner, list) else ()


def target_is_there(asker: Asker, operation: RenameCollection) -> Probe | None:
    """P10: a collection of the new name, which a rename does not replace."""
    if operation.new in asker.known.collections and operation.collection in asker.known.collections:
        return Probe("P10", "problem", f"there is a {operation.new} already: the rename is refused")
    return None
