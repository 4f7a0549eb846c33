"""``asyncmig report``: one file to look at: where a database stands, what is pending, and what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.json_text import as_json
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.errors import ConfigurationError

__all__ = ["report"]

_FILE = "report.html"


@command(
    "report",
    examples=[
        "asyncmig report --out report.html",
        "asyncmig report --markdown >> $GITHUB_STEP_SUMMARY",
        "asyncmig report --json > report.json",
        "asyncmig report --from report.json --out report.html",
    ],
)
@click.option("--out", metavar="FILE", help=f"Where to write it; - is stdout.  [default: {_FILE}; Markdown: stdout]")
@click.option("--markdown", is_flag=True, help="Markdown instead of HTML, for a job's summary or a comment.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="FILE",
    help="Make it of what --json has printed: of report, status, lint, diff, graph or upgrade --preflight.",
)
@pass_app
async def report(app: App, *, out: str | None, markdown: bool, sources: tuple[str, ...]) -> None:
    """Write one file to look at, which needs neither network nor scripts, and holds no document's contents.

    State, pending revisions and what they will meet, differences, findings of lint, the graph, collections with
    sizes and the uses of their indexes, the history. Reads alone: what the user may not ask for is named. Without a
    url it is about the files; with --from it asks neither files nor database. --from may be repeated.
    """
    if sources:
        document = _read(sources)
    else:
        from asyncmig.cli.commands.report_gathering import gather
        from asyncmig.cli.loop import event_loop

        await event_loop()
        document = await gather(app)
    if not (app.json and out is None):
        _write(app, _rendered(document, markdown=markdown), out or ("-" if markdown else _FILE))
    if app.json:
        emit(app, document, ())


def _rendered(document: dict[str, Any], *, markdown: bool) -> str:
    import json

    plain = json.loads(as_json(document))  # times as text: the same page as from a file
    if markdown:
        from asyncmig.report.markdown import as_markdown

        return as_markdown(plain)
    from asyncmig.report.html_page import as_html

    return as_html(plain)


def _write(app: App, text: str, out: str) -> None:
    if out == "-":
        if app.json:
            raise click.UsageError("--json prints its document on stdout: write the report to a file, --out FILE.")
        app.console.out.write(text, end="")
        return
    from asyncmig.files.atomic import replace_file

    try:
        replace_file(Path(out), text)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from error
    app.console.say(f"Wrote {out}", "good")


def _read(sources: tuple[str, ...]) -> dict[str, Any]:
    """The documents of these files as one. Raises ConfigurationError for one that no report can be made of."""
    from asyncmig.report.documents import joined

    return joined(_document(source) for source in sources)


def _document(source: str) -> Any:
    import json

    from asyncmig.cli.json_schemas import DOCUMENTS
    from asyncmig.cli.json_schemas.checking import faults
    from asyncmig.report.documents import COMMANDS_OF, part_of

    try:
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{source} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{source} is not JSON: {error}") from error
    part = part_of(document)
    if part is None:
        raise ConfigurationError(
            f"{source} is nothing that a report is made of; that is what --json prints of report, status, lint, diff, "
            "graph, and of upgrade --plan or --preflight"
        )
    shapes = [shape for command in COMMANDS_OF[part] for shape in DOCUMENTS[command]]
    problems = list(faults(document, {"anyOf": shapes}))
    if problems:
        raise ConfigurationError(f"{source}: {'; '.join(problems[:3])}")
    return document
