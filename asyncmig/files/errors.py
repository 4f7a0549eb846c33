"""What can be wrong with a revision file, the folder of them, or the HEAD file beside it.

RevisionFileError
├── UnreadableFile         the file cannot be opened or decoded
├── BrokenFile             it does not parse, or running it fails
├── MissingRevisionId      it has no `revision`
├── MalformedHeader        a name of the header has a value of the wrong type
├── MissingFunction        no `upgrade` or no `downgrade`
├── NotAsync               `def` instead of `async def`
├── NotAwaited             a call on env without `await`
├── WrongSignature         it does not take `env` alone
├── DuplicateRevision      two files with one id
├── FileExists             a file that would be overwritten
├── MissingDirectory       no folder of revision files
└── HeadFileError          HEAD does not say what the files say
    └── HeadFileConflict   git's conflict marks are in it
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asyncmig.errors import RevisionFileError
from asyncmig.history.errors import DuplicateRevision
from asyncmig.printable import plural

__all__ = [
    "BrokenFile",
    "DuplicateRevision",
    "FileExists",
    "HeadFileConflict",
    "HeadFileError",
    "MalformedHeader",
    "MisplacedFile",
    "MissingDirectory",
    "MissingFunction",
    "MissingRevisionId",
    "NotAsync",
    "NotAwaited",
    "RevisionFileError",
    "UnreadableFile",
    "WrongSignature",
]


_SHOWN = 3  # heads


class UnreadableFile(RevisionFileError, OSError):
    """Raised when a file cannot be opened, or is not text in the encoding that it claims."""


class BrokenFile(RevisionFileError, RuntimeError):
    """Raised when a file does not parse, or when running it fails."""


class MissingRevisionId(RevisionFileError, ValueError):
    """Raised when a file does not say which revision it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            'no `revision` in it. A revision file needs `revision = "…"` at the top; '
            "a helper module beside the revisions is left alone when its name starts with an underscore",
        )


class MalformedHeader(RevisionFileError, TypeError):
    """Raised when a name of the header has a value of the wrong type."""

    def __init__(self, path: Path | None, name: str, expected: str, value: object, line: int | None = None) -> None:
        self.name, self.expected, self.value = name, expected, value
        super().__init__(path, f"`{name}` must be {expected}, not {value!r:.100}", line)


class MissingFunction(RevisionFileError, AttributeError):
    """Raised when a file has no `upgrade` or no `downgrade`."""

    def __init__(self, path: Path | None, function: str) -> None:
        self.function = function
        super().__init__(
            path,
            f"no `{function}` in it. Add `async def {function}(env): ...`"
            + (" (with `irreversible = True` where there is no way back)" if function == "downgrade" else ""),
        )


class NotAsync(RevisionFileError, TypeError):
    """Raised for `def upgrade`: its calls, never awaited, would silently do nothing."""

    def __init__(self, path: Path | None, function: str, line: int | None, kind: str = "a plain `def`") -> None:
        self.function = function
        super().__init__(
            path,
            f"`{function}` is {kind}; write `async def {function}(env)` and await each call on env, "
            "or they would silently do nothing",
            line,
        )


class NotAwaited(RevisionFileError, TypeError):
    """Raised for a call on env that nobody awaits: it would silently do nothing, and the revision count as applied."""

    def __init__(self, path: Path | None, function: str, line: int, call: str) -> None:
        self.function, self.call = function, call
        super().__init__(
            path,
            f"`{call}(...)` in `{function}` is not awaited, and would silently do nothing; write `await` before it",
            line,
        )


class WrongSignature(RevisionFileError, TypeError):
    """Raised when `upgrade` or `downgrade` cannot be called with env alone."""

    def __init__(self, path: Path | None, function: str, line: int | None, signature: str) -> None:
        self.function, self.signature = function, signature
        super().__init__(path, f"`{function}{signature}` must take one argument: `async def {function}(env)`", line)


class FileExists(RevisionFileError, FileExistsError):
    """Raised when writing a revision would overwrite a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the file exists already, and is left as it is; choose another id or message")


class MissingDirectory(RevisionFileError, FileNotFoundError):
    """Raised when there is no folder of revision files."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "no such folder of revision files; make it with `asyncmig init`, "
            "or point --directory (`directory` in the settings) at the folder that has it",
        )


class MisplacedFile(RevisionFileError, ValueError):
    """Raised when a revision file lies beside ``versions/`` or in a folder below it, where none is looked for."""

    def __init__(self, path: Path, versions: Path) -> None:
        super().__init__(
            path, f"revision files are looked for in {versions} itself, and this one would never be run; move it there"
        )


def _rebase(heads: Sequence[str]) -> str:
    return " or ".join(f"`asyncmig rebase {head}`" for head in heads[:_SHOWN]) or "`asyncmig rebase R`"


class HeadFileError(RevisionFileError, ValueError):
    """Raised when the HEAD file does not say what the revision files say."""

    def __init__(self, path: Path, found: Sequence[str] | None, expected: Sequence[str]) -> None:
        self.found, self.expected = None if found is None else tuple(found), tuple(expected)
        says = "is not there" if found is None else f"says {', '.join(found) or 'nothing'}"
        heads = ", ".join(expected) or "none"
        advice = (
            "two branches added revisions: `asyncmig merge` joins them, "
            f"{_rebase(self.expected)} puts yours behind the other"
            if len(self.expected) > 1
            else f"write {heads} into it, or let `asyncmig revision` do it with the next one"
            if expected
            else "delete it"
        )
        super().__init__(
            path, f"it {says}, and the {plural(len(expected), 'head')} of the revision files: {heads}; {advice}"
        )


class HeadFileConflict(HeadFileError):
    """Raised when git left its conflict marks in the HEAD file."""

    def __init__(self, path: Path, sides: Sequence[str]) -> None:
        super().__init__(path, sides, ())
        self.fault = (
            f"git left a conflict in it between {' and '.join(sides) or 'two versions'}: two branches added revisions. "
            f"`asyncmig merge` joins them; {_rebase(sides)} puts your own unapplied one behind the other. "
            "Both write this file anew"
        )
        self.args = (f"{path}: {self.fault}",)
