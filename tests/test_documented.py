"""Every command, option, setting, exit code and error has its place in the documentation."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
from importlib import import_module
from pathlib import Path

import asyncclick as click
import pytest

from asyncmig import errors
from asyncmig.cli.group import COMMANDS
from asyncmig.cli.options import shared_options
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.setting_values import KEYS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from pages.commands import commands_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
REFERENCE = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
STORED = (DOCS / "reference" / "stored.md").read_text(encoding="utf-8")
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


def test_every_shared_option_is_listed() -> None:
    there = {word for one in shared_options() for word in one.opts if word.startswith("--")} | {"--version"}
    first_table = REFERENCE.partition("\n## ")[2].partition("\n## ")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", " ".join(re.findall(r"(?m)^\| `(.*?)` \|", first_table)))) == there


def test_every_exit_code_is_listed() -> None:
    """Those of errors, public or not, as the package's own text has them; that of what lint finds; those of signals."""
    package = Path(import_module("asyncmig").__file__ or "").parent
    text = "\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    codes = set(re.findall(r"\bexit_code(?:: [\w\[\]]+)? = (\d+)", text)) | {"0", "8", "130", "143"}
    first_cells = " ".join(row.split("|")[1] for row in rows(EXIT_CODES, "exit code").values())
    assert set(re.findall(r"\d+", first_cells)) == codes


def test_the_tree_of_errors_is_what_they_are() -> None:
    told = re.findall(r"(?m)^    ([│ ]*)[├└]── (\w+) +(\d+)", errors.__doc__ or "")
    depths = {name: (len(above) // 4 + 1, int(code)) for above, name, code in told}
    there = {name: (error.__mro__.index(errors.AsyncmigError), error.exit_code) for name, error in ERRORS.items()}
    assert depths == {name: found for name, found in there.items() if name != "AsyncmigError"}


@pytest.mark.parametrize("kind", [Record, JournalEntry])
def test_what_is_stored_is_listed(kind: type) -> None:
    """Each field of a document of the ledger, but for what is computed of it."""
    named = {field.name for field in dataclasses.fields(kind)} - {"revision", "placements"}
    assert named <= set(re.findall(r"`(\w+)`", STORED)), named - set(re.findall(r"`(\w+)`", STORED))


def constants(package: Path) -> list[str]:
    """The text of every string of the package, those inside of f-strings too."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in package.rglob("*.py")]
    return [
        one.value
        for tree in trees
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and type(one.value) is str
    ]


def test_messages_of_the_troubleshooting_page_are_the_programs() -> None:
    """The beginnings in its table; what varies is an ellipsis there."""
    page = (DOCS / "how-to" / "troubleshooting.md").read_text(encoding="utf-8")
    table = page.partition("| it begins with |")[2].partition("\n\n")[0]
    fragments = [part.strip() for told in re.findall(r"(?m)^\| `(.*?)` \|", table) for part in told.split("…")]
    texts = constants(Path(import_module("asyncmig").__file__ or "").parent)
    assert len(fragments) > 15
    assert [part for part in fragments if part and not any(part in text for text in texts)] == []
