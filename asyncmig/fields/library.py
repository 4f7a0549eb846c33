"""How each library stores what its classes declare: the names of fields, and types that are its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

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


@dataclass(frozen=True, slots=True)
class Library:
    """How a library that builds on Pydantic stores a model's fields.

    ``key`` gives the stored name of a field, ``annotation`` the type of what is stored, ``is_stored``
    whether anything is. ``own_type`` is the schema of a type of the library's own, None for any
    other; ``serializes`` tells whether Pydantic's serializers take part.
    """

    key: Callable[[type, str, Any], str] = _alias
    annotation: Callable[[type, str, Any], Any] = _annotation
    is_stored: Callable[[type, str, Any], bool] = _is_not_excluded
    own_type: Callable[[Any], Schema | None] = _nothing
    serializes: bool = False


def _beanie_key(model: type, name: str, info: Any) -> str:
    is_identity = name == "id" and any(base.__module__.startswith("beanie.") for base in model.__mro__)
    return "_id" if is_identity else str(info.alias or name)


def _is_stored_by_beanie(model: type, name: str, info: Any) -> bool:
    if name == "revision_id":
        return bool(getattr(getattr(model, "Settings", None), "use_revision", False))
    return not info.exclude and not _is_of_beanie(info.annotation, "BackLink")


def _link(annotation: Any) -> Schema | None:
    return dict(_REFERENCE) if _is_of_beanie(annotation, "Link") else None


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


PYDANTIC: Final = Library(serializes=True)
BEANIE: Final = Library(_beanie_key, is_stored=_is_stored_by_beanie, own_type=_link)
ODMANTIC: Final = Library(_odmantic_key, _odmantic_annotation)

_LIBRARIES: Final[Mapping[str, Library]] = {"beanie": BEANIE, "odmantic": ODMANTIC}


def library_of(model: type) -> Library:
    """The library that stores a model's documents, told by the modules that its bases come from."""
    roots = (base.__module__.partition(".")[0] for base in model.__mro__)
    return next((_LIBRARIES[root] for root in roots if root in _LIBRARIES), PYDANTIC)
