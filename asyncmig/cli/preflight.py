"""What ``--preflight`` prints: the plan, and below each operation what it will meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from asyncmig.cli.app import App
from asyncmig.cli.console import Stream, Style
from asyncmig.cli.failures import Answer
from asyncmig.cli.history import revision_document, revision_line
from asyncmig.cli.output import emit, operation_document, operation_line
from asyncmig.printable import one_line

if TYPE_CHECKING:
    from asyncmig.preflight.probe import Check, Level, Preflight, Probe

__all__ = ["FOUND", "preflight_document", "probe_lines", "show_preflight"]

FOUND: Final = 8
"""The exit code where something was found that ``--fail-on`` names."""
_SIGNS: Final[dict[Level, tuple[str, Style]]] = {
    "problem": ("✗", "bad"),
    "warning": ("!", "warn"),
    "unknown": ("?", "warn"),
    "note": ("~", "faint"),
}

_FAILING: Final[dict[str, tuple[Level, ...]]] = {"problem": ("problem",), "warning": ("problem", "warning")}
_COUNTED: Final[tuple[tuple[Level, str], ...]] = (
    ("problem", "problem"),
    ("warning", "warning"),
    ("unknown", "open question"),
)


def show_preflight(app: App, preflight: Preflight, fail_on: str | None) -> None:
    """Print it; leave with 8 where it has what ``fail_on`` names, ``problem`` or ``warning``."""
    out = app.console.out
    emit(app, preflight_document(app, preflight), (line for step in preflight.steps for line in _lines(out, step)))
    app.console.say(_summary(preflight))
    failing = _FAILING.get(fail_on or "", ())
    if any(preflight.count(level) for level in failing) or (failing and any(step.error for step in preflight.steps)):
        raise Answer(FOUND)


def probe_lines(out: Stream, probes: Sequence[Probe]) -> Iterator[str]:
    """A line for each probe, indented below its operation."""
    for probe in probes:
        sign, style = _SIGNS[probe.level]
        yield f"    {out.paint(f'{sign} {one_line(probe.text)}', style)}  {out.paint(f'[{probe.code}]', 'faint')}"
        for group in probe.figures.get("all", ()):
            yield f"        {one_line(', '.join(map(repr, group)))}"


def _lines(out: Stream, step: Any) -> Iterator[str]:
    from asyncmig.operations import Operation

    yield revision_line(out, step.revision)
    for check in step.checks:
        action = check.action
        what = operation_line(out, action) if isinstance(action, Operation) else f"> {one_line(action.describe())}"
        yield f"  {what}"
        yield from probe_lines(out, check.probes)
    if step.error:
        yield f"  {out.paint(f'! not known from here on: {one_line(step.error)}', 'warn')}"


def _summary(preflight: Preflight) -> str:
    if not preflight.steps:
        return "Nothing to do."
    counts = [
        f"{count} {word}" + ("s" if count > 1 else "") for level, word in _COUNTED if (count := preflight.count(level))
    ]
    written = (
        "Indexes were asked by the server's dry run, and put back." if preflight.has_written else "Nothing was written."
    )
    return f"{', '.join(counts) or 'No problem foreseen'}. {written}"


def preflight_document(app: App, preflight: Preflight) -> dict[str, Any]:
    """The same for programs."""
    return {
        "direction": preflight.direction,
        "problems": preflight.count("problem"),
        "warnings": preflight.count("warning"),
        "unknown": preflight.count("unknown"),
        "written": preflight.has_written,
        "revisions": [
            {
                **revision_document(app, None, step.revision),
                "operations": [_check_document(check) for check in step.checks],
                "error": step.error,
            }
            for step in preflight.steps
        ],
    }


def _check_document(check: Check) -> dict[str, Any]:
    return operation_document(check.action) | {
        "probes": [
            {"code": probe.code, "level": probe.level, "text": probe.text, "figures": dict(probe.figures)}
            for probe in check.probes
        ]
    }
