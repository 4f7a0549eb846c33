"""What the scripts say of an environment that they cannot make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def bash(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The code, with the functions of ``scripts/_environment`` at hand."""
    environment = {"PATH": "/usr/bin:/bin", "ASYNCMIG_VENV": "/nowhere", **environment}
    return subprocess.run(
        ["bash", "-euc", f'source "$0"\n{code}', str(ROOT / "scripts" / "_environment")],
        capture_output=True,
        text=True,
        env=environment,
    )


def program(place: Path, code: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/bash\n{code}\n")
    place.chmod(0o755)
    return place


def test_a_python_whose_path_has_a_space(tmp_path: Path) -> None:
    python = program(tmp_path / "py thon" / "python", "exit 0")
    assert bash("find_python", PYTHON=str(python)).stdout.strip() == str(python)


def test_a_python_that_is_none(tmp_path: Path) -> None:
    old = program(tmp_path / "old", "exit 1")
    for python in (str(old), str(tmp_path / "nothing")):
        refused = bash("find_python", PYTHON=python)
        assert refused.returncode != 0
        assert f'PYTHON is set to "{python}", which is no Python 3.11 or newer' in refused.stderr


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Retrying after NewConnectionError(...)\nERROR: No matching distribution", "no network: the package index"),
        ("Temporary failure in name resolution", "no network: the package index"),
        ("ERROR: Could not install packages: No space left", "No space left"),
    ],
)
def test_what_went_wrong_with_pip(tmp_path: Path, said: str, expected: str) -> None:
    program(tmp_path / "bin" / "python", f"echo '{said}' >&2; exit 1")
    failed = bash(f'install_into "{tmp_path}" asyncmig')
    assert failed.returncode != 0
    assert expected in failed.stderr
    assert ("no network" in failed.stderr) == ("no network" in expected)
