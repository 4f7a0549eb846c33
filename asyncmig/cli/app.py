"""``App``: what every command has at hand: the flags, the settings, the streams, and the way to the database."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.console import Console
from asyncmig.cli.loop import event_loop
from asyncmig.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncmig.cli.signals import Interrupts
    from asyncmig.events import Listener
    from asyncmig.history import Revision
    from asyncmig.migrator import Migrator
    from asyncmig.settings import Settings

__all__ = ["App", "pass_app"]


@dataclass
class App:
    """One invocation. ``flags`` holds what the shared options gave; everything else follows when asked for."""

    flags: dict[str, Any] = field(default_factory=dict)
    console: Console = field(default_factory=Console)
    done: dict[str, Any] = field(default_factory=dict)
    """What a document is to hold even where the command fails: what it had done by then."""
    finished: list[tuple[Revision, int]] = field(default_factory=list)
    """The revisions that a run has come to the end of, each with the milliseconds that it took."""

    @property
    def json(self) -> bool:
        """Whether stdout gets one JSON document."""
        return bool(self.flags.get("json"))

    @property
    def verbose(self) -> bool:
        """Whether errors come with their traceback."""
        return bool(self.flags.get("verbose"))

    @cached_property
    def settings(self) -> Settings:
        """The project's settings; raises ConfigurationError."""
        from asyncmig.settings import load_settings

        flags = {name: value for name, value in self.flags.items() if name not in ("json", "verbose")}
        return load_settings(Path.cwd(), os.environ, flags)

    def shown(self, path: Path) -> str:
        """A path as the user would type it: from the working directory where it lies below that."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)

    def say_what_to_add(self, path: Path | None) -> None:
        """What git has still to be told of, after a conflict that a merge or a rebase of revisions has settled."""
        from asyncmig.files.published import is_in_git

        if path is not None and is_in_git(path.parent):
            head = self.shown(self.settings.directory / "HEAD")
            self.console.say(f"Still to do: git add {head} {self.shown(path)}", "faint")

    def files(self) -> Migrator:
        """The façade without a database: for what the files alone can answer."""
        from asyncmig.migrator import Migrator

        if not (self.settings.directory / "versions").is_dir():
            raise ConfigurationError(
                f"there are no migrations at {self.settings.directory}; `asyncmig init` makes the folder, "
                "--directory or the setting `directory` names another one"
            )
        self.import_from_root()
        return Migrator(directory=self.settings.directory)

    def import_from_root(self) -> None:
        """Put the project's folder on ``sys.path``: models and revision files import the application's modules."""
        if str(self.settings.root) not in sys.path:
            sys.path.insert(0, str(self.settings.root))

    @asynccontextmanager
    async def migrator(
        self,
        command: str,
        *,
        models: bool = False,
        lock_timeout: float | None = None,
        files: bool = True,
    ) -> AsyncIterator[Migrator]:
        """The façade with its database, until the block ends; SIGINT and SIGTERM stop the block in an orderly way.

        ``command`` is what others see in the lock; ``models`` and ``files`` say that the command cannot do
        without models, or without the folder of the revision files.
        """
        self._check(models, files)
        with ExitStack() as stack:
            url = self._server(stack)
            await event_loop()
            from asyncmig.cli.signals import interruptible

            async with interruptible(self.console) as interrupts, self._connected(url) as client:
                database = client[self.settings.needed_database()]
                yield self._made(database, command, lock_timeout, interrupts)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """The client alone, until the block ends: for what looks at several databases."""
        self.settings.needed_url()
        self.import_from_root()
        with ExitStack() as stack:
            url = self._server(stack)
            await event_loop()
            from asyncmig.cli.signals import interruptible

            async with interruptible(self.console), self._connected(url) as client:
                yield client

    def _check(self, models: bool, files: bool) -> None:
        """Find what is missing before anything is started or connected."""
        if files:
            self.files()
        self.import_from_root()
        self.settings.needed_url()
        self.settings.needed_database()
        self.settings.needed_context()
        if models:
            self.settings.needed_models()
        self._warn_of_variables()
        if self.verbose:
            _log_to(self.console)

    def _warn_of_variables(self) -> None:
        from asyncmig.settings import unknown_variables

        for message in unknown_variables(os.environ):
            self.console.warn(message)

    def _server(self, stack: ExitStack) -> str:
        """The URL to connect to; an embedded server is started for it, outside any event loop, and told of."""
        settings = self.settings
        url, where = settings.needed_url(), settings.safe_url or ""
        if settings.embedded:
            from asyncmig.testing.server import LocalServer

            url = where = stack.enter_context(LocalServer(settings.embedded_path)).url
        hosts = where.partition("://")[2].partition("/")[0]
        self.console.say(f"Database: {hosts}/{settings.database_name or ''}", "faint")
        return url

    @asynccontextmanager
    async def _connected(self, url: str) -> AsyncIterator[Any]:
        import anyio

        from asyncmig.drivers.connection import close, connect

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            client = await connect(url, driver=self.settings.driver)
        for warning in caught:
            self.console.warn(str(warning.message))
        try:
            yield client
        finally:
            with anyio.CancelScope(shield=True):
                await close(client)

    def _made(self, database: Any, command: str, lock_timeout: float | None, interrupts: Interrupts) -> Migrator:
        from asyncmig.migrator import Migrator

        options: dict[str, Any] = {} if lock_timeout is None else {"lock_timeout": lock_timeout}
        options |= {"on_event": self._listener(interrupts), "command": f"asyncmig {command}"}
        return Migrator.configured(database, self.settings, **options)

    def _listener(self, interrupts: Interrupts) -> Listener:
        """What shows the progress of a run; made at its first event, for most commands run nothing."""

        @cache
        def progress() -> Listener:
            from asyncmig.cli.progress import Progress

            return Progress(self.console, interrupts, self.finished)

        return lambda event: progress()(event)


pass_app: Callable[[Callable[..., Any]], Any] = click.make_pass_decorator(App, ensure=True)


def _log_to(console: Console) -> None:
    """Let asyncmig's own log go to stderr, by the door that all messages take."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.say(self.format(record), "faint")

    handler = Handler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logger = logging.getLogger("asyncmig")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
