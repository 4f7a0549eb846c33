"""What a remote has: a revision that others may have applied is not moved; and what is still to be told to git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asyncmig import Migrator
from asyncmig.files.published import is_in_git, published_in
from asyncmig.history.rebase import NotRebasable


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def revision(folder: Path, name: str, down: str | None) -> Path:
    path = folder / "migrations" / "versions" / f"{name}_x.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    functions = "async def upgrade(env): ...\nasync def downgrade(env): ...\n"
    path.write_text(f"revision = {name!r}\ndown_revision = {down!r}\n{functions}")
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A working copy on branch ``mine``; ``origin`` has ``main``, with a001, and it knows of ``theirs``, with b002."""
    origin, copy = tmp_path / "origin", tmp_path / "copy"
    origin.mkdir()
    git(origin, "init", "--bare")
    git(tmp_path, "clone", str(origin), str(copy))
    git(copy, "checkout", "-b", "main")
    revision(copy, "a001", None)
    commit(copy, "main")
    git(copy, "checkout", "-b", "theirs")
    revision(copy, "b002", "a001")
    commit(copy, "theirs")
    git(copy, "checkout", "-b", "mine")
    return copy


def commit(folder: Path, branch: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "x")
    git(folder, "push", "-u", "origin", branch)


async def test_what_another_branch_of_the_remote_has_is_not_moved(clone: Path) -> None:
    mine = revision(clone, "c003", "a001")
    theirs = clone / "migrations/versions/b002_x.py"
    assert (published_in(theirs), published_in(mine)) == (["origin/theirs"], [])
    commit(clone, "mine")
    assert published_in(mine) == []  # pushed, and mine
    migrator = Migrator(directory=clone / "migrations")
    with pytest.raises(NotRebasable, match=r"it is published, in origin/theirs, and may have been applied.*--force"):
        await migrator.rebase("b002")
    moved, parent = await migrator.rebase("b002", force=True)
    assert (moved.revision, parent.revision) == ("b002", "c003")


async def test_the_branch_of_all_is_nobodys_own(clone: Path) -> None:
    git(clone, "checkout", "main")
    assert published_in(clone / "migrations/versions/a001_x.py") == ["origin/main", "origin/theirs"]


def test_without_a_repository(tmp_path: Path) -> None:
    assert published_in(revision(tmp_path, "a001", None)) == []
    assert not is_in_git(tmp_path)
