"""The commands as a table: a command's module is imported when that command runs, and no earlier."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import asyncclick as click

__all__ = ["COMMANDS", "LazyGroup"]


class Entry(NamedTuple):
    """Where a command lives and what the list of commands says about it."""

    section: str
    module: str
    help: str


COMMANDS = {
    "init": Entry("Start", "init", "Make migrations/ and a [tool.asyncmig] table."),
    "completion": Entry("Start", "completion", "Print the completion script of a shell."),
    "adopt": Entry("Start", "adopt", "Take over an existing database."),
    "revision": Entry("Write history", "revision", "Write a revision file, empty or from the models."),
    "merge": Entry("Write history", "revision", "Join several heads by a merge revision."),
    "squash": Entry("Write history", "squash", "Replace a range of revisions by one."),
    "rebase": Entry("Write history", "squash", "Put an unapplied revision behind another head."),
    "upgrade": Entry("Run", "run", "Apply pending revisions."),
    "downgrade": Entry("Run", "run", "Revert applied revisions."),
    "stamp": Entry("Run", "stamp", "Record revisions as applied without running them."),
    "repair": Entry("Run", "stamp", "Accept files that were edited after they were applied."),
    "unlock": Entry("Run", "unlock", "Release a dead lock."),
    "index": Entry("Run", "index", "End a running index build, or change whom it waits for."),
    "status": Entry("Look at the database", "status", "Where it is, what is pending, who holds the lock."),
    "current": Entry("Look at the database", "current", "The revisions that it stands at."),
    "diff": Entry("Look at the database", "compare", "Compare it with the models."),
    "check": Entry("Look at the database", "compare", "Fail when it differs from models or revisions."),
    "fields": Entry("Look at the database", "fields", "What the documents hold, against the models."),
    "report": Entry("Look at the database", "report", "One file to look at: HTML, or Markdown."),
    "history": Entry("Look at the files", "history", "The revisions, newest first."),
    "heads": Entry("Look at the files", "heads", "The newest revision of each branch."),
    "branches": Entry("Look at the files", "heads", "The revisions that history forks at."),
    "show": Entry("Look at the files", "show", "One revision in full."),
    "lint": Entry("Look at the files", "lint", "Rules on revision files; needs no database."),
    "graph": Entry("Look at the files", "graph", "The history as a picture: tree, Mermaid or DOT."),
    "models": Entry("Look at the files", "models", "Print them as one JSON document: models export."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and short help, and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None where there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(f"asyncmig.cli.commands.{entry.module}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    async def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a usage error with the nearest name where there is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"There is no command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return await super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, one section after another, without importing anything."""
        width = max(map(len, COMMANDS))
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [(name.ljust(width), entry.help) for name, entry in COMMANDS.items() if entry.section == section]
                )
