"""What a server would refuse about an index, told when it is declared.

Only what every version refuses: where one of them takes an index, the server has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import Any, Final

from asyncmig.schema.collation import expand
from asyncmig.schema.collation_rules import collation_fault
from asyncmig.schema.index import Index
from asyncmig.schema.names import suggestion
from asyncmig.schema.normal import normal_index, signature
from asyncmig.schema.ordinary import is_ordinary
from asyncmig.schema.server import is_id_index
from asyncmig.schema.state import CollectionKind
from asyncmig.schema.text import in_server_terms, is_text
from asyncmig.schema.value import number, truthy

__all__ = ["index_faults", "set_faults"]

_DIRECTIONS: Final = ("text", "2d", "2dsphere", "hashed")
_MAX_KEYS: Final = 32
_MAX_INDEXES: Final = 64
_INT32_MAX: Final = 2**31 - 1


def index_faults(index: Index, kind: CollectionKind) -> Iterator[str]:
    """What is wrong with one index of a collection or time series, worst first.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """
    if kind == "collection" and is_ordinary(index):
        return
    label = f"index {index.name!r}"
    for rules in (_key_faults, _option_faults, _mixture_faults):
        for fault in rules(index):
            yield f"{label}: {fault}"
    if is_id_index(dict(index.keys), kind):
        yield from (f"{label}: {fault}" for fault in _id_faults(index))
    elif index.name in ("_id_", "*"):
        yield f"{label}: the name is reserved"
    if kind == "timeseries":
        yield from (f"{label}: {fault}" for fault in _timeseries_faults(index))


def set_faults(indexes: Sequence[Index], kind: CollectionKind, options: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the indexes of one collection together; those on ``_id`` alone do not count."""
    collation = options.get("collation")
    own = [index for index in indexes if is_id_index(dict(index.keys), kind)]
    normal = [normal_index(index, collation, kind) for index in indexes if index not in own]
    yield from _twins(normal)
    texts = [repr(index.name) for index in normal if is_text(index.keys)]
    if len(texts) > 1:
        yield f"{' and '.join(texts)} are both text indexes, and a collection can have only one"
    most = _MAX_INDEXES if kind == "timeseries" or "clusteredIndex" in options else _MAX_INDEXES - 1
    if len(normal) > most:
        yield f"{len(normal)} indexes are too many: MongoDB takes {most} besides the one on _id"
    for index in own:
        asked = index.options.get("collation")
        if asked is not None and expand(asked, "index") != expand(collation, "collection"):
            yield "the index on _id has the collation of its collection; leave it out"


def _twins(normal: Iterable[Index]) -> Iterator[str]:
    """Indexes that cannot be told apart: by their name, or by what the server goes by."""
    names: set[str] = set()
    known: dict[Hashable, str] = {}
    for index in normal:
        if index.name in names:
            yield f"two indexes have the name {index.name!r}; give one of them another: Index(..., name=...)"
        names.add(index.name)
        twin = known.setdefault(signature(index), index.name)
        if twin != index.name:
            yield (
                f"indexes {twin!r} and {index.name!r} have the same keys, and nothing (unique, sparse, collation, "
                "partialFilterExpression, wildcardProjection) by which MongoDB could tell them apart; keep one"
            )


def _key_faults(index: Index) -> Iterator[str]:
    fields = [field for field, _ in index.keys]
    if not fields:
        yield "it has no keys"
    if twice := next((field for field in fields if fields.count(field) > 1), None):
        yield f"{twice!r} is in its keys twice"
    keys = in_server_terms(index.keys) if is_text(index.keys) else index.keys
    if len(keys) + is_text(index.keys) > _MAX_KEYS:  # a text index has two keys for all its text fields
        yield f"{len(fields)} keys are too many: MongoDB takes {_MAX_KEYS}"
    for field, direction in index.keys:
        yield from _field_faults(field)
        yield from _direction_faults(field, direction)
    yield from _plugin_faults([direction for _, direction in index.keys])


def _field_faults(field: str) -> Iterator[str]:
    parts = field.split(".")
    if "" in parts:
        yield f"field {field!r} has an empty name in it" if field else "a field's name is empty"
    if "\0" in field:
        yield f"field {field!r} has a NUL character in it"
    of_reference = {"$id", "$ref", "$db"} if len(parts) > 1 else set()
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part.startswith("$") and part not in of_reference and not (last and part == "$**"):
            yield f"field {field!r} has {part!r} in it: only the wildcard $**, at the end, starts with a $"


def _direction_faults(field: str, direction: Any) -> Iterator[str]:
    numeric = number(direction)
    if isinstance(direction, str):
        if direction not in _DIRECTIONS:
            yield f"{direction!r} is no kind of index for {field!r}" + (
                suggestion(direction, _DIRECTIONS) or "; there are 1, -1, " + ", ".join(map(repr, _DIRECTIONS))
            )
    elif numeric is None or numeric == 0 or isnan(numeric):
        yield f"{direction!r} is no direction for {field!r}; write 1 (ascending) or -1 (descending)"


def _plugin_faults(directions: Sequence[Any]) -> Iterator[str]:
    plugins = [direction for direction in directions if isinstance(direction, str)]
    if len(kinds := sorted(set(plugins))) > 1:
        yield f"{' and '.join(map(repr, kinds))} cannot be in one index; declare two"
    if plugins.count("hashed") > 1:
        yield "only one of its keys can be hashed"
    if "2d" in plugins and (directions[0] != "2d" or plugins.count("2d") > 1):
        yield "the 2d key comes first, and there can be only one"
    text = [place for place, direction in enumerate(directions) if direction == "text"]
    if text and text[-1] - text[0] + 1 != len(text):
        yield "its text fields have to stand side by side"
    if text and any(not isinstance(direction, str) and abs(number(direction) or 1) != 1 for direction in directions):
        yield "beside text fields a direction is 1 or -1, nothing else"


def _option_faults(index: Index) -> Iterator[str]:
    if not isinstance(index.name, str):
        yield "its name has to be a string"
    elif "\0" in index.name:
        yield "its name has a NUL character in it"
    for option, value in index.options.items():
        if option not in _OPTIONS:
            yield f"unknown option {option!r}{suggestion(option, _OPTIONS)}"
        elif complaint := _OPTIONS[option](value):
            yield f"{option} {complaint}, not {value!r}"
    if isinstance(index.options.get("collation"), Mapping) and (
        fault := collation_fault(index.options["collation"], "index")
    ):
        yield fault
    if isinstance(index.options.get("weights"), Mapping):
        yield from _weight_faults(index.options["weights"])


def _weight_faults(weights: Mapping[str, Any]) -> Iterator[str]:
    for field, weight in weights.items():
        numeric = number(weight)
        if numeric is None or not 1 <= numeric < 100_000:
            yield f"the weight of {field!r} is from 1 to 99999, not {weight!r}"


def _mixture_faults(index: Index) -> Iterator[str]:
    """Options and keys that do not go together."""
    options = index.options
    wildcard = any(field.split(".")[-1] == "$**" and direction != "text" for field, direction in index.keys)
    unique, sparse, expires = (
        truthy(options.get("unique")),
        truthy(options.get("sparse")),
        "expireAfterSeconds" in options,
    )
    if sparse and "partialFilterExpression" in options:
        yield "it can be partial or sparse, not both; put {field: {'$exists': True}} into the partial filter"
    if unique and any(direction == "hashed" for _, direction in index.keys):
        yield "a hashed index cannot be unique; declare a second, plain one for that"
    if expires and len(index.keys) > 1:
        yield "expireAfterSeconds works on a single field only"
    if wildcard and (unique or sparse or expires):
        said = "unique" if unique else "sparse" if sparse else "expireAfterSeconds"
        yield f"a wildcard index cannot have {said}"
    if "wildcardProjection" in options and not wildcard:
        yield "wildcardProjection is for wildcard indexes ('$**') alone"
    if "weights" in options and not is_text(index.keys):
        yield "weights are for text indexes alone"


def _id_faults(index: Index) -> Iterator[str]:
    extra = sorted(index.options.keys() - {"name", "v", "ns", "collation"})
    if extra:
        yield f"the index on _id takes no options ({', '.join(extra)}); MongoDB makes it by itself, so leave it out"


def _timeseries_faults(index: Index) -> Iterator[str]:
    """https://www.mongodb.com/docs/manual/core/timeseries/timeseries-limitations/"""
    if truthy(index.options.get("unique")):
        yield "an index of a time series cannot be unique"
    if is_text(index.keys):
        yield "a time series cannot have a text index"
    partial = "partialFilterExpression" in index.options
    if partial and "collation" in index.options:
        yield "a partial index of a time series always has the collection's collation; leave it out"
    if "expireAfterSeconds" in index.options and not partial:
        yield "a time series expires as a whole: put expireAfterSeconds into __options__"


Complaint = Callable[[Any], str | None]


def _is_flag(value: Any) -> str | None:
    return None if isinstance(value, bool) or number(value) is not None else "is true or false"


def _is_number(value: Any) -> str | None:
    return "is a number" if number(value) is None else None


def _is_mapping(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "is a document"


def _is_filled(value: Any) -> str | None:
    return None if isinstance(value, Mapping) and value else "is a document with something in it"


def _is_string(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "is a string"


def _is_time(value: Any) -> str | None:
    numeric = number(value)
    if numeric is None:
        return "is a number of seconds"
    return None if isnan(numeric) or -1 < numeric < _INT32_MAX + 1 else f"is from 0 to {_INT32_MAX} seconds"


def _is_anything(value: Any) -> str | None:
    return None


_OPTIONS: Final[Mapping[str, Complaint]] = {
    "name": _is_anything,
    "unique": _is_flag,
    "sparse": _is_flag,
    "hidden": _is_flag,
    "expireAfterSeconds": _is_time,
    "partialFilterExpression": _is_mapping,
    "collation": _is_mapping,
    "wildcardProjection": _is_filled,
    "weights": _is_mapping,
    "default_language": _is_string,
    "language_override": _is_string,
    "textIndexVersion": _is_number,
    "2dsphereIndexVersion": _is_number,
    "bits": _is_number,
    "min": _is_number,
    "max": _is_number,
    "coarsestIndexedLevel": _is_number,
    "finestIndexedLevel": _is_number,
    "prepareUnique": _is_flag,
    "storageEngine": _is_filled,
    "background": _is_flag,
    "v": _is_number,
    "ns": _is_anything,
    "dropDups": _is_anything,
}
