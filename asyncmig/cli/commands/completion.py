"""``asyncmig completion``: the script that completes commands, options and revisions in a shell."""

from __future__ import annotations

import asyncclick as click
from asyncclick.shell_completion import get_completion_class

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.options import command
from asyncmig.cli.output import emit

_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/asyncmig",
    "zsh": "~/.zfunc/_asyncmig, a folder that fpath names",
    "fish": "~/.config/fish/completions/asyncmig.fish",
}


@command(
    "completion",
    examples=[
        "asyncmig completion bash > ~/.local/share/bash-completion/completions/asyncmig",
        "asyncmig completion zsh > ~/.zfunc/_asyncmig",
        "asyncmig completion fish > ~/.config/fish/completions/asyncmig.fish",
    ],
)
@click.argument("shell", type=click.Choice(sorted(_PLACES)))
@click.pass_context
@pass_app
async def completion(app: App, ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL: bash (4.4 or later), zsh or fish."""
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - the choices are those that there are
    source = made.source_template % made(ctx.find_root().command, {}, "asyncmig", "_ASYNCMIG_COMPLETE").source_vars()
    emit(app, {"shell": shell, "script": source}, [source.strip()])
    if app.console.out.terminal:
        app.console.say(f"Write it to {_PLACES[shell]}, and start a new shell.", "faint")
