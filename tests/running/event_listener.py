"""``Heard``: the commands that a client sends, to count round trips."""

from __future__ import annotations

from pymongo import monitoring


class Heard(monitoring.CommandListener):
    """The names of the commands, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...
