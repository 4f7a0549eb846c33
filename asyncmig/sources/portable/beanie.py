"""Beanie's classes, as ``init_beanie`` of the version that is installed would set them up.

What it does is followed step by step, for each line of Beanie (1.11 to 2.x, Pydantic 1 and 2): parents
that are not in the list are set up too, indexes on the same fields replace each other, and so on.
Nothing is written to the classes, and no server is asked.
"""

from __future__ import annotations

import difflib
import sys
from typing import Any

from asyncmig.sources.portable.parts import index_document, new_part, note, replaced
from asyncmig.sources.portable.values import plain

__all__ = ["BeanieSetup"]

_SETTINGS = (
    "name",
    "indexes",
    "merge_indexes",
    "timeseries",
    "is_root",
    "union_doc",
    "use_state_management",
    "validate_on_save",
    "use_revision",
    "keep_nulls",
    "bson_encoders",
    "projection",
    "source",
    "pipeline",
    "class_id",
    "lazy_parsing",
    "use_cache",
)
_WRONG_NAMES = {"collection": "name", "collection_name": "name", "index": "indexes", "time_series": "timeseries"}
_KINDS = {"UnionDoc": 0, "Document": 1, "View": 2}


class BeanieSetup:
    """One run of ``init_beanie(document_models=classes)``, without a database: ``parts`` are what it would make.

    ``order`` is that in which Beanie takes the classes; each is to be visited.
    """

    def __init__(self, classes: list[Any]) -> None:
        self.order = sorted(classes, key=lambda cls: _KINDS[_kind(cls)])
        self.parts: list[dict[str, Any]] = []
        self.names: dict[Any, str] = {}
        self.inherits: dict[Any, str | None] = {}
        """By class the collection of the hierarchy that it belongs to; None for a class of its own."""

    def visit(self, cls: Any) -> None:
        """Set one class up, and its parents before it."""
        kind = _kind(cls)
        if kind == "Document":
            self._document(cls)
        elif kind == "View":
            self._view(cls)
        else:
            self._union(cls)

    def _document(self, cls: Any) -> str | None:
        """Set up the parent, then the class; returns the collection that children share, if they do."""
        if cls in self.inherits:
            return self.inherits[cls]
        if _is_own(cls):
            return None
        parents = [base for base in cls.__bases__ if _is_document(base)]
        if len(parents) > 1 and _visits_parents(cls):
            self._skipped(cls, parents)
            return None
        settings = _settings(cls)
        shared = self._document(parents[0]) if _visits_parents(cls) else None
        name = settings.get("name")
        if settings.get("is_root") and _visits_parents(cls) and not _settings(parents[0]).get("is_root"):
            shared = name = name or cls.__name__
        elif shared is not None:
            name = shared
        name = self._united(settings) or name or cls.__name__
        self.names[cls], self.inherits[cls] = name, shared
        self.parts.append(self._document_part(cls, name, settings))
        return shared

    def _united(self, settings: dict[str, Any]) -> str | None:
        union = settings.get("union_doc")
        return None if union is None else _settings(union).get("name") or str(union.__name__)

    def _document_part(self, cls: Any, name: str, settings: dict[str, Any]) -> dict[str, Any]:
        part = new_part(cls, "beanie", name)
        series = settings.get("timeseries")
        if series is not None:
            part["options"] = plain({key: value for key, value in series.build_query(name).items() if key != "name"})
            part["kind"] = "timeseries"
        part["indexes"] = [index_document(index) for index in _indexes(cls, settings, part)]
        _remark(cls, part)
        if cls not in self.order and part["indexes"]:
            note(
                part,
                "{} is not in the list of models, and Beanie makes its indexes too: it is a parent of one that is",
                cls,
            )
        union = settings.get("union_doc")
        if union is not None and union not in self.order:
            note(part, "its union_doc {} is not in the list of models, and init_beanie refuses that", union)
        return part

    def _view(self, cls: Any) -> None:
        settings = _settings(cls)
        name = settings.get("name") or cls.__name__
        source = settings["source"]
        part = new_part(cls, "beanie", name)
        part["kind"] = "view"
        if isinstance(source, type):
            source = self.names.get(source) or _settings(source).get("name") or source.__name__
        part["options"] = {"viewOn": source, "pipeline": plain(settings["pipeline"])}
        self.names[cls] = name
        self.parts.append(part)

    def _union(self, cls: Any) -> None:
        settings = _settings(cls)
        part = new_part(cls, "beanie", settings.get("name") or cls.__name__)
        for ignored in ("timeseries", "indexes"):
            if settings.get(ignored):
                note(part, f"Beanie does not look at `{ignored}` of a UnionDoc: this one has no effect")
        self.names[cls] = part["collection"]
        self.parts.append(part)

    def _skipped(self, cls: Any, parents: list[Any]) -> None:
        part = new_part(cls, "beanie", _settings(cls).get("name") or cls.__name__)
        names = " and ".join(parent.__name__ for parent in parents)
        note(
            part,
            f"it derives from two Documents, {names}: Beanie sets up neither its collection nor its indexes",
        )
        part["declares"] = False
        self.parts.append(part)


# Indexes


def _indexes(cls: Any, settings: dict[str, Any], part: dict[str, Any]) -> list[Any]:
    """The IndexModels that Beanie sends, in its order; what it loses on the way is noted."""
    own = _field_indexes(cls, part)
    declared = _declared(cls, settings, part)
    if not _merges(cls):
        return own + declared
    return _merged(own, declared, part) if declared or settings.get("merge_indexes") else own


def _declared(cls: Any, settings: dict[str, Any], part: dict[str, Any]) -> list[Any]:
    if not settings.get("merge_indexes"):
        return _models(settings.get("indexes"))
    merged: list[Any] = []
    for base in reversed(cls.__mro__):
        if _is_document(base) and not _is_own(base) and _settings(base).get("indexes"):
            merged = _merged(merged, _models(_settings(base).get("indexes")), part)
    return merged


def _merged(left: list[Any], right: list[Any], part: dict[str, Any]) -> list[Any]:
    """Beanie's rule: of indexes with the same field names, in whatever order and direction, the last one stands."""
    kept: dict[Any, Any] = {}
    for index in left + right:
        fields = tuple(sorted(index.document["key"]))
        if fields in kept:
            replaced(part, kept[fields], index, "Beanie keeps one index for each set of fields")
        kept[fields] = index
    return list(kept.values())


def _models(entries: Any) -> list[Any]:
    model = sys.modules["pymongo"].IndexModel
    return [entry if hasattr(entry, "document") else model(entry) for entry in entries or ()]


def _field_indexes(cls: Any, part: dict[str, Any]) -> list[Any]:
    model = sys.modules["pymongo"].IndexModel
    indexes = []
    for name, field in _fields(cls).items():
        asked = _attributes(cls, field)
        if asked:
            indexes.append(model([(getattr(field, "alias", None) or name, asked[0])], **asked[1]))
        else:
            _remark_ignored(cls, name, field, part)
    return indexes


def _attributes(cls: Any, field: Any) -> Any:
    """What ``Indexed`` has left on a field, as this version of Beanie finds it."""
    typing_module = sys.modules.get(_library(cls) + ".odm.utils.typing")
    finder = getattr(typing_module, "get_index_attributes", None)
    return finder(field) if finder else getattr(field.type_, "_indexed", None)


def _fields(cls: Any) -> dict[str, Any]:
    """The model's fields, by Pydantic 2 or 1."""
    fields = getattr(cls, "model_fields", None)
    return dict(fields) if isinstance(fields, dict) else dict(getattr(cls, "__fields__", {}))


# What the author may not expect


def _remark(cls: Any, part: dict[str, Any]) -> None:
    if hasattr(cls, "Collection"):
        note(part, "its inner class `Collection` is from an early Beanie, later ones refuse it; write `class Settings`")
    for name in vars(getattr(cls, "Settings", object)):
        if name.startswith("__") or name in _SETTINGS:
            continue
        near = difflib.get_close_matches(name, _SETTINGS[:6], n=1, cutoff=0.8)
        meant = _WRONG_NAMES.get(name) or (near[0] if near and not name.startswith("use") else None)
        if meant:
            note(part, f"Settings.{name} is no setting of Beanie, which ignores it; did you mean `{meant}`?")


def _remark_ignored(cls: Any, name: str, field: Any, part: dict[str, Any]) -> None:
    annotation = getattr(field, "annotation", None) or getattr(field, "outer_type_", None)
    if "Indexed" in str(getattr(annotation, "__forward_arg__", "")):
        note(
            part,
            f"{name}: its type names a class that is defined further down, and Beanie does not see its `Indexed`; "
            "define that class before this one",
        )
    if _holds_indexed(annotation):
        note(
            part,
            f"{name}: `Indexed` inside another type makes no index with this Beanie and Pydantic; "
            "write Annotated[..., Indexed()] around the whole type",
        )
    for path in _embedded(annotation, (cls,), getattr(field, "alias", None) or name):
        note(part, f"{path}: `Indexed` in an embedded model makes no index; name it in Settings.indexes")


def _holds_indexed(annotation: Any) -> bool:
    parts = [*getattr(annotation, "__args__", ()), *getattr(annotation, "__metadata__", ())]
    return any(hasattr(part, "_indexed") or _holds_indexed(part) for part in parts if part is not annotation)


def _embedded(annotation: Any, seen: tuple[Any, ...], path: str) -> list[str]:
    """The paths of indexed fields in the models that a field holds."""
    paths = []
    for part in (annotation, *getattr(annotation, "__args__", ())):
        if not isinstance(part, type) or part in seen or _is_document(part) or not _fields(part):
            continue
        for name, field in _fields(part).items():
            below = "{}.{}".format(path, getattr(field, "alias", None) or name)
            inner = getattr(field, "annotation", None) or getattr(field, "outer_type_", None)
            marks = [inner, *(getattr(field, "metadata", None) or ())]
            if any(hasattr(mark, "_indexed") for mark in marks):
                paths.append(below)
            paths += _embedded(inner, (*seen, part), below)
    return paths


# What a class is, and which Beanie it is of


def _kind(cls: Any) -> str:
    return next(str(base.__name__) for base in cls.__mro__ if _is_own(base) and base.__name__ in _KINDS)


def _is_own(cls: Any) -> bool:
    return str(cls.__module__).partition(".")[0] in ("beanie", "bunnet")


def _is_document(cls: Any) -> bool:
    return any(_is_own(base) and base.__name__ == "Document" for base in getattr(cls, "__mro__", ()))


def _library(cls: Any) -> str:
    return next(str(base.__module__).partition(".")[0] for base in cls.__mro__ if _is_own(base))


def _visits_parents(cls: Any) -> bool:
    """Since 1.14 Beanie knows inheritance, and sets up the parents of the classes that it is given."""
    return _library(cls) + ".odm.utils.init" in sys.modules


def _merges(cls: Any) -> bool:
    """Since 1.19 indexes on the same fields replace each other."""
    fields = sys.modules.get(_library(cls) + ".odm.fields")
    return hasattr(getattr(fields, "IndexModelField", None), "merge_indexes")


def _settings(cls: Any) -> dict[str, Any]:
    """The attributes of ``Settings``, inherited ones too; early versions take only its own, and ``Collection``'s."""
    inner = getattr(cls, "Settings", None)
    if _visits_parents(cls):
        return {name: getattr(inner, name) for name in dir(inner) if not name.startswith("__")} if inner else {}
    early = getattr(cls, "Collection", None)
    return {**(vars(inner) if inner else {}), **(vars(early) if early else {})}
