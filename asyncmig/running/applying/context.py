"""What applying an operation needs to know besides the operation itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncmig.data.progress import ProgressHooks
from asyncmig.drivers.base import Driver

__all__ = ["Context", "JournalData"]

JournalData = dict[str, Any]
"""What the journal keeps of an operation: an intent before it, a result after it. Plain BSON."""


@dataclass(frozen=True, slots=True)
class Context:
    """The database to work on, and what asyncmig knows of its own earlier work there.

    ``session``: that of the running transaction, if any. ``inserted``: by collection, the
    ``{"_id": ..., "digest": ...}`` of each document that this revision's upgrade has inserted, as
    the results of its InsertDocuments in the ledger say under ``inserted`` (of one that did not
    get to its result, those of its intent under ``missing``). ``progress``: the run around an
    operation on data; None where there is none.
    """

    driver: Driver
    session: Any = None
    inserted: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    progress: ProgressHooks | None = None
