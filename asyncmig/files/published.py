"""Which branches of a remote have a revision file: as far as git knows here, without asking the remote."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["is_in_git", "published_in"]

_REMOTES = "refs/remotes"
_TIMEOUT_SECONDS = 10.0  # a repository of any size answers in far less


def published_in(path: Path) -> list[str]:
    """The remote branches that have this file, where others may have applied it.

    Not the one that the current branch is pushed to, which is one's own, unless it is everybody's: the
    remote's default one. Empty outside a repository, and without git.
    """
    folder = path.parent
    own = {_git(folder, "rev-parse", "--abbrev-ref", "@{upstream}").strip()}
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD").strip()
    branches, shared = [], {"main", "master"}
    for line in _git(folder, "for-each-ref", "--format=%(refname:lstrip=2) %(symref:lstrip=2)", _REMOTES).splitlines():
        name, _, default = line.partition(" ")
        shared |= {default, default.partition("/")[2]} if default else set()
        branches += [] if default else [name]
    return [
        name
        for name in branches
        if not (name in own or name.partition("/")[2] == branch) or name.partition("/")[2] in shared
        if _git(folder, "ls-tree", f"{_REMOTES}/{name}", "--", f"./{path.name}").strip()
    ]


def is_in_git(folder: Path) -> bool:
    """Whether a folder belongs to a working copy."""
    return _git(folder, "rev-parse", "--is-inside-work-tree").strip() == "true"


def _git(folder: Path, *arguments: str) -> str:
    """What git answers; nothing where there is none, or it says no."""
    try:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout if done.returncode == 0 else ""
