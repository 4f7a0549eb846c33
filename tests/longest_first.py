"""The files that take longest come first: a worker that gets one of them last would keep the others waiting.

By the durations of a whole run (``--durations=0``), summed by file; a file that is not named takes less.
"""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["keep_order", "put_longest_first"]

_HERE = Path(__file__).resolve().parent
_LONGEST = (
    "authoring/test_convergence_random.py",
    "running/test_crash.py",
    "doors/test_workers.py",
    "plugin/test_modes.py",
    "example/test_wallet.py",
    "data/test_crashes.py",
    "plugin/test_loading.py",
    "running/test_contention.py",
    "plugin/test_ready_made.py",
    "running/test_elections.py",
    "example/test_demo.py",
    "running/test_faults.py",
    "data/test_killed.py",
    "example/test_wallet_api.py",
    "fields/test_law.py",
    "testing/test_server_life.py",
    "cli/test_processes.py",
    "authoring/test_convergence_indexes.py",
    "preflight/test_duplicates.py",
    "plugin/test_leftovers.py",
    "running/test_create_collections.py",
    "running/test_journal_storage.py",
    "history/test_properties.py",
    "running/test_apply.py",
    "running/test_positions.py",
    "running/test_fencing.py",
    "example/test_own_history.py",
    "lint/test_output.py",
)


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort the files; within each, nothing moves."""
    places = {_HERE / name: number for number, name in enumerate(_LONGEST)}
    assert all(path.exists() for path in places), "a file has been renamed"
    items.sort(key=lambda item: places.get(item.path, len(places)))


def keep_order(config: pytest.Config) -> None:
    """Let pytest-xdist hand out the files in this order, not by how many tests they have."""
    config.option.loadscopereorder = False
