"""Ask the real formatter and linter what they would change in a generated file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

STYLE = ["--isolated", "--no-cache", "--config", "line-length = 120", "--config", "target-version = 'py311'"]
RULES = "E,F,W,I,UP,B,C4,PIE,RET,N,RUF100"


def objections(sources: Iterable[str], directory: Path) -> str:
    """What ``ruff format`` and ``ruff check`` would change or say; empty if nothing."""
    for number, source in enumerate(sources):
        (directory / f"r{number:04}.py").write_text(source, encoding="utf-8")
    checks = ["check", "--quiet", "--output-format", "concise", "--select", RULES, "--ignore", "E501"]
    return _run(directory, "format", "--diff") + _run(directory, *checks)


def _run(directory: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, *STYLE, "."]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""
