"""The options that every command shares, accepted before the command's name and after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import asyncclick as click

from asyncmig.cli.app import App

__all__ = ["Command", "command", "lock_timeout", "revision_argument", "shared_options"]

_STEPS_BACK = re.compile(r"-\d+(:.*)?")


_SHOW = "To see what a run would do, with every operation: --plan"
_RECORD = "To record revisions as applied without running them: asyncmig stamp TARGET"
_INSTEAD = {
    "--check": "To compare without running anything: asyncmig check",
    "--dry": _SHOW,
    "--dry-run": _SHOW,
    "--dryrun": _SHOW,
    "--fake": _RECORD,
    "--fake-initial": _RECORD,
    "--noinput": "To answer every question beforehand: --yes",
    "--no-input": "To answer every question beforehand: --yes",
    "--pretend": _SHOW,
    "--sql": _SHOW,
    "--uri": "The address of the server: --url",
}
"""What other tools call it."""


def shared_options(*, hidden: bool = False) -> list[click.Parameter]:
    """Fresh instances of the shared options; each leaves what it was given with the ``App``."""

    def option(*names: str, **settings: Any) -> click.Option:
        return click.Option(names, expose_value=False, hidden=hidden, callback=_keep, **settings)

    return [
        option("--config", metavar="FILE", help="Configuration file, instead of the one found upwards from here."),
        option("--url", metavar="URL", help="MongoDB URL, or 'embedded:[PATH]' for a server of its own."),
        option("--database", metavar="NAME", help="Database, where the URL names none."),
        option("--directory", metavar="DIR", help="Folder of the migrations.  [default: migrations]"),
        option("--models", metavar="MODULE:NAME", help="Where the models are."),
        option("--driver", type=click.Choice(["motor", "pymongo"]), help="Driver to use.  [default: motor]"),
        option("--json", is_flag=True, default=None, help="One JSON document on stdout."),
        option("-v", "--verbose", is_flag=True, default=None, help="Tracebacks, and what happens in detail."),
    ]


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name is not None:
        ctx.ensure_object(App).flags[param.name] = value


class Command(click.Command):
    """A command that takes the shared options too, shows examples, and reads ``-1`` as a target."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self._shared = shared_options(hidden=True)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and the shared ones."""
        return [*super().get_params(ctx), *self._shared]

    async def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with steps back such as ``-1`` kept from being taken for options."""
        try:
            return await super().parse_args(ctx, self._steps_back_last(ctx, args))
        except click.NoSuchOption as error:
            if instead := _INSTEAD.get(error.option_name):
                message = f"No such option: {error.option_name}. {instead}"
                raise click.NoSuchOption(error.option_name, message, ctx=error.ctx) from None
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and where the shared options are listed."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        formatter.write_paragraph()
        formatter.write_text("--url, --database, --json and the other shared options: asyncmig --help")

    def _steps_back_last(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {
            name
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        words = args[: args.index("--")] if "--" in args else args
        steps = [
            place
            for place, word in enumerate(words)
            if _STEPS_BACK.fullmatch(word) and (place == 0 or words[place - 1] not in valued)
        ]
        others = [word for place, word in enumerate(words) if place not in steps]
        return [*others, "--", *(words[place] for place in steps), *args[len(words) + 1 :]] if steps else args


def command(name: str, *, examples: Sequence[str] = ()) -> Callable[[Callable[..., Any]], Command]:
    """Make a ``Command`` of an async function."""
    return click.command(name, cls=Command, examples=examples)


def revision_argument(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """An argument that names a revision, or a target; shells complete it from the files."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from asyncmig.cli.completion import targets

        return targets(ctx, incomplete)

    return click.argument(name, shell_complete=complete, **settings)


def lock_timeout(function: Callable[..., Any]) -> Any:
    """The option of all commands that take the lock."""
    option = click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to wait for the lock; 0 asks once.  [default: 60, or the setting]",
    )
    return option(function)
