"""``asyncmig upgrade`` and ``asyncmig downgrade``: run revisions, or show what would run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.console import OutputLost
from asyncmig.cli.history import revision_document, revision_line
from asyncmig.cli.options import command, lock_timeout, revision_argument
from asyncmig.cli.output import emit
from asyncmig.printable import counted

if TYPE_CHECKING:
    from asyncmig.events import Direction
    from asyncmig.migrator import Migrator
    from asyncmig.review.loss import Confirm, Loss


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        lock_timeout,
        click.option(
            "--keep-building",
            is_flag=True,
            help="When interrupted, leave an index build to the server; the next run attaches to it.",
        ),
        click.option("-y", "--yes", is_flag=True, help="Run steps that lose data without asking."),
        click.option(
            "--fail-on",
            type=click.Choice(["problem", "warning"]),
            help="With --preflight: exit with 8 where it finds one.",
        ),
        click.option(
            "--exact",
            is_flag=True,
            help="With --preflight: ask the server's dry run for duplicates, which marks an index for a moment.",
        ),
        click.option(
            "--budget",
            type=click.FloatRange(min=0, min_open=True),
            default=30.0,
            metavar="SECONDS",
            help="With --preflight: how long one question may take.  [default: 30]",
        ),
        click.option(
            "--show",
            "show_all",
            type=click.Choice(["P01"]),
            help="With --preflight: list all that this probe finds; P01: every group of duplicates.",
        ),
        click.option("--preflight", is_flag=True, help="Show what would run, and what it will meet, in numbers."),
        click.option("--plan", is_flag=True, help="Show what would run, with every operation, and write nothing."),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class _Look:
    """What to look at instead of running: the plan, or also what it will meet."""

    plan: bool
    preflight: bool
    budget: float
    exact: bool
    fail_on: str | None
    show_all: str | None

    @property
    def _only_with_preflight(self) -> str:
        given = {"--exact": self.exact, "--fail-on": self.fail_on, "--show": self.show_all}
        return ", ".join(name for name, value in given.items() if value)

    async def show(self, app: App, migrator: Migrator, target: str, **choice: Any) -> bool:
        """Show it, where it is asked for."""
        if not self.preflight and (lost := self._only_with_preflight):
            raise click.UsageError(f"{lost} goes with --preflight only")
        if self.preflight:
            from asyncmig.cli.preflight import show_preflight

            codes = [self.show_all] if self.show_all else []
            preflight = await migrator.preflight(target, budget=self.budget, exact=self.exact, show=codes, **choice)
            show_preflight(app, preflight, self.fail_on)
        elif self.plan:
            from asyncmig.cli.plan import show_plan

            plan = await migrator.plan(target, **choice)
            looks = app.console.out.terminal and not app.json
            show_plan(app, plan, await migrator.forecast(plan, costs=("A", "B")) if looks else None)
        return self.plan or self.preflight


@command(
    "upgrade",
    examples=["asyncmig upgrade", "asyncmig upgrade --plan", "asyncmig upgrade --preflight", "asyncmig upgrade +1"],
)
@revision_argument("target", default="head")
@_run_options
@click.option(
    "--strict-order/--no-strict-order",
    default=None,
    help="Refuse to run a revision that is older than an applied one.  [default: the setting, or no]",
)
@pass_app
async def upgrade(
    app: App,
    target: str,
    *,
    yes: bool,
    keep_building: bool,
    lock_timeout: float | None,
    strict_order: bool | None,
    **look: Any,
) -> None:
    """Apply the revisions up to TARGET, which is head unless given.

    TARGET: head, heads, +N, an id or the beginning of one, ID+N, LABEL@head, LABEL@+N.

    A revision that is older than an applied one (it came in later, by a merge) is run too, and said so.
    """
    async with app.migrator(f"upgrade {target}", lock_timeout=lock_timeout) as migrator:
        migrator.keep_building = keep_building
        if await _Look(**look).show(app, migrator, target, strict_order=strict_order):
            return
        with _telling(app, "upgrade", target):
            await migrator.upgrade(target, strict_order=strict_order, confirm=_confirm(app, yes=yes))


@command(
    "downgrade", examples=["asyncmig downgrade -1", "asyncmig downgrade base --plan", "asyncmig downgrade 20241210"]
)
@revision_argument("target")
@_run_options
@click.option(
    "--from-ledger", is_flag=True, help="Revert what no file has by the source that the database has kept of it."
)
@pass_app
async def downgrade(
    app: App, target: str, *, yes: bool, keep_building: bool, lock_timeout: float | None, from_ledger: bool, **look: Any
) -> None:
    """Revert the revisions above TARGET, which itself stays.

    TARGET: -N, base, an id or the beginning of one, ID-N, LABEL@base, LABEL@-N.

    Of a database that is ahead of the files --from-ledger reverts what they do not have: it runs the
    source that was kept in the database, which has to be trusted as the files are.
    """
    async with app.migrator(f"downgrade {target}", lock_timeout=lock_timeout) as migrator:
        migrator.keep_building = keep_building
        if await _Look(**look).show(app, migrator, target, direction="downgrade", from_ledger=from_ledger):
            return
        with _telling(app, "downgrade", target):
            await migrator.downgrade(target, confirm=_confirm(app, yes=yes), from_ledger=from_ledger)


@contextmanager
def _telling(app: App, direction: Direction, target: str) -> Iterator[None]:
    """Print what a run has done, also where it stops before its end; messages tell of the rest."""
    verb = "applied" if direction == "upgrade" else "reverted"
    finished = app.finished
    app.done = {"direction": direction, "target": target, "revisions": []}
    try:
        yield
    finally:
        if app.json:
            documents = [revision_document(app, None, revision) | {"milliseconds": ms} for revision, ms in finished]
            app.done["revisions"] = documents
        else:
            _print(app, [revision_line(app.console.out, revision, [f"{verb} in {ms} ms"]) for revision, ms in finished])
    nothing = f"Nothing to do: the database is at {target} already."
    if app.json:
        emit(app, app.done, ())
    app.console.say(f"{counted(len(finished), 'revision')} {verb}." if finished else nothing, "good")


def _print(app: App, lines: Sequence[str]) -> None:
    """What is done is done: that nobody can read of it (``>&-``) makes no failure of it."""
    try:
        emit(app, {}, lines)
    except OutputLost as lost:
        app.console.warn(f"standard output cannot be written: {lost}")


def _confirm(app: App, *, yes: bool) -> Confirm:
    asked = 0

    async def confirm(losses: tuple[Loss, ...]) -> None:
        from asyncmig.cli.confirm import confirm_losses

        nonlocal asked
        asked += 1
        await confirm_losses(app.console, losses, yes=yes, halfway=asked > 1)

    return confirm
