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


def test_single_head(asyncmig_trial: Run) -> None:
    """One revision is the last: two people have not both built on the same one."""
    asyncmig_trial("single_head")


def test_files_import(asyncmig_trial: Run) -> None:
    """Every revision file parses, imports, and has what a revision needs."""
    asyncmig_trial("files_import")


def test_files_unchanged(asyncmig_trial: Run) -> None:
    """No revision file was edited that the main branch has, and running them changes none."""
    asyncmig_trial("files_unchanged")


def test_every_revision_upgrades(asyncmig_trial: Run) -> None:
    """Every revision can be applied, one after the other, from an empty database."""
    asyncmig_trial("upgrade")


def test_models_match_the_migrations(asyncmig_trial: Run) -> None:
    """A migrated database is what the models declare."""
    asyncmig_trial("models_match")


def test_up_then_down_leaves_no_trace(asyncmig_trial: Run) -> None:
    """Collections, options, indexes, views and documents are as they were before."""
    asyncmig_trial("up_down")


def test_resume_after_a_failure_at_each_operation(asyncmig_trial: Run) -> None:
    """Broken off before and after each operation, and resumed, a history leads to the same database."""
    asyncmig_trial("resume")


def test_second_upgrade_does_nothing(asyncmig_trial: Run) -> None:
    """A second upgrade applies nothing and changes nothing."""
    asyncmig_trial("second_upgrade")
