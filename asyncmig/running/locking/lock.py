"""``Lock``: one document, so that two runners never work at the same time.

The document lives in ``asyncmig_lock`` under the ``_id`` "migration". It is taken, renewed, released
and broken in one round trip each, by an update that the server evaluates on its own clock, and
acknowledged by a majority of the replica set.

- **Owner**: a fresh id per attempt, so that an attempt whose answer was lost on the way is made
  again under the same id and recognises its own success.
- **Token**: grows with every new owner and never restarts (the document is kept when the lock is
  released). Each record of the ledger carries the token of its writer: see :mod:`asyncmig.running.ledger.ledger`.
- **Lease**: ends by itself, on the server's clock, when its owner dies. :mod:`asyncmig.running.locking.lease`
  keeps it alive beside the work, and stops the work before the lease could end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import anyio
from bson import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from asyncmig.drivers.base import Connection, Document, Driver
from asyncmig.drivers.clock import EPOCH, Clock, local_clock
from asyncmig.drivers.explain import explained, explaining
from asyncmig.drivers.retry import Backoff, retry
from asyncmig.drivers.transient import is_transient
from asyncmig.errors import AsyncmigError, LockError, LockLost, LockTimeout
from asyncmig.events import Event, LockAcquired, LockReleased
from asyncmig.running.locking.holder import Holder, identity
from asyncmig.running.locking.lease import Lease
from asyncmig.running.locking.shielding import answered, ended, run_uncut
from asyncmig.running.locking.waiting import LockWait

__all__ = ["Lock"]

_ID = "migration"
_OWNER = {"$ifNull": ["$owner", None]}
_BACKOFF = Backoff(0.1)  # while the server does not answer
_WITHDRAW_SECONDS = 2.0  # to tell the server, after a cancellation, that the lock is not wanted any more
_REPLY_SECONDS = 5.0  # for one question of the lock's own connection, or a third of the lease
_CLOSE_SECONDS = 2.0


class Lock:
    """The migration lock of one database.

    ``lease``, in seconds: how long the lock outlives a runner that was killed; it is renewed every
    third of it. ``on_event`` hears of waiting, of the lock being taken and released.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        collection: str = "asyncmig_lock",
        lease: float = 30.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._driver, self._clock = driver, Clock(driver)
        self._documents = driver.collection(collection)
        self.collection, self.lease = collection, lease
        self._kept_by: dict[str, Any] = {}
        self.tell: Callable[[Event], None] = on_event or (lambda event: None)

    @asynccontextmanager
    async def held(self, *, wait: float = 60.0, command: str = "") -> AsyncIterator[Lease]:
        """Hold the lock for a block, waiting up to ``wait`` seconds for it; 0 asks once.

        The block is cancelled at once when the lease is lost. Raises LockTimeout, LockLost.
        """
        connection = await self._driver.own_connection(max(self.lease / 3, _REPLY_SECONDS))
        try:
            async with self._held(connection, wait, command) as lease:
                yield lease
        finally:
            with anyio.CancelScope(shield=True):
                await run_uncut(ended(asyncio.ensure_future(connection.close()), _CLOSE_SECONDS))

    @asynccontextmanager
    async def _held(self, connection: Connection, wait: float, command: str) -> AsyncIterator[Lease]:
        lease = await self.acquire(wait=wait, command=command, connection=connection)
        scope, keeper = anyio.CancelScope(), asyncio.create_task(lease.keep())
        keeper.add_done_callback(lease.on_keeper_exit)
        try:
            with scope, lease.guarding(scope):
                yield lease
        except Exception as error:
            if scope.cancel_called and not isinstance(error, LockLost):
                raise LockLost(lease.loss) from error
            raise
        finally:
            keeper.cancel()
            with anyio.CancelScope(shield=True):
                await run_uncut(self._give_back(lease, keeper))
        lease.check()

    async def _give_back(self, lease: Lease, keeper: asyncio.Task[None]) -> None:
        await asyncio.wait([keeper])
        await self.release(lease)
        self._kept_by.pop(lease.owner, None)

    async def acquire(self, *, wait: float = 60.0, command: str = "", connection: Connection | None = None) -> Lease:
        """Take the lock. Raises LockTimeout, which tells who holds it, after ``wait`` seconds; DriverError.

        ``connection``: by which it is taken, and kept; the caller's client's unless given.
        """
        owner, waiting = uuid4().hex, LockWait(wait, self.tell)
        documents = connection.collection(self.collection) if connection else self._documents
        try:
            sent, document = await self._take(documents, owner, command, waiting)
            self.tell(LockAcquired(int(document["token"]), waiting.waited))
        except BaseException as error:
            if waiting.had_faults or not isinstance(error, AsyncmigError):
                with anyio.CancelScope(shield=True):
                    await run_uncut(self._withdraw(documents, owner))
            raise
        if connection is not None:
            self._kept_by[owner] = documents
        return self._lease(owner, sent, document)

    def _lease(self, owner: str, sent: float, document: Document) -> Lease:
        return Lease(
            owner,
            document["token"],
            length=self.lease,
            sent=sent,
            expires_at=document["expires_at"],
            renew=self.renew,
            tell=lambda event: self.tell(event),
        )

    async def _take(self, documents: Any, owner: str, command: str, waiting: LockWait) -> tuple[float, Document]:
        """When the question was sent that got the lock, and the lock's document."""
        while True:
            sent = local_clock()
            document = await self._ask(documents, owner, command, waiting)
            if document is None:
                await waiting.after_fault()
            elif document["owner"] == owner:
                return sent, document
            else:
                await self._wait_for_holder(Holder.read(document), waiting)

    async def _ask(self, documents: Any, owner: str, command: str, waiting: LockWait) -> Document | None:
        """The lock's document after trying to take it; None when no answer tells, and to ask again is right."""
        taking = {"_id": _ID}, self._taking(owner, command)
        try:
            document: Document = await answered(
                documents.find_one_and_update(*taking, upsert=True, return_document=ReturnDocument.AFTER),
                seconds=waiting.until_answered,
                if_cancelled=_WITHDRAW_SECONDS,
            )
        except TimeoutError:
            waiting.note(TimeoutError("the server did not answer in time"))
            return None
        except PyMongoError as error:
            if not (isinstance(error, DuplicateKeyError) or is_transient(error)):
                raise explained(error, self._driver, self._doing("taking")) from error
            waiting.note(error)
            return None
        return document

    async def _wait_for_holder(self, holder: Holder, waiting: LockWait) -> None:
        if waiting.is_over:
            raise LockTimeout(holder.document, waiting.waited)
        await waiting.after_refusal(holder)

    def _taking(self, owner: str, command: str) -> list[Document]:
        """One ``$set`` with a condition per field: the only pipeline that the mock knows, too."""
        free = {"$or": [{"$eq": [_OWNER, None]}, self._has_ended]}
        is_mine = {"$eq": [_OWNER, owner]}
        facts = {"command": command, **identity()}
        wanted = {
            "acquired_at": self._clock.now,
            "renewed_at": self._clock.now,
            "expires_at": self._clock.later(self.lease),
            **{name: {"$literal": value} for name, value in facts.items()},
        }
        # The mock sets one field after the other, seeing those set before: token and owner come first.
        grown = {"$add": [self._sound("token", ["int", "long"], Int64(0)), Int64(1)]}
        token = {"$cond": [{"$and": [free, {"$ne": [_OWNER, owner]}]}, grown, "$token"]}
        mine = {"$cond": [{"$or": [free, is_mine]}, owner, "$owner"]}
        rest = {n: {"$cond": [{"$or": [free, is_mine]}, value, f"${n}"]} for n, value in wanted.items()}
        return [{"$set": {"token": token, "owner": mine, **rest}}]

    @property
    def _has_ended(self) -> Document:
        return {"$lte": [self._sound("expires_at", ["date"], EPOCH), self._clock.now]}

    def _sound(self, field: str, types: list[str], other: Any) -> Document:
        """The field's value where it is what we write there: somebody may have changed the document by hand."""
        if not self._clock.is_servers:
            return {"$ifNull": [f"${field}", other]}
        return {"$cond": [{"$in": [{"$type": f"${field}"}, types]}, f"${field}", other]}

    async def renew(self, lease: Lease) -> Any:
        """The lease's new end on the server's clock, or None when it is not ours any more."""
        document = await self._of_lease(lease).find_one_and_update(
            self._of(lease.owner, lease.token),
            [{"$set": {"renewed_at": self._clock.now, "expires_at": self._clock.later(self.lease)}}],
            return_document=ReturnDocument.AFTER,
        )
        return document and document["expires_at"]

    async def raise_token(self, lease: Lease, least: int) -> Int64:
        """Lift the token to at least ``least``: the lock's document was lost, the ledger's tokens were not."""
        token = Int64(max(least, lease.token))
        with explaining(self._driver, self._doing("writing to")):
            done = await self._of_lease(lease).update_one(
                self._of(lease.owner, lease.token), {"$set": {"token": token}}
            )
        if not done.matched_count:
            raise LockLost("another owner has taken it")
        return token

    async def release(self, lease: Lease) -> None:
        """Give the lock back, if it is still ours; the document stays, and with it the token.

        A server that cannot be reached is no error: the lease then ends by itself. A lease that was
        lost is left to end, for what was sent in its name may still be at work on the server.
        """
        if not lease.loss:
            with anyio.move_on_after(self.lease / 6, shield=True):
                if await self._free(self._of_lease(lease), self._of(lease.owner, lease.token)):
                    self.tell(LockReleased(int(lease.token)))

    def _of_lease(self, lease: Lease) -> Any:
        """The lock's collection, by the connection by which the lease was taken."""
        return self._kept_by.get(lease.owner, self._documents)

    async def _free(self, documents: Any, filter_: Document) -> bool:
        """Whether we were the owner, or may have been: an answer that was lost is taken for a yes."""
        update = [{"$set": {"owner": None, "expires_at": self._clock.now, "released_at": self._clock.now}}]
        unheard: list[Exception] = []
        try:
            done = await retry(lambda: documents.update_one(filter_, update), _BACKOFF, tell=unheard.append)
        except PyMongoError:
            return False
        return bool(done.matched_count) or bool(unheard)

    async def _withdraw(self, documents: Any, owner: str) -> None:
        """Make sure that an attempt which was given up, and may have succeeded unseen, holds nothing."""
        with anyio.move_on_after(_WITHDRAW_SECONDS, shield=True):
            await self._free(documents, {"_id": _ID, "owner": owner})

    async def break_lock(self, *, force: bool = False) -> Holder | None:
        """Free the lock of a runner that died; returns who held it, None when nobody did.

        Raises LockError while the lease is alive, unless ``force``. A runner that is alive after all
        notices at its next renewal, at most a third of the lease later, or at its next write to a
        record that the new owner has touched, and stops.
        """
        attempt = uuid4().hex
        breaking = {"$and": [{"$ne": [_OWNER, None]}, {"$or": [force, self._has_ended]}]}
        by = {"attempt": attempt, "owner": "$owner", **{n: {"$literal": v} for n, v in identity().items()}}
        values = {"broken_by": by, "broken_at": self._clock.now, "expires_at": self._clock.now, "owner": None}
        with explaining(self._driver, self._doing("breaking")):
            document = await self._documents.find_one_and_update(
                {"_id": _ID},
                [{"$set": {name: {"$cond": [breaking, value, f"${name}"]} for name, value in values.items()}}],
                return_document=ReturnDocument.AFTER,
            )
        if document is None:
            return None
        by_whom = document.get("broken_by")
        if isinstance(by_whom, dict) and by_whom.get("attempt") == attempt:
            return Holder.read({**document, "owner": by_whom["owner"]})
        if document.get("owner") is None:
            return None
        raise LockError(_alive(Holder.read(document)))

    async def holder(self) -> Holder | None:
        """Who holds the lock, alive or not; None when it is free."""
        fields: Document = {"_id": 0}
        if self._clock.is_servers:
            fields = dict.fromkeys(Holder.__dataclass_fields__, 1) | {
                "_id": 0,
                "alive": {"$not": [self._has_ended]},
            }
        with explaining(self._driver, self._doing("reading")):
            document = await self._documents.find_one({"_id": _ID}, fields)
        if document is None or document.get("owner") is None:
            return None
        if not self._clock.is_servers:
            document["alive"] = document.get("expires_at", EPOCH) > self._clock.now
        return Holder.read(document)

    def _doing(self, what: str) -> str:
        return f"{what} the lock in {self.collection}"

    @staticmethod
    def _of(owner: str, token: int) -> Document:
        return {"_id": _ID, "owner": owner, "token": token}


def _alive(holder: Holder) -> str:
    since, renewed, ends = map(_told, (holder.acquired_at, holder.renewed_at, holder.expires_at))
    return (
        f"the migration lock is held by {holder} since {since} and its lease is alive "
        f"(last renewed {renewed}, ends {ends} unless renewed). "
        f"{_if_dead(holder)}wait for the lease to end, or take the lock away with `asyncmig unlock --force`"
    )


def _if_dead(holder: Holder) -> str:
    if holder.is_gone:
        return "No process has this pid on this machine any more (unless it runs in a container): "
    return "If that process is dead, "


def _told(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "an unknown time"
