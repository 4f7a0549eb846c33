"""``Walker``: from Python's annotations to the schema of what is stored.

One walker for all libraries that declare fields by annotations. References are written out, as
MongoDB knows no ``$ref``; a model within itself is cut where it recurs, and that is noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ForwardRef, TypeVar, get_args, get_origin

from asyncmig.errors import DeclarationError
from asyncmig.fields.alternatives import either, type_names
from asyncmig.fields.annotations import (
    ANYTHING,
    MAPPINGS,
    SEQUENCES,
    SETS,
    hints,
    is_dataclass,
    is_json,
    is_literal,
    is_model,
    is_typed_dict,
    is_union,
    split,
)
from asyncmig.fields.constraints import constrained
from asyncmig.fields.encoders import encoded_type
from asyncmig.fields.library import Library
from asyncmig.fields.parts import Field, model_fields, serialized_type
from asyncmig.fields.scalars import enumeration, scalar
from asyncmig.fields.stored import Unstorable, stored
from asyncmig.schema.fields import RenamedFrom, Schema

__all__ = ["At", "Walker", "is_checkable", "made_anew", "not_checked"]


@dataclass(frozen=True, slots=True)
class At:
    """Where the walk is: the class and the field for messages, and the path in the stored document.

    ``path`` is None where no dotted path leads: within a dictionary's values, an array in an array,
    or one of several shapes.
    """

    owner: str
    field: str = ""
    path: str | None = ""
    arrays: int = 0
    parents: tuple[type, ...] = ()

    def below(self, owner: type, name: str, key: str) -> At:
        """At a field of a model: ``name`` in Python, ``key`` as stored."""
        path = None if self.path is None else f"{self.path}.{key}" if self.path else key
        return At(owner.__qualname__, name, path, 0, self.parents)

    def within(self, model: type) -> At:
        """Inside a model, which may not hold itself from here on."""
        return replace(self, parents=(*self.parents, model))

    def element(self) -> At:
        """At the elements of an array: the same path leads into them, but not into those of an array in it."""
        return self.nowhere() if self.arrays else replace(self, arrays=1)

    def nowhere(self) -> At:
        """Where no path leads."""
        return replace(self, path=None)

    def error(self, fault: str) -> DeclarationError:
        """What is wrong with the field that the walk is at."""
        return DeclarationError(self.owner, self.field, fault)


class Walker:
    """Makes schemas; collects on its way the renames, the defaults and the notes.

    ``constraints``: whether bounds (``minLength``, ``maximum``, ``pattern``) become part of them.
    """

    def __init__(self, library: Library, *, constraints: bool = False) -> None:
        self._library, self._constraints = library, constraints
        self._is_reference = True
        self.renames: dict[str, str] = {}
        self.defaults: dict[str, Any] = {}
        self.notes: dict[str, None] = {}

    def model(self, model: type, at: At) -> Schema:
        """The schema of a model's documents or sub-documents."""
        if model in at.parents:
            self.notes[f"{at.owner}.{at.field}: {model.__qualname__} holds itself; its schema ends there"] = None
            return {"bsonType": "object"}
        inner = at.within(model)
        if "root" in model.model_fields and _is_root(model):  # type: ignore[attr-defined]
            return self.annotation(model.model_fields["root"].annotation, inner)  # type: ignore[attr-defined]
        parts = list(model_fields(model, self._library))
        schema = self._object(model, parts, inner)
        if _forbids(model) and all(is_checkable(part.key) for part in parts):
            schema["additionalProperties"] = False
        return schema

    def annotation(self, annotation: Any, at: At) -> Schema:
        """The schema of what is stored for a value of that type. Raises DeclarationError where BSON has no type."""
        inner, metadata = split(annotation)
        if (declared := _declared_type(metadata)) is not None:
            return declared
        if self._library.serializes and (serialized := serialized_type(metadata)) is not None:
            return self.annotation(serialized, at)
        if (function := self._library.encoders.encoder(inner)) is not None:
            return self._encoded(function, at)
        schema = self._plain(inner, at)
        return constrained(schema, metadata) if self._constraints else schema

    def _encoded(self, function: Any, at: At) -> Schema:
        """What one of the user's own encoders makes of it."""
        kind = encoded_type(function)
        if kind is Any:
            self.notes[
                f"{at.owner}.{at.field}: it is stored as one of bson_encoders makes it, which does not say what that "
                "is; annotate what the function returns"
            ] = None
        return self._plain(kind, at)

    def _plain(self, annotation: Any, at: At) -> Schema:
        if (own := self._library.own_type(annotation)) is not None:
            return own if self._is_reference else {"bsonType": "object"}
        if annotation is None:
            return {"bsonType": "null"}
        if annotation in ANYTHING or isinstance(annotation, TypeVar | ForwardRef | str) or is_json(annotation):
            return {}
        if is_union(annotation):
            return self._union(get_args(annotation), at)
        if is_literal(annotation):
            return self._values(map(self._library.encoders.encoded, get_args(annotation)), at)
        origin = get_origin(annotation) or annotation
        if origin in MAPPINGS:
            return self._mapping(get_args(annotation), at)
        if origin in SEQUENCES:
            return self._array(origin, get_args(annotation), at)
        return self._class(origin, annotation, at)

    def _class(self, kind: Any, annotation: Any, at: At) -> Schema:
        if is_model(kind):
            return self.model(kind, at)
        if is_typed_dict(kind) or is_dataclass(kind):
            return self._record(kind, at)
        if isinstance(kind, type):
            try:
                schema = scalar(kind)
            except Unstorable as error:
                raise at.error(f"{kind.__qualname__} has a value that cannot be stored: {error}") from None
            if schema is not None:
                return schema
        shown = getattr(annotation, "__qualname__", None) or repr(annotation)
        raise at.error(
            f"BSON has no type for {shown}; say how it is stored: Annotated[{shown}, "
            'Field(json_schema_extra={"bsonType": "string"})]'
        )

    def _union(self, members: Iterable[Any], at: At) -> Schema:
        kinds = [split(member)[0] for member in members]
        several = len([kind for kind in kinds if kind not in (None, type(None))]) > 1
        return either(self.annotation(member, at.nowhere() if several else at) for member in members)

    def _values(self, values: Iterable[Any], at: At) -> Schema:
        try:
            return enumeration(values)
        except Unstorable as error:
            raise at.error(str(error)) from None

    def _mapping(self, arguments: tuple[Any, ...], at: At) -> Schema:
        values = self.annotation(arguments[1], at.nowhere()) if len(arguments) == 2 else {}
        return {"bsonType": "object", **({"additionalProperties": values} if values else {})}

    def _array(self, kind: Any, arguments: tuple[Any, ...], at: At) -> Schema:
        schema: Schema = {"bsonType": "array"}
        if kind is tuple and arguments and arguments[-1] is not ...:
            items: Any = [self.annotation(argument, at.nowhere()) for argument in arguments]
        else:
            items = self.annotation(arguments[0], at.element()) if arguments else {}
        if items:
            schema["items"] = items
        if kind in SETS:
            schema["uniqueItems"] = True
        return schema

    def _record(self, kind: type, at: At) -> Schema:
        """A ``TypedDict`` or a dataclass."""
        if kind in at.parents:
            return {"bsonType": "object"}
        required = getattr(kind, "__required_keys__", None)
        parts = [
            Field(name, name, hint, required=required is None or name in required) for name, hint in hints(kind).items()
        ]
        return self._object(kind, parts, at.within(kind))

    def _object(self, owner: type, parts: Iterable[Field], at: At) -> Schema:
        properties: Schema = {}
        required = []
        for part in parts:
            here = at.below(owner, part.name, part.key)
            if not is_checkable(part.key):
                self.notes[not_checked(here)] = None
                continue
            properties[part.key] = self._property(part, here)
            self._collect(part, here, at.path)
            if part.required and (self._library.keeps_nulls or not _takes_null(properties[part.key])):
                required.append(part.key)
        schema: Schema = {"bsonType": "object"}
        if required:
            schema["required"] = required
        return {**schema, "properties": properties}

    def _property(self, part: Field, at: At) -> Schema:
        if isinstance(part.extra, dict) and "bsonType" in part.extra:
            return {"bsonType": part.extra["bsonType"]}
        outer = self._is_reference
        self._is_reference = len(at.parents) == 1 and self._library.is_reference(part.annotation)
        schema = self.annotation(part.annotation, at)
        self._is_reference = outer
        if part.default is None and not _takes_null(schema):
            schema = either([schema, {"bsonType": "null"}])  # `x: int = None` is stored as it is written
        if self._constraints:
            schema = constrained(schema, part.metadata)
        return _identity(schema) if at.path == "_id" else schema

    def _collect(self, part: Field, at: At, above: str | None) -> None:
        """The part's rename and default, where a path leads to it."""
        earlier = _earlier_name(part)
        if earlier and at.path is None:
            self.notes[
                f"{at.owner}.{at.field}: it is marked as renamed from {earlier}, and no path leads to it; write a "
                "transform that renames it in the documents"
            ] = None
        if at.path in (None, "_id"):
            return
        if earlier:
            self.renames[f"{above}.{earlier}" if above else earlier] = at.path
        if part.factory in (list, dict, set):
            self.defaults[at.path] = {} if part.factory is dict else []
        elif part.factory is not None:
            self.notes[
                f"{at.path}: its default is made anew for each document, so those that lack it are left as they are"
            ] = None
        elif part.default not in (..., None):
            self._default(part, at.path)

    def _default(self, part: Field, path: str) -> None:
        if part.serialized:
            self.notes[f"{path}: its default is left out, as a serializer makes what is stored of it"] = None
            return
        try:
            self.defaults[path] = stored(self._library.encoders.encoded(part.default))
        except (Unstorable, ArithmeticError) as error:
            self.notes[f"{path}: its default is left out, as {error}"] = None


def is_checkable(name: str) -> bool:
    """Whether a ``$jsonSchema`` can speak of a field: a dot in a name makes a path of it, 6.0 breaks down at ``""``."""
    return bool(name) and "." not in name


def not_checked(at: At) -> str:
    """The note on a field that the schema leaves out."""
    return f"{at.owner}.{at.field}: it is left out, as MongoDB cannot check a field with a dot in its name, or no name"


def made_anew(path: str) -> str:
    """The note on a default that cannot be given to all documents at once."""
    return f"{path}: its default is made anew for each document; those that lack it stay as they are"


def _earlier_name(part: Field) -> str | None:
    marks = [entry for entry in (*part.metadata, *split(part.annotation)[1]) if isinstance(entry, RenamedFrom)]
    if marks:
        return marks[-1].name
    earlier = part.extra.get("renamed_from") if isinstance(part.extra, dict) else None
    return earlier if isinstance(earlier, str) else None


def _declared_type(metadata: Iterable[Any]) -> Schema | None:
    """The type that ``Field(json_schema_extra={"bsonType": ...})`` names in an ``Annotated``."""
    for entry in metadata:
        extra = getattr(entry, "json_schema_extra", None)
        if isinstance(extra, dict) and "bsonType" in extra:
            return {"bsonType": extra["bsonType"]}
    return None


def _is_root(model: Any) -> bool:
    return any(base.__name__ == "RootModel" and base.__module__.startswith("pydantic") for base in model.__mro__)


def _forbids(model: Any) -> bool:
    return bool(getattr(model, "model_config", {}).get("extra") == "forbid")


def _takes_null(schema: Schema) -> bool:
    """Whether None may be stored there; ``{}`` takes anything."""
    return (
        not schema
        or "null" in type_names(schema)
        or None in schema.get("enum", ())
        or any(map(_takes_null, schema.get("anyOf", ())))
    )


def _identity(schema: Schema) -> Schema:
    """Of ``_id``: it is always there, and a model that calls it a string mostly reads ObjectIds as such."""
    kinds = [kind for kind in type_names(schema) if kind != "null"]
    if not kinds:
        return schema
    kinds = ["objectId", *kinds] if kinds == ["string"] else kinds
    return {**schema, "bsonType": kinds if len(kinds) > 1 else kinds[0]}
