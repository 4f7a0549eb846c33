"""Two masters: libraries that make, or drop, indexes by themselves beside asyncmig, and the setting that ends it."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asyncmig.sources.portable.places import line_of_class, shown_file

__all__ = ["Master", "masters_in_files", "masters_in_process"]

_CALLS: Final = ("init_beanie", "init_bunnet", "configure_database")
_ENDS_IT: Final = {
    "Beanie": "pass skip_indexes=True to init_beanie (Beanie 1.28 and later)",
    "Bunnet": "it has no setting that ends it: change models and revisions together",
}
_DEPENDENCIES: Final = ("site-packages", "dist-packages")
_NOT_PROJECT: Final = frozenset({"node_modules", "__pycache__", "build", "dist", *_DEPENDENCIES})
_MAX_FILES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Master:
    """A library that changes indexes by itself: where it is told to, what it does, and what ends it."""

    framework: str
    place: str
    does: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.framework} {self.does}; {self.remedy}"


def masters_in_process() -> tuple[Master, ...]:
    """Those among the modules that this process has imported; nothing is looked at where no such library is.

    The sources of the application's own modules are read for the calls, so that one inside a function
    is found before it is made.
    """
    libraries = {"beanie", "bunnet", "mongoengine", "odmantic"} & sys.modules.keys()
    if not libraries:
        return ()
    called = [] if libraries == {"mongoengine"} else [master for file in _own_files() for master in _in_file(file)]
    return (*called, *_mongoengine())


def masters_in_files(folder: Path) -> tuple[Master, ...]:
    """Those in the Python files below ``folder``, dependencies and hidden folders aside; and MongoEngine's classes.

    A call whose arguments are computed tells nothing, and is passed over. At most 5,000 files are read.
    """
    return (*(master for file in _project_files(folder) for master in _in_file(file)), *_mongoengine())


# Calls


def _in_file(file: Path) -> Iterator[Master]:
    try:
        source = file.read_bytes()
        if not any(name.encode() in source for name in _CALLS):
            return
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):  # whatever cannot be read says nothing
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)) in _CALLS:
            place = f"{_shown(file)}, line {node.lineno}"
            yield from _odmantic(node, place) if name == "configure_database" else _beanie(node, place, name)


def _beanie(call: ast.Call, place: str, name: str) -> Iterator[Master]:
    """A computed argument may be anything, and is not judged; ``skip_indexes`` ends the dropping, too."""
    given = _arguments(call)
    if None in given or not _is_off(given.get("skip_indexes")):
        return
    drops = not _is_off(given.get("allow_index_dropping"))
    does = "makes indexes at start-up" + (" and drops those that none of its models has" if drops else "")
    library = name.partition("_")[2].capitalize()
    yield Master(library, place, does, _ENDS_IT[library])


def _odmantic(call: ast.Call, place: str) -> Iterator[Master]:
    given = _arguments(call)
    drops = None in given or not _is_off(given.get("update_existing_indexes"))
    does = "makes indexes" + (" and drops those that its models declare otherwise" if drops else "")
    yield Master("ODMantic", place, does, "take the call of configure_database out")


def _arguments(call: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords}  # None: **options


def _is_off(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and not value.value)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


# MongoEngine: its classes say it themselves


def _mongoengine() -> Iterator[Master]:
    registry = getattr(sys.modules.get("mongoengine.base.common"), "_document_registry", {})
    classes = [cls for cls in dict.fromkeys(registry.values()) if _makes_indexes(cls)]
    if not classes:
        return
    first = classes[0]
    more = f" and {len(classes) - 1} more" if len(classes) > 1 else ""
    yield Master(
        "MongoEngine",
        f"{shown_file(first.__module__)}, line {line_of_class(first)} ({first.__name__}{more})",
        "makes indexes at a class's first use, also where it only reads",
        'set "auto_create_index": False in meta',
    )


def _makes_indexes(cls: Any) -> bool:
    meta = getattr(cls, "_meta", {})
    library = str(cls.__module__).partition(".")[0] == "mongoengine"
    if library or meta.get("abstract", True) or not meta.get("auto_create_index", True):
        return False
    return bool(meta.get("index_specs") or meta.get("allow_inheritance"))


# Files


def _own_files() -> Iterator[Path]:
    """The sources of the application's own modules, as far as it has imported them."""
    standard = sysconfig.get_paths()["stdlib"]
    files = {str(getattr(module, "__file__", None) or "") for module in tuple(sys.modules.values())}
    for file in sorted(files)[:_MAX_FILES]:
        if file.endswith(".py") and not file.startswith(standard) and not any(part in file for part in _DEPENDENCIES):
            yield Path(file)


def _project_files(folder: Path) -> Iterable[Path]:
    files: list[Path] = []
    waiting = [folder]
    while waiting and len(files) < _MAX_FILES:
        for path in sorted(_entries(waiting.pop())):
            if path.is_symlink() or path.name.startswith(".") or path.name in _NOT_PROJECT:
                continue
            if path.is_dir():
                waiting += [] if (path / "pyvenv.cfg").exists() else [path]
            elif path.suffix == ".py":
                files.append(path)
    return files[:_MAX_FILES]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _shown(file: Path) -> str:
    try:
        return file.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(file)
