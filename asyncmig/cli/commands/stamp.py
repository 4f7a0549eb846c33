"""``asyncmig stamp`` and ``asyncmig repair``: change what the ledger says, running nothing."""

from __future__ import annotations

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import revision_document
from asyncmig.cli.options import command, lock_timeout, revision_argument
from asyncmig.cli.output import emit


@command("stamp", examples=["asyncmig stamp head", "asyncmig stamp base", "asyncmig stamp --purge head"])
@revision_argument("target")
@click.option("--purge", is_flag=True, help="Forget everything recorded before, also ids that no file has.")
@lock_timeout
@pass_app
async def stamp(app: App, target: str, *, purge: bool, lock_timeout: float | None) -> None:
    """Record the database as standing at TARGET, without running anything.

    For a database that was brought there by other means, or one that has to be told anew.
    """
    async with app.migrator(f"stamp {target}", lock_timeout=lock_timeout) as migrator:
        await migrator.stamp(target, purge=purge)
        current = await migrator.current()
    emit(app, {"current": list(current)}, ())
    app.console.say(f"Recorded: the database stands at {', '.join(current) or 'base'}. Nothing was run.", "good")


@command("repair", examples=["asyncmig repair", "asyncmig repair 20241210150000"])
@revision_argument("revisions", nargs=-1)
@pass_app
async def repair(app: App, revisions: tuple[str, ...]) -> None:
    """Accept the files of applied revisions as they are now: those named by REVISIONS, or all that were edited.

    The ledger takes over their checksums and remembers who accepted them, and when.
    """
    async with app.migrator("repair") as migrator:
        accepted = await migrator.repair(revisions or None)
    emit(app, {"revisions": [revision_document(app, None, revision) for revision in accepted]}, ())
    names = ", ".join(revision.revision for revision in accepted)
    app.console.say(f"Accepted as they are now: {names}." if accepted else "No applied file was edited.", "good")
