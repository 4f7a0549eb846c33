"""``asyncmig adopt``: take over an existing database: models, a baseline, the history of another tool."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncclick as click

from asyncmig.adopting.adoption import Adopted, Adoption
from asyncmig.adopting.agreement import Agreement
from asyncmig.adopting.errors import AdoptionRefused, NotAgreed
from asyncmig.adopting.histories.history import ForeignHistory
from asyncmig.adopting.histories.importing import Imported, imported
from asyncmig.adopting.histories.logs import is_locked, logs_met, read_log
from asyncmig.adopting.histories.places import PLACES, Place, files_in, place_of
from asyncmig.adopting.histories.rules import RULES
from asyncmig.adopting.proposal import Wish
from asyncmig.cli.app import App, pass_app
from asyncmig.cli.commands.adopt_lines import adoption_document, adoption_lines, history_lines, table_lines
from asyncmig.cli.commands.adopt_many import adopt_many
from asyncmig.cli.failures import Answer
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.drivers import driver_for
from asyncmig.history.revision import Revision
from asyncmig.printable import counted
from asyncmig.sources.masters import masters_in_files

if TYPE_CHECKING:
    from asyncmig.drivers.base import Driver
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.record import Record


@command(
    "adopt",
    examples=[
        "asyncmig adopt --models app.models --plan",
        "asyncmig adopt --from-database",
        "asyncmig adopt --models app.models --accept database",
        "asyncmig adopt --history migrate-mongo",
        "asyncmig adopt --databases 'tenant_*' --plan",
    ],
)
@click.option("--plan", is_flag=True, help="Show all of it and write nothing.")
@click.option("--from-database", is_flag=True, help="Write the models, too: a class for each collection.")
@click.option("--write", metavar="FILE", type=click.Path(path_type=Path), help="Where.  [default: app_collections.py]")
@click.option("--split", is_flag=True, help="A package, with a module for collections of a common first word.")
@click.option("--accept", "accept", multiple=True, metavar="SIDE[:NAME]", help="Which side is right: database, models.")
@click.option("--history", "tool", type=click.Choice(sorted(RULES)), help="Take over another tool's history.")
@click.option("--collection", metavar="NAME", help="The collection of that tool's log.")
@click.option("--folder", metavar="DIR", type=click.Path(path_type=Path), help="The folder of that tool's files.")
@click.option("--databases", "pattern", metavar="PATTERN", help="Many databases of one kind: what most of them have.")
@click.option("--quorum", type=click.IntRange(1, 100), default=50, metavar="PERCENT", help="How many.  [default: 50]")
@pass_app
async def adopt(
    app: App,
    *,
    plan: bool,
    from_database: bool,
    write: Path | None,
    split: bool,
    accept: tuple[str, ...],
    tool: str | None,
    collection: str | None,
    folder: Path | None,
    pattern: str | None,
    quorum: int,
) -> None:
    """Take over an existing database: compare it with the models, write a baseline, and record it; run nothing.

    Where models and database differ, the differences are shown and nothing is written, until --accept says
    which side is right: for all, or by line (--accept database:user.email_1).
    """
    _check_options(app, from_database or pattern is not None, write, tool, collection, folder)
    if pattern is not None:
        await adopt_many(app, pattern, quorum / 100, Wish(app.settings.root, write, split, database=pattern), plan=plan)
        return
    async with app.migrator("adopt", models=not (from_database or tool), files=False) as migrator:
        driver = driver_for(migrator.database)
        records = {record.revision: record for record in await migrator.records()}
        met = await logs_met(driver, await _names(driver))
        place = _place(app, tool, collection, folder) if tool else None
        if tool and place:
            _refuse_shared_folder(tool, place, migrator.directory.versions)
        wish = Wish(app.settings.root, write, split, accept, migrator.database.name)
        adoption = Adoption(
            migrator,
            driver,
            wish,
            app.settings.file or app.settings.root / "pyproject.toml",
            app.settings.models,
            from_database,
            bool(tool) and not (from_database or app.settings.models),
            _keys(app, met, place),
            frozenset(_of_other_tools(met, place)),
        )
        if again := _adopted_before(migrator, records):
            await _tell_again(app, adoption, *again)
            return
        imported = await _imported(app, migrator, driver, tool, place) if tool and place else []
        for other in met.keys() - {tool}:
            how = f"`asyncmig adopt --history {other}` takes it over"
            app.console.say(f"Another history is here: {met[other]}, of {other}; {how}")
        await _adopt(app, adoption, records, imported, plan=plan)


async def _imported(app: App, migrator: Migrator, driver: Driver, tool: str, place: Place) -> list[Imported]:
    """The revisions that stand for what another tool has applied; its history is told."""
    history = await _history(driver, tool, place)
    for line in history_lines(app.console.err, tool, place, history):
        app.console.say(line)
    known = list(migrator.graph) if migrator.directory.versions.is_dir() else []
    return imported(tool, history, known, ())


async def _adopt(
    app: App, adoption: Adoption, records: Mapping[str, Record], imported: Sequence[Imported], *, plan: bool
) -> None:
    try:
        adopted, changes = await adoption.propose(records, imported)
    except NotAgreed as error:
        _tell_masters(app)
        document = adoption_document(app, error.found, written=False)
        emit(app, document, table_lines(app.console.out, error.found.lines), error=error)
        raise
    _tell_masters(app)
    if not plan:
        await adoption.carry_out(adopted, changes)
        if adopted.changed and os.environ.get("ASYNCMIG_MODELS"):
            app.console.warn("ASYNCMIG_MODELS is stronger than the models in the file that was written; take it out")
    emit(
        app,
        adoption_document(app, adopted, written=not plan),
        adoption_lines(app, adopted, adoption.wish.database, written=not plan),
    )


def _tell_masters(app: App) -> None:
    """Once the models are imported: MongoEngine's classes say for themselves what they do."""
    for master in masters_in_files(app.settings.root):
        app.console.warn(f"two masters: {master}")


def _check_options(
    app: App, from_database: bool, write: Path | None, tool: str | None, collection: str | None, folder: Path | None
) -> None:
    if from_database and app.settings.models:
        raise AdoptionRefused(
            f"models are set already ({app.settings.models}): leave out --from-database to compare the database with "
            "them, or take the setting out"
        )
    if not tool and (collection or folder):
        raise AdoptionRefused("--collection and --folder say where another tool's history is; name the tool: --history")


async def _names(driver: Driver) -> set[str]:
    return {info["name"] for info in await driver.read({"listCollections": 1, "nameOnly": True})}


def _place(app: App, tool: str, collection: str | None, folder: Path | None) -> Place:
    from dataclasses import replace

    place = place_of(tool, app.settings.root, os.environ)
    if folder is not None:
        place = replace(place, folder=folder.absolute(), named=True)
    return replace(place, collection=collection) if collection else place


def _refuse_shared_folder(tool: str, place: Place, versions: Path) -> None:
    """Another tool's files would be read as revisions of ours: mongomig has the same folder by default."""
    if place.folder is not None and place.folder.resolve() == versions.resolve() and not _is_ours(versions):
        raise AdoptionRefused(
            f"{versions} has the files of {tool}, and is asyncmig's own folder, too; name another one for asyncmig, as "
            "in `--directory database` (it is written into the settings)"
        )


def _is_ours(versions: Path) -> bool:
    """Whether the folder has files of asyncmig: one that was named by mistake is told by what is in it."""
    return any("from asyncmig" in path.read_text("utf-8", "replace") for path in sorted(versions.glob("*.py"))[:3])


async def _history(driver: Driver, tool: str, place: Place) -> ForeignHistory:
    if await is_locked(driver, tool, place):
        raise AdoptionRefused(
            f"{tool} holds its lock ({place.lock}): it is at work, or was stopped; nothing was written"
        )
    documents = await read_log(driver, place)
    if not documents:
        raise AdoptionRefused(f"{place.collection} holds no log of {tool}; --collection names another one")
    if place.folder is not None and not place.folder.is_dir():
        raise AdoptionRefused(f"there is no folder {place.folder} with files of {tool}; --folder names another one")
    history = RULES[tool](documents, files_in(place.folder), place.options)
    if history.faults:
        raise AdoptionRefused(f"the log of {tool} cannot be taken over: {'; '.join(history.faults)}")
    return history


def _of_other_tools(met: Mapping[str, str], place: Place | None) -> Iterator[str]:
    """The collections in which other tools keep their books."""
    for tool, name in met.items():
        yield name
        yield from filter(None, [PLACES[tool].lock])
    if place is not None:
        yield place.collection
        yield from filter(None, [place.lock])


def _keys(app: App, met: Mapping[str, str], place: Place | None) -> dict[str, str | Sequence[str]]:
    """What else goes into the configuration file: what the options gave, and other tools' collections."""
    keys: dict[str, str | Sequence[str]] = {
        name: str(app.flags[name]) for name in ("models", "directory", "driver", "database") if app.flags.get(name)
    }
    excluded = sorted({*_of_other_tools(met, place)} - set(app.settings.exclude))
    if excluded:
        keys["exclude"] = [*app.settings.exclude, *excluded]
    return keys


def _adopted_before(migrator: Migrator, records: Mapping[str, Record]) -> tuple[Revision, Record] | None:
    if not migrator.directory.versions.is_dir():
        return None
    baseline = next(
        (revision for revision in migrator.graph if revision.baseline and revision.revision in records), None
    )
    return (baseline, records[baseline.revision]) if baseline else None


async def _tell_again(app: App, adoption: Adoption, baseline: Revision, record: Record) -> None:
    """A database that was adopted before: when, by whom, and what differs now."""
    lines = await adoption.compare() if app.settings.models else ()
    when = f" on {record.finished_at:%Y-%m-%d %H:%M} UTC" if record.finished_at else ""
    adopted = Adopted(Agreement(()), tuple(lines), baseline)
    document = adoption_document(app, adopted, written=False, record=record)
    emit(app, document, table_lines(app.console.out, lines))
    app.console.say(f"Adopted{when} by {record.user}@{record.host}, as {baseline.revision}; nothing was written.")
    if lines:
        app.console.say(
            f"{counted(len(lines), 'difference')} between models and database now: see `asyncmig diff`.", "warn"
        )
        raise Answer(3)
    app.console.say("No difference: database and models agree.", "good")


__all__ = ["adopt"]
