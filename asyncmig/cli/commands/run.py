"""``asyncmig upgrade`` and ``asyncmig downgrade``: run revisions, or show what would run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.console import Stream
from asyncmig.cli.history import revision_line
from asyncmig.cli.options import command, lock_timeout, revision_argument
from asyncmig.cli.output import emit, operation_document, operation_line
from asyncmig.cli.progress import out_of_order
from asyncmig.printable import one_line

if TYPE_CHECKING:
    from asyncmig.events import Direction
    from asyncmig.history import Revision
    from asyncmig.migrator import Confirm
    from asyncmig.review.loss import Loss
    from asyncmig.review.plan import Plan, PlannedRevision


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        lock_timeout,
        click.option("-y", "--yes", is_flag=True, help="Run steps that lose data without asking."),
        click.option("--plan", is_flag=True, help="Show what would run, with every operation, and write nothing."),
    ):
        function = option(function)
    return function


@command("upgrade", examples=["asyncmig upgrade", "asyncmig upgrade --plan", "asyncmig upgrade +1"])
@revision_argument("target", default="head")
@_run_options
@click.option(
    "--strict-order/--no-strict-order",
    default=None,
    help="Refuse to run a revision that is older than an applied one.  [default: the setting, or no]",
)
@pass_app
async def upgrade(
    app: App, target: str, *, plan: bool, yes: bool, lock_timeout: float | None, strict_order: bool | None
) -> None:
    """Apply the revisions up to TARGET, which is head unless given.

    TARGET: head, heads, +N, an id or the beginning of one, ID+N, LABEL@head, LABEL@+N.

    A revision that is older than an applied one (it came in later, by a merge) is run too, and said so.
    """
    async with app.migrator(f"upgrade {target}", lock_timeout=lock_timeout) as migrator:
        if plan:
            _show_plan(app, await migrator.plan(target, strict_order=strict_order))
            return
        done = await migrator.upgrade(target, strict_order=strict_order, confirm=_confirm(app, yes=yes))
    _tell(app, "upgrade", target, done)


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
    app: App, target: str, *, plan: bool, yes: bool, lock_timeout: float | None, from_ledger: bool
) -> None:
    """Revert the revisions above TARGET, which itself stays.

    TARGET: -N, base, an id or the beginning of one, ID-N, LABEL@base, LABEL@-N.

    Of a database that is ahead of the files --from-ledger reverts what they do not have: it runs the
    source that was kept in the database, which has to be trusted as the files are.
    """
    async with app.migrator(f"downgrade {target}", lock_timeout=lock_timeout) as migrator:
        if plan:
            _show_plan(app, await migrator.plan(target, direction="downgrade", from_ledger=from_ledger))
            return
        done = await migrator.downgrade(target, confirm=_confirm(app, yes=yes), from_ledger=from_ledger)
    _tell(app, "downgrade", target, done)


def _tell(app: App, direction: Direction, target: str, done: Sequence[Revision]) -> None:
    emit(app, {"direction": direction, "revisions": [one.revision for one in done]}, ())
    verb = "applied" if direction == "upgrade" else "reverted"
    app.console.say(
        f"{len(done)} revision(s) {verb}." if done else f"Nothing to do: the database is at {target} already.", "good"
    )


def _confirm(app: App, *, yes: bool) -> Confirm:
    async def confirm(losses: tuple[Loss, ...]) -> None:
        from asyncmig.cli.confirm import confirm_losses

        await confirm_losses(app.console, losses, yes=yes)

    return confirm


def _show_plan(app: App, plan: Plan) -> None:
    out = app.console.out
    document = {
        "direction": plan.direction,
        "revisions": [_step_document(step) for step in plan.steps],
        "out_of_order": [late.revision for late, _ in plan.out_of_order],
    }
    emit(app, document, (line for step in plan.steps for line in _step_lines(out, step)))
    if plan.out_of_order:
        app.console.say(out_of_order(plan.out_of_order), "warn")
    count = sum(len(step.actions) - len(step.done) for step in plan.steps)
    app.console.say(
        f"{plan.direction} would run {len(plan.steps)} revision(s) with {count} operation(s). Nothing was written."
        if plan
        else "Nothing to do."
    )


def _step_lines(out: Stream, step: PlannedRevision) -> Iterator[str]:
    from asyncmig.operations import Operation

    yield revision_line(out, step.revision)
    for place, action in enumerate(step.actions):
        done = f"  {out.paint('done before', 'faint')}" if place in step.done else ""
        what = operation_line(out, action) if isinstance(action, Operation) else f"> {one_line(action.describe())}"
        yield f"  {what}{done}"
    if not step.actions and not step.error:
        yield "  (no operations)"
    if step.error:
        yield f"  {out.paint(f'! not known from here on: {step.error}', 'warn')}"


def _step_document(step: PlannedRevision) -> dict[str, Any]:
    from asyncmig.operations import Operation

    return {
        "revision": step.revision.revision,
        "message": step.revision.message,
        "operations": [
            operation_document(action) | ({"done": True} if place in step.done else {})
            if isinstance(action, Operation)
            else {"operation": "RawCall", "description": action.describe()}
            for place, action in enumerate(step.actions)
        ],
        "error": step.error,
    }
