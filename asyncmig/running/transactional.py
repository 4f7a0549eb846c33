"""``TransactionExecutor``: the operations of a revision with ``transactional = True``."""

from __future__ import annotations

from typing import Any

from asyncmig.drivers.base import Document
from asyncmig.files.static import refuse_schema_change
from asyncmig.operations import Operation
from asyncmig.running.applying.context import Context
from asyncmig.running.executor import Executor, Pending
from asyncmig.running.ledger.journal import entry_of
from asyncmig.running.ledger.placement import path
from asyncmig.running.locking.lease import Lease
from asyncmig.running.reports import Reports

__all__ = ["TransactionExecutor"]


class TransactionExecutor(Executor):
    """Applies within a transaction; the journal is written with the record, all or nothing."""

    def __init__(self, reports: Reports, lease: Lease, context: Context) -> None:
        super().__init__(reports, lease, context)
        self._fields: Document = {}
        self._dates: list[str] = []

    async def _perform(self, operation: Operation) -> Any:
        refuse_schema_change(self._reports.revision, operation)
        self._number += 1
        number = self._number
        self._at = (number, operation)
        await self._ask(number, operation)
        intent = await self._prepared(number, operation)
        result = await self._apply_and_report(number, operation, intent)
        self._note(number, operation, intent, result)
        return result

    def _note(self, number: int, operation: Operation, intent: Any, result: Any) -> None:
        base = path("journal", number)
        entry = entry_of(number, operation) | {"intent": intent, "result": result}
        del entry["finished_at"]
        self._fields |= {f"{base}.{name}": value for name, value in entry.items()}
        self._dates += [f"{base}.started_at", f"{base}.finished_at"]

    def defer_flush(self) -> None:
        """Nothing is written before the end anyway."""

    async def _rest(self) -> Pending:
        return self._fields, tuple(self._dates)
