"""What ``--plan`` prints: the revisions, and each operation that they would carry out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App
from asyncmig.cli.console import Stream
from asyncmig.cli.history import revision_document, revision_line
from asyncmig.cli.output import emit, operation_document, operation_line
from asyncmig.cli.progress import out_of_order
from asyncmig.errors import RevisionError
from asyncmig.printable import counted, one_line

if TYPE_CHECKING:
    from asyncmig.preflight.probe import CheckedRevision, Preflight
    from asyncmig.review.plan import Plan, PlannedRevision

__all__ = ["WouldStop", "show_plan"]


class WouldStop(RevisionError):
    """Raised by ``--plan`` for a revision at whose own mistake a run would stop."""

    def __init__(self, step: PlannedRevision) -> None:
        self.revision = step.revision.revision
        super().__init__(f"revision {self.revision} would stop: {one_line(f'{step.error}{step.hint}')}")


def show_plan(app: App, plan: Plan, preflight: Preflight | None = None) -> None:
    """Print it, with what was found out about its operations; leave with 1 where a revision raises."""
    out = app.console.out
    document = {
        "direction": plan.direction,
        "revisions": [_step_document(app, step) for step in plan.steps],
        "out_of_order": [revision_document(app, None, late) for late, _ in plan.out_of_order],
    }
    checked: Sequence[CheckedRevision | None] = preflight.steps if preflight else [None] * len(plan.steps)
    pairs = zip(plan.steps, checked, strict=True)
    error = next((WouldStop(step) for step in plan.steps if step.is_mistake), None)
    emit(
        app,
        document,
        (line for step, checks in pairs for line in _step_lines(out, step, checks)),
        error=error,
    )
    if plan.out_of_order:
        app.console.say(out_of_order(plan.out_of_order), "warn")
    count = sum(len(step.actions) - len(step.done) for step in plan.steps)
    what = f"{counted(len(plan.steps), 'revision')} with {counted(count, 'operation')}"
    app.console.say(f"{plan.direction} would run {what}. Nothing was written." if plan else "Nothing to do.")
    if error is not None:
        raise error


def _step_lines(out: Stream, step: PlannedRevision, checked: CheckedRevision | None) -> Iterator[str]:
    from asyncmig.cli.preflight import probe_lines
    from asyncmig.operations import Operation

    yield revision_line(out, step.revision)
    for place, action in enumerate(step.actions):
        done = f"  {out.paint('done before', 'faint')}" if place in step.done else ""
        what = operation_line(out, action) if isinstance(action, Operation) else f"> {one_line(action.describe())}"
        yield f"  {what}{done}"
        if writes := _own_writes(action):
            warning = (
                f"its function also writes by itself ({', '.join(writes)}): in no journal, not counted, not resumed"
            )
            yield f"      {out.paint(warning, 'warn')}"
        if place in step.losses:
            yield f"      {out.paint(one_line(f'loses data: {step.losses[place]}'), 'bad')}"
        for change in step.changes.get(place, ()):
            yield f"      {out.paint(one_line(str(change)), 'faint')}"
        if checked is not None:
            yield from probe_lines(out, [probe for probe in checked.checks[place].probes if probe.code != "P00"])
    if not step.actions and not step.error:
        yield "  (no operations)"
    if step.error:
        what = "it raises" if step.is_mistake else "not known from here on"
        text = f"! {what}: {step.error}{step.hint if step.is_mistake else ''}"
        yield f"  {out.paint(one_line(text), 'bad' if step.is_mistake else 'warn')}"


def _own_writes(action: object) -> tuple[str, ...]:
    """What the function of a transform writes besides what it returns."""
    from asyncmig.review.own_writes import own_writes

    function = getattr(action, "function", None)
    return own_writes(function) if callable(function) else ()


def _step_document(app: App, step: PlannedRevision) -> dict[str, Any]:
    return revision_document(app, None, step.revision) | {
        "operations": [
            operation_document(action)
            | ({"done": True} if place in step.done else {})
            | ({"own_writes": writes} if (writes := _own_writes(action)) else {})
            | ({"loses": step.losses[place]} if place in step.losses else {})
            | ({"changes": [change.document for change in step.changes[place]]} if place in step.changes else {})
            for place, action in enumerate(step.actions)
        ],
        "error": step.error,
        "hint": step.hint.strip(" ;") or None,
    }
