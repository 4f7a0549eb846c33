"""ODMantic's models, as ``engine.configure_database`` would make them."""

from __future__ import annotations

from typing import Any

from asyncmig.sources.portable.parts import index_document, new_part, note

__all__ = ["odmantic_part"]


def odmantic_part(cls: Any) -> dict[str, Any]:
    """What ``configure_database`` makes for one model, index by index. Versions before 1.0 make no indexes."""
    part = new_part(cls, "odmantic", cls.__collection__)
    for index in _model_indexes(cls):
        model = index if hasattr(index, "document") else index.get_pymongo_index()
        part["indexes"].append(index_document(model))
    for path in _marked_paths(cls, ""):
        note(
            part,
            f"{path}: `index` and `unique` in an EmbeddedModel make no index; name it in the model's `indexes`",
        )
    return part


def _model_indexes(cls: Any) -> Any:
    """What its own method yields: a class that is a Collection too has ours on top of it."""
    for base in cls.__mro__:
        own = vars(base).get("__indexes__")
        if isinstance(own, classmethod):
            return own.__func__(cls)
    return ()


def _marked_paths(cls: Any, path: str, depth: int = 0) -> list[str]:
    paths = []
    for name, field in getattr(cls, "__odm_fields__", {}).items():
        below = path + getattr(field, "key_name", name)
        if path and (getattr(field, "index", False) or getattr(field, "unique", False)):
            paths.append(below)
        inner = getattr(field, "model", None)
        if type(field).__name__.startswith("ODMEmbedded") and inner is not None and depth < 5:
            paths += _marked_paths(inner, below + ".", depth + 1)
    return paths
