"""A page of Markdown becomes what there is to do, in order. Pure: text in, values out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Block", "Command", "Hidden", "PageError", "parse"]

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[^`]*)$")
_HEADING = re.compile(r"^(#+) ")
_FILE_NAME = re.compile(r"^(?:#|//|--) ([\w./*-]+\.\w+)$")
_SETUP = re.compile(r"^<!-- setup(?::| *$)")
_MARK = re.compile(r"^<!-- (?P<word>file|append|output|fragment)(?:: (?P<value>.*?))? *-->$")
_NOT_RUN = "*Not run here"
_FILES = {"python", "toml", "yaml", "ini", "javascript", "json", "bash"}


class PageError(Exception):
    """A page that breaks the rules for pages."""


@dataclass(frozen=True)
class Command:
    """One command of a console block, and what the page says that it prints."""

    text: str
    shown: tuple[str, ...]
    line: int
    """The first line of the output in the page, counted from 0."""


@dataclass(frozen=True)
class Block:
    """One fenced block. ``kind``: console, file, append, output, python, printed, fragment."""

    kind: str
    line: int
    """The first line inside the fence, counted from 0."""
    lines: tuple[str, ...]
    indent: str = ""
    name: str = ""
    """The file that it is, or the command whose output it is."""
    commands: tuple[Command, ...] = field(default=())

    @property
    def text(self) -> str:
        """What stands in the block."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True)
class Hidden:
    """Shell commands in a comment, which bring about what a page begins with."""

    line: int
    text: str


@dataclass
class _Marks:
    """What was said above the block that comes next."""

    word: str = ""
    value: str = ""
    skip_next: bool = False
    skipped_level: int = 0
    """The level of the heading whose section is not run; 0 for none."""
    after_python: bool = False


def parse(page: str) -> list[Block | Hidden]:
    """The blocks of a page that are run, in order."""
    return list(_steps(page.splitlines()))


def _steps(lines: list[str]) -> Iterator[Block | Hidden]:
    marks, at, above = _Marks(), 0, ""
    while at < len(lines):
        line = lines[at]
        if _SETUP.match(line.lstrip()):
            end = next((place for place in range(at, len(lines)) if "-->" in lines[place]), None)
            if end is None:
                raise PageError(f"line {at + 1}: the comment does not end")
            if not marks.skipped_level:
                yield Hidden(at, _inside(lines[at : end + 1]))
            at = end + 1
            continue
        if fence := _FENCE.match(line):
            end = _end_of(lines, at, fence["fence"])
            block = _block(lines, at, end, fence, marks)
            if block is not None and not (marks.skip_next or marks.skipped_level):
                yield block
            python = block is not None and block.kind == "python" and not (marks.skip_next or marks.skipped_level)
            marks = _Marks(skipped_level=marks.skipped_level, after_python=python)
            at, above = end + 1, ""
            continue
        _read(line, above, marks)
        above = line if line.strip() else above
        at += 1


def _inside(comment: list[str]) -> str:
    text = "\n".join(line.strip() if place == 0 else line for place, line in enumerate(comment))
    return re.sub(r"^<!-- setup:?\s?", "", text).partition("-->")[0].strip("\n") + "\n"


def _end_of(lines: list[str], start: int, fence: str) -> int:
    for place in range(start + 1, len(lines)):
        if lines[place].strip() == fence:
            return place
    raise PageError(f"line {start + 1}: the block does not end")


def _read(line: str, above: str, marks: _Marks) -> None:
    """Take note of what a line outside of blocks says."""
    if heading := _HEADING.match(line):
        level = len(heading[1])
        if level <= marks.skipped_level:
            marks.skipped_level = 0
        marks.skip_next = False
    elif mark := _MARK.match(line.strip()):
        marks.word, marks.value = mark["word"], mark["value"] or ""
    elif line.lstrip().startswith(_NOT_RUN):
        if over := _HEADING.match(above):
            marks.skipped_level = marks.skipped_level or len(over[1])
        else:
            marks.skip_next = True
    if line.strip():
        marks.after_python = False


def _block(lines: list[str], start: int, end: int, fence: re.Match[str], marks: _Marks) -> Block | None:
    indent, language = fence["indent"], fence["language"].strip()
    inside = tuple(line.removeprefix(indent) for line in lines[start + 1 : end])
    place = start + 1
    if marks.word == "output":
        return Block("output", place, inside, indent, marks.value)
    if marks.word == "fragment":
        return Block("fragment", place, inside, indent)
    if marks.word in ("file", "append"):
        return Block(marks.word, place, inside, indent, marks.value)
    if language == "console":
        return Block("console", place, inside, indent, commands=tuple(_commands(inside, place)))
    if language in _FILES and inside and (named := _FILE_NAME.match(inside[0])):
        return Block("file", place, inside, indent, named[1])
    if language == "python":
        return Block("python", place, inside, indent)
    if language == "text" and marks.after_python:
        return Block("printed", place, inside, indent)
    return None


def _commands(inside: tuple[str, ...], start: int) -> Iterator[Command]:
    """A line that begins with ``$`` is a command, with the lines that bash would ask for."""
    if inside and not inside[0].startswith("$ "):
        raise PageError(f"line {start + 1}: a console block begins with `$ `")
    at = 0
    while at < len(inside):
        words = [inside[at][2:]]
        at += 1
        while at < len(inside) and _goes_on(words):
            words.append(inside[at])
            at += 1
        output = at
        while at < len(inside) and not inside[at].startswith("$ "):
            at += 1
        yield Command("\n".join(words), inside[output:at], start + output)


def _goes_on(words: list[str]) -> bool:
    """Whether the command needs the next line: a backslash, a quote or a here-document is open."""
    if begun := re.search(r"<<'?(\w+)'?", words[0]):
        return words[-1] != begun[1]
    if words[-1].endswith("\\"):
        return True
    try:
        shlex.split("\n".join(words))
    except ValueError:
        return True
    return False
