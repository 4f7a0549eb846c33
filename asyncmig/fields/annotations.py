"""What stands in an annotation: its parts, told apart without importing the library that wrote them."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import types
import typing
from typing import Any, Final, get_args, get_origin

__all__ = [
    "ANYTHING",
    "MAPPINGS",
    "SEQUENCES",
    "SETS",
    "hints",
    "is_dataclass",
    "is_json",
    "is_literal",
    "is_model",
    "is_typed_dict",
    "is_union",
    "split",
    "unwrapped",
]

ANYTHING: Final = (Any, object)
MAPPINGS: Final = (
    dict,
    collections.OrderedDict,
    collections.defaultdict,
    collections.Counter,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
)
SETS: Final = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
SEQUENCES: Final = (
    list,
    tuple,
    collections.deque,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    *SETS,
)


def unwrapped(annotation: Any) -> Any:
    """The type behind ``type X = ...``, ``NewType`` and ``Final``; the same where there is nothing of it."""
    while True:
        origin = get_origin(annotation)
        if type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif type(origin).__name__ == "TypeAliasType":
            annotation = origin.__value__[get_args(annotation)]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif origin in (typing.Final, typing.ClassVar, typing.Required, typing.NotRequired):
            annotation = get_args(annotation)[0]
        else:
            return annotation


def split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type within ``Annotated`` and the metadata beside it; none where there is no ``Annotated``."""
    annotation = unwrapped(annotation)
    if get_origin(annotation) is not typing.Annotated:
        return annotation, ()
    inner, *metadata = get_args(annotation)
    deeper, first = split(inner)
    return deeper, (*first, *metadata)


def is_union(annotation: Any) -> bool:
    """Whether it is ``X | Y``, ``Union`` or ``Optional``."""
    return get_origin(annotation) in (typing.Union, types.UnionType)


def is_literal(annotation: Any) -> bool:
    """Whether it is ``Literal[...]``."""
    return get_origin(annotation) is typing.Literal


def is_model(kind: Any) -> bool:
    """Whether it is a Pydantic model."""
    return isinstance(kind, type) and isinstance(getattr(kind, "model_fields", None), dict)


def is_json(kind: Any) -> bool:
    """Whether it is Pydantic's ``Json`` alone: text that is parsed, to whatever it says."""
    return getattr(kind, "__name__", "") == "Json" and str(getattr(kind, "__module__", "")).startswith("pydantic.")


def is_dataclass(kind: Any) -> bool:
    """Whether it is a dataclass, of Python's or of Pydantic's."""
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def is_typed_dict(kind: Any) -> bool:
    """Whether it is a ``TypedDict``."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def hints(kind: type) -> dict[str, Any]:
    """The annotations of a class, with their metadata. Raises NameError for one that cannot be found."""
    return typing.get_type_hints(kind, include_extras=True)
