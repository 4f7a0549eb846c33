"""The models as the JSON document that ``--models FILE.json`` reads, asyncmig's own among them."""

from __future__ import annotations

from typing import Any

from asyncmig.errors import ConfigurationError
from asyncmig.schema.declaration import Collection, View, own_indexes
from asyncmig.schema.index import Index
from asyncmig.sources.portable.document import export_text
from asyncmig.sources.portable.parts import index_document, new_part
from asyncmig.sources.portable.script import libraries_read
from asyncmig.sources.registry import Models, read_models

__all__ = ["export_models"]


def export_models(models: Models) -> str:
    """The document's text; :func:`~asyncmig.sources.load_models` takes its file as it takes the models.

    Raises what ``load_models`` raises, and ConfigurationError for a value that MongoDB cannot store.
    """
    read = read_models(models)
    try:
        own = [_own_part(model, name) for model, name in read.own]
        return export_text([*own, *read.parts], libraries_read())
    except TypeError as error:
        raise ConfigurationError(f"models: {error}") from error


def _own_part(model: type[Any], name: str) -> dict[str, Any]:
    part = new_part(model, "asyncmig", name)
    part["options"] = dict(model.__options__)
    if issubclass(model, View):
        part["kind"] = "view"
        part["options"] |= {"viewOn": model.__view_on__, "pipeline": list(model.__pipeline__)}
    elif issubclass(model, Collection):
        part["kind"] = "collection" if part["options"].get("timeseries") is None else "timeseries"
        part["indexes"] = [index_document(Index.of(entry)) for entry in own_indexes(model)]
        part["documents"], part["renamed_from"] = list(model.__initial_data__), model.__renamed_from__
    return part
