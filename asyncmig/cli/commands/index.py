"""``asyncmig index``: what to do about an index build that goes on, or no longer does."""

from __future__ import annotations

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.options import command
from asyncmig.cli.output import emit


@command("index", examples=["asyncmig index abort user email_1", "asyncmig index quorum user email_1 majority"])
@click.argument("action", type=click.Choice(["abort", "quorum"]))
@click.argument("collection")
@click.argument("name")
@click.argument("quorum", required=False)
@pass_app
async def index(app: App, action: str, collection: str, name: str, quorum: str | None) -> None:
    """End a running index build (abort), or change which members it waits for (quorum).

    QUORUM: majority, votingMembers, a number of members, or a tag. A build that waits for a member that
    is down goes on as soon as the quorum does not need it.
    """
    if (action == "quorum") != (quorum is not None):
        raise click.UsageError("index quorum needs a QUORUM, majority for example; index abort takes none")
    async with app.migrator(f"index {action}") as migrator:
        if quorum is None:
            await migrator.abort_index(collection, name)
        else:
            await migrator.set_index_quorum(collection, name, int(quorum) if quorum.isdigit() else quorum)
    done = "ended" if quorum is None else f"waits for {quorum} now"
    emit(app, {"collection": collection, "index": name, "action": action, "quorum": quorum}, ())
    app.console.say(f"The build of {name} on {collection} {done}.", "good")
