"""``Directory``: the folder of revision files, read without running them, and written to.

Each start of the command line loads this module: what only running or naming a file takes is imported there.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tokenize
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from asyncmig.files.atomic import create_file
from asyncmig.files.errors import (
    DuplicateRevision,
    FileExists,
    MisplacedFile,
    MissingDirectory,
    RevisionFileError,
    UnreadableFile,
)
from asyncmig.files.head_file import HeadFile
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

if TYPE_CHECKING:
    from asyncmig.files.module import RevisionModule

__all__ = ["Directory", "Listing", "checksum", "new_id", "slug"]

MAX_SLUG_CHARACTERS = 40
_BLOCK_BYTES = 16384  # hardly a revision file is longer
_IS_REVISION = rb"(?m)^revision\s*(?::[^=\n]*)?="
_ID_FORMAT = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds: the revisions that can be read, by id, and what is wrong with the others."""

    revisions: tuple[Revision, ...]
    problems: tuple[RevisionFileError, ...] = ()

    def graph(self) -> RevisionGraph:
        """The revisions as a graph.

        Raises:
            RevisionFileError: the first problem, where there is one; further ones are notes on it.
            RevisionError: when the revisions do not form a history.
        """
        return RevisionGraph(self.sound())

    def sound(self) -> tuple[Revision, ...]:
        """The revisions, where none has a problem. Raises RevisionFileError as :meth:`graph` does."""
        if self.problems:
            first, *others = self.problems
            first.__notes__ = _once(first, others)
            raise first
        return self.revisions


def _once(first: RevisionFileError, others: Sequence[RevisionFileError]) -> list[str]:
    """What is to be said besides: each fault once, and then the files that have the same one."""
    alike: dict[str, list[RevisionFileError]] = {first.fault: []}
    for other in others:
        alike.setdefault(other.fault, []).append(other)
    same = alike.pop(first.fault)
    notes = [f"The same in {', '.join(other.path.name if other.path else '?' for other in same)}"] if same else []
    for faults in alike.values():
        names = ", ".join(other.path.name if other.path else "?" for other in faults[1:])
        notes.append(f"{faults[0]}{f'; the same in {names}' if names else ''}")
    return notes


class Directory:
    """A folder of migrations: revision files in ``versions/``, and the HEAD file beside it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Directory({str(self.path)!r})"

    @property
    def versions(self) -> Path:
        """The folder of revision files. Those whose name begins with ``_`` or ``.`` are left alone."""
        return self.path / "versions"

    @property
    def head_file(self) -> HeadFile:
        """The file that holds the head ids."""
        return HeadFile(self.path / "HEAD")

    def read(self, *, thorough: bool = False) -> Listing:
        """All revisions, by their headers; a file is run only where its header is computed.

        With ``thorough`` whole files are parsed, so that a fault anywhere in them is found.

        Raises:
            MissingDirectory: when there is no such folder. Faults of single files are in the listing.
            MisplacedFile: when a revision file lies where it is not looked for.
        """
        revisions: dict[str, Revision] = {}
        problems: list[RevisionFileError] = []
        for path in self._files():
            try:
                content = _bytes(path)
                revision = _revision(path, content, _text(path, content), thorough=thorough)
            except RevisionFileError as problem:
                problems.append(problem)
                continue
            first = revisions.setdefault(revision.revision, revision)
            if first is not revision:
                problems.append(DuplicateRevision(revision.revision, [first.path, path]))
        return Listing(tuple(revisions[i] for i in sorted(revisions)), tuple(problems))

    def checksums(self) -> list[str]:
        """The checksum of every revision file, in the order of their names; nothing is parsed, so it is cheap.

        Raises:
            MissingDirectory: when there is no such folder.
            UnreadableFile: when a file cannot be read.
        """
        folder = os.path.join(self.versions, "")  # with a separator at its end
        return [checksum(_content(folder + name)) for name in self._names()]

    def load(self, revision: Revision) -> RevisionModule:
        """Run a revision's file and take out its functions; its header is read again where it has changed since.

        Raises:
            RevisionFileError: when the file is gone, broken, or one of its functions is not what it should be.
        """
        from asyncmig.files.module import load

        if revision.path is None:
            raise UnreadableFile(None, f"revision {revision.revision} has no file that could be run")
        content = _bytes(revision.path)
        source = _text(revision.path, content)
        unchanged = revision.checksum is not None and revision.checksum == checksum(content)
        now = revision if unchanged else _revision(revision.path, content, source)
        if now.revision != revision.revision:
            raise UnreadableFile(
                revision.path, f"it was {revision.revision} when it was listed, and is {now.revision} now"
            )
        return load(source, now, revision.path)

    def source(self, revision: Revision) -> str:
        """The text of a revision's file; empty where it has none. Raises UnreadableFile."""
        return _text(revision.path, _bytes(revision.path)) if revision.path else ""

    def write(self, source: str, revision_id: str, slug: str) -> Path:
        """Write a new revision file, at once or not at all; never over another one.

        Raises:
            MissingDirectory: when the folder is not there.
            FileExists: when a file with this id is.
            UnreadableFile: when it cannot be written.
        """
        path = self.versions / (f"{revision_id}_{slug}.py" if slug else f"{revision_id}.py")
        for other in self._files():
            if other.stem == revision_id or other.name.startswith(f"{revision_id}_"):
                raise FileExists(other)
        try:
            create_file(path, source)
        except FileExistsError:
            raise FileExists(path) from None
        except (OSError, UnicodeEncodeError) as error:
            raise UnreadableFile(path, f"it cannot be written: {error}") from error
        return path

    def new_id(self, now: datetime | None = None, taken: Collection[str] | None = None) -> str:
        """An id for a new revision: see :func:`new_id`; taken are, unless told otherwise, the ids in this folder.

        Raises:
            MissingDirectory: when it has to look there and there is no such folder.
        """
        return new_id(now, frozenset(self._taken()) if taken is None else taken)

    def record_heads(self) -> None:
        """Bring the HEAD file in step with the revision files.

        Raises:
            RevisionError: when the files do not form a history, or HEAD cannot be written.
        """
        self.head_file.write(self.read().graph().heads)

    def _taken(self) -> Iterable[str]:
        yield from (revision.revision for revision in self.read().revisions)
        # A file that cannot be read still has its id in its name.
        yield from (path.stem.partition("_")[0] for path in self._files())

    def _files(self) -> list[Path]:
        return [self.versions / name for name in self._names()]

    def _names(self) -> list[str]:
        try:
            with os.scandir(self.versions) as entries:
                listed = [(e.name, e.is_dir()) for e in entries if e.name[0] not in "_."]
        except (FileNotFoundError, NotADirectoryError):
            raise MissingDirectory(self.versions) from None
        except OSError as error:
            raise UnreadableFile(self.versions, f"it cannot be read: {error.strerror or error}") from error
        self._refuse_misplaced([self.versions / name for name, is_folder in listed if is_folder])
        return sorted(name for name, is_folder in listed if name.endswith(".py") and not is_folder)

    def _refuse_misplaced(self, folders: Iterable[Path]) -> None:
        """Raise MisplacedFile for a revision file where nobody would ever run it: beside ``versions/`` or below it."""
        beside = (self.path / name for name in sorted(os.listdir(self.path)) if name.endswith(".py"))
        below = (path for folder in folders for path in sorted(folder.rglob("*.py")))
        for path in (*beside, *below):
            if re.search(_IS_REVISION, _content(str(path))):
                raise MisplacedFile(path, self.versions)


def _revision(path: Path, content: bytes, source: str, *, thorough: bool = False) -> Revision:
    from asyncmig.files.header import read_header

    header = read_header(source, path, thorough=thorough)
    if header is None:
        from asyncmig.files.module import executed_header

        header = executed_header(source, path)
    return header.revision(checksum(content))


def _bytes(path: Path) -> bytes:
    return _content(str(path))


def _whole(path: Path) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except FileNotFoundError:
        raise UnreadableFile(path, "the file is gone") from None
    except OSError as error:
        raise UnreadableFile(path, f"it cannot be read: {error.strerror or error}") from error


def _content(path: str) -> bytes:
    """What a file holds, in half the time that ``open`` takes: 500 of them are read at each start of an application."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            content = os.read(descriptor, _BLOCK_BYTES)
            return content if len(content) < _BLOCK_BYTES else _whole(Path(path))
        finally:
            os.close(descriptor)
    except OSError:
        return _whole(Path(path))  # which says what is wrong


def _text(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _declared(path, content)
    return text.replace("\r\n", "\n") if "\r" in text else text


def _declared(path: Path, content: bytes) -> str:
    """Text in another encoding, which the file has to name as Python asks it to (PEP 263)."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UnreadableFile(path, f"it is not text in UTF-8, nor in an encoding that it names: {error}") from error


def new_id(now: datetime | None = None, taken: Collection[str] = frozenset()) -> str:
    """An id for a new revision: the UTC time to the second, moved on by seconds as long as it is taken.

    ``now`` without a zone is UTC.
    """
    moment = datetime.now(UTC) if now is None else now.astimezone(UTC) if now.tzinfo else now
    while (candidate := moment.strftime(_ID_FORMAT)) in taken:
        moment += timedelta(seconds=1)
    return candidate


def checksum(content: bytes) -> str:
    """The SHA-256 of a file's content as hexadecimal digits, the same for both kinds of line ending."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def slug(message: str) -> str:
    """The part of a file's name that tells what a revision is about: its words, in lower case, at most 40 characters.

    Letters of any script stay. A message without any gives ``revision``.
    """
    import unicodedata

    words = re.findall(r"\w+", unicodedata.normalize("NFC", message).lower())
    text = "_".join(word.strip("_") for word in words if word.strip("_"))
    if len(text) > MAX_SLUG_CHARACTERS:
        cut = text[: MAX_SLUG_CHARACTERS + 1]
        text = cut.rpartition("_")[0] or cut[:MAX_SLUG_CHARACTERS]
    return text or "revision"
