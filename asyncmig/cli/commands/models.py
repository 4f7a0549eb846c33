"""``asyncmig models export``: the models as one JSON document, or the file that writes it in another Python."""

from __future__ import annotations

import sys

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.options import command
from asyncmig.cli.output import emit

__all__ = ["models"]


@command(
    "models",
    examples=[
        "asyncmig models export > models.json",
        "asyncmig models export --script | ../other/.venv/bin/python - app.models > models.json",
        "asyncmig diff --models models.json",
    ],
)
@click.argument("action", type=click.Choice(["export"]))
@click.option("--script", is_flag=True, help="Print a file that does it in another Python, 3.8 or later.")
@pass_app
async def models(app: App, action: str, *, script: bool) -> None:
    """Print the models as one JSON document (export), which `--models FILE.json` reads.

    Models whose Python or driver asyncmig cannot share are read by a single file without
    dependencies: copy it into the project, or pipe it into the project's own interpreter.
    """
    if script:
        from asyncmig.sources.script import script_source

        if app.json:
            emit(app, {"script": script_source()}, ())
        else:
            app.console.out.write(script_source(), end="")
        return
    wanted = app.settings.needed_models()
    if str(app.settings.root) not in sys.path:
        sys.path.insert(0, str(app.settings.root))
    from asyncmig.sources.export import export_models

    exported = export_models(wanted)
    app.console.has_answered = True
    app.console.out.write(exported)
