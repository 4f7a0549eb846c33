"""Operations that mark documents take turns on each collection: a server without transactions, a capped collection.

A document has room for one mark. Two operations at once would each take the other's away, and then deal
again with what they find unmarked.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from asyncmig.drivers.clock import local_clock
from asyncmig.errors import RevisionError
from asyncmig.operations import Operation

__all__ = ["Turns"]

_WAIT_SECONDS, _POLL_SECONDS = 5.0, 0.01  # for what was half done, and is asked for at the same time
_inside: ContextVar[frozenset[str]] = ContextVar("_inside", default=frozenset())


class Turns:
    """One operation at a time on each collection; ``half_done``: where a former run has left off, by slot.

    Those go on first. One that stops half-way in this run is the last on its collection: its marks are needed.
    """

    def __init__(self, half_done: Iterable[tuple[str, int]]) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._half_done = set(half_done)
        self._stopped: dict[str, Operation] = {}

    @asynccontextmanager
    async def turn(self, operation: Operation, slot: int) -> AsyncIterator[None]:
        """A block that no other operation on the collection runs in. Raises RevisionError where none is to come."""
        name = operation.collection
        if name in _inside.get():
            raise RevisionError(
                f"{operation.describe()}: it was asked for within an operation on {name}: await one after the other"
            )
        self._half_done.discard((name, slot))
        await self._let_others_begin(name)
        async with self._locks[name]:
            if before := self._stopped.get(name):
                raise RevisionError(
                    f"{operation.describe()}: not begun, for beside it `{before.describe()}` has stopped half-way"
                )
            self._stopped[name] = operation
            token = _inside.set(_inside.get() | {name})
            try:
                yield
            finally:
                _inside.reset(token)
            del self._stopped[name]

    async def _let_others_begin(self, name: str) -> None:
        """One that the revision does not ask for any more is not waited for longer."""
        last = local_clock() + _WAIT_SECONDS
        while any(collection == name for collection, _ in self._half_done):
            if local_clock() > last:
                self._half_done = {at for at in self._half_done if at[0] != name}
                return
            await asyncio.sleep(_POLL_SECONDS)
