"""The revision graph: how long it takes to build, to plan on, to load from files; Alembic beside it in the same run.

``python benchmarks/graph.py``, or ``nox -s bench -- graph`` with Alembic installed beside it. Every
figure is a median, in milliseconds, of CPU time (user and system) and of the clock on the wall: on a
busy machine the first is the one to look at. Whole processes take turns.

Seen on 2 cores that were busy with other work (load 4 to 6), Python 3.11, medians of 9; CPU, and on the
wall in brackets:

- build from loaded revisions and plan base to head: 21 ms (23) for 5,000 in a line, where Alembic's
  own map takes 79; 11 ms (12) for 1,000 forks and merges, where it takes 2,700. Goals: 60 and 40.
- ``current`` with 5,000 applied: 2.1 ms (2.4), and linear, half a microsecond each up to 10,000 and
  one beyond; Alembic takes 3,500 ms, and four times that with twice as many.
- loading 5,000 files without importing them: 190 ms (230), of which 45 are reading bytes and
  checksums. Goal: 1,500. A cache would have to look at each file at least once, and unpickle: it
  could save 115 ms of 5,000 files and 12 of 500, so there is none.
- whole process, 500 files: ``asyncmig heads`` 240 ms (480), ``alembic heads`` 1,700 (3,700).
"""

from __future__ import annotations

import argparse
import os
import pickle
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from asyncmig.files.directory import Directory
from asyncmig.history import Revision, RevisionGraph

HAS_ALEMBIC = find_spec("alembic") is not None
Shape = Sequence[tuple[str, tuple[str, ...]]]
"""Ids with their parents."""
Times = tuple[float, float]
"""Milliseconds of CPU, and on the wall."""


# -- histories ------------------------------------------------------------------------------------


def linear(count: int) -> Shape:
    """One revision after the other."""
    ids = [f"{20240101000000 + number}" for number in range(count)]
    return [(one, (before,) if before else ()) for one, before in zip(ids, ["", *ids], strict=False)]


def forked(count: int) -> Shape:
    """A fork of two and their merge, so many times, one after the other."""
    found: list[tuple[str, tuple[str, ...]]] = [("m00000", ())]
    for number in range(count):
        root, left, right = f"m{number:05}", f"a{number:05}", f"b{number:05}"
        found += [(left, (root,)), (right, (root,)), (f"m{number + 1:05}", (left, right))]
    return found


SHAPES = {"5,000 linear": linear(5000), "1,000 fork-merges": forked(1000)}
BUDGETS = {"5,000 linear": 60, "1,000 fork-merges": 40}


# -- timing ---------------------------------------------------------------------------------------


def timed(work: Callable[[], Any]) -> Times:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000


def median(times: Sequence[Times]) -> Times:
    return statistics.median(cpu for cpu, _ in times), statistics.median(wall for _, wall in times)


def line(what: str, times: Times, remark: str = "") -> str:
    return f"{what:<58}{times[0]:>10.1f}{times[1]:>10.1f}  {remark}".rstrip()


# -- in memory ------------------------------------------------------------------------------------


def planned(revisions: Sequence[Revision]) -> None:
    """What every upgrade of an empty database does with the revisions that were loaded."""
    RevisionGraph(revisions).upgrade_path((), "head")


def alembic_map(shape: Shape) -> Any:
    from alembic.script.revision import Revision as AlembicRevision
    from alembic.script.revision import RevisionMap

    revisions = [AlembicRevision(one, parents or None) for one, parents in shape]
    made = RevisionMap(lambda: revisions)
    made._revision_map  # noqa: B018  # built when it is first asked for
    return made


def alembic_planned(shape: Shape) -> None:
    list(alembic_map(shape).iterate_revisions("heads", "base"))


def alembic_current(made: Any) -> None:
    """What ``alembic current`` does with the heads that the database holds; see ScriptDirectory.get_all_current."""
    found = set(made.get_revisions("heads"))
    found.update(made._get_ancestor_nodes(list(found), include_dependencies=True))
    made._filter_into_branch_heads(found)


def in_memory(rounds: int) -> Iterator[str]:
    for name, shape in SHAPES.items():
        revisions = [Revision(*one) for one in shape]
        ours = median([timed(lambda r=revisions: planned(r)) for _ in range(rounds)])
        yield line(f"build the graph and plan base to head, {name}", ours, f"goal {BUDGETS[name]}")
        if HAS_ALEMBIC:
            yield line("  Alembic", median([timed(lambda s=shape: alembic_planned(s)) for _ in range(rounds)]))
    for count in (1250, 2500, 5000, 10000, 20000):
        shape = linear(count)
        graph, applied = RevisionGraph([Revision(*one) for one in shape]), frozenset(one for one, _ in shape)
        times = median([timed(lambda g=graph, a=applied: g.heads_of(a)) for _ in range(rounds)])
        yield line(f"current, {count:,} applied", times, f"{times[0] * 1000 / count:.2f} us each")
        if HAS_ALEMBIC and count <= 5000:
            made = alembic_map(shape)
            yield line("  Alembic", timed(lambda m=made: alembic_current(m)), "once")


# -- files ----------------------------------------------------------------------------------------

OURS = '''"""step {number}"""

from asyncmig import Env, Index

revision = "{revision}"
down_revision = {parent}
branch_labels = None
depends_on = None


async def upgrade(env: Env) -> None:
    """Apply schema changes."""
    await env.create_collection("wallet_{number}")
    await env.create_indexes("wallet_{number}", [Index([("uid", 1), ("org_id", 1)], unique=True), Index("rec_date")])


async def downgrade(env: Env) -> None:
    """Revert schema changes."""
    await env.drop_collection("wallet_{number}")
'''
THEIRS = '''"""step {number}"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {parent}
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("wallet_{number}", sa.Column("uid", sa.Integer), sa.Column("org_id", sa.Integer))
    op.create_index("uid_org_idx_{number}", "wallet_{number}", ["uid", "org_id"], unique=True)


def downgrade():
    op.drop_table("wallet_{number}")
'''


def write(folder: Path, text: str, count: int) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    for number, (one, parents) in enumerate(linear(count)):
        parent = f'"{parents[0]}"' if parents else "None"
        (versions / f"{one}_step.py").write_text(text.format(number=number, revision=one, parent=parent))


def stats(folder: Path) -> list[os.stat_result]:
    """What the cheapest cache would have to do: look whether a file has changed."""
    with os.scandir(folder) as entries:
        return [entry.stat() for entry in entries]


def loading(root: Path, rounds: int) -> Iterator[str]:
    """All headers of 5,000 files, and what a cache of them could save."""
    write(root / "many", OURS, 5000)
    directory = Directory(root / "many" / "migrations")
    cached = pickle.dumps(directory.read().revisions)
    read = median([timed(directory.read) for _ in range(rounds)])
    yield line("load 5,000 files without importing them", read, "goal 1500")
    bare = median([timed(directory.checksums) for _ in range(rounds)])
    yield line("  of that, reading their bytes and checksums", bare)
    cheap = median([timed(lambda: (stats(directory.versions), pickle.loads(cached))) for _ in range(rounds)])
    yield line("  a cache: one stat for each file, and unpickling", cheap, f"would save {read[0] - cheap[0]:.0f}")
    share = (read[0] - cheap[0]) / 10
    yield f"  so at 500 files a cache would save {share:.0f} ms of a whole process"
    if HAS_ALEMBIC:
        write(root / "alembic-many", THEIRS, 5000)
        script = alembic_script(root / "alembic-many")
        script()
        yield line("  Alembic, its files compiled already", timed(alembic_script(root / "alembic-many")), "once")


def alembic_script(folder: Path) -> Callable[[], None]:
    def load() -> None:
        from alembic.script import ScriptDirectory

        list(ScriptDirectory(str(folder / "migrations")).walk_revisions("heads", "heads"))

    return load


# -- whole processes ------------------------------------------------------------------------------


def programs(root: Path) -> dict[str, tuple[list[str], Path]]:
    """``asyncmig heads`` and ``alembic heads``, each in a folder with 500 files of its own kind."""
    found = {}
    for name, text in (("asyncmig", OURS), ("alembic", THEIRS)):
        path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
        if path:
            write(root / name, text, 500)
            found[f"{name} heads, 500 files"] = ([path, "heads"], root / name)
    (root / "asyncmig" / "pyproject.toml").write_text("[tool.asyncmig]\n")
    if (root / "alembic").exists():
        (root / "alembic" / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        (root / "alembic" / "migrations" / "env.py").write_text("")
    return found


def processes(root: Path, rounds: int) -> Iterator[str]:
    """Each program in turn, over and over; the first turn, which fills every cache, does not count."""
    found = programs(root)
    turns = [{name: process(*one) for name, one in found.items()} for _ in range(rounds + 1)][1:]
    yield from (line(f"whole process: {name}", median([turn[name] for turn in turns])) for name in found)


def process(command: list[str], folder: Path) -> Times:
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    if linear(500)[-1][0] not in done.stdout:
        raise SystemExit(f"{command} did not name the head: {done.stdout}{done.stderr}")
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000, seconds * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}; medians of {rounds}, ms")
    print(f"{'':<58}{'CPU':>10}{'wall':>10}")
    if not HAS_ALEMBIC:
        print("Alembic is not installed: nothing is compared")
    with tempfile.TemporaryDirectory() as root:
        for found in (in_memory(rounds), loading(Path(root), rounds), processes(Path(root), rounds)):
            for text in found:
                print(text, flush=True)


if __name__ == "__main__":
    main()
