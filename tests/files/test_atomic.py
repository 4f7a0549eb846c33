"""Files that are written whole or not at all, wherever writing stops."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from asyncmig.files.atomic import create_file, replace_file

OLD, NEW = "what was there\n", "what is to be there\n"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that matter, in order; one whose name is ``broken:…`` is to fail."""
    calls: list[str] = []

    def watch(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: Any) -> Any:
            calls.append(name)
            if f"broken:{name}" in calls:
                raise OSError(28, "no space left")
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    for name in ("fsync", "replace", "link"):
        watch(name)
    return calls


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_what_was_there_stays_where_writing_stops(tmp_path: Path, called: list[str], broken: str) -> None:
    path = tmp_path / "HEAD"
    path.write_text(OLD)
    called.append(f"broken:{broken}")
    with pytest.raises(OSError, match="no space left"):
        replace_file(path, NEW)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"HEAD": OLD}


def test_all_is_on_the_disk_before_it_takes_the_place(tmp_path: Path, called: list[str]) -> None:
    (tmp_path / "HEAD").write_text(OLD)
    replace_file(tmp_path / "HEAD", NEW)
    create_file(tmp_path / "a.py", NEW)
    assert called == ["fsync", "replace", "fsync", "link"]
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"HEAD": NEW, "a.py": NEW}


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_is_never_put_over_another(tmp_path: Path, called: list[str], links: bool) -> None:
    """Whether the file system has hard links or not."""
    (tmp_path / "a.py").write_text(OLD)
    if not links:
        called.append("broken:link")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a.py", NEW)
    create_file(tmp_path / "b.py", NEW)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a.py": OLD, "b.py": NEW}
