"""``asyncmig unlock``: release a lock that its owner has left behind."""

from __future__ import annotations

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.options import command
from asyncmig.cli.output import emit


@command("unlock", examples=["asyncmig unlock", "asyncmig unlock --force"])
@click.option("--force", is_flag=True, help="Also while its lease is alive; its holder stops before the next write.")
@pass_app
async def unlock(app: App, *, force: bool) -> None:
    """Show who holds the lock, and release it if its lease has ended.

    Rarely needed: the next run takes a lock over by itself once its lease has ended.
    """
    async with app.migrator("unlock") as migrator:
        holder = await migrator.unlock(force=force)
    emit(app, {"released": holder is not None, "holder": holder.document if holder else None}, ())
    if holder is None:
        app.console.say("Nobody holds the lock.")
    else:
        since = f" since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC" if holder.acquired_at else ""
        app.console.say(f"Released the lock that {holder} held{since}.", "good")
