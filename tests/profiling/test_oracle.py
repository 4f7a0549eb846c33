"""A full scan counts the types that npm's ``mongodb-schema`` (MongoDB Compass) counts, path by path.

``nox -s profile_oracle`` installs that package and runs this.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from asyncmig.profiling.reading import Reading, profile

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600)]
ORACLE = Path(__file__).parent / "oracle.cjs"


def value(random: Random, depth: int) -> Any:
    makers: list[Any] = [
        lambda: random.randint(-5, 5),
        lambda: Int64(random.randint(-5, 5)),
        lambda: 2**40,
        lambda: random.random(),
        lambda: 3.0,
        lambda: random.choice(["", "x", "zwölf"]),
        lambda: random.choice([True, False]),
        lambda: None,
        lambda: dt.datetime(2020, 1, random.randint(1, 28)),
        lambda: ObjectId(random.randbytes(12)),
        lambda: Decimal128("1.5"),
        lambda: Binary(b"x", random.choice([0, 4, 128])),
        lambda: Regex("x", "i"),
        lambda: Timestamp(1, 1),
        lambda: random.choice([MinKey(), MaxKey()]),
    ]
    if depth:
        makers += 4 * [
            lambda: document(random, depth - 1),
            lambda: [value(random, depth - 1) for _ in range(random.randint(0, 4))],
        ]
    return random.choice(makers)()


def document(random: Random, depth: int) -> dict[str, Any]:
    return {
        name: value(random, depth) for name in random.sample(["a", "b", "c", "long name", "é"], random.randint(0, 4))
    }


@pytest.mark.parametrize("seed", range(3))
async def test_types_and_counts(database: Any, seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    documents = [{"_id": number, **document(random, 3)} for number in range(2_000)]
    await database["orders"].insert_many(documents)
    file = tmp_path / "documents.bson"
    file.write_bytes(b"".join(bson.encode(one) for one in documents))
    modules = {"NODE_PATH": os.environ["ASYNCMIG_NODE_MODULES"]}
    told = subprocess.run(["node", ORACLE, file], env=os.environ | modules, capture_output=True, check=True).stdout
    expected = json.loads(told)
    found = await profile(database["orders"], Reading(scan=True, max_paths=100_000))
    assert found.documents == expected["count"] == 2_000
    assert {path: dict(one.types) for path, one in found.paths.items()} == expected["paths"]
