"""How each library stores what its classes declare: the names of fields, and types that are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args, get_origin

from asyncmig.fields.annotations import is_union
from asyncmig.fields.encoders import Encoders, returned_type
from asyncmig.schema.fields import Schema

__all__ = ["BEANIE", "ODMANTIC", "PYDANTIC", "Library", "library_of"]

_REFERENCE: Final[Schema] = {"bsonType": "object", "required": ["$ref", "$id"]}


def _alias(model: type, name: str, info: Any) -> str:
    return str(getattr(info, "serialization_alias", None) or getattr(info, "alias", None) or name)


def _annotation(model: type, name: str, info: Any) -> Any:
    return info.annotation


def _is_not_excluded(model: type, name: str, info: Any) -> bool:
    return not info.exclude


def _nothing(annotation: Any) -> Schema | None:
    return None


def _is_always(annotation: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Library:
    """How a library that builds on Pydantic stores a model's fields.

    ``key`` gives the stored name of a field, ``annotation`` the type of what is stored, ``is_stored``
    whether anything is. ``own_type`` is the schema of a type of the library's own, None for any
    other, and holds in a field of the document itself whose annotation ``is_reference``; elsewhere an object is stored.
    ``serializes`` tells whether Pydantic's serializers take part, and ``computes`` whether its
    computed fields do; ``serialized`` is the type that a serializer of the library's own makes. ``encoders`` are the
    user's own; without ``keeps_nulls`` a field that is None is left out of the document.
    """

    key: Callable[[type, str, Any], str] = _alias
    annotation: Callable[[type, str, Any], Any] = _annotation
    is_stored: Callable[[type, str, Any], bool] = _is_not_excluded
    own_type: Callable[[Any], Schema | None] = _nothing
    is_reference: Callable[[Any], bool] = _is_always
    serializes: bool = False
    computes: bool = False
    serialized: Callable[[Iterable[Any]], Any] = _nothing
    encoders: Encoders = field(default_factory=Encoders)
    keeps_nulls: bool = True


def _beanie_key(model: type, name: str, info: Any) -> str:
    is_identity = name == "id" and any(base.__module__.startswith("beanie.") for base in model.__mro__)
    return "_id" if is_identity else str(info.alias or name)


def _is_stored_by_beanie(model: type, name: str, info: Any) -> bool:
    if name == "revision_id":
        return bool(getattr(getattr(model, "Settings", None), "use_revision", False))
    return not info.exclude and not _is_of_beanie(info.annotation, "BackLink")


def _link(annotation: Any) -> Schema | None:
    return dict(_REFERENCE) if _is_of_beanie(annotation, "Link") else None


def _is_link_field(annotation: Any) -> bool:
    """Whether Beanie stores the reference alone, and not the document where it has it: a link or a list of links."""
    inner, *others = [kind for kind in get_args(annotation) if kind is not type(None)] or [annotation]
    if is_union(annotation) and not others:
        return _is_link_field(inner)
    if get_origin(annotation) is list:
        return _link(inner) is not None
    return _link(annotation) is not None


def _is_of_beanie(annotation: Any, name: str) -> bool:
    """Whether the annotation is that generic class of Beanie's, on its own or within list, Optional and the like."""
    kind = get_origin(annotation) or annotation
    if getattr(kind, "__name__", "") == name and getattr(kind, "__module__", "").startswith("beanie."):
        return True
    return name == "BackLink" and any(_is_of_beanie(inner, name) for inner in get_args(annotation))


def _odmantic_key(model: Any, name: str, info: Any) -> str:
    declared = getattr(model, "__odm_fields__", {}).get(name)
    return str(declared.key_name) if declared is not None else name


def _odmantic_annotation(model: Any, name: str, info: Any) -> Any:
    """The type of a field; of a reference, that of the other document's primary key."""
    declared: Any = getattr(model, "__odm_fields__", {}).get(name)
    if type(declared).__name__ != "ODMReference":
        return info.annotation
    target = declared.model
    return target.model_fields[target.__primary_field__].annotation


def _odmantic_serialized(metadata: Iterable[Any]) -> Any:
    """What ``WithBsonSerializer`` makes; those that ODMantic itself gives to Python's types are known already."""
    functions = (getattr(entry, "bson_serializer", None) for entry in metadata)
    function = next(
        (candidate for candidate in functions if candidate and not candidate.__module__.startswith("odmantic.")), None
    )
    return None if function is None else returned_type(None, function)


PYDANTIC: Final = Library(serializes=True, computes=True)
BEANIE: Final = Library(_beanie_key, is_stored=_is_stored_by_beanie, own_type=_link, is_reference=_is_link_field)
ODMANTIC: Final = Library(_odmantic_key, _odmantic_annotation, serializes=True, serialized=_odmantic_serialized)

_LIBRARIES: Final[Mapping[str, Library]] = {"beanie": BEANIE, "odmantic": ODMANTIC}


def library_of(model: type) -> Library:
    """The library that stores a model's documents, told by the modules that its bases come from."""
    roots = (base.__module__.partition(".")[0] for base in model.__mro__)
    library = next((_LIBRARIES[root] for root in roots if root in _LIBRARIES), PYDANTIC)
    return _as_set(model) if library is BEANIE else library


def _as_set(model: Any) -> Library:
    """Beanie as the document's own ``Settings`` have it; they hold for all that is in the document."""
    settings = getattr(model, "Settings", None)
    encoders = getattr(settings, "bson_encoders", None) or {}
    return replace(BEANIE, encoders=Encoders(encoders), keeps_nulls=getattr(settings, "keep_nulls", True))
