"""The fields of a Pydantic model, as a library stores them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from asyncmig.fields.encoders import returned_type
from asyncmig.fields.library import Library

__all__ = ["Field", "model_fields", "serialized_type"]


class Field(NamedTuple):
    """One field of a model, whatever kind of model it is: ``name`` in Python, ``key`` as it is stored.

    ``default`` is ``...`` where there is none; ``factory`` makes one; ``extra`` is Pydantic's ``json_schema_extra``.
    ``serialized``: ``annotation`` is what a serializer makes of the value, of a default as well.
    """

    name: str
    key: str
    annotation: Any
    metadata: tuple[Any, ...] = ()
    required: bool = False
    default: Any = ...
    factory: Any = None
    extra: Any = None
    serialized: bool = False


def model_fields(model: Any, library: Library) -> Iterator[Field]:
    """What is stored of a Pydantic model, in the order of its declaration; computed fields last."""
    serializers = _field_serializers(model) if library.serializes else {}
    for name, info in model.model_fields.items():
        if library.is_stored(model, name, info):
            yield _field(model, name, info, library, serializers)
    if library.computes:
        for name, computed in model.model_computed_fields.items():
            yield Field(name, computed.alias or name, computed.return_type)


def _field(model: Any, name: str, info: Any, library: Library, serializers: dict[str, Any]) -> Field:
    annotation, metadata = library.annotation(model, name, info), tuple(info.metadata)
    serialized = library.serialized(metadata) or serializers.get(name)
    if serialized is None and library.serializes:
        serialized = serialized_type(metadata)
    if serialized is not None:
        annotation, metadata = serialized, ()
    return Field(
        name,
        library.key(model, name, info),
        annotation,
        metadata,
        info.is_required(),
        ... if info.is_required() or info.default_factory else info.default,
        info.default_factory,
        info.json_schema_extra,
        serialized is not None,
    )


def serialized_type(metadata: Iterable[Any]) -> Any:
    """What Pydantic's own serializer in an ``Annotated`` says that it returns; Any where it does not say."""
    for entry in metadata:
        if type(entry).__name__ in ("PlainSerializer", "WrapSerializer") and entry.when_used in (
            "always",
            "unless-none",
        ):
            return returned_type(entry.return_type, entry.func)
    return None


def _field_serializers(model: Any) -> dict[str, Any]:
    """What the methods of a model that serialize a field say that they return."""
    decorators = getattr(model, "__pydantic_decorators__", None)
    kinds: dict[str, Any] = {}
    for decorator in getattr(decorators, "field_serializers", {}).values():
        if decorator.info.when_used in ("always", "unless-none"):
            kind = returned_type(decorator.info.return_type, decorator.func)
            kinds |= dict.fromkeys(decorator.info.fields, kind)
    return kinds
