"""``--asyncmig`` and the import: the ready-made tests by name, their verdicts, and what a project may override."""

from __future__ import annotations

import pytest

from .conftest import Run

NAMES = [
    "test_single_head",
    "test_files_import",
    "test_files_unchanged",
    "test_every_revision_upgrades",
    "test_models_match_the_migrations",
    "test_up_then_down_leaves_no_trace",
    "test_resume_after_a_failure_at_each_operation",
    "test_second_upgrade_does_nothing",
]


def test_each_is_named_in_the_report(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile("def test_own(): pass")
    result = run("--asyncmig", "-v")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines([f"asyncmig::{name} PASSED*" for name in NAMES])


def test_what_is_wrong_is_said_without_a_traceback(project: pytest.Pytester, run: Run) -> None:
    """Beside ``a001 ─ a002`` a second head, whose downgrade does more than its upgrade; and no models."""
    text = (project.path / "migrations/versions/a002_step.py").read_text()
    text = text.replace("a002", "b002")
    (project.path / "migrations/versions/b002_step.py").write_text(text)
    (project.path / "pyproject.toml").write_text("[tool.asyncmig]\n[tool.pytest.ini_options]\n")
    result = run("--asyncmig", "-rfs", "-k", "single_head or leaves_no_trace or models_match or imports")
    result.assert_outcomes(failed=2, passed=0, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "'head' needs one head, and there are 2:",
            "downgrade of b002 (coins are numbers) does not put back what was there:",
            "  wallet: document 1 has changed",
            "*no models are named: set asyncmig_models*",
        ]
    )
    for noise in ("*Traceback*", "*During handling*"):
        result.stdout.no_fnmatch_line(noise)


def test_by_import_with_overridden_fixtures(project: pytest.Pytester, run: Run) -> None:
    """The folder is renamed, and only a conftest.py below the root knows of it."""
    (project.path / "migrations").rename(project.path / "elsewhere")
    tests = project.mkdir("tests")
    (tests / "test_migrations.py").write_text("from asyncmig.testing.checks import *\n")
    (tests / "conftest.py").write_text(
        "import pathlib, pytest, models\n\n\n"
        "@pytest.fixture(scope='session')\ndef asyncmig_directory():\n"
        "    return pathlib.Path(__file__).parent.parent / 'elsewhere'\n\n\n"
        "@pytest.fixture(scope='session')\ndef asyncmig_models():\n    return models.ALL_COLLECTIONS\n\n\n"
        "@pytest.fixture(scope='session')\ndef asyncmig_documents():\n"
        "    return {'a001': {'wallet': [{'uid': 'x', 'coins': 'many'}]}}\n"
    )
    (project.path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    result = run("--asyncmig", "-v", "-k", "models_match or every_revision or up_then_down")
    result.assert_outcomes(passed=4, failed=2)  # once by the option, once by the import
    result.stdout.fnmatch_lines("*upgrade of a002*ValueError*'many'*")
