"""Changes one thing in the code at a time, and looks whether a test notices: `nox -s mutants` runs it.

`python scripts/mutants.py ROOM SAMPLE SEED TESTS...`: so many mutations of `asyncmig/ROOM`, a folder or a file, drawn
by the seed, each met by these tests, in a copy of the project. Survivors are shown as differences, for somebody to
look at. The exit code is 1 where fewer than 90 % were killed. `SAMPLE` may be the numbers of some of those that are
drawn, `7,12,`: to try the survivors again.

cosmic-ray says which mutations there are, and makes them. What is no Python any more is not drawn, for whoever imports
it would kill it, nor what changes a note of types alone. Each is tested by a child of this process, which has imported
all that the tests need but the project itself, and first meets the tests that call the changed function, the quickest
first: so one takes about a second. Then all the others. Random tests draw fewer examples here than in the suite.
"""

from __future__ import annotations

import ast
import builtins
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parent.parent
LEAST = 0.9
LONGEST_SECONDS = 1_800  # for the tests as they stand
TIMES = 10  # as long as these take may the tests of a mutation: it may make them run for ever
EXAMPLES = 25  # of a random test that names no number
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
RECORD = "record.json"
CALLED = "_called_by_a_test"
TELL = f"getattr(__import__('builtins'), {CALLED!r}, set()).add({{!r}})"  # in a process of its own nobody listens
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
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
    """``number``: in the order of drawing; ``was``, ``text``: of the file, without it and with it."""

    number: int
    path: Path
    line: int
    was: str
    text: str

    @property
    def diff(self) -> str:
        """What is different, with the line."""
        place = f"mutation {self.number}: {self.path}:{self.line}"
        lines = difflib.unified_diff(self.was.splitlines(), self.text.splitlines(), place, lineterm="", n=2)
        return "\n".join([*lines])

    @property
    def function(self) -> str:
        """The innermost one that the line is in: its file and first line. Nothing: what runs at the import."""
        functions = [node for node in ast.walk(ast.parse(self.was)) if isinstance(node, FUNCTIONS)]
        around = [node for node in functions if node.body[0].lineno <= self.line <= (node.end_lineno or 0)]
        return _place(self.path, max(node.lineno for node in around)) if around else ""


class Recorder:
    """A plugin of pytest: how long each test takes, and which functions it calls of those that tell."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, list[str]] = {}
        self._called: set[str] = set()
        builtins.__dict__[CALLED] = self._called

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Around one test, what it asks for included."""
        self._called.clear()
        began = time.monotonic()
        result = yield
        self.seconds[item.nodeid] = time.monotonic() - began
        self.calls[item.nodeid] = sorted(self._called)
        return result

    def pytest_sessionfinish(self) -> None:
        """For the parent of this process."""
        Path(RECORD).write_text(json.dumps([self.seconds, self.calls]), encoding="utf-8")


@dataclass(frozen=True)
class Only:
    """A plugin of pytest: these tests, in this order."""

    tests: list[str]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The items that are to run."""
        order = {name: number for number, name in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])


def main(room: str, sample: str, seed: int, tests: list[str]) -> int:
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
        _draw_fewer_examples()
        began = time.monotonic()
        with _telling(Path("asyncmig", room)):
            if not _passes(tests, plugin=Recorder()):
                raise SystemExit("the tests fail as they stand")
        limit = TIMES * (time.monotonic() - began)
        seconds, calls = json.loads(Path(RECORD).read_text(encoding="utf-8"))
        survived = count = 0
        chosen = {int(word) for word in sample.split(",") if word} if "," in sample else range(1, int(sample) + 1)
        for mutation in _drawn(copy / "mutants.sqlite", seed, max(chosen)):
            if mutation.number not in chosen:
                continue
            count += 1
            if _survives(mutation, seconds, calls, limit):
                survived += 1
                print(f"{mutation.diff}\n{survived} of {count} have survived so far", flush=True)
            elif not count % 50:
                print(f"{survived} of {count} have survived so far", flush=True)
        killed = count - survived
        print(f"{room}: {killed} of {count} killed ({killed / count:.1%}), {survived} survived, seed {seed}")
        return int(killed < LEAST * count)


@contextmanager
def _telling(room: Path) -> Iterator[None]:
    """For a block, each function of the folder or file tells when it is called."""
    files = {path: path.read_text(encoding="utf-8") for path in ([room] if room.is_file() else room.rglob("*.py"))}
    for path, text in files.items():
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                after_docstring = int(ast.get_docstring(node) is not None)
                node.body[after_docstring:after_docstring] = ast.parse(TELL.format(_place(path, node.lineno))).body
        path.write_text(ast.unparse(tree), encoding="utf-8")
    yield
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


def _place(path: Path, line: int) -> str:
    return f"{path}:{line}"


def _enter(copy: Path) -> None:
    """Let this process and its children import the copy."""
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    os.environ.pop("ASYNCMIG_EXPECT_INSTALLED", None)
    if url := os.environ.pop("ASYNCMIG_URL", ""):  # as `python -m asyncmig.testing` tells it
        os.environ["ASYNCMIG_TEST_URL"] = url
    sys.path.insert(0, str(copy))
    sys.pycache_prefix = None


def _drawn(session: Path, seed: int, sample: int) -> Iterator[Mutation]:
    """So many: the same ones each time, of the same code."""
    with sqlite3.connect(session) as connection:
        listed = connection.execute(
            "SELECT module_path, operator_name, occurrence, operator_args, start_pos_row, start_pos_col "
            "FROM mutation_specs ORDER BY module_path, operator_name, occurrence"
        ).fetchall()
    random.Random(seed).shuffle(listed)  # noqa: S311
    print(f"{sample} of {len(listed)} mutations, seed {seed}", flush=True)
    number = 0
    for name, operator, occurrence, arguments, line, column in listed:
        path = Path(name)
        was = path.read_text(encoding="utf-8")
        if any(begin <= (line, column) < end for begin, end in _notes_of_types(was)):
            continue
        settings = json.loads(arguments)
        settings = json.loads(settings) if isinstance(settings, str) else settings
        text = mutate_code(was, get_operator(operator)(**settings), occurrence)
        meant = _meaning(text or "")
        if not meant or meant == _meaning(was):
            continue
        number += 1
        yield Mutation(number, path, line, was, text)
        if number == sample:
            return


@cache
def _notes_of_types(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where they stand; found faster than that two texts mean the same, and there are many."""
    nodes = [*ast.walk(ast.parse(text))]
    notes = [node.annotation for node in nodes if isinstance(node, ast.arg | ast.AnnAssign)]
    notes += [node.returns for node in nodes if isinstance(node, FUNCTIONS)]
    return [
        ((note.lineno, note.col_offset), (note.end_lineno or 0, note.end_col_offset or 0)) for note in notes if note
    ]


@cache
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


def _survives(mutation: Mutation, seconds: dict[str, float], calls: dict[str, list[str]], limit: float) -> bool:
    """Whether all tests pass with it: first those that call the changed function, the quickest first."""
    mutation.path.write_text(mutation.text, encoding="utf-8")
    try:
        quickest = sorted(seconds, key=lambda name: seconds[name])
        function = mutation.function
        near = [name for name in quickest if function in calls[name]]
        others = [name for name in quickest if function not in calls[name]]
        return all(_passes(_files(names), limit, plugin=Only(names)) for names in (near, others) if names)
    finally:
        mutation.path.write_text(mutation.was, encoding="utf-8")


def _files(tests: list[str]) -> list[str]:
    return sorted({name.partition("::")[0] for name in tests})


def _draw_fewer_examples() -> None:
    """In random tests, and none is made smaller that fails."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", max_examples=EXAMPLES, phases=phases, deadline=None, derandomize=True
    )
    hypothesis.settings.load_profile("mutants")


def _passes(
    arguments: list[str], seconds: float = LONGEST_SECONDS, *, caches: bool = False, plugin: object = None
) -> bool:
    """Whether the tests pass, run by a child of this process. ``caches``: it keeps the tests compiled."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _run(arguments, caches=caches, plugins=[plugin] if plugin else [])
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


def _run(arguments: list[str], *, caches: bool, plugins: list[object]) -> None:
    """Pytest, and the end of this process."""
    os.setpgid(0, 0)
    sys.dont_write_bytecode = not caches
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 3
    try:
        code = int(pytest.main([*OPTIONS, *arguments], plugins=plugins))
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
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
