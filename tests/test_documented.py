"""Every command, option, setting, exit code and error has its place in the documentation."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import asyncclick as click
import pytest

from asyncmig import errors
from asyncmig.cli.group import COMMANDS
from asyncmig.setting_values import KEYS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from pages.commands import commands_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
REFERENCE = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
EXIT_CODES = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
ERRORS = {name: getattr(errors, name) for name in errors.__all__}


def rows(page: str, heading: str) -> dict[str, str]:
    """The rows of the table below a line that begins so, each by the first word of its first cell."""
    table = page.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return {row.strip("| `").split()[0].strip("`,"): row for row in table.splitlines()[2:]}


def section(command: str) -> str:
    """What the page of commands says of one."""
    return REFERENCE.partition(f"\n(command-{command})=\n")[2].partition("\n(command-")[0]


def test_every_command_has_its_section() -> None:
    assert re.findall(r"(?m)^\(command-([\w-]+)\)=$", REFERENCE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_listed(name: str) -> None:
    module = import_module(f"asyncmig.cli.commands.{COMMANDS[name].module}")
    command = next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == name)
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    there = {word for one in options for word in (*one.opts, *one.secondary_opts) if word.startswith("--")}
    listed = " ".join(re.findall(r"(?m)^\| `(.*?)` \|", section(name)))
    assert set(re.findall(r"--[a-z][a-z-]+", listed)) == there


def test_the_page_of_commands_is_what_the_program_says() -> None:
    assert commands_page() == REFERENCE


def test_every_setting_is_listed() -> None:
    first_cells = " ".join(row.split("|")[1] for row in rows(SETTINGS, "key").values())
    assert sorted(re.findall(r"`(\w+)`", first_cells)) == sorted(KEYS)


def test_every_exit_code_of_an_error_is_listed() -> None:
    codes = {str(error.exit_code) for error in ERRORS.values()}
    assert codes <= set(re.findall(r"\b\d+\b", " ".join(rows(EXIT_CODES, "exit code"))))


def test_the_tree_of_errors_is_what_they_are() -> None:
    told = re.findall(r"(?m)^    ([│ ]*)[├└]── (\w+) +(\d+)", errors.__doc__ or "")
    depths = {name: (len(above) // 4 + 1, int(code)) for above, name, code in told}
    there = {name: (error.__mro__.index(errors.AsyncmigError), error.exit_code) for name, error in ERRORS.items()}
    assert depths == {name: found for name, found in there.items() if name != "AsyncmigError"}
