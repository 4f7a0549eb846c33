"""``Parts``: what a ``Migrator`` is made of: its settings, checked, and all that is built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncmig.errors import (
    ConfigurationError,
    DatabaseAhead,
    RevisionHalfDone,
)
from asyncmig.files.directory import Directory, Listing
from asyncmig.history.graph import RevisionGraph
from asyncmig.schema.levels import LEVELS
from asyncmig.schema.own_names import OwnNames

if TYPE_CHECKING:
    from asyncmig.authoring.policy import IndexNames, RemovedFields, Undeclared, UndeclaredOptions
    from asyncmig.drivers.base import Driver
    from asyncmig.events import Listener
    from asyncmig.files.recorded import RecordedFiles
    from asyncmig.review.loss import LossGuard
    from asyncmig.running.ledger.ledger import Ledger
    from asyncmig.running.ledger.record import Mark, Record
    from asyncmig.running.ledger.status import Status
    from asyncmig.running.locking.lock import Lock
    from asyncmig.running.runner import Runner
    from asyncmig.schema.levels import Level
    from asyncmig.schema.state import DatabaseState
    from asyncmig.sources import Declared, Models

__all__ = ["Parts"]

_POLICY_CHOICES: Mapping[str, tuple[str, ...]] = {
    "undeclared_indexes": ("agreed", "drop", "hide", "ignore"),
    "undeclared_options": ("agreed", "drop", "ignore"),
    "removed_fields": ("suggest", "drop"),
    "index_names": ("exact", "ignore"),
}


class Parts:
    """The settings of a :class:`asyncmig.Migrator`, and each part that they make, in one place."""

    def __init__(
        self,
        database: Any = None,
        directory: str | Path = "migrations",
        collections: Models | None = None,
        *,
        db_alias: str | None = None,
        revisions_collection: str = "asyncmig_revisions",
        lock_collection: str = "asyncmig_lock",
        lock_timeout: float = 60.0,
        lock_lease: float = 30.0,
        strict_order: bool = False,
        include: Callable[[str, str], bool] | None = None,
        undeclared_indexes: Undeclared = "agreed",
        undeclared_options: UndeclaredOptions = "agreed",
        fields: Level = "ignore",
        fields_by_collection: Mapping[str, Level] | None = None,
        field_constraints: bool = False,
        removed_fields: RemovedFields = "suggest",
        index_names: IndexNames = "exact",
        on_event: Listener | None = None,
        command: str = "",
        commit_quorum: str | int | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        _refuse_reserved(database)
        self.database, self.directory = database, Directory(directory)
        self._models, self._db_alias = collections, db_alias
        self._declared: Declared | None = None
        self._names = _checked(revisions_collection, lock_collection)
        self._own = OwnNames(*self._names).all
        self._lock_timeout = _seconds("lock_timeout", lock_timeout, lock_timeout == 0)
        self._lease = _seconds("lock_lease", lock_lease)
        self._strict_order, self._include = strict_order, include
        self._policy = _policy_options(
            undeclared_indexes=undeclared_indexes,
            undeclared_options=undeclared_options,
            removed_fields=removed_fields,
            index_names=index_names,
        )
        self._levels = _checked_levels(fields, fields_by_collection or {})
        self._field_constraints = field_constraints
        self._on_event, self._command = on_event, command
        self._commit_quorum, self._context = commit_quorum, dict(context or {})
        self.keep_building = False
        """Whether an index build is left to the server when a run is cancelled."""

    def listing(self, *, thorough: bool = False) -> Listing:
        """The revision files as they are now, the faulty ones beside the good; ``thorough`` parses their bodies too."""
        return self.directory.read(thorough=thorough)

    @property
    def graph(self) -> RevisionGraph:
        """The graph of the revision files as they are now. Raises RevisionError for the first faulty file."""
        return self.listing().graph()

    def _strict(self, asked: bool | None) -> bool:
        return self._strict_order if asked is None else asked

    async def _refuse_ahead(self, status: Status[Mark]) -> None:
        """Raise DatabaseAhead, with what the ledger has to say about the revisions that no file knows.

        RevisionHalfDone where one of them is half-way.
        """
        if half_done := status.half_done:
            summaries = await self._ledger().summaries()
            raise RevisionHalfDone(
                {name: summaries[name].message for name in half_done if name in summaries}, unknown=True
            )
        if ahead := status.ahead:
            records = await self._ledger().summaries()
            raise DatabaseAhead(ahead, messages={name: records[name].message for name in ahead if name in records})

    async def records(self) -> list[Record]:
        """The ledger: one record for each revision that is applied, or half-way."""
        return await self._ledger().records()

    async def state(self) -> DatabaseState:
        """What the database has, in normal form."""
        from asyncmig.authoring.introspect import introspect

        with self._explaining("reading the schema of"):
            return await introspect(self._connected(), include=self._include, own=self._own)

    async def _status(self, graph: RevisionGraph | None = None) -> Status[Mark]:
        """Where the database stands among the files as they are now, or of ``graph``; one round trip."""
        from asyncmig.running.ledger.status import Status

        graph = graph or self.graph  # a fault in the files is told before anything is asked
        return Status(await self._ledger().marks(), graph)

    def _connected(self) -> Any:
        if self.database is None:
            raise ConfigurationError("this needs a database: pass one to Migrator, or set url and database")
        return self.database

    def declared(self) -> Declared:
        """What the models say, whoever's library they are of; read once.

        Raises ConfigurationError without models, DeclarationError for a fault in them.
        """
        from asyncmig.fields.declaring import with_fields
        from asyncmig.schema.fields import FieldSettings
        from asyncmig.sources import load_models

        if self._declared is None:
            if self._models is None:
                raise ConfigurationError(
                    "this needs models: pass collections to Migrator, or set `models` in [tool.asyncmig], "
                    'for example "app.models:ALL_COLLECTIONS"'
                )
            if isinstance(self._models, type):
                raise ConfigurationError(f"collections is a list of models: write [{self._models.__name__}]")
            declared = load_models(self._models, db_alias=self._db_alias)
            fields = FieldSettings(*self._levels, self._field_constraints)
            unknown = [name for name in declared.without_classes if fields.of(name, ()) != "ignore"]
            if unknown:
                raise ConfigurationError(
                    f"fields: models that were exported do not say what documents hold, and {unknown[0]!r} is to be "
                    "checked; name the classes themselves, or set fields to ignore"
                )
            self._declared = replace(declared, state=with_fields(declared.state, declared.classes, fields))
        if taken := sorted(self._own & self._declared.state.collections.keys()):
            raise ConfigurationError(
                f"{taken[0]!r} is asyncmig's own collection, and a model has its name; rename the model's, or set "
                "revisions_collection or lock_collection to another name"
            )
        return self._declared

    def _explaining(self, doing: str) -> AbstractContextManager[None]:
        from asyncmig.drivers.explain import explaining

        return explaining(self._driver(), f"{doing} the database")

    def _driver(self) -> Driver:
        from asyncmig.drivers import driver_for

        return driver_for(self._connected())

    def _ledger(self) -> Ledger:
        from asyncmig.running.ledger.ledger import Ledger

        return Ledger(self._driver(), collection=self._names[0])

    def _lock(self) -> Lock:
        from asyncmig.running.locking.lock import Lock

        return Lock(self._driver(), collection=self._names[1], lease=self._lease)

    def _runner(
        self,
        graph: RevisionGraph | None = None,
        files: RecordedFiles | None = None,
        guard: LossGuard | None = None,
    ) -> Runner:
        from asyncmig.running.runner import Runner

        return Runner(
            self._driver(),
            graph=self.graph if graph is None else graph,
            load=(files or self.directory).load,
            ledger=self._ledger(),
            lock=self._lock(),
            lock_timeout=self._lock_timeout,
            on_event=self._on_event,
            command=self._command,
            admit=guard,
            commit_quorum=self._commit_quorum,
            keep_building=self.keep_building,
            context=self._context,
        )

    async def _agreed(self) -> frozenset[str]:
        from asyncmig.running.ledger.provenance import agreed_collections

        return agreed_collections(await self.records())

    async def _created(self) -> frozenset[str]:
        from asyncmig.running.ledger.provenance import created_collections

        return created_collections(await self.records())


def _refuse_reserved(database: Any) -> None:
    name = getattr(database, "name", None)
    if not isinstance(name, str):
        return
    from asyncmig.address import RESERVED
    from asyncmig.schema.names import database_name_fault

    if name.lower() in RESERVED:
        raise ConfigurationError(f"database: {database_name_fault(name)}")


def _checked(ledger: str, lock: str) -> tuple[str, str]:
    from asyncmig.schema.names import name_fault

    for key, name in (("revisions_collection", ledger), ("lock_collection", lock)):
        if fault := name_fault(name):
            raise ConfigurationError(f"{key}: {fault}")
    if lock in OwnNames(ledger, "").all:
        raise ConfigurationError(
            f"lock_collection: {lock!r} is the ledger's own; the lock needs a collection of its own"
        )
    return ledger, lock


def _checked_levels(level: Level, by_collection: Mapping[str, Level]) -> tuple[Level, Mapping[str, Level]]:
    for key, given in {"fields": level, **{f"fields_by_collection.{k}": v for k, v in by_collection.items()}}.items():
        if given not in LEVELS:
            raise ConfigurationError(f"{key}: must be one of {', '.join(LEVELS)}, not {given!r}")
    return level, by_collection


def _policy_options(**words: Any) -> dict[str, Any]:
    """What a comparison may do, as :class:`asyncmig.authoring.policy.Policy` takes it."""
    for key, word in words.items():
        choices = _POLICY_CHOICES[key]
        if word not in choices:
            expected = " or ".join(choices) if len(choices) == 2 else f"one of {', '.join(choices)}"
            raise ConfigurationError(f"{key}: must be {expected}, not {word!r}")
    return words


def _seconds(key: str, value: Any, allowed: bool = False) -> float:
    if isinstance(value, int | float) and (allowed or 0 < value < float("inf")):
        return value
    raise ConfigurationError(f"{key}: must be a number of seconds, not {value!r}")
