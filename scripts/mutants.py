"""Changes one thing in the code at a time, and looks whether a test notices: `nox -s mutants` runs it.

`python scripts/mutants.py ROOM SAMPLE SEED TESTS...`: so many mutations of `asyncmig/ROOM`, drawn by the seed, each met
by these tests, in a copy of the project. Survivors are shown as differences, for somebody to look at. The exit code is
1 where fewer than 90 % were killed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST = 0.9
SECONDS = 120  # for one run of the tests; a mutation may make them run for ever
CONFIG = """
[cosmic-ray]
module-path = "asyncmig/{room}"
timeout = {seconds}
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider -p no:xdist --no-header {tests}"
[cosmic-ray.distributor]
name = "local"
"""


def main(room: str, sample: int, seed: int, tests: list[str]) -> int:
    """The share that was killed, on screen."""
    with tempfile.TemporaryDirectory(prefix="asyncmig-mutants-") as place:
        copy = Path(place) / "asyncmig"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "docs", "benchmarks"))
        config = CONFIG.format(room=room, seconds=SECONDS, python=sys.executable, tests=" ".join(tests))
        (copy / "mutants.toml").write_text(config)
        _ray(copy, "init", "mutants.toml", "mutants.sqlite")
        _ray(copy, "baseline", "mutants.toml")  # raises where the tests fail as they stand
        drawn, of = _draw(copy / "mutants.sqlite", sample, seed)
        print(f"{room}: {drawn} of {of} mutations, seed {seed}", flush=True)
        _ray(copy, "exec", "mutants.toml", "mutants.sqlite")
        return _report(room, _ray(copy, "dump", "mutants.sqlite"))


def _ray(copy: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("ASYNCMIG_EXPECT_INSTALLED", None)
    program = str(Path(sys.executable).parent / "cosmic-ray")
    done = subprocess.run([program, *arguments], cwd=copy, env=environment, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"cosmic-ray {' '.join(arguments)} failed:\n{done.stdout}")
    return done.stdout


def _draw(session: Path, sample: int, seed: int) -> tuple[int, int]:
    """Leave so many in the session: the same ones each time, of the same code."""
    with sqlite3.connect(session) as connection:
        listed = connection.execute(
            "SELECT job_id, operator_name FROM mutation_specs ORDER BY module_path, operator_name, occurrence"
        ).fetchall()
        wanted = [one for one in listed if "BitOr" not in one[1]]  # `str | None`: a note that nobody evaluates
        kept = set(random.Random(seed).sample(wanted, min(sample, len(wanted))))  # noqa: S311
        dropped = [job for job in listed if job not in kept]
        connection.executemany("DELETE FROM mutation_specs WHERE job_id = ?", [one[:1] for one in dropped])
        connection.executemany("DELETE FROM work_items WHERE job_id = ?", [one[:1] for one in dropped])
    return len(kept), len(wanted)


def _report(room: str, dump: str) -> int:
    done = [json.loads(line)[1] for line in dump.splitlines() if line]
    survivors = [one for one in done if one["test_outcome"] == "survived"]
    for one in survivors:
        print(one["diff"], flush=True)
    killed = len(done) - len(survivors)
    print(f"{room}: {killed} of {len(done)} killed ({killed / len(done):.0%}), {len(survivors)} survived")
    return int(killed < LEAST * len(done))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
