"""``asyncmig adopt --databases``: one set of models for many databases, and a table of those that are otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from asyncmig.adopting.adoption import Adoption
from asyncmig.adopting.errors import AdoptionRefused
from asyncmig.adopting.many import Majority, Outlier, majority
from asyncmig.adopting.proposal import Wish
from asyncmig.cli.app import App
from asyncmig.cli.commands.adopt_lines import adoption_document, adoption_lines
from asyncmig.cli.output import emit
from asyncmig.schema.own_names import OwnNames
from asyncmig.schema.state import DatabaseState

__all__ = ["adopt_many"]

_SHOWN = 5
_NOT_USERS = ("admin", "config", "local")


async def adopt_many(app: App, pattern: str, quorum: float, wish: Wish, *, plan: bool) -> None:
    """Models and a baseline of what at least ``quorum`` of the databases have; nothing is recorded in any of them."""
    from asyncmig.migrator import Migrator

    states = await _states(app, pattern)
    result = majority(states, quorum)
    project = Migrator(directory=app.settings.directory)
    adoption = Adoption(
        project,
        None,
        wish,
        app.settings.file or app.settings.root / "pyproject.toml",
        from_database=True,
        state=result.state,
        records=False,
    )
    adopted, changes = await adoption.propose({})
    if not plan:
        await adoption.carry_out(adopted, changes)
    document = adoption_document(app, adopted, written=not plan)
    emit(
        app,
        {**document, "databases": sorted(states), "outliers": [_document(outlier) for outlier in result.outliers]},
        [*_table(result, states), *adoption_lines(app, adopted, None, written=not plan)],
    )


async def _states(app: App, pattern: str) -> dict[str, DatabaseState]:
    """What each of the databases has, one after the other: each is read with many commands at once."""
    from asyncmig.authoring.introspect import OWN, introspect

    settings = app.settings
    own = OWN | OwnNames(settings.revisions_collection, settings.lock_collection).all
    include = settings.included if settings.include or settings.exclude else None
    async with app.client() as client:
        names = [name for name in await client.list_database_names() if name not in _NOT_USERS]
        wanted = [name for name in names if fnmatchcase(name, pattern)]
        if not wanted:
            raise AdoptionRefused(
                f"no database is called like {pattern!r}; there are {', '.join(names[:_SHOWN]) or 'none'}"
            )
        return {name: await introspect(client[name], include=include, own=own) for name in wanted}


def _table(result: Majority, states: Mapping[str, DatabaseState]) -> Iterator[str]:
    yield f"{len(states)} databases; {len(result.state.collections)} collections go into the models"
    width = max((len(outlier.name) for outlier in result.outliers), default=0)
    for outlier in result.outliers:
        what = _verb(outlier)
        names = ", ".join(outlier.databases[:_SHOWN]) + (" ..." if len(outlier.databases) > _SHOWN else "")
        yield f"{outlier.name:{width}}  {what} {len(outlier.databases)}: {names}"


def _verb(outlier: Outlier) -> str:
    if not outlier.wanted:
        return "left out, and in"
    return "otherwise in" if outlier.name.endswith(": options") else "missing or otherwise in"


def _document(outlier: Outlier) -> dict[str, Any]:
    return {"name": outlier.name, "in_models": outlier.wanted, "databases": list(outlier.databases)}
