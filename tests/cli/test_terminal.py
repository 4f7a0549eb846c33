"""What reaches a terminal: nothing that commands it; and what becomes of a command that cannot print."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig.cli.console import Console, Stream
from asyncmig.cli.json_text import as_json
from asyncmig.printable import one_line, printable

from .conftest import Run

NASTY = ["\x1b[31m", "\x1b]0;t\x07", "\x07", "\x9b31m", "\u202e", "\u2028", "\u2029", "\u200b", "\r", "\x7f"]
NASTY += ["\ud800"]


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_escaped_as_python_writes_it(nasty: str) -> None:
    shown = printable(f"a{nasty}b")
    assert shown.isprintable()
    assert eval(f"'{shown}'") == f"a{nasty}b"


def test_what_may_stay() -> None:
    assert printable("Grüße, 世界 😀\n\tx") == "Grüße, 世界 😀\n\tx"
    assert one_line("a\n\tb") == "a\\n\\tb"


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_the_one_door(nasty: str, colour: bool) -> None:
    stream = Stream(io.StringIO(), terminal=False, colour=colour)
    stream.write(f"{nasty} {stream.paint(nasty, 'good')}")
    green = ("\x1b[32m", "\x1b[0m") if colour else ("", "")
    assert stream.file.getvalue() == f"{printable(nasty)} {green[0]}{printable(nasty)}{green[1]}\n"


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_in_json(nasty: str) -> None:
    text = as_json({"a": f"x{nasty}y"})
    assert json.loads(text) == {"a": f"x{nasty}y"}
    assert all(character == "\n" or unicodedata.category(character)[0] != "C" for character in text)


def test_a_line_that_is_replaced_stays_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Stream(io.StringIO(), terminal=True, colour=False)
    Console(err, err).begin("drop \x1b[2J\nall")
    assert err.file.getvalue() == "drop \\x1b[2J\\nall\r"


async def test_names_from_a_database(
    run: Run, server: Any, write_models: Callable[[str], None], write_revision: Callable[..., Path]
) -> None:
    """Collections, indexes, messages and what the server says, through every command that shows them."""
    name, message = "c\x1b[31m\u202e\nx", "m\x1b]0;t\x07\u2028"
    write_models(
        f"class C(Collection):\n    __collection_name__ = {name!r}\n    __indexes__ = [Index('a', name={name!r})]"
    )
    commands = [
        ("diff",),
        ("diff", "--json"),
        ("check",),
        ("revision", "--autogenerate", "-m", message),
        ("upgrade", "--plan"),
        ("upgrade",),
        ("history",),
        ("history", "-v"),
        ("graph",),
        ("graph", "--format", "mermaid"),
        ("show", "head"),
        ("show", "--applied", "head"),
        ("status",),
        ("downgrade", "base", "--plan"),
        ("nosuch\x1b[31m",),
        ("upgrade", "nosuch\x1b[31m"),
    ]
    for command in commands:
        for colour in ({}, {"FORCE_COLOR": "1"}):
            result = await run(*command, **colour)
            shown = (result.stdout + result.stderr).replace("\x1b[0m", "")
            for style in ("36", "32", "31", "1", "33", "2"):
                shown = shown.replace(f"\x1b[{style}m", "") if colour else shown
            assert [one for one in shown if one not in "\n\t" and not one.isprintable()] == [], command
            assert "m\x1b[0m\x1b[31m" not in result.stdout


def asyncmig(*args: str, out: Any = subprocess.PIPE, shell: str = "", **environment: str) -> Any:
    command = f"{sys.executable} -m asyncmig {' '.join(args)} {shell}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full is a thing of Linux")


@FULL
@pytest.mark.parametrize(
    ("command", "redirection", "code"),
    [
        ("history", ">&-", 1),
        ("history", ">/dev/full", 1),
        ("--help", ">/dev/full", 1),
        ("--help", ">&-", 1),
        ("history", "2>&-", 0),
        ("history", "2>/dev/full", 0),
        ("history", "<&- >&- 2>&-", 1),
        ("history --json", ">/dev/full 2>/dev/full", 1),
        ("revision -m more", ">/dev/full", 1),
        ("revision -m more", "2>/dev/full", 0),
        ("nonsense", "2>/dev/full", 2),
        ("show nothing", "2>&-", 1),
    ],
)
def test_streams_that_are_closed_or_full(
    folder: Path, write_revision: Callable[..., Path], command: str, redirection: str, code: int
) -> None:
    write_revision("a001")
    result = asyncmig(command, shell=redirection)
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr
    if code == 1 and "2>" not in redirection:
        assert "standard output cannot be written" in result.stderr
    assert len([*folder.rglob("*_more.py")]) == command.startswith("revision")


@FULL
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "2>&-", "2>/dev/full", "<&- >&- 2>&-"])
async def test_the_work_is_done_all_the_same(
    server: Any, write_revision: Callable[..., Path], redirection: str
) -> None:
    write_revision("a001", body='await env.create_collection("made")')
    assert asyncmig("upgrade", shell=redirection).returncode == 0
    assert "made" in await server.list_collection_names()
