"""What preflight costs beside the run that it foresees, as a ratio of times in one run.

``python benchmarks/preflight.py``, or ``nox -s bench -- preflight``. One revision with a unique index in two
steps, one built unique, a validator, a time to live, a change of documents, a renamed field: its preflight
(classes A and B as in ``--plan``, then all), and the upgrade itself, on the same documents and the same
server; and the time of the plan, for comparison. Fails where preflight as a whole takes longer than the
upgrade, or the classes A and B more than a fifth of it.

Seen on 2 cores that were busy with other work, Python 3.11.7, MongoDB 6.0.5, 200,000 documents: classes A and B
1.5 % of the upgrade, all of it 40 %.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from asyncmig import Migrator
from asyncmig.testing.server import LocalServer

WHOLE, LOOK = 1.0, 0.2
"""The most that preflight may take, all of it and its classes A and B, in upgrades."""
STEPS = """
    await env.create_indexes("c", [Index("email"), Index("at", expireAfterSeconds=10**9)])
    await env.modify_index("c", "email_1", unique=True)
    await env.create_index("c", [("n", 1), ("email", 1)], unique=True)
    await env.modify_collection("c", validator={"$jsonSchema": {"required": ["n"], "properties": {"n": {}}}})
    await env.update_in_batches("c", {"n": {"$lt": 1_000_000}}, {"$set": {"m": 1}})
    await env.rename_field("c", "s", "t")
"""
TEXT = f'''"""all"""
from asyncmig import Env, Index

revision = "20240101000000"
down_revision = None
irreversible = True


async def upgrade(env: Env) -> None:{STEPS}

async def downgrade(env: Env) -> None:
    """No way back."""
'''


def main() -> int:
    """Print the times and the ratios."""
    parser = argparse.ArgumentParser(description="Preflight beside the upgrade.")
    parser.add_argument("--documents", type=int, default=200_000)
    options = parser.parse_args()
    with LocalServer() as server, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(server.url, Path(folder), options.documents))


async def _measure(url: str, folder: Path, documents: int) -> int:
    (folder / "versions").mkdir()
    (folder / "versions" / "20240101000000_all.py").write_text(TEXT)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    database = client["benchmark"]
    for first in range(0, documents, 20_000):
        numbers = range(first, min(first + 20_000, documents))
        await database["c"].insert_many([{"n": n, "email": f"{n}@example.org", "s": "x" * 100} for n in numbers])
    migrator = Migrator(database, folder)
    plan, spent_plan = await _timed(migrator.plan)
    _, spent_look = await _timed(lambda: migrator.forecast(plan, costs=("A", "B")))
    found, spent_all = await _timed(migrator.preflight)
    _, spent_run = await _timed(migrator.upgrade)
    await client.close()
    if found.problems:
        print("foreseen, and did not happen:", *[one.text for one in found.problems], sep="\n  ")
    print(f"{documents:,} documents: plan {spent_plan:.2f} s, classes A and B {spent_look:.2f} s, ", end="")
    print(f"preflight {spent_all:.2f} s, upgrade {spent_run:.2f} s")
    look, whole = spent_look / spent_run, spent_all / spent_run
    print(f"of the upgrade: classes A and B {look:.3f} (at most {LOOK}), all {whole:.3f} (at most {WHOLE})")
    return 0 if look <= LOOK and whole <= WHOLE and not found.problems else 1


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    began = time.perf_counter()
    return await work(), time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
