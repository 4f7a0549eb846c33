"""``App``: what every command has at hand: the flags, the settings, the streams, and the way to the database."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.console import Console
from asyncmig.cli.loop import event_loop
from asyncmig.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncmig.cli.signals import Interrupts
    from asyncmig.migrator import Migrator
    from asyncmig.settings import Settings

__all__ = ["App", "pass_app"]


@dataclass
class App:
    """One invocation. ``flags`` holds what the shared options gave; everything else follows when asked for."""

    flags: dict[str, Any] = field(default_factory=dict)
    console: Console = field(default_factory=Console)

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


pass_app = click.make_pass_decorator(App, ensure=True)
