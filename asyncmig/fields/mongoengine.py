"""The schema of a MongoEngine document class: its fields are objects of the library's own, not annotations.

https://docs.mongoengine.org/apireference.html#fields
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncmig.fields.alternatives import either
from asyncmig.fields.constraints import constrained
from asyncmig.fields.scalars import enumeration, scalar
from asyncmig.fields.stored import Unstorable, stored
from asyncmig.fields.walker import At, is_checkable, made_anew, not_checked
from asyncmig.schema.fields import Schema

__all__ = ["MongoEngineWalker"]

_OBJECT: Final = "object"
_FLOAT: Final = ["double", "int", "long"]
_BY_FIELD: Final[Mapping[str, str | list[str]]] = {
    "StringField": "string",
    "ComplexDateTimeField": "string",
    "IntField": ["int", "long"],
    "LongField": ["int", "long"],
    "FloatField": _FLOAT,
    "BooleanField": "bool",
    "DateTimeField": "date",
    "Decimal128Field": "decimal",
    "ObjectIdField": "objectId",
    "BinaryField": "binData",
    "FileField": "objectId",
    "GeoPointField": "array",
    "GeoJsonBaseField": _OBJECT,
    "GenericEmbeddedDocumentField": _OBJECT,
    "GenericReferenceField": _OBJECT,
    "CachedReferenceField": _OBJECT,
}
_CHOOSES_CLASSES: Final = frozenset(
    {
        "ListField",
        "DictField",
        "GenericReferenceField",
        "GenericEmbeddedDocumentField",
        "EmbeddedDocumentField",
        "ReferenceField",
    }
)
"""Fields whose choices say of which class the values are, or nothing of a single value."""


class MongoEngineWalker:
    """Makes schemas of MongoEngine's classes; collects renames, defaults and notes, as the other walker does."""

    def __init__(self, *, constraints: bool = False) -> None:
        self._constraints = constraints
        self.renames: dict[str, str] = {}
        self.defaults: dict[str, Any] = {}
        self.notes: dict[str, None] = {}

    def model(self, model: Any, at: At) -> Schema:
        """The schema of a document, or of an embedded one."""
        if model in at.parents:
            self.notes[f"{at.owner}.{at.field}: {model.__qualname__} holds itself; its schema ends there"] = None
            return {"bsonType": "object"}
        properties: Schema = {}
        required = []
        for name, field in model._fields.items():
            if field.db_field is None:
                continue
            here = at.within(model).below(model, name, field.db_field)
            if not is_checkable(field.db_field):
                self.notes[not_checked(here)] = None
                continue
            properties[field.db_field] = self._property(field, here)
            self._collect(field, here)
            if field.required and not field.primary_key:
                required.append(field.db_field)
        return {"bsonType": "object", **({"required": required} if required else {}), "properties": properties}

    def _property(self, field: Any, at: At) -> Schema:
        schema = self._field(field, at)
        if field.primary_key or at.path == "_id":
            return schema
        return schema if field.required and not field.null else either([schema, {"bsonType": "null"}])

    def _field(self, field: Any, at: At) -> Schema:
        names = [base.__name__ for base in type(field).__mro__]
        if _stores_its_own_way(field):
            self.notes[f"{at.owner}.{at.field}: nothing is known of how a {names[0]} is stored"] = None
            return {}
        if field.choices and not _CHOOSES_CLASSES & set(names):
            return self._choices(field, at)
        for name in names:
            if special := _SPECIAL.get(name):
                return special(self, field, at)
            if name in _BY_FIELD:
                return self._bounded(field, {"bsonType": _BY_FIELD[name]})
        self.notes[f"{at.owner}.{at.field}: nothing is known of how a {names[0]} is stored"] = None
        return {}

    def _choices(self, field: Any, at: At) -> Schema:
        try:
            return enumeration(field.to_mongo(value) for value in _chosen(field))
        except Unstorable as error:
            raise at.error(str(error)) from None

    def _embedded(self, field: Any, at: At) -> Schema:
        return self.model(field.document_type, at)

    def _target(self, field: Any, at: At) -> Any:
        """The class that a field refers to; None where it is named by a string, and nobody has imported it yet."""
        try:
            return field.document_type
        except Exception:  # NotRegistered, which is the library's own
            name = getattr(field, "document_type_obj", None)
            if not isinstance(name, str):
                raise
            self.notes[f"{at.owner}.{at.field}: {name} is not imported, and nothing is known of it"] = None
            return None

    def _list(self, field: Any, at: At) -> Schema:
        items = self._field(field.field, at.element()) if field.field is not None else {}
        return {"bsonType": "array", **({"items": items} if items else {})}

    def _map(self, field: Any, at: At) -> Schema:
        inner = getattr(field, "field", None)
        values = self._field(inner, at.nowhere()) if inner is not None else {}
        return {"bsonType": "object", **({"additionalProperties": values} if values else {})}

    def _reference(self, field: Any, at: At) -> Schema:
        if field.dbref:
            return {"bsonType": "object", "required": ["$ref", "$id"]}
        target = self._target(field, at)
        if target is None:
            return {}
        key = target._fields.get(target._meta.get("id_field") or "id")
        return self._field(key, at.nowhere()) if key is not None else {"bsonType": "objectId"}

    def _decimal(self, field: Any, at: At) -> Schema:
        return {"bsonType": "string" if field.force_string else list(_FLOAT)}

    def _uuid(self, field: Any, at: At) -> Schema:
        return {"bsonType": "binData" if field._binary else "string"}

    def _enum(self, field: Any, at: At) -> Schema:
        return scalar(field._enum_cls) or {}

    def _anything(self, field: Any, at: At) -> Schema:
        return {}

    def _bounded(self, field: Any, schema: Schema) -> Schema:
        return constrained(schema, [_Bounds(field)]) if self._constraints else schema

    def _collect(self, field: Any, at: At) -> None:
        if at.path in (None, "_id") or field.default is None:
            return
        if field.default in (list, dict):
            self.defaults[at.path] = field.default()
        elif callable(field.default):
            self.notes[made_anew(at.path)] = None
        else:
            try:
                self.defaults[at.path] = stored(field.default)
            except Unstorable as error:
                self.notes[f"{at.path}: its default is left out, as {error}"] = None


def _stores_its_own_way(field: Any) -> bool:
    """Whether the field's class, or a base that is not of the library, says itself what is stored of a value."""
    storing = next(base for base in type(field).__mro__ if "to_mongo" in vars(base))
    return not storing.__module__.startswith("mongoengine.")


def _chosen(field: Any) -> list[Any]:
    """The choices without the labels that may stand beside them."""
    return [entry[0] if isinstance(entry, list | tuple) else entry for entry in field.choices]


class _Bounds:
    """MongoEngine's bounds under the names of those of Pydantic."""

    def __init__(self, field: Any) -> None:
        self.ge, self.le = getattr(field, "min_value", None), getattr(field, "max_value", None)
        self.min_length, self.max_length = getattr(field, "min_length", None), getattr(field, "max_length", None)
        self.pattern = getattr(field, "regex", None)


_SPECIAL: Final[Mapping[str, Callable[[MongoEngineWalker, Any, At], Schema]]] = {
    "EmbeddedDocumentField": MongoEngineWalker._embedded,
    "ListField": MongoEngineWalker._list,
    "MapField": MongoEngineWalker._map,
    "DictField": MongoEngineWalker._map,
    "ReferenceField": MongoEngineWalker._reference,
    "LazyReferenceField": MongoEngineWalker._reference,
    "DecimalField": MongoEngineWalker._decimal,
    "UUIDField": MongoEngineWalker._uuid,
    "EnumField": MongoEngineWalker._enum,
    "DynamicField": MongoEngineWalker._anything,
    "SequenceField": MongoEngineWalker._anything,
}
