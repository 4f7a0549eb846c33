"""``Encoders``: the user's own functions that make what is stored of a value, by class: Beanie's ``bson_encoders``.

https://beanie-odm.dev/tutorial/defining-a-document/#bson-encoders
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_origin

from asyncmig.fields.annotations import hints

__all__ = ["Encoders", "encoded_type", "returned_type"]


@dataclass(frozen=True, slots=True)
class Encoders:
    """By class, what makes the stored value of its instances: the class itself first, then the first that it is of."""

    by_class: Mapping[type, Callable[[Any], Any]] = field(default_factory=dict)

    def encoder(self, kind: Any) -> Callable[[Any], Any] | None:
        """The function for values of that type; None where they are stored as usual."""
        origin = get_origin(kind) or kind
        if not isinstance(origin, type):
            return None
        if origin in self.by_class:
            return self.by_class[origin]
        return next((function for known, function in self.by_class.items() if issubclass(origin, known)), None)

    def encoded(self, value: Any) -> Any:
        """The value with all that is in it encoded."""
        if not self.by_class:
            return value
        if (function := self.encoder(type(value))) is not None:
            return function(value)
        if isinstance(value, Mapping):
            return {key: self.encoded(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.encoded(item) for item in value]
        if isinstance(value, set | frozenset):
            return [self.encoded(item) for item in sorted(value, key=repr)]
        fields = getattr(type(value), "model_fields", None)
        if isinstance(fields, dict):
            return {info.alias or name: self.encoded(getattr(value, name)) for name, info in fields.items()}
        return value


def encoded_type(function: Callable[[Any], Any]) -> Any:
    """The type of what an encoder returns, as far as it says; Any where it does not."""
    return function if isinstance(function, type) else returned_type(None, function)


def returned_type(declared: Any, function: Any) -> Any:
    """The type that a serializing function returns: as declared, else as annotated; Any where neither says."""
    if isinstance(declared, type) or get_origin(declared) is not None:
        return declared
    try:
        return hints(getattr(function, "__func__", function)).get("return", Any)
    except (NameError, TypeError, AttributeError):
        return Any
