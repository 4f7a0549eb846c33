"""``asyncmig fields``: what the documents hold, against the models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.failures import Answer
from asyncmig.cli.options import command
from asyncmig.cli.output import emit, table
from asyncmig.errors import ConfigurationError, SchemaDiffers
from asyncmig.printable import counted, plural

if TYPE_CHECKING:
    from asyncmig.cli.console import Stream, Style
    from asyncmig.profiling.findings import Finding
    from asyncmig.profiling.profile import PathProfile, Profile
    from asyncmig.profiling.survey import Report


@command(
    "fields",
    examples=[
        "asyncmig fields",
        "asyncmig fields orders --sample 10000 --paths",
        "asyncmig fields --check --budget 60",
    ],
)
@click.argument("collections", nargs=-1)
@click.option("--sample", type=click.IntRange(min=1), default=2000, help="Documents to read of each.  [default: 2000]")
@click.option("--scan", is_flag=True, help="Read all documents, in the order of _id.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="With --scan: documents a second."
)
@click.option("--budget", type=click.FloatRange(min=0), metavar="SECONDS", help="End with what there is by then.")
@click.option("--check", is_flag=True, help="Count what breaks the models; exit with 3 where there is any.")
@click.option("--paths", is_flag=True, help="List every path, with its types.")
@click.option("--examples", is_flag=True, help="Show values, too; they may be personal data.")
@click.option("--by", metavar="FIELD", help="The date field that tells when a document was made.  [default: _id]")
@click.option("--secondary", is_flag=True, help="Read from a secondary where there is one.")
@pass_app
async def fields(
    app: App, collections: tuple[str, ...], *, check: bool, paths: bool, rate: float | None, scan: bool, **how: Any
) -> None:
    """Tell what the documents of COLLECTIONS hold (all, unless named), and where that is not what the models say."""
    from asyncmig.profiling.reading import Reading

    if rate is not None and not scan:
        raise click.UsageError("--rate goes with --scan.")
    reading = Reading(scan=scan, rate=rate, **how)
    async with app.migrator("fields", files=False) as migrator:
        reports = await migrator.fields(collections, reading, count=check, on_progress=_Progress(app))
    emit(app, {"collections": [_document(report) for report in reports]}, _lines(app.console.out, reports, paths))
    if check and not any(report.is_declared for report in reports):
        raise ConfigurationError(
            "--check compares documents with models, and no model says what the fields of these collections are; "
            "name the models with --models, or in the setting `models`"
        )
    _tell_unknown(app, reports)
    if check and any(report.breaks for report in reports):
        raise Answer(SchemaDiffers.exit_code)


class _Progress:
    """Tells of a reading that takes its time."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, collection: str, done: int, total: int) -> None:
        if total > 10_000:
            self._app.console.begin(f"  {collection}: {done:,} of about {total:,} documents ...")


def _tell_unknown(app: App, reports: Iterable[Report]) -> None:
    unknown = [report.profile.collection for report in reports if not report.is_declared]
    if unknown:
        some = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        app.console.say(f"No model says what the documents hold: {some}", "faint")


def _lines(out: Stream, reports: Iterable[Report], paths: bool) -> Iterator[str]:
    for report in reports:
        yield _heading(out, report)
        for number, finding in enumerate(report.findings, 1):
            yield from _finding_lines(out, number, finding)
        if paths:
            yield from _path_lines(out, report.profile)


def _heading(out: Stream, report: Report) -> str:
    profile = report.profile
    facts = [
        f"{profile.documents:,} {plural(profile.documents, 'document')}"
        if profile.is_whole
        else f"~{profile.total:,} documents, {_read(profile)}"
    ]
    if profile.rarest:
        facts.append(f"paths in less than {profile.rarest * 100:.2g} % may not be seen")
    facts.append(counted(len(profile.paths), "path"))
    facts.append(counted(len(report.findings), "finding"))
    if report.breaking is not None:
        facts.append(f"{report.breaking:,} break the models")
    if profile.truncated:
        facts.append("more paths than were followed")
    if profile.stopped:
        facts.append("ended by the budget")
    return f"{out.paint(profile.collection, 'strong')}  {', '.join(facts)}"


def _read(profile: Profile) -> str:
    if profile.error is None:
        return f"the first {profile.documents:,} by _id read"
    return f"{profile.documents:,} sampled (±{profile.error * 100:.1f} % at 95 %)"


def _finding_lines(out: Stream, number: int, finding: Finding) -> Iterator[str]:
    style: Style = "bad" if finding.breaks else "warn" if finding.kind in ("rename", "mixed") else "faint"
    yield f"  F{number} {out.paint(f'{finding.kind:<10}', style)} {finding.path}  {finding.text}"
    if finding.suggest:
        yield f"     {out.paint(f'suggest: {finding.suggest}', 'faint')}"


def _path_lines(out: Stream, profile: Profile) -> Iterator[str]:
    from asyncmig.profiling.findings import percent

    rows = [
        (
            path.path,
            percent(path.share),
            ", ".join(f"{kind} {number:,}" for kind, number in path.types.most_common()),
            _more(path),
        )
        for path in profile.paths.values()
    ]
    for line in table(out, {"path": "id", "present": None, "types": None, "": "faint"}, rows):
        yield f"  {line}"


def _more(path: PathProfile) -> str:
    facts = []
    if path.lengths:
        facts.append(f"{path.lengths.least} to {path.lengths.most} elements")
    if path.examples:
        facts.append(f"such as {', '.join(map(repr, path.examples))}")
    return "; ".join(facts)


def _document(report: Report) -> dict[str, Any]:
    profile = report.profile
    return {
        "collection": profile.collection,
        "documents": profile.documents,
        "total": profile.total,
        "is_whole": profile.is_whole,
        "margin": profile.error,
        "rarest": profile.rarest,
        "truncated": profile.truncated,
        "stopped": profile.stopped,
        "seconds": profile.seconds,
        "is_declared": report.is_declared,
        "breaking": report.breaking,
        "findings": [{**asdict(finding), "breaks": finding.breaks} for finding in report.findings],
        "paths": [_path_document(path) for path in profile.paths.values()],
    }


def _path_document(path: PathProfile) -> dict[str, Any]:
    lengths = path.lengths
    return {
        "path": path.path,
        "types": dict(path.types.most_common()),
        "count": path.count,
        "documents": path.documents,
        "holders": path.holders,
        "share": path.share,
        "first_seen": path.first_seen,
        "last_seen": path.last_seen,
        "is_enumeration": path.is_enumeration,
        **({"lengths": {"min": lengths.least, "max": lengths.most, "total": lengths.total}} if lengths else {}),
        **({"examples": path.examples} if path.examples else {}),
    }
