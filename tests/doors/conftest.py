"""For the tests of the doors: a history on disk, and no settings of the developer's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .history_files import History


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("ASYNCMIG_")]:
        if name not in ("ASYNCMIG_MONGOD", "ASYNCMIG_TEST_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("asyncmig.application.startup._other_masters", lambda: ())  # the models of other tests


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Two revisions in ``tmp_path/migrations``, which is where the settings look."""
    history = History(tmp_path / "migrations")
    history.add("a001", 'await env.create_collection("one")', 'await env.drop_collection("one")')
    history.add("a002", 'await env.create_collection("two")', 'await env.drop_collection("two")')
    return history
