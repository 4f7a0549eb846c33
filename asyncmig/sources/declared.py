"""``Declared``: what all models of a project say together, and who says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.schema.note import Note
from asyncmig.schema.state import DatabaseState
from asyncmig.sources.portable.places import line_of_class, shown_file

__all__ = ["Declared", "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who declares something: ``framework`` (``asyncmig``, ``beanie``, ``mongoengine``, ``odmantic`` or
    ``create_index``), the model's full name, and where it stands.

    ``model_class`` is the class itself, None where it came from another process or is a dictionary.
    """

    framework: str
    model: str
    model_class: type[Any] | None = field(default=None, repr=False)
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """``app/models.py, line 12``; empty where the source is not known. Reads the source when first asked."""
        file, line = self.file, self.line
        if self.model_class is not None and not file:
            file, line = shown_file(self.model_class.__module__), line_of_class(self.model_class)
        return f"{file}, line {line}" if file and line else file

    def __str__(self) -> str:
        return f"{self.model} ({self.place})" if self.place else self.model


@dataclass(frozen=True, slots=True)
class Declared:
    """The models of a project, read.

    ``state`` is in normal form. ``provenance`` and ``classes`` tell by collection who declares it, in
    the order in which it was met: the origins, and the model classes themselves (none where the models
    were read in another process). ``notes`` say what a library does that its author may not expect,
    and what was left out.
    """

    state: DatabaseState = field(default_factory=DatabaseState)
    provenance: Mapping[str, tuple[Origin, ...]] = field(default_factory=dict)
    classes: Mapping[str, tuple[type[Any], ...]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def without_classes(self) -> list[str]:
        """The collections of which a class was read in another process: what its documents hold is not known."""
        return [
            name
            for name, origins in self.provenance.items()
            if self.state.collections[name].kind == "collection"
            and any(origin.model_class is None and origin.framework != "create_index" for origin in origins)
        ]

    @property
    def frameworks(self) -> frozenset[str]:
        """The libraries that the models are of."""
        return frozenset(origin.framework for origins in self.provenance.values() for origin in origins)
