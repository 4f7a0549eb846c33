"""``asyncmig lint``: rules on revision files. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.failures import Answer
from asyncmig.cli.options import command
from asyncmig.printable import counted

if TYPE_CHECKING:
    from asyncmig.lint.linter import Report
    from asyncmig.lint.subject import Options
    from asyncmig.settings import Settings

__all__ = ["FOUND", "lint", "lint_document"]

FOUND = 8
"""The exit code where something was found."""


@command(
    "lint",
    examples=[
        "asyncmig lint",
        "asyncmig lint --against origin/main",
        "asyncmig lint --select L01,L02 --fail-on error",
        "asyncmig lint --format sarif > lint.sarif",
    ],
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--against", metavar="REF", help="Only what git does not have at REF, and how it fits to what it has.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default=None,
    help="What to print.  [default: text]",
)
@click.option("--select", multiple=True, metavar="CODES", help="Only these rules: L01,L05; L1 is L10 to L19.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "information"]),
    default="warning",
    show_default=True,
    help="Exit with 8 where something as bad as that is found.",
)
@pass_app
async def lint(
    app: App, files: tuple[Path, ...], *, against: str | None, shape: str | None, select: tuple[str, ...], fail_on: str
) -> None:
    """Find what is known to go wrong in revision files. Needs no database.

    FILES: revision files; all of them unless given. `# asyncmig: allow L05 (why)` on the lines of a call
    silences a rule there, `asyncmig: allow L05 (why)` in the docstring for the whole file.
    """
    from asyncmig.lint.finding import SEVERITIES

    report = await _linted(app, files, against, select)
    _print(app, report, "json" if app.json else shape or "text")
    worst = min((SEVERITIES.index(finding.severity) for finding in report.findings), default=len(SEVERITIES))
    if worst <= SEVERITIES.index(fail_on):
        raise Answer(FOUND)


async def lint_document(app: App) -> dict[str, Any]:
    """What is found in all revision files, for programs."""
    from asyncmig.lint.formats import as_document

    return as_document(await _linted(app), Path.cwd())


async def _linted(
    app: App, files: tuple[Path, ...] = (), against: str | None = None, select: tuple[str, ...] = ()
) -> Report:
    from asyncmig.cli.loop import event_loop
    from asyncmig.files.directory import Directory
    from asyncmig.lint.finding import selected
    from asyncmig.lint.linter import lint as run
    from asyncmig.lint.reference import read_reference

    app.files()
    directory = Directory(app.settings.directory)
    codes = selected(select)
    reference = read_reference(against, directory.versions) if against else None
    await event_loop()
    return await run(directory, files=files, select=codes, reference=reference, options=_options(app.settings))


def _options(settings: Settings) -> Options:
    """What the project's settings tell the rules."""
    from asyncmig.lint.subject import Options

    given = settings.models or ()
    places = given.split(",") if isinstance(given, str) else given
    models = tuple(place.strip().partition(":")[0] for place in places)
    return Options(
        max_indexes=settings.max_indexes,
        min_server=settings.min_server,
        members=settings.members,
        commit_quorum=settings.commit_quorum,
        models=tuple(name for name in models if name and not name.endswith(".json")),
    )


def _print(app: App, report: Report, shape: str) -> None:
    from asyncmig.cli.json_text import as_json
    from asyncmig.lint.formats import FORMATS, as_document

    text = as_json(as_document(report, Path.cwd())) if shape == "json" else FORMATS[shape](report, Path.cwd())
    app.console.has_answered = shape == "json"
    if text:
        app.console.out.write(text)
    for path, reason in report.not_run:
        app.console.say(f"Note: {app.shown(path)} was read, not run: {reason}", "faint")
    counts = [
        f"{count} {severity}" if severity == "information" else counted(count, severity)
        for severity in ("error", "warning", "information")
        if (count := sum(finding.severity == severity for finding in report.findings))
    ]
    silent = f", {len(report.silenced)} silenced" if report.silenced else ""
    app.console.say(f"{counted(report.files, 'file')}: {', '.join(counts) or 'nothing found'}{silent}.")
