"""``Collection`` and ``View``: how a user declares a schema, checked as soon as a class is made."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from asyncmig.errors import DeclarationError
from asyncmig.schema.class_rules import collection_faults, view_faults
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.options import normal_options
from asyncmig.schema.server import is_id_index
from asyncmig.schema.state import CollectionKind, CollectionState

__all__ = ["Collection", "View", "is_abstract", "model_state", "own_indexes"]


class Collection:
    """A MongoDB collection (or time series), declared by the attributes of a subclass.

    The attributes are plain ones: a subclass that sets ``__indexes__`` anew has those and no
    others. A class without ``__collection_name__`` is a base for others and creates nothing. The
    class is never instantiated by asyncmig, so documents, methods and mix-ins of other libraries
    can live in it.

    Raises DeclarationError when a subclass is made that no server would take.
    """

    __collection_name__: ClassVar[str]
    """The name in the database."""
    __indexes__: ClassVar[Sequence[Any]] = ()
    """Each an :class:`~asyncmig.Index`, a ``pymongo.IndexModel``, a field name or a list of pairs."""
    __options__: ClassVar[Mapping[str, Any]] = {}
    """What ``create`` takes, spelled as it spells it: https://www.mongodb.com/docs/manual/reference/command/create/"""
    __initial_data__: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Documents to be there, each with its ``_id``; one that is there already is left as it is."""
    __renamed_from__: ClassVar[str | None] = None
    """The name that the collection had before."""
    __model__: ClassVar[type[Any] | None] = None
    """A Pydantic model that says what the documents hold; see the setting ``fields``."""
    __renamed_fields__: ClassVar[Mapping[str, str]] = {}
    """Old paths of fields to new ones, from the top: ``{"title": "title.en"}``."""
    # __fields__ = "strict" overrides the setting `fields` for this collection.

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for attribute, fault in collection_faults(cls):
            raise DeclarationError(cls.__qualname__, attribute, fault)
        _warn_of_plain_names(cls)


class View:
    """A MongoDB view, declared by the attributes of a subclass.

    A class without ``__collection_name__`` is a base for others and creates nothing. The only
    option of a view is ``{"collation": ...}``.

    Raises DeclarationError when a subclass is made that no server would take.

    https://www.mongodb.com/docs/manual/core/views/
    """

    __collection_name__: ClassVar[str]
    """The name in the database, which it shares with the collections."""
    __view_on__: ClassVar[str]
    """The name of the collection or view that it is a view of."""
    __pipeline__: ClassVar[Sequence[Mapping[str, Any]]]
    """The stages of an aggregation; an empty list shows the source as it is."""
    __options__: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for attribute, fault in view_faults(cls):
            raise DeclarationError(cls.__qualname__, attribute, fault)
        _warn_of_plain_names(cls)


def _warn_of_plain_names(model: type[Any]) -> None:
    """``indexes = [...]``, which somebody may have meant for ``__indexes__``: it would declare nothing."""
    own = vars(model) if type(model) is type else {}
    for attribute in _CONTENT:
        plain = attribute.strip("_")
        if attribute not in own and isinstance(own.get(plain), list | tuple | dict):
            warnings.warn(
                f"{model.__qualname__}.{plain} is not read by asyncmig; did you mean {attribute}?", stacklevel=4
            )


Model = type[Collection] | type[View]

_NAME = "__collection_name__"
_CONTENT = ("__indexes__", "__options__", "__initial_data__", "__renamed_from__", "__view_on__", "__pipeline__")


def is_abstract(model: Model) -> bool:
    """Whether the class is a base for others. Raises DeclarationError for one that declares content and no name."""
    if hasattr(model, _NAME):
        return False
    if declared := [attribute for attribute in _CONTENT if getattr(model, attribute, None)]:
        raise DeclarationError(
            model.__qualname__,
            _NAME,
            f"is missing, and {declared[0]} says what to create; name the collection, "
            "or leave this base class out of the models",
        )
    return True


def own_indexes(model: type[Any]) -> Sequence[Any]:
    """``__indexes__``, unless it is another library's method of that name (ODMantic has one)."""
    declared: Any = model.__indexes__
    return () if callable(declared) else declared


def model_state(model: Model, name: str) -> CollectionState:
    """What one model asks for, in normal form, for the collection called ``name``."""
    return _view_state(model, name) if issubclass(model, View) else _collection_state(model, name)


def _collection_state(model: type[Collection], name: str) -> CollectionState:
    kind: CollectionKind = "collection" if model.__options__.get("timeseries") is None else "timeseries"
    options = normal_options(model.__options__, kind)
    asked = (Index.of(entry) for entry in own_indexes(model))
    indexes = tuple(
        normal_index(index, options.get("collation"), kind)
        for index in asked
        if not is_id_index(dict(index.keys), kind)
    )
    return CollectionState(
        name,
        kind,
        options,
        indexes,
        tuple(model.__initial_data__),
        model.__renamed_from__,
    )


def _view_state(model: type[View], name: str) -> CollectionState:
    options = {"viewOn": model.__view_on__, "pipeline": model.__pipeline__, **model.__options__}
    return CollectionState(name, "view", normal_options(options, "view"))
