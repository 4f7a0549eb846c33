"""The source of the revision that a difference asks for; no database is needed any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncmig.authoring.diff import Difference
from asyncmig.authoring.revision_file import revision_source
from asyncmig.authoring.summary import summary
from asyncmig.errors import IrreversibleOperation
from asyncmig.operations import Operation, reverse
from asyncmig.operations.several import gathered
from asyncmig.schema.note import joined

__all__ = ["draft"]


def draft(planned: Difference, **header: Any) -> str:
    """The source of the revision that ``planned`` asks for; ``header`` as ``revision_source`` takes it."""
    back, notes = _way_back(planned.operations)
    return revision_source(
        upgrade=gathered(planned.operations),
        downgrade=gathered(back),
        summary=summary(planned.operations),
        notes=[*joined(planned.notes), *notes],
        **header,
    )


def _way_back(operations: Sequence[Operation]) -> tuple[tuple[Operation, ...], list[str]]:
    """The reverse of those operations that have one, and a remark for each that has none."""
    able, notes = [], []
    for operation in operations:
        try:
            operation.reverse()
        except IrreversibleOperation as error:
            notes.append(str(error))
        else:
            able.append(operation)
    return reverse(able), notes
