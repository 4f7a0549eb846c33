"""What git knows of revision files: which of those that the main branch has were edited since."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["edited_since_published"]

_MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_GIT_SECONDS = 20.0


def edited_since_published(folder: Path) -> list[str]:
    """The revision files in a folder that are not as the main branch has them.

    The main branch is what ``origin/HEAD``, ``origin/main``, ``origin/master``, ``main`` or
    ``master`` names, the first that there is; compared is the last commit that is shared with it.
    Empty without git, outside a repository, and where there is no such branch.
    """
    base = next((ancestor for name in _MAIN if (ancestor := _git(folder, "merge-base", "HEAD", name))), "")
    if not base:
        return []
    changed = _git(folder, "diff", "--name-only", "--diff-filter=M", "--relative", base, "--", ".")
    return [name for name in changed.splitlines() if name.endswith(".py") and name[0] not in "_."]


def _git(folder: Path, *arguments: str) -> str:
    """What git answers; empty when it does not, or refuses."""
    program = shutil.which("git")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
