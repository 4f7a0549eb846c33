"""``Databases``: where the databases of a test session are made and dropped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from asyncmig.drivers import driver_for
from asyncmig.drivers.explain import explaining
from asyncmig.testing.loop_thread import LoopThread
from asyncmig.testing.project import Project
from asyncmig.testing.server import ServerFailed
from asyncmig.testing.template import Template
from asyncmig.testing.url import ServerUrl

__all__ = ["Databases"]


class Databases:
    """Databases on the server at ``url``, until the block ends. ``worker`` is a part of their names."""

    def __init__(self, url: str, options: Mapping[str, Any], worker: str) -> None:
        self.loop_thread = LoopThread(url, options)
        self._url = url
        self._worker = worker
        self._templates: dict[tuple[Any, ...], Template] = {}
        self._names: list[str] = []

    def __enter__(self) -> Self:
        self.loop_thread.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for name in self._names[:]:
                self.drop(name)
        finally:
            self.loop_thread.__exit__(kind, error, traceback)

    def open(self) -> None:
        """See whether the server answers, once for all tests. Raises DriverError, ServerUnreachable above all."""
        self.loop_thread.run(self._ask)

    async def _ask(self) -> None:
        database = self.loop_thread.database("admin")
        with explaining(driver_for(database), "looking for it before the tests"):
            await database.command("ping")

    def _is_there(self) -> bool:
        """Whether the server can still be asked for anything, as far as we know."""
        with suppress(ServerFailed):
            if isinstance(self._url, ServerUrl):
                self._url.require()
            return True
        return False

    def name(self) -> str:
        """The name of a database that there is not yet; unless dropped before, it is at the end."""
        self._names.append(f"test_{self._worker}_{uuid4().hex[:12]}")
        return self._names[-1]

    def drop(self, name: str) -> None:
        """Drop a database of ours; nothing is to be done where the server itself is gone."""
        self._names.remove(name)
        if self._is_there():
            self.loop_thread.drop(name)

    def migrated(self, project: Project) -> str:
        """The name of a database at the heads of a project, as if its revisions had just run."""
        if project.key not in self._templates:
            self._templates[project.key] = Template(
                lambda: self.loop_thread.database(self.name(), project.driver),
                lambda database: project.migrator(database).upgrade("heads"),
                self.loop_thread.retry_ending_transactions,
            )
        return self.loop_thread.run(self._templates[project.key].ready)
