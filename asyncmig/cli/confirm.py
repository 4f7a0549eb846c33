"""The question before data is lost: asked on a terminal, answered by ``--yes``, refused where nobody is there."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncmig.cli.console import Console
from asyncmig.cli.failures import Answer
from asyncmig.errors import AsyncmigError
from asyncmig.printable import one_line

if TYPE_CHECKING:
    from asyncmig.review.loss import Loss

__all__ = ["NotConfirmed", "confirm_losses"]


class NotConfirmed(AsyncmigError):
    """Raised when steps would lose data, and nobody can be asked, or has said no when the run was under way."""

    def __init__(self, losses: Sequence[Loss], *, halfway: bool = False, asked: bool = False) -> None:
        self.losses = tuple(losses)
        lines = "".join(f"\n  - {loss.revision}: {one_line(loss.text + loss.details)}" for loss in losses)
        why = "this was not agreed to" if asked else "there is no terminal to ask on"
        done = "It was not done; what stands before it is" if halfway else "Nothing was run"
        super().__init__(f"this would lose data, and {why}:{lines}\n{done}. Pass --yes to run it all the same")


async def confirm_losses(console: Console, losses: Sequence[Loss], *, yes: bool, halfway: bool = False) -> None:
    """Go on if nothing is lost, if ``yes`` says so, or if the user does; else leave before anything is lost.

    ``halfway``: the run is under way, and comes to something that could not be known beforehand.
    """
    if not losses:
        return
    if not yes and not console.interactive:
        raise NotConfirmed(losses, halfway=halfway)
    console.say("The next step loses data:" if halfway else "This loses data:", "warn")
    for loss in losses:
        console.say(f"  - {loss.revision}: {one_line(loss.text + loss.details)}")
    if yes or await _agreed(console, "Go on?"):
        return
    if halfway:
        raise NotConfirmed(losses, halfway=True, asked=True)
    raise Answer(1, "Nothing was run.")


async def _agreed(console: Console, question: str) -> bool:
    return console.ask(f"{question} [y/N] ") and (await _line()).strip().lower() in ("y", "yes")


async def _line() -> str:
    """One line from the terminal. The loop goes on meanwhile, so that Ctrl-C is heard as ever."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(sys.stdin.fileno(), ready.set)
    except NotImplementedError:  # Windows
        return await asyncio.to_thread(sys.stdin.readline)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return os.read(sys.stdin.fileno(), 1024).decode(errors="replace")
