"""A report goes to more people than the database: what its documents hold of other documents' values is left out. Pure.

These are the ``_id``s of duplicates that a probe names, and what a server said when it refused an operation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["redacted"]

Document = Mapping[str, Any]
_IDS: Final = re.compile(r"; first _ids: .*?(?= as the documents are now|$)")
_FIGURES: Final = frozenset({"all", "first"})


def redacted(report: Document) -> dict[str, Any]:
    """The report's document without them."""
    made = dict(report)
    if (status := made.get("status")) is not None:
        made["status"] = {**status, "failed": [_record(record) for record in status["failed"]]}
    if (history := made.get("history")) is not None:
        made["history"] = [_record(record) for record in history]
    if (plan := made.get("plan")) is not None:
        made["plan"] = {**plan, "revisions": [_revision(revision) for revision in plan["revisions"]]}
    return made


def _record(record: Document) -> dict[str, Any]:
    error = record.get("error")
    kept = {name: error.get(name, "") for name in ("type", "where")} if isinstance(error, Mapping) else None
    return {**record, "error": kept}


def _revision(revision: Document) -> dict[str, Any]:
    if "operations" not in revision:
        return dict(revision)
    return {**revision, "operations": [_operation(operation) for operation in revision["operations"]]}


def _operation(operation: Document) -> dict[str, Any]:
    if "probes" not in operation:
        return dict(operation)
    return {**operation, "probes": [_probe(probe) for probe in operation["probes"]]}


def _probe(probe: Document) -> dict[str, Any]:
    figures = {name: value for name, value in probe["figures"].items() if name not in _FIGURES}
    return {**probe, "text": _IDS.sub("", probe["text"]), "figures": figures}
