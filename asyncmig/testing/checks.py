"""Ready-made tests of a history: collected by ``pytest --asyncmig``, or ``from asyncmig.testing.checks import *``.

Each works on databases of its own, on a loop of its own: no plugin for async tests is needed.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = [
    "test_every_revision_upgrades",
    "test_files_import",
    "test_files_unchanged",
    "test_models_match_the_migrations",
    "test_resume_after_a_failure_at_each_operation",
    "test_second_upgrade_does_nothing",
    "test_single_head",
    "test_up_then_down_leaves_no_trace",
]

Run = Callable[[str], None]


def test_single_head(asyncmig_history_checks: Run) -> None:
    """One revision is the last: two people have not both built on the same one."""
    asyncmig_history_checks("single_head")


def test_files_import(asyncmig_history_checks: Run) -> None:
    """Every revision file parses, imports, and has what a revision needs."""
    asyncmig_history_checks("files_import")


def test_files_unchanged(asyncmig_history_checks: Run) -> None:
    """No revision file was edited that the main branch has, and running them changes none."""
    asyncmig_history_checks("files_unchanged")


def test_every_revision_upgrades(asyncmig_history_checks: Run) -> None:
    """Every revision can be applied, one after the other, from an empty database."""
    asyncmig_history_checks("upgrade")


def test_models_match_the_migrations(asyncmig_history_checks: Run) -> None:
    """A migrated database is what the models declare."""
    asyncmig_history_checks("models_match")


def test_up_then_down_leaves_no_trace(asyncmig_history_checks: Run) -> None:
    """Collections, options, indexes, views and documents are as they were before."""
    asyncmig_history_checks("up_down")


def test_resume_after_a_failure_at_each_operation(asyncmig_history_checks: Run) -> None:
    """Broken off before and after each operation, and resumed, a history leads to the same database."""
    asyncmig_history_checks("resume")


def test_second_upgrade_does_nothing(asyncmig_history_checks: Run) -> None:
    """A second upgrade applies nothing and changes nothing."""
    asyncmig_history_checks("second_upgrade")
