"""``Heard``: the commands that a client sends, to count round trips, and to look at what the server gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import monitoring


class Heard(monitoring.CommandListener):
    """The commands, in order: their names, and what was sent."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.commands: list[Mapping[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)
        self.commands.append(dict(event.command))

    def clear(self) -> None:
        """Forget what was heard."""
        self.names.clear()
        self.commands.clear()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...
