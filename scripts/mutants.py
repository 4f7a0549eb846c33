"""Changes one thing in the code at a time, and looks whether a test notices: `nox -s mutants` runs it.

`python scripts/mutants.py ROOM SAMPLE SEED TESTS...`: so many mutations of `asyncmig/ROOM`, a folder or a file, drawn
by the seed, each met by these tests, in a copy of the project. Survivors are shown as differences, for somebody to
look at. The exit code is 1 where fewer than 90 % were killed.

cosmic-ray says which mutations there are, and makes them. What is no Python any more is not drawn, for whoever imports
it would kill it, nor what changes a note of types alone. Each is tested by a child of this process, which has imported
all that the tests need but the project itself: so one takes about a second.
"""

from __future__ import annotations

import ast
import compileall
import difflib
import importlib
import json
import os
import py_compile
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parent.parent
LEAST = 0.9
LONGEST_SECONDS = 1_800  # for the tests as they stand
TIMES = 10  # as long as these take may the tests of a mutation: it may make them run for ever
OPTIONS = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--no-header",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
CONFIG = """
[cosmic-ray]
module-path = "asyncmig/{room}"
timeout = 60
excluded-modules = []
test-command = "false"
[cosmic-ray.distributor]
name = "local"
"""


@dataclass(frozen=True)
class Mutation:
    """``place``: file and line; ``was``, ``text``: of the file, without it and with it."""

    place: str
    path: Path
    was: str
    text: str

    @property
    def diff(self) -> str:
        """What is different, with the line."""
        lines = difflib.unified_diff(self.was.splitlines(), self.text.splitlines(), self.place, lineterm="", n=2)
        return "\n".join([*lines])


def main(room: str, sample: int, seed: int, tests: list[str]) -> int:
    """The share that was killed, on screen."""
    with tempfile.TemporaryDirectory(prefix="asyncmig-mutants-") as place:
        copy = Path(place) / "asyncmig"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "docs", "benchmarks"))
        _enter(copy)
        compileall.compile_dir("asyncmig", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        (copy / "mutants.toml").write_text(CONFIG.format(room=room))
        program = Path(sys.executable).parent / "cosmic-ray"
        subprocess.run([program, "init", "mutants.toml", "mutants.sqlite"], check=True)
        _passes(["--co", *tests], caches=True)
        _import_outsiders(tests)
        began = time.monotonic()
        if not _passes(tests):
            raise SystemExit("the tests fail as they stand")
        seconds = TIMES * (time.monotonic() - began)
        survived = count = 0
        for mutation in _drawn(copy / "mutants.sqlite", sample, seed):
            count += 1
            if _survives(mutation, tests, seconds):
                survived += 1
                print(f"{mutation.diff}\n{survived} of {count} have survived so far", flush=True)
        killed = count - survived
        print(f"{room}: {killed} of {count} killed ({killed / count:.1%}), {survived} survived, seed {seed}")
        return int(killed < LEAST * count)


def _enter(copy: Path) -> None:
    """Let this process and its children import the copy."""
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    os.environ.pop("ASYNCMIG_EXPECT_INSTALLED", None)
    if url := os.environ.pop("ASYNCMIG_URL", ""):  # as `python -m asyncmig.testing` tells it
        os.environ["ASYNCMIG_TEST_URL"] = url
    sys.path.insert(0, str(copy))
    sys.pycache_prefix = None


def _drawn(session: Path, sample: int, seed: int) -> Iterator[Mutation]:
    """So many: the same ones each time, of the same code."""
    with sqlite3.connect(session) as connection:
        listed = connection.execute(
            "SELECT module_path, operator_name, occurrence, operator_args, start_pos_row FROM mutation_specs "
            "ORDER BY module_path, operator_name, occurrence"
        ).fetchall()
    random.Random(seed).shuffle(listed)  # noqa: S311
    print(f"{sample} of {len(listed)} mutations, seed {seed}", flush=True)
    meanings: dict[Path, str] = {}
    for name, operator, occurrence, arguments, line in listed:
        path = Path(name)
        was = path.read_text(encoding="utf-8")
        settings = json.loads(arguments)
        settings = json.loads(settings) if isinstance(settings, str) else settings
        text = mutate_code(was, get_operator(operator)(**settings), occurrence)
        was_meant, meant = meanings.setdefault(path, _meaning(was)), _meaning(text or "")
        if not meant or meant == was_meant:
            continue
        yield Mutation(f"{name}:{line}", path, was, text)
        sample -= 1
        if not sample:
            return


def _meaning(text: str) -> str:
    """What Python makes of it, without notes of types, and whichever way arguments are given; nothing if it refuses."""
    with warnings.catch_warnings(action="ignore"):
        try:
            tree = ast.parse(text)
            compile(text, "mutated", "exec")
        except SyntaxError:
            return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            node.posonlyargs, node.args, node.kwonlyargs = [], [*node.posonlyargs, *node.args, *node.kwonlyargs], []
            node.defaults, node.kw_defaults = [*node.defaults, *filter(None, node.kw_defaults)], []
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("object")
    return ast.dump(tree)


def _survives(mutation: Mutation, tests: list[str], seconds: float) -> bool:
    mutation.path.write_text(mutation.text, encoding="utf-8")
    try:
        near = _near(mutation.path, tests)
        return (not near or _passes(near, seconds)) and _passes(tests, seconds)
    finally:
        mutation.path.write_text(mutation.was, encoding="utf-8")


def _near(path: Path, tests: list[str]) -> list[str]:
    """The files among the tests that name the module: most mutations are killed by them, in less time than by all."""
    name = f"{path.parent.name}.{path.stem} import"
    listed = [file for test in tests if Path(test).exists() for file in sorted(Path(test).rglob("test_*.py"))]
    return [str(file) for file in listed if name in file.read_text(encoding="utf-8")]


def _passes(tests: list[str], seconds: float = LONGEST_SECONDS, *, caches: bool = False) -> bool:
    """Whether the tests pass, run by a child of this process. ``caches``: it keeps the tests compiled."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _run(tests, caches=caches)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_group(child)
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    _end_group(child)
    os.waitpid(child, 0)
    return False


def _end_group(child: int) -> None:
    """With all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def _run(tests: list[str], *, caches: bool) -> None:
    """Pytest, and the end of this process."""
    os.setpgid(0, 0)
    sys.dont_write_bytecode = not caches
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 3
    try:
        code = int(pytest.main([*OPTIONS, *tests]))
    finally:
        os._exit(code)


def _import_outsiders(tests: list[str]) -> None:
    """Import what a run of the tests imports, without what is to be mutated and what tests it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException), open(os.devnull, "w") as sys.stdout:
            pytest.main(["--co", "-q", *OPTIONS, *tests])
        with os.fdopen(writer, "w") as answer:
            json.dump([*sys.modules], answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        names = json.load(answer)
    os.waitpid(child, 0)
    for name in names:
        if name.partition(".")[0] not in ("asyncmig", "tests", "conftest", "__main__"):
            with suppress(BaseException):
                importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
