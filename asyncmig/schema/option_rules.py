"""What a server would refuse about a collection's options, told when they are declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isnan
from typing import Any, Final

from asyncmig.schema.collation_rules import collation_fault
from asyncmig.schema.json_schema_rules import validator_faults
from asyncmig.schema.names import suggestion
from asyncmig.schema.value import number, truthy

__all__ = ["CREATE_OPTIONS", "MODIFY_OPTIONS", "option_faults", "view_option_faults"]

Options = Mapping[str, Any]

CREATE_OPTIONS: Final = (
    "capped",
    "size",
    "max",
    "validator",
    "validationLevel",
    "validationAction",
    "collation",
    "timeseries",
    "clusteredIndex",
    "expireAfterSeconds",
    "changeStreamPreAndPostImages",
    "recordPreImages",
    "storageEngine",
    "indexOptionDefaults",
    "encryptedFields",
    "autoIndexId",
    "idIndex",
    "flags",
    "comment",
    "writeConcern",
)
"""What ``create`` takes."""
MODIFY_OPTIONS: Final = (
    *("validator", "validationLevel", "validationAction", "cappedSize", "cappedMax", "expireAfterSeconds"),
    *("timeseries", "changeStreamPreAndPostImages", "recordPreImages", "comment", "writeConcern"),
)
"""What ``collMod`` takes of a collection."""
_LEVELS: Final = ("off", "strict", "moderate")
_ACTIONS: Final = ("error", "warn", "errorAndLog")  # the last one from 8.1 on
_GRANULARITIES: Final = ("seconds", "minutes", "hours")
_SERIES: Final = ("timeField", "metaField", "granularity", "bucketMaxSpanSeconds", "bucketRoundingSeconds")
_NOT_IN_SERIES: Final = (
    "validator",
    "validationLevel",
    "validationAction",
    "clusteredIndex",
    "changeStreamPreAndPostImages",
)
_MAX_SIZE_BYTES: Final = 2**50
_INT32_MAX: Final = 2**31 - 1


def option_faults(options: Options) -> Iterator[str]:
    """What is wrong with the options of a collection or time series, spelled as ``create`` spells them.

    https://www.mongodb.com/docs/manual/reference/command/create/
    """
    for option in options:
        if option in ("viewOn", "pipeline"):
            yield f"{option!r} makes a view: derive from View, with __view_on__ and __pipeline__"
        elif option not in CREATE_OPTIONS:
            yield f"unknown option {option!r}{suggestion(str(option), CREATE_OPTIONS)}"
    given = {option: value for option, value in options.items() if value is not None}
    for option, rule in _RULES.items():
        if option in given:
            yield from (f"{option}: {fault}" for fault in rule(given[option]))
    yield from _capped_faults(given)
    yield from _mixture_faults(given)


def view_option_faults(options: Options) -> Iterator[str]:
    """What is wrong with a view's options: a collation is the only one there is."""
    for option in options:
        if option != "collation":
            yield f"a view has no option {option!r}, only a collation; its source is __view_on__"
    if options.get("collation") is not None:
        yield from (f"collation: {fault}" for fault in _collation(options["collation"]))


def _capped_faults(given: Options) -> Iterator[str]:
    if not truthy(given.get("capped")):
        for option in ("size", "max"):
            if option in given:
                yield f"{option!r} is for capped collections: add 'capped': True"
        return
    if "size" not in given:
        yield "a capped collection needs a 'size', in bytes"
    if "clusteredIndex" in given:
        yield "a capped collection cannot be clustered"


def _mixture_faults(given: Options) -> Iterator[str]:
    if "timeseries" in given:
        for option in _NOT_IN_SERIES:
            if option in given:
                yield f"a time series cannot have {option!r}"
        if truthy(given.get("capped")):
            yield "a time series cannot be capped"
    elif "expireAfterSeconds" in given and "clusteredIndex" not in given:
        yield "'expireAfterSeconds' is for time series and clustered collections; else give it to an Index on a date"


def _number(value: Any, least: int, most: int, unit: str) -> Iterator[str]:
    numeric = number(value)
    if numeric is None or isnan(numeric) or not least - 1 < numeric < most + 1 or int(numeric) < least:
        yield f"a number of {unit} from {least} to {most} is wanted, not {value!r}"


def _size(value: Any) -> Iterator[str]:
    yield from _number(value, 1, _MAX_SIZE_BYTES, "bytes")


def _max(value: Any) -> Iterator[str]:
    yield from _number(value, -(2**63), _INT32_MAX, "documents")


def _expiry(value: Any) -> Iterator[str]:
    numeric = number(value)
    if numeric is None or not isnan(numeric):
        yield from _number(value, 0, _INT32_MAX, "seconds")


def _flag(value: Any) -> Iterator[str]:
    if not isinstance(value, bool) and number(value) is None:
        yield f"True or False is wanted, not {value!r}"


def _document(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"a document is wanted, not {value!r}"


def _validator(value: Any) -> Iterator[str]:
    yield from _document(value)
    yield from validator_faults(value)


def _one_of(words: tuple[str, ...]) -> Callable[[Any], Iterator[str]]:
    def rule(value: Any) -> Iterator[str]:
        if value not in words:
            yield f"one of {', '.join(map(repr, words))} is wanted, not {value!r}{suggestion(str(value), words)}"

    return rule


def _collation(value: Any) -> Iterator[str]:
    yield from _document(value)
    if isinstance(value, Mapping) and (fault := collation_fault(value, "collection")):
        yield fault


def _images(value: Any) -> Iterator[str]:
    if not (isinstance(value, Mapping) and set(value) == {"enabled"} and isinstance(value["enabled"], bool)):
        yield f"{{'enabled': True}} or {{'enabled': False}} is wanted, not {value!r}"


def _clustered(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{{'key': {{'_id': 1}}, 'unique': True}} is wanted, not {value!r}"
        return
    for field in value:
        if field not in ("key", "unique", "name", "v"):
            yield f"unknown field {field!r}{suggestion(str(field), ('key', 'unique', 'name'))}"
    key = value.get("key")
    if not isinstance(key, Mapping) or list(key) != ["_id"] or number(key["_id"]) != 1:
        yield "a collection can only be clustered by {'_id': 1}"
    if not truthy(value.get("unique")):
        yield "'unique': True is required"


def _timeseries(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{{'timeField': ...}} is wanted, not {value!r}"
        return
    given = {field: item for field, item in value.items() if item is not None}
    for field in given:
        if field not in _SERIES:
            yield f"unknown field {field!r}{suggestion(str(field), _SERIES)}"
    if "timeField" not in given:
        yield "'timeField' is required"
    for field in ("timeField", "metaField"):
        if field in given and (not isinstance(given[field], str) or "." in given[field]):
            yield f"{field!r} is the name of a top-level field, not {given[field]!r}"
    if "metaField" in given and given["metaField"] in ("_id", given.get("timeField")):
        yield f"'metaField' cannot be {given['metaField']!r}"
    if "granularity" in given:
        yield from _one_of(_GRANULARITIES)(given["granularity"])


def _auto_index(value: Any) -> Iterator[str]:
    if not truthy(value):
        yield "every collection has its index on _id"


_RULES: Final[Mapping[str, Callable[[Any], Iterator[str]]]] = {
    "capped": _flag,
    "size": _size,
    "max": _max,
    "validator": _validator,
    "validationLevel": _one_of(_LEVELS),
    "validationAction": _one_of(_ACTIONS),
    "collation": _collation,
    "timeseries": _timeseries,
    "clusteredIndex": _clustered,
    "expireAfterSeconds": _expiry,
    "changeStreamPreAndPostImages": _images,
    "storageEngine": _document,
    "indexOptionDefaults": _document,
    "encryptedFields": _document,
    "autoIndexId": _auto_index,
}
