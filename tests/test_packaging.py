"""What is published: the wheel's files and its metadata. Only where the wheel is tested, as ``scripts/test`` does."""

from __future__ import annotations

import os
import re
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

WHEEL = os.environ.get("ASYNCMIG_TEST_WHEEL")
ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(WHEEL is None, reason="no wheel was built: run scripts/test")


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    assert WHEEL is not None
    return zipfile.ZipFile(WHEEL)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"asyncmig"}


def test_the_wheel_is_complete(wheel: zipfile.ZipFile) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "asyncmig").rglob("*.py")}
    assert sources | {"asyncmig/py.typed"} <= set(wheel.namelist())


def test_the_licence_is_in_it(wheel: zipfile.ZipFile, metadata: Message) -> None:
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_no_server_is_required(metadata: Message) -> None:
    required = {re.split(r"[^\w.-]", line)[0].lower() for line in metadata.get_all("Requires-Dist", [])}
    assert required == {"anyio", "asyncclick", "motor", "pymongo", "rich", "tomlkit"}


def test_the_command_is_declared(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    assert "asyncmig = asyncmig.cli.main:main" in wheel.read(name).decode()
