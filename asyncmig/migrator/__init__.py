"""``Migrator``: the one façade; the command line, an application and the tests all come through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncmig.files.directory import Directory
from asyncmig.migrator.authoring import Generated, WritingHistory
from asyncmig.migrator.running import RunningHistory

if TYPE_CHECKING:
    from typing import Self

    from asyncmig.settings import Settings
    from asyncmig.sources import Models

__all__ = ["Generated", "Migrator", "autogenerate_migration"]

_FROM_SETTINGS = (
    "db_alias",
    "revisions_collection",
    "lock_collection",
    "lock_timeout",
    "lock_lease",
    "strict_order",
    "undeclared_indexes",
    "undeclared_options",
    "fields",
    "fields_by_collection",
    "field_constraints",
    "removed_fields",
    "index_names",
    "commit_quorum",
)
"""The arguments that are settings of the same name."""


class Migrator(WritingHistory, RunningHistory):
    """Migrations of one database.

    ``database``: a Motor ``AsyncIOMotorDatabase``, a PyMongo ``AsyncDatabase``, or a mongomock-motor
    database; it and its client stay the caller's. Without one, what needs only files works.
    ``directory``: the folder that holds ``versions/``. ``collections``: the models, of asyncmig's own
    or another library's, or where to import them from (``"app.models:ALL_COLLECTIONS"``; a list joins
    several); ``db_alias``: of models that name their database, which are taken. ``lock_timeout`` and
    ``lock_lease`` are seconds. ``strict_order`` refuses to run a revision that is older than an applied one.
    ``include(kind, name)`` tells which collections are asyncmig's business at all;
    ``undeclared_indexes`` (``agreed``, ``drop``, ``hide`` or ``ignore``) and ``undeclared_options`` say what
    becomes of what a collection has and its model does not mention. ``fields`` is ``ignore``, ``record``,
    ``warn``, ``moderate`` or ``strict``: how the fields that models declare are enforced;
    ``fields_by_collection`` for single collections; ``field_constraints``: whether bounds are, too;
    ``removed_fields``: ``suggest`` or ``drop``. ``index_names``: ``exact``, or ``ignore`` for indexes that differ by
    their names only. ``context``: what revisions find in ``env.context``. ``on_event`` is called with each
    event of a run; ``command`` is what others see in the lock. ``commit_quorum``: which members have to have
    built an index, where the revision does not say: ``majority`` on a replica set unless given.

    Raises ConfigurationError for one of MongoDB's own databases (admin, config, local), for names of the
    ledger and the lock that no collection can have, or that are one, and for seconds and words that do not fit.
    """

    @classmethod
    def configured(cls, database: Any, settings: Settings, **options: Any) -> Self:
        """A migrator of ``database`` by a project's settings; ``options``, its arguments, count before them."""
        arguments: dict[str, Any] = {
            "directory": settings.directory,
            "collections": settings.models,
            "include": settings.included if settings.include or settings.exclude else None,
            **{name: getattr(settings, name) for name in _FROM_SETTINGS},
            "context": settings.needed_context(),
        }
        return cls(database, **(arguments | options))


async def autogenerate_migration(message: str, *, database: Any, collections: Models) -> tuple[str, bool]:
    """The source of the revision that would bring ``database`` to ``collections``, and whether anything differs.

    Writes nothing, neither to the database nor to disk. The source has no parent: it is for looking
    at, for tests, and for tools that keep revisions their own way.
    """
    from asyncmig.authoring.draft import draft

    difference = await Migrator(database, collections=collections).difference()
    revision = Directory(".").new_id(taken=())
    return draft(difference, revision=revision, down_revision=None, message=message), bool(difference)
