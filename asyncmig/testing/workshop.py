"""``Workshop``: where the databases of a test session are made and dropped."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from asyncmig.testing.backstage import Backstage
from asyncmig.testing.project import Project
from asyncmig.testing.template import Template

__all__ = ["Workshop"]


class Workshop:
    """Databases on the server at ``url``, until the block ends. ``worker`` is a part of their names."""

    def __init__(self, url: str, options: Mapping[str, Any], worker: str) -> None:
        self.backstage = Backstage(url, options)
        self._worker = worker
        self._templates: dict[tuple[Any, ...], Template] = {}
        self._names: list[str] = []

    def __enter__(self) -> Self:
        self.backstage.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for name in self._names[:]:
                self.drop(name)
        finally:
            self.backstage.__exit__(kind, error, traceback)

    def name(self) -> str:
        """The name of a database that there is not yet; unless dropped before, it is at the end."""
        self._names.append(f"test_{self._worker}_{uuid4().hex[:12]}")
        return self._names[-1]

    def drop(self, name: str) -> None:
        """Drop a database of ours."""
        self._names.remove(name)
        self.backstage.drop(name)

    def migrated(self, project: Project) -> str:
        """The name of a database at the heads of a project, as if its revisions had just run."""
        if project.key not in self._templates:
            self._templates[project.key] = Template(
                lambda: self.backstage.database(self.name(), project.driver),
                lambda database: project.migrator(database).upgrade("heads"),
            )
        return self.backstage.run(self._templates[project.key].ready)
