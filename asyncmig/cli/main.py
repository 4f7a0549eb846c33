"""The ``asyncmig`` command: parses, runs one command, and turns whatever happens into an exit code."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any

import asyncclick as click

import asyncmig
from asyncmig.cli.app import App
from asyncmig.cli.console import Console, open_closed_streams
from asyncmig.cli.failures import report
from asyncmig.cli.group import LazyGroup
from asyncmig.cli.loop import run
from asyncmig.cli.options import shared_options
from asyncmig.errors import AsyncmigError

__all__ = ["cli", "main"]


class Root(LazyGroup):
    """The whole command line; its ``main`` never raises on a fault but answers with the exit code."""

    async def main(  # type: ignore[override] # one signature for asyncclick's two overloads
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> int:
        """Run one command line. Exits the process with its code where ``standalone_mode``, else returns it."""
        app = extra.setdefault("obj", App())
        words = sys.argv[1:] if args is None else args
        try:
            code = await super().main(args, prog_name or "asyncmig", standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost door: nothing gets past it
            code = report(error, app.console, verbose=app.verbose, json=app.json or _asks_json(words), done=app.done)
        if standalone_mode:
            sys.exit(code or 0)
        return code or 0


cli = Root(
    name="asyncmig",
    help="Schema and data migrations for MongoDB.",
    epilog="Settings come from [tool.asyncmig] in pyproject.toml, ASYNCMIG_* variables and the options above.",
    params=shared_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
click.version_option(asyncmig.__version__, message="asyncmig %(version)s")(cli)


def _asks_json(words: Sequence[str]) -> bool:
    """Whether a command line says ``--json``: one that cannot be read has not come to that option."""
    return "--json" in itertools.takewhile(lambda word: word != "--", words)


def main() -> None:
    """The entry point of the console script and of ``python -m asyncmig``."""
    open_closed_streams()
    gc.set_threshold(20_000)  # what is imported lives on; to search it for garbage takes 8 % of a start
    if isinstance(sys.stdout, TextIOWrapper):  # stderr is so by itself: what it cannot show, it shows escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run(cli.main(standalone_mode=False))
    except (AsyncmigError, KeyboardInterrupt) as error:  # in the moments when the loop starts or ends, or is stopped
        code = report(error, Console(), verbose=False, json=_asks_json(sys.argv[1:]))
    sys.exit(code)
