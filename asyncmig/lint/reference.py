"""What another commit has of the revision files: read from git, for ``--against``."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asyncmig.errors import AsyncmigError

__all__ = ["GitError", "Reference", "read_reference"]


class GitError(AsyncmigError):
    """Raised when git cannot tell what a reference holds."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """The revision files, by their names, at a reference and where this branch has left it."""

    name: str
    tip: Mapping[str, str]
    base: Mapping[str, str]


def read_reference(name: str, versions: Path) -> Reference:
    """The files of the folder ``versions`` at ``name`` and at the commit that it has in common with the present one.

    Raises GitError when there is no git, no repository or no such reference.
    """
    top = Path(_git(versions, "rev-parse", "--show-toplevel").strip())
    commit = _git(versions, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", unknown=name).strip()
    base = _merge_base(versions, commit)
    folder = versions.resolve().relative_to(top.resolve()).as_posix()
    return Reference(name, _files(top, commit, folder), _files(top, base, folder))


def _merge_base(versions: Path, commit: str) -> str:
    try:
        return _git(versions, "merge-base", commit, "HEAD").strip()
    except GitError:  # no common history: a shallow clone, or the first commit is not made yet
        return commit


def _files(top: Path, commit: str, folder: str) -> dict[str, str]:
    names = [name for name in _git(top, "ls-tree", "-z", "--name-only", commit, f"{folder}/").split("\0") if name]
    wanted = [name for name in names if name.endswith(".py") and Path(name).name[0] not in "_."]
    return {Path(name).name: _git(top, "show", f"{commit}:{name}").replace("\r\n", "\n") for name in wanted}


def _git(folder: Path, *arguments: str, unknown: str = "") -> str:
    command: Sequence[str] = ["git", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"--against needs git, which cannot be run: {error.strerror or error}") from error
    if answer.returncode == 0:
        return answer.stdout.decode("utf-8", "replace")
    if unknown:
        raise GitError(
            f"git does not know {unknown!r} in {folder}; in CI, fetch it first (actions/checkout with fetch-depth: 0)"
        )
    raise GitError(f"git {arguments[0]} failed in {folder}: {answer.stderr.decode('utf-8', 'replace').strip()}")
