"""``asyncmig squash`` and ``asyncmig rebase``: change the history that is not everywhere yet."""

from __future__ import annotations

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import revision_document
from asyncmig.cli.options import command, revision_argument
from asyncmig.cli.output import emit
from asyncmig.errors import DriverError
from asyncmig.printable import counted


@command("squash", examples=["asyncmig squash :20241210150000", "asyncmig squash 20241201:20241210 -m 'first year'"])
@click.argument("span", metavar="A:B")
@click.option("-m", "--message", metavar="TEXT", help="What the squashed revision does.")
@click.option("--rev-id", metavar="ID", help="The id, instead of the time in UTC.")
@pass_app
async def squash(app: App, span: str, message: str | None, rev_id: str | None) -> None:
    """Write one revision that does what the revisions from A to B do together.

    An end left out is base, or the head. A database that has all of them takes the new one as
    applied, one that has none runs it instead, one that has a part has to finish the range first.
    """
    made = await app.files().squash(span, message, rev_id=rev_id)
    out = app.console.out
    file = app.shown(made.path) if made.path else ""
    lines = [
        f"{out.paint('Created squashed revision', 'good')}: {made.path.name if made.path else ''}",
        f"  Revision ID: {out.paint(made.revision, 'id')}",
        f"  Replaces: {counted(len(made.replaces), 'revision')}, {made.replaces[0]} to {made.replaces[-1]}",
        f"  Edit: {file}",
    ]
    emit(app, revision_document(app, None, made), lines)
    app.console.say("The files that it replaces can go once `asyncmig upgrade` has run on every database.", "faint")


@command("rebase", examples=["asyncmig rebase 20241210150000", "asyncmig rebase 20241210 --onto 20241212"])
@revision_argument("revision", metavar="R")
@click.option("--onto", metavar="HEAD", help="The revision to put it behind.  [default: the only other head]")
@click.option("--offline", is_flag=True, help="Do not look whether it is applied in the database of the settings.")
@click.option("--force", is_flag=True, help="Move it though another branch of the remote has it, as git knows it.")
@pass_app
async def rebase(app: App, revision: str, *, onto: str | None, offline: bool, force: bool) -> None:
    """Put the unapplied revision R (and what comes after it) behind another head.

    For after a pull that brought a sibling: the file's down_revision is changed, nothing else.
    Refused where R is applied in the database of the settings, or published: in another branch of the
    git remote, as far as that has been fetched.
    """
    if offline or not (app.settings.url or "url" in app.settings.unset):
        moved, parent = await app.files().rebase(revision, onto=onto, force=force)
    else:
        try:
            async with app.migrator("rebase") as migrator:
                moved, parent = await migrator.rebase(revision, onto=onto, force=force)
        except DriverError as error:
            error.add_note("without asking the database whether it is applied there: `asyncmig rebase --offline`")
            raise
    out = app.console.out
    file = app.shown(moved.path) if moved.path else ""
    lines = [f"{out.paint('Rebased', 'good')} {moved} onto {parent}", f"  File: {file}"]
    emit(app, revision_document(app, None, moved), lines)
    app.say_what_to_add(moved.path)
