"""The server's rules for the indexes of one collection, as a model to run operations on in tests without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asyncmig.authoring.bridge import clash
from asyncmig.authoring.index_change import changed
from asyncmig.operations import CreateIndexes, DropIndex, ModifyIndex, Operation
from asyncmig.schema.index import Index
from asyncmig.schema.normal import definition, signature

LIMIT = 63


class Refused(AssertionError):
    """The server would refuse this."""


def moments(present: Iterable[Index], operations: Iterable[Operation]) -> Iterator[tuple[Index, ...]]:
    """What stands before, between and after the operations; raises Refused where the server would say no."""
    standing = {index.name: index for index in present}
    yield tuple(standing.values())
    for operation in operations:
        match operation:
            case CreateIndexes(indexes=indexes):
                for index in indexes:
                    _admit(standing, index, operation)
            case DropIndex(name=name):
                if name not in standing:
                    raise Refused(f"27: {operation.describe()}")
                if operation.was is not None and definition(operation.was) != definition(standing[name]):
                    raise Refused(f"not what was there: {operation.describe()}")
                del standing[name]
            case ModifyIndex(name=name, options=options):
                _modify(standing, name, options, operation)
            case _:
                raise Refused(f"no operation on indexes: {operation!r}")
        yield tuple(standing.values())


def outcome(present: Iterable[Index], operations: Iterable[Operation]) -> dict[str, object]:
    """Name and definition of what stands in the end."""
    *_, last = moments(present, operations)
    return listed(last)


def listed(indexes: Iterable[Index]) -> dict[str, object]:
    return {index.name: definition(index) for index in indexes}


def service(index: Index) -> object:
    """What an index does for queries and against duplicates: the same for it and for whatever can stand in for it."""
    directions = [d for _, d in index.keys if not isinstance(d, str)]
    turn = -1 if directions and directions[0] < 0 else 1
    keys = [(field, d if isinstance(d, str) else d * turn) for field, d in index.keys]
    options = {k: v for k, v in index.options.items() if k not in ("hidden", "expireAfterSeconds", "prepareUnique")}
    if options.get("partialFilterExpression") == {}:
        del options["partialFilterExpression"]
    if not directions:
        options.pop("sparse", None)
    return signature(Index(keys, **options))


def services(indexes: Sequence[Index]) -> set[object]:
    """A hidden index serves nobody, but still keeps its values unique; a unique one serves whom a plain one would."""
    queries = {("finds", service(index.replace(unique=None))) for index in indexes if not index.options.get("hidden")}
    return queries | {("guards", service(index)) for index in indexes if index.options.get("unique")}


def _admit(standing: dict[str, Index], index: Index, operation: Operation) -> None:
    rival = next((other for other in standing.values() if clash(other, index)), None)
    if rival is not None:
        raise Refused(f"85/86: {operation.describe()}: {index!r} against {rival!r}")
    if len(standing) >= LIMIT:
        raise Refused(f"67: {operation.describe()}: too many")
    standing[index.name] = index


def _modify(standing: dict[str, Index], name: str, options: object, operation: Operation) -> None:
    assert isinstance(options, dict)
    index = standing[name]
    if any("$**" in field for field, _ in index.keys) and set(options) - {"hidden"}:
        raise Refused(f"this kills the server: {operation.describe()}")
    if "prepareUnique" in options and len(options) > 1:
        raise Refused("72: prepareUnique cannot be combined")
    if options.get("unique") is False or ("expireAfterSeconds" in options and len(index.keys) > 1):
        raise Refused(f"72: {operation.describe()}")
    after = changed(index, options)
    if any(signature(other) == signature(after) for other in standing.values() if other.name != name):
        raise Refused(f"twins: {operation.describe()}")
    standing[name] = after
