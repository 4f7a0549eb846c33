r"""Whole-process times of the command line, beside its peers: what a person waits for.

``nox -s bench`` runs it with the Python peers installed, or ``python benchmarks/cli.py`` with those
that are: every tool that is found is measured. In each round every tool does every task once, the
tools in another order each time; the table shows medians in seconds, and the fastest in brackets.

Tasks: ``--help``; ``current`` and an ``upgrade`` with nothing to do, with 10 and 500 revisions
applied; ``upgrade`` of 500 revisions that do nothing, and of 500 that insert one document each. A
revision's cost is mostly that of the writes that record it, so the last lines compare an upgrade
within one process with the very write commands that its ledger sent, sent again with nothing around.

Seen on 2 cores, Python 3.11.7, an otherwise quiet machine, medians (fastest) of 5 rounds, seconds:

===========================  ===========  ==============  ===========
\                            Motor        PyMongo Async   mongomig
===========================  ===========  ==============  ===========
``--help``                   0.06 (0.05)  0.07 (0.05)     0.09 (0.08)
``current``, 10 applied      0.30 (0.30)  0.26 (0.23)     0.85 (0.77)
``current``, 500 applied     0.36 (0.30)  0.32 (0.25)     0.96 (0.85)
``upgrade``, 10 applied      0.29 (0.26)  0.27 (0.23)     0.80 (0.77)
``upgrade``, 500 applied     0.30 (0.26)  0.29 (0.27)     0.96 (0.84)
apply 500, empty             1.53 (1.35)  1.32 (1.25)     2.93 (2.39)
apply 500, one insert each   2.25 (2.10)  2.23 (2.02)     3.62 (3.39)
===========================  ===========  ==============  ===========

An upgrade of 500 empty revisions sends 502 writes to the ledger, where two for each revision would be
1,000: "applied" of the one travels with "upgrading" of the next. In one process it takes about 1.2 times
as long as those 502 writes alone, with either driver; ledger.py tells more of that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import TOOLS, Place, Tool

from asyncmig.testing.server import LocalServer

DRIVERS = ("motor", "pymongo")


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to time; ``fresh`` tasks need a database of their own each time."""

    name: str
    command: str
    count: int = 10
    body: str = "nothing"
    fresh: bool = False


TASKS = (
    Task("--help", "help"),
    Task("current, 10 applied", "current", 10),
    Task("current, 500 applied", "current", 500),
    Task("upgrade, 10 applied", "upgrade", 10),
    Task("upgrade, 500 applied", "upgrade", 500),
    Task("apply 500, empty", "upgrade", 500, "nothing", fresh=True),
    Task("apply 500, one insert each", "upgrade", 500, "insert", fresh=True),
)


class Bench:
    """The folders and databases of one run, and the times found."""

    def __init__(self, root: Path, url: str, tools: list[Tool]) -> None:
        self.root, self.url, self.tools = root, url, tools
        self.times: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.failures: dict[tuple[str, str], str] = {}
        self.databases = 0

    def folder(self, tool: Tool, count: int, body: str) -> Path:
        """The tool's folder with that many revisions, written when first asked for."""
        folder = self.root / tool.program / f"{count}-{body}"
        if not folder.exists():
            folder.mkdir(parents=True)
            tool.write(folder, count, body)
        return folder

    def prepare(self) -> None:
        """Apply what ``current`` and the empty ``upgrade`` are to find applied; also fills every cache once."""
        for tool in self.tools:
            for count in sorted({task.count for task in TASKS if not task.fresh}):
                self.call(tool, Task("warm-up", "upgrade", count), f"{tool.program}_{count}".replace("-", "_"))

    def round(self, number: int) -> None:
        """Every tool does every task once."""
        for task in TASKS:
            shift = number % len(self.tools)
            for tool in self.tools[shift:] + self.tools[:shift]:
                if task.command != "current" or tool.current:
                    self.measure(tool, task)

    def measure(self, tool: Tool, task: Task) -> None:
        """Time one call."""
        self.databases += 1
        fixed = f"{tool.program}_{task.count}".replace("-", "_")
        seconds = self.call(tool, task, f"fresh_{self.databases}" if task.fresh else fixed)
        if seconds is not None:
            self.times[task.name, tool.name].append(seconds)

    def call(self, tool: Tool, task: Task, database: str) -> float | None:
        """Run the process to its end; None, and a note, if it fails."""
        place: Place = (self.url, database)
        current = tool.current or tool.upgrade
        arguments = {"help": ("--help",), "upgrade": tool.upgrade(place), "current": current(place)}[task.command]
        environment = os.environ | {"PYTHONWARNINGS": "ignore"} | dict(tool.environment(place))
        started = time.perf_counter()
        done = subprocess.run(
            [tool.path or tool.program, *arguments],
            cwd=self.folder(tool, task.count, task.body),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode == 0:
            return seconds
        self.failures[task.name, tool.name] = _last_line(done)
        return None

    def table(self) -> Iterator[str]:
        """The medians, one line per task."""
        width = max(len(task.name) for task in TASKS)
        yield " " * width + "".join(f" | {tool.name:>18}" for tool in self.tools)
        for task in TASKS:
            cells = (self.times[task.name, tool.name] for tool in self.tools)
            yield f"{task.name:<{width}}" + "".join(f" | {_cell(times):>18}" for times in cells)
        for (task_name, tool_name), reason in self.failures.items():
            yield f"{tool_name} failed in {task_name!r}: {reason}"


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]


def _cell(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} ({min(times):.2f})" if times else "-"


def ledger(bench: Bench, rounds: int) -> Iterator[str]:
    """An upgrade of 500 empty revisions within one process, beside its own ledger writes alone."""
    script = str(Path(__file__).with_name("ledger.py"))
    folder = bench.folder(TOOLS[0], 500, "nothing")
    for driver in DRIVERS:
        done = subprocess.run(
            [sys.executable, script, bench.url, driver, str(rounds)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        yield done.stdout.strip() if done.returncode == 0 else f"{driver} failed: {_last_line(done)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="programs to measure; all that are installed unless given")
    options = parser.parse_args()
    tools = [tool for tool in TOOLS if tool.path and (not options.only or tool.program in options.only)]
    with tempfile.TemporaryDirectory() as root, LocalServer() as server:
        bench = Bench(Path(root), server.url, tools)
        bench.prepare()
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.round(number)
        print(f"seconds, median (fastest) of {options.rounds}; {os.cpu_count()} cores, Python {sys.version.split()[0]}")
        print(*bench.table(), sep="\n")
        print(*ledger(bench, options.rounds), sep="\n")


if __name__ == "__main__":
    main()
