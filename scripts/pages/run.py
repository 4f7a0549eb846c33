"""One page against a real server: what holds, what does not, and the page as it ought to be."""

from __future__ import annotations

import ast
import getpass
import glob
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from .blocks import Block, Command, Hidden, parse
from .sameness import ELLIPSIS, is_same
from .session import Session, TookTooLong

__all__ = ["SERVER", "Failure", "Outcome", "run_page"]

SERVER = "localhost:27017"
"""In a page this is the address of the server that the page is run against."""


@dataclass(frozen=True)
class Failure:
    """What does not hold, and where: the line counts from 1."""

    line: int
    what: str


@dataclass
class Outcome:
    """What came of a page."""

    blocks: int = 0
    failures: list[Failure] = field(default_factory=list)
    outputs: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    """The lines from - to of the page, and what was printed in their place."""

    def rewritten(self, page: str) -> str:
        """The page with the outputs of this run."""
        lines = page.splitlines()
        for (start, end), printed in sorted(self.outputs.items(), reverse=True):
            if ELLIPSIS not in [line.strip() for line in lines[start:end]]:
                lines[start:end] = printed
        return "\n".join(lines) + "\n"


class _Run:
    def __init__(self, session: Session, folder: Path, address: str) -> None:
        self._session = session
        self._folder = folder
        self._there = {SERVER: address}
        self._back = {
            address: SERVER,
            str(folder): "/home/you/" + folder.name,
            socket.gethostname(): "laptop",
            f"{getpass.getuser()}@": "you@",
        }
        self.outcome = Outcome()
        self._printed: tuple[int, str] | None = None

    def take(self, step: Block | Hidden) -> None:
        """Do what the step says, and take down what does not hold."""
        if self._printed is not None and not (isinstance(step, Block) and step.kind == "printed"):
            self._fail(self._printed[0], f"it prints what the page does not show:\n{self._printed[1]}")
            self._printed = None
        if isinstance(step, Hidden):
            printed, status = self._run(step.text)
            if status:
                self._fail(step.line, f"the setup ended with {status}:\n{printed}")
            return
        self.outcome.blocks += 1
        self._DO[step.kind](self, step)

    def close(self) -> None:
        """Whatever was printed has to be shown."""
        if self._printed is not None:
            self._fail(self._printed[0], f"it prints what the page does not show:\n{self._printed[1]}")

    def _console(self, block: Block) -> None:
        for place, command in enumerate(block.commands):
            printed, status = self._run(command.text)
            shown_next = block.commands[place + 1].text if place + 1 < len(block.commands) else ""
            if status and not _tells_status(command.text, shown_next):
                self._fail(command.line - 1, f"$ {command.text}\nended with {status}:\n{printed}")
            self._compare(command.line, command.shown, printed, block.indent, f"$ {command.text}", _trailing(command))

    def _file(self, block: Block) -> None:
        found = sorted(glob.glob(str(self._folder / block.name)))
        if "*" in block.name and len(found) != 1:
            self._fail(block.line, f"{block.name} is {len(found)} files")
            return
        place = Path(found[0]) if "*" in block.name else self._folder / block.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self._put(block.text))

    def _append(self, block: Block) -> None:
        with (self._folder / block.name).open("a") as file:
            file.write("\n\n" + self._put(block.text))

    def _output(self, block: Block) -> None:
        printed, status = self._run(block.name)
        if status:
            self._fail(block.line, f"$ {block.name}\nended with {status}:\n{printed}")
        self._compare(block.line, block.lines, printed, block.indent, f"$ {block.name}")

    def _python(self, block: Block) -> None:
        printed, error = self._session.python(self._put(block.text))
        if error:
            self._fail(block.line, self._take_back(error))
        elif printed:
            self._printed = (block.line, self._take_back(printed))

    def _show_printed(self, block: Block) -> None:
        printed = self._printed[1] if self._printed is not None else ""
        self._printed = None
        self._compare(block.line, block.lines, printed, block.indent, "the Python above")

    def _fragment(self, block: Block) -> None:
        try:
            compile(block.text, "<page>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            self._fail(block.line + (error.lineno or 1) - 1, f"no Python: {error.msg}")

    def _compare(
        self, line: int, shown: tuple[str, ...], printed: str, indent: str, what: str, trailing: int = 0
    ) -> None:
        lines = self._take_back(printed).rstrip().split("\n") if printed.strip() else []
        end = line + len(shown) - trailing
        self.outcome.outputs[line, end] = [f"{indent}{one}".rstrip() for one in lines]
        if not is_same(shown, lines):
            body = "\n".join(["--- the page", *shown, "--- the run", *lines])
            self._fail(line - 1, f"{what}\n{body}")

    def _run(self, command: str) -> tuple[str, int]:
        return self._session.run(self._put(command))

    def _fail(self, line: int, what: str) -> None:
        self.outcome.failures.append(Failure(line + 1, what))

    def _put(self, text: str) -> str:
        for word, real in self._there.items():
            text = text.replace(word, real)
        return text

    def _take_back(self, text: str) -> str:
        for real, word in self._back.items():
            text = text.replace(real, word)
        return text

    _DO: ClassVar[dict[str, Callable[[_Run, Block], None]]] = {
        "console": _console,
        "file": _file,
        "append": _append,
        "output": _output,
        "python": _python,
        "printed": _show_printed,
        "fragment": _fragment,
    }


def _tells_status(command: str, following: str) -> bool:
    """Whether the page shows that the command does not end with 0."""
    return "$?" in following or "$?" in command or "||" in command


def _trailing(command: Command) -> int:
    """How many empty lines separate the output from the next command."""
    return len(command.shown) - len("\n".join(command.shown).rstrip("\n").split("\n")) if any(command.shown) else 0


def run_page(page: str, folder: Path, address: str) -> Outcome:
    """Run the blocks of a page, in the folder, against the server at ``address``, a host and a port."""
    session = Session(folder)
    run = _Run(session, folder, address)
    try:
        for step in parse(page):
            run.take(step)
        run.close()
    except TookTooLong as error:
        run.outcome.failures.append(Failure(0, str(error)))
    finally:
        session.close()
    return run.outcome
