"""What the engine asks of a driver: MongoDB commands, sessions, the server's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, ClassVar, Protocol

from bson.codec_options import CodecOptions

from asyncmig.drivers.guard import Guard

__all__ = ["Connection", "Document", "Driver"]

Document = dict[str, Any]


class Connection(Protocol):
    """What the lock needs of a database."""

    is_own: bool
    """Whether it is a client of its own; else it is the caller's, which others keep busy."""

    def collection(self, name: str) -> Any:
        """The collection, which has ``find_one``, ``find_one_and_update`` and ``update_one``."""
        ...

    async def close(self) -> None:
        """Let nothing more be sent."""
        ...


class Driver(Protocol):
    """The few calls that differ by driver, bound to one database.

    Everything that asyncmig does to a schema is a MongoDB command, so the engine is written once;
    the mock translates the few commands that it has and refuses the others by name.
    """

    name: ClassVar[str]
    """``motor``, ``pymongo`` or ``mock``: for messages; what a driver can do, the other attributes tell."""
    has_server: ClassVar[bool]
    """Whether a MongoDB server answers: with statistics of indexes, a catalogue, stored BSON, ranges of ``_id``."""
    lost_index_options: ClassVar[frozenset[str]]
    """The options of an index that are lost without a word; none on a server."""
    database: Any
    """The user's own database object."""

    @property
    def now(self) -> Any:
        """What stands for the server's clock in an update pipeline: ``"$$NOW"``; a datetime on the mock."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host:port`` of every server that the client knows of, for messages."""
        ...

    def guarded(self, guard: Guard) -> Driver:
        """The same, asking ``guard`` before each call that changes something: :mod:`asyncmig.drivers.guard`."""
        ...

    async def command(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        own: bool = False,
        secondary: bool = False,
    ) -> Document:
        """Run one command on the database (or on ``admin``) and return the server's reply.

        ``own``: no value in it comes from the user, so that none has to be encoded as his client does it.
        ``secondary``: rather on a secondary, for what only reads and takes its time.
        """
        ...

    async def read(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        raw: bool = False,
        secondary: bool = False,
    ) -> list[Document]:
        """Run a command that answers with a cursor (listCollections, listIndexes, aggregate) and read it to the end.

        With ``raw`` a real server's documents, and those in them, are RawBSONDocuments, decoded as
        far as they are looked into; the mock's are plain ones all the same. ``secondary`` as of ``command``.
        """
        ...

    async def read_each_member(self, command: Mapping[str, Any]) -> dict[str, list[Document] | None]:
        """As ``read``, by each member that has data: by ``host:port`` what it says, None where it does not answer.

        Raises PyMongoError where all of them refuse.
        """
        ...

    def collection(self, name: str) -> Any:
        """The collection object, with majority read and write concern: for asyncmig's own documents."""
        ...

    def documents(self, name: str, codec_options: CodecOptions[Any]) -> Any:
        """The collection as a revision's operations work on it: values by ``codec_options``, writes by a majority."""
        ...

    async def has_transactions(self) -> bool:
        """Whether the server has transactions: a standalone has none, nor has the mock."""
        ...

    async def wire_version(self) -> int:
        """The server's ``maxWireVersion``: 9 is MongoDB 4.4, 13 is 5.0, 17 is 6.0; the mock is newer than any."""
        ...

    def session(self) -> AbstractAsyncContextManager[Any]:
        """A session for transactions, one after the other; None where the server has none."""
        ...

    def transaction(self, session: Any = None) -> AbstractAsyncContextManager[Any]:
        """A started transaction, on ``session`` or on one of its own; the context is its session.

        Raises UnsupportedByDriver on the mock.
        """
        ...

    def encode(self, document: Mapping[str, Any]) -> bytes:
        """The document as BSON, as the database's client would send it and the server store it: ``_id`` first."""
        ...

    async def insert(self, name: str, documents: Sequence[bytes], *, session: Any = None) -> None:
        """Insert encoded documents, as many as can be. Raises BulkWriteError for those that cannot."""
        ...

    async def stored(self, name: str, ids: Sequence[Any], *, session: Any = None) -> list[bytes]:
        """Those of the documents of these ``_id``s that are there, byte for byte as they are stored."""
        ...

    async def delete(self, name: str, ids: Sequence[Any], *, session: Any = None) -> int:
        """Delete the documents of these ``_id``s, whatever is in them; how many there were."""
        ...

    async def delete_stored(self, name: str, document: bytes, *, session: Any = None) -> bool:
        """Delete this very document; False when it is gone, or no longer what :meth:`stored` returned."""
        ...

    def answered(self) -> AbstractContextManager[None]:
        """A block whose reads are given up after a while, where a server is known and does not answer."""
        ...

    def unhurried(self) -> AbstractContextManager[None]:
        """A block whose calls take as long as they need, whatever time-outs the client has."""
        ...

    async def own_connection(self, seconds: float) -> Connection:
        """A connection that no work of ours or of the caller's can keep busy; no call of it takes longer than that."""
        ...

    async def close(self) -> None:
        """Close the client."""
        ...
