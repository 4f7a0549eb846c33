"""Completion of revisions on the command line; from the files alone, and silent when they cannot be read."""

from __future__ import annotations

import asyncclick as click
from asyncclick.shell_completion import CompletionItem

from asyncmig.cli.app import App
from asyncmig.errors import AsyncmigError
from asyncmig.printable import one_line

__all__ = ["targets"]

_WORDS = ("head", "heads", "base")


def targets(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """The ids, labels and words that a target may begin with."""
    app = ctx.ensure_object(App)
    try:
        revisions = app.files().listing().revisions
    except AsyncmigError:
        return []
    known = [(revision.revision, revision.message) for revision in reversed(revisions)]
    known += [(f"{label}@head", f"the branch {label}") for revision in revisions for label in revision.branch_labels]
    known += [(word, "") for word in _WORDS]
    return [CompletionItem(one_line(name), help=one_line(text)) for name, text in known if name.startswith(incomplete)]
