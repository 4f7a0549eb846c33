"""A check of a history as one test: its databases made and dropped, its verdict without a traceback."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from pymongo.errors import PyMongoError

from asyncmig.errors import AsyncmigError
from asyncmig.testing.history_checks import Documents, HistoryChecks
from asyncmig.testing.project import Project

if TYPE_CHECKING:
    from asyncmig.testing.databases import Databases

__all__ = ["plainly", "run_check"]


@contextmanager
def plainly() -> Iterator[None]:
    """A block of a fixture; what is wrong is said without a traceback through the plugin."""
    try:
        yield
    except (AsyncmigError, PyMongoError) as error:
        raise pytest.fail.Exception(_told(error), pytrace=False) from None


def _told(error: Exception) -> str:
    name = "" if isinstance(error, AsyncmigError) else f"{type(error).__name__}: "
    return "\n".join([f"{name}{error}", *getattr(error, "__notes__", ())])


def run_check(check: str, request: pytest.FixtureRequest, project: Project, documents: Documents) -> None:
    """Run one check by its name. A server is started only for those that need one."""
    if check == "models_match" and project.models is None:
        pytest.skip("no models are named: set asyncmig_models, or `models` in [tool.asyncmig]")
    names: list[str] = []
    fault = ""
    databases: Databases | None = None
    try:
        if inspect.iscoroutinefunction(getattr(HistoryChecks, check)):
            databases = _databases(request)
            databases.loop_thread.run(getattr(_history_checks(databases, project, documents, names), check))
        else:
            getattr(HistoryChecks(_none, project.migrator), check)()
    except AsyncmigError as error:
        fault = _told(error)
    finally:
        if databases is not None:
            for name in names:
                databases.drop(name)
    if fault:
        pytest.fail(fault, pytrace=False)


def _databases(request: pytest.FixtureRequest) -> Databases:
    databases: Databases = request.getfixturevalue("_asyncmig_databases")
    return databases


def _history_checks(databases: Databases, project: Project, documents: Documents, names: list[str]) -> HistoryChecks:
    def fresh() -> object:
        names.append(databases.name())
        return databases.loop_thread.database(names[-1], project.driver)

    return HistoryChecks(fresh, project.migrator, documents, project.own)


def _none() -> object:
    raise RuntimeError("this check was not to need a database")
