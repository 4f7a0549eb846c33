"""The page of all commands, made from the program: ``nox -s docs -- --write`` writes it, a test compares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import asyncclick as click

from asyncmig.cli.group import COMMANDS
from asyncmig.cli.options import shared_options

__all__ = ["COMMANDS_PAGE", "commands_page"]

COMMANDS_PAGE = "reference/commands.md"

_REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
_GUIDES = {
    "init": ["../tutorials/first-hour.md"],
    "completion": ["../how-to/completion.md"],
    "adopt": ["../how-to/adopt.md"],
    "revision": ["../how-to/declare.md", "../how-to/branches.md"],
    "merge": ["../how-to/branches.md"],
    "squash": ["../how-to/squash.md"],
    "rebase": ["../how-to/branches.md"],
    "upgrade": ["../how-to/preflight.md", "../how-to/failed-revision.md"],
    "downgrade": ["../how-to/failed-revision.md"],
    "stamp": ["../how-to/branches.md"],
    "repair": ["../how-to/failed-revision.md"],
    "unlock": ["../how-to/failed-revision.md"],
    "index": ["../how-to/failed-revision.md"],
    "status": ["../how-to/failed-revision.md"],
    "diff": ["../explanation/autogenerate.md"],
    "check": ["../how-to/ci.md"],
    "fields": ["../how-to/fields.md"],
    "report": ["../how-to/report.md"],
    "history": ["../how-to/branches.md"],
    "heads": ["../how-to/branches.md"],
    "lint": ["lint.md", "../how-to/ci.md"],
    "graph": ["../how-to/branches.md"],
    "models": ["../how-to/models.md"],
}
"""By command, where it is put to use."""

_HEAD = """\
# Commands

<!-- written by `nox -s docs -- --write` from the program; do not edit -->

`asyncmig [OPTIONS] COMMAND`. Data goes to stdout, messages go to stderr. What a command ends with is in
[Exit codes](exit-codes.md), what TARGET may be in [Targets](targets.md).

## Options of every command

They stand before the name of the command or after it. Most of them are [settings](settings.md), too.

"""


def commands_page() -> str:
    """The page, as it ought to be."""
    shared = [one for one in shared_options() if isinstance(one, click.Option)]
    return _HEAD + "\n".join([*_options(shared), _option_row("--version", "Show the version and exit."), *_sections()])


def _sections() -> Iterator[str]:
    section = ""
    for name, entry in COMMANDS.items():
        if entry.section != section:
            section = entry.section
            yield f"\n## {section}"
        yield from _command(name, getattr(import_module(f"asyncmig.cli.commands.{entry.module}"), name, None))


def _command(name: str, command: click.Command | None) -> Iterator[str]:
    assert command is not None, name  # noqa: S101 - the table of commands is held by the program's tests
    own = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    arguments = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
    yield f"\n(command-{name})=\n### {name}\n"
    yield f"`{' '.join(['asyncmig', name, *(['[OPTIONS]'] if own else []), *arguments])}`\n"
    yield _prose(command.help or "") + "\n"
    if own:
        yield from [*_options(own), ""]
    if examples := getattr(command, "examples", ()):
        yield "\n".join(["```text", *examples, "```", ""])
    if guides := _GUIDES.get(name):
        yield "See " + ", ".join(f"[{_title(guide)}]({guide})" for guide in guides) + "."


def _title(guide: str) -> str:
    """The heading of a page that is named from this one."""
    text = (_REFERENCE / guide).read_text(encoding="utf-8")
    return next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))


def _prose(text: str) -> str:
    """Help is plain text: what Markdown would take for its own is put as code."""
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(text).replace("\b\n", "").split("\n\n")]
    return "\n\n".join(_wrapped(_literal(one)) for one in paragraphs)


def _literal(text: str) -> str:
    """Options, and names that have an underscore or a star, as code."""
    parts = re.split(r"(`[^`]*`)", text)
    names = re.compile(r"(?<![\w/-])(--[a-z][\w-]*(?: \w+:[\w.]+)?|[\w.]*[*_][\w.*]*)")
    return "".join(part if part.startswith("`") else names.sub(r"`\1`", part) for part in parts)


def _wrapped(text: str) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) + 1 > 120:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _options(options: list[click.Option]) -> Iterator[str]:
    yield "| option | |\n|---|---|"
    for one in options:
        names = ", ".join([*one.opts, *one.secondary_opts])
        value = "" if one.is_flag else f" {one.make_metavar(click.Context(click.Command('x')))}"
        yield _option_row(f"{names}{value}", _help_of(one))


def _option_row(names: str, text: str) -> str:
    return f"| `{names.replace('|', chr(92) + '|')}` | {text} |"


def _help_of(option: click.Option) -> str:
    """The help with its default, as ``--help`` shows it."""
    context = click.Context(click.Command("x"))
    record = option.get_help_record(context)
    return _literal(" ".join(record[1].split())).replace("|", "\\|") if record else ""
