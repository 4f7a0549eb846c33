"""L21, and what ``--against`` chooses: a repository of git, and a branch of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asyncmig.lint.reference import GitError, read_reference

from .projects import folder, linted, revision

A, B, C, D = (f"2024010{day}000000" for day in range(1, 5))


def _git(place: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(place), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """``main`` has A and B; the branch begins there."""
    place = tmp_path / "repository"
    folder(place / "deep", revision(A, "pass"), revision(B, "pass", down=A))
    _git(place, "init", "-q", "-b", "main")
    _git(place, "add", "-A")
    _git(place, "commit", "-q", "-m", "main")
    _git(place, "checkout", "-q", "-b", "topic")
    return place


async def _found(place: Path, **sources: str) -> list[tuple[str, str]]:
    directory = folder(place / "deep", *sources.values())
    report = await linted(directory, select={"L21"}, reference=read_reference("main", directory.versions))
    return [(one.revision, one.message) for one in report.findings]


async def test_a_revision_behind_the_head_is_fine(repository: Path) -> None:
    assert await _found(repository, new=revision(C, "pass", down=B)) == []


async def test_an_applied_revision_that_was_edited_is_found(repository: Path) -> None:
    ((name, message),) = await _found(repository, edited=revision(A, 'await env.create_collection("user")'))
    assert (name, "edited here" in message) == (A, True)


async def test_an_edit_on_main_is_not_held_against_the_branch(repository: Path) -> None:
    _git(repository, "checkout", "-q", "main")
    folder(repository / "deep", revision(A, 'await env.create_collection("user")'))
    _git(repository, "commit", "-q", "-am", "edited on main")
    _git(repository, "checkout", "-q", "topic")
    assert await _found(repository) == []


async def test_a_revision_that_is_gone_is_found_unless_a_squash_replaces_it(repository: Path) -> None:
    versions = repository / "deep" / "migrations" / "versions"
    (versions / f"{B}_x.py").unlink()
    ((name, message),) = await _found(repository)
    assert (name, "gone here" in message) == (B, True)
    (versions / f"{A}_x.py").unlink()
    assert await _found(repository, squash=revision(C, "pass", head=f"replaces = [{A!r}, {B!r}]")) == []


async def test_a_second_head_is_found_at_the_one_that_comes_in(repository: Path) -> None:
    found = await _found(repository, new=revision(C, "pass", down=A))
    assert [name for name, message in found if "2 heads" in message] == [C]
    labelled = revision(C, "pass", down=A, head='branch_labels = "other"')
    both = revision(B, "pass", down=A, head='branch_labels = "this"')
    assert not [one for one in await _found(repository, new=labelled, old=both) if "heads" in one[1]]


async def test_a_file_that_comes_late_or_in_between_is_found(repository: Path) -> None:
    early = "20240101120000"
    ((name, message),) = await _found(repository, late=revision(early, "pass", down=B))
    assert (name, "comes late" in message) == (early, True)
    moved = revision(B, "pass", down=early)
    found = dict(await _found(repository, between=revision(early, "pass", down=A), moved=moved))
    assert "in between" in found[early]
    assert "edited here" in found[B]


async def test_a_second_head_is_found_without_git(tmp_path: Path) -> None:
    directory = folder(tmp_path, revision(A, "pass"), revision(B, "pass", down=A), revision(C, "pass", down=A))
    assert [one.revision for one in (await linted(directory, select={"L21"})).findings] == [C]


async def test_only_what_comes_in_is_judged(repository: Path) -> None:
    loud = 'await env.drop_collection("user")'
    directory = folder(repository / "deep", revision(C, loud, down=B))
    _git(repository, "checkout", "-q", "main")
    report = await linted(directory, reference=read_reference("main", directory.versions), select={"L06"})
    assert [(one.revision, report.files) for one in report.findings] == [(C, 1)]


async def test_the_end_of_the_old_form_in_another_file_of_the_same_branch_is_found(repository: Path) -> None:
    fill = 'await env.update_in_batches("user", {}, [{"$set": {"b": "$a"}}])'
    drop = 'await env.remove_field("user", "a", keep_in="a_removed")'
    directory = folder(repository / "deep", revision(C, fill, down=B), revision(D, drop, down=C))
    reference = read_reference("main", directory.versions)
    assert [one.revision for one in (await linted(directory, reference=reference, select={"L07"})).findings] == [D]
    assert (await linted(directory, select={"L07"})).findings == ()


def test_what_git_does_not_know_is_told(repository: Path, tmp_path: Path) -> None:
    versions = repository / "deep" / "migrations" / "versions"
    with pytest.raises(GitError, match="fetch-depth: 0"):
        read_reference("origin/main", versions)
    with pytest.raises(GitError, match="not a git repository"):
        read_reference("main", folder(tmp_path / "elsewhere").versions)
