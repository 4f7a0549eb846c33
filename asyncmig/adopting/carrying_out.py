"""Writing what an adoption has proposed: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from asyncmig.adopting.errors import AdoptionRefused
from asyncmig.adopting.written_models import state_of_files
from asyncmig.files.atomic import create_file, replace_file
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Changes", "carry_out", "verified"]


@dataclass(slots=True)
class Changes:
    """What is to be written: ``created`` files, which must not exist, and ``replaced`` ones, whose text changes.

    ``folders`` are made where they are missing. ``kept`` files are put back as they were, should anything fail.
    """

    created: dict[Path, str] = field(default_factory=dict)
    replaced: dict[Path, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def refuse_existing(self) -> None:
        """Raise AdoptionRefused where a file that is to be made is there already."""
        if existing := [path for path in self.created if path.exists()]:
            raise AdoptionRefused(
                f"{', '.join(map(str, existing))} exists already, and nothing was written; move it away, or write to "
                "another place with --write"
            )


async def carry_out(changes: Changes, record: Callable[[], Awaitable[None]]) -> None:
    """Write the files, then ``record`` the adoption in the database; where one of it fails, take all back.

    Raises AdoptionRefused for a file that cannot be written, and whatever ``record`` raises.
    """
    changes.refuse_existing()
    done = _Done()
    try:
        _written(changes, done)
        await record()
    except BaseException:
        done.undo()
        raise


@dataclass(slots=True)
class _Done:
    """What has been written so far, to be taken back."""

    created: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    before: dict[Path, bytes | None] = field(default_factory=dict)

    def undo(self) -> None:
        for path in reversed(self.created):
            path.unlink(missing_ok=True)
        for path, content in self.before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        for folder in reversed(self.folders):
            with suppress(OSError):  # somebody has put something in
                folder.rmdir()


def _written(changes: Changes, done: _Done) -> None:
    try:
        _write(changes, done)
    except OSError as error:
        raise AdoptionRefused(
            f"{error.filename or 'a file'} cannot be written ({error.strerror}); nothing was kept"
        ) from error


def _write(changes: Changes, done: _Done) -> None:
    for path in changes.kept:
        done.before[path] = path.read_bytes() if path.exists() else None
    for folder in [*changes.folders, *(path.parent for path in changes.created)]:
        _make(folder, done)
    for path, text in changes.created.items():
        create_file(path, text)
        done.created.append(path)
    for path, text in changes.replaced.items():
        done.before[path] = path.read_bytes() if path.exists() else None
        if "\r\n" in text:
            path.write_bytes(text.encode())
        else:
            replace_file(path, text)


def _make(folder: Path, done: _Done) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        done.folders.append(path)


def verified(files: Mapping[Path, str], wanted: DatabaseState) -> Sequence[str]:
    """The collections that written models declare otherwise than the state they were written from.

    Raises DeclarationError where they declare what asyncmig refuses.
    """
    named = {path.name: text for path, text in files.items()}
    if "__init__.py" not in named:
        (text,) = named.values()
        named = {"__init__.py": text}
    written = state_of_files(named)
    names = dict.fromkeys([*wanted.collections, *written.collections])
    return [name for name in names if _content(written.get(name)) != _content(wanted.get(name))]


def _content(state: CollectionState | None) -> object:
    """What is declared of a collection, whichever way: a dictionary of indexes says no more than a class."""
    return (state.kind, state.options, state.indexes) if state else None
