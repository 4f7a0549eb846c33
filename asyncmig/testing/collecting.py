"""``pytest --asyncmig``: the ready-made tests beside those of the project."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

__all__ = ["ready_made"]

_CHECKS = "asyncmig.testing.checks"


class Checks(pytest.Module):
    """The module of the ready-made tests, under a short name and as a neighbour of the project's tests."""

    def _getobj(self) -> ModuleType:
        return import_module(_CHECKS)


def ready_made(session: pytest.Session, items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The ready-made tests, where fixtures of the conftest.py that all ``items`` share are in force."""
    path = Path(str(import_module(_CHECKS).__file__))
    checks = Checks.from_parent(_home(session, items), path=path, name="asyncmig", nodeid="asyncmig")
    return [item for item in session.genitems(checks) if isinstance(item, pytest.Item)]


def _home(session: pytest.Session, items: Sequence[pytest.Item]) -> pytest.Collector:
    """The folder that all tests are in; the session where there are none."""
    shared: list[pytest.Collector] | None = None
    for item in items:
        chain = item.listchain()
        folders: list[pytest.Collector] = [n for n in chain if isinstance(n, pytest.Session | pytest.Directory)]
        shared = folders if shared is None else [node for node in shared if node in folders]
    return shared[-1] if shared else session
