"""A small project with two revisions, and pytest run in it as its users would."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata

import pytest

REVISIONS = {
    "a001": '''
"""wallets"""
from asyncmig import Index

revision = "a001"
down_revision = None


async def upgrade(env):
    await env.create_collection("wallet")
    await env.create_indexes("wallet", [Index("uid", unique=True)])
    await env.insert_documents("wallet", [{"_id": 1, "uid": "first", "coins": "12"}])


async def downgrade(env):
    await env.drop_collection("wallet")
''',
    "a002": '''
"""coins are numbers"""
revision = "a002"
down_revision = "a001"


async def upgrade(env):
    async for wallet in env.db["wallet"].find({"coins": {"$type": "string"}}):
        await env.db["wallet"].update_one({"_id": wallet["_id"]}, {"$set": {"coins": int(wallet["coins"])}})
    await env.create_index("wallet", [("coins", 1)])


async def downgrade(env):
    await env.drop_index("wallet", "coins_1")
    async for wallet in env.db["wallet"].find({"coins": {"$type": "int"}}):
        await env.db["wallet"].update_one({"_id": wallet["_id"]}, {"$set": {"coins": str(wallet["coins"])}})
''',
}
MODELS = """
from asyncmig import Collection, Index


class Wallet(Collection):
    __collection_name__ = "wallet"
    __indexes__ = [Index("uid", unique=True), "coins"]


ALL_COLLECTIONS = [Wallet]
"""
# What is ignored is said by pytest-asyncio, of itself, where nothing is configured.
SETTINGS = """
[tool.asyncmig]
models = "models:ALL_COLLECTIONS"

[tool.pytest.ini_options]
filterwarnings = ["error", "ignore:The configuration option .asyncio_default_fixture_loop_scope"]
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """The project, in the working directory."""
    versions = pytester.mkdir("migrations") / "versions"
    versions.mkdir()
    for name, text in REVISIONS.items():
        (versions / f"{name}_step.py").write_text(text.lstrip())
    pytester.path.joinpath("models.py").write_text(MODELS)
    pytester.makepyprojecttoml(SETTINGS)
    return pytester


@pytest.fixture
def run(project: pytest.Pytester, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("--asyncmig", …)``: pytest in a process of its own, in the project; warnings are errors."""
    for name in [name for name in os.environ if name.startswith(("ASYNCMIG_", "PYTEST_"))]:
        if name != "ASYNCMIG_MONGOD":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ASYNCMIG_TEST_URL", server_url)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    registered = {point.name for point in metadata.entry_points(group="pytest11")}
    plugin = [] if "asyncmig" in registered else ["-p", "asyncmig.pytest_plugin"]

    def start(*arguments: str) -> pytest.RunResult:
        return project.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *arguments, timeout=500)

    return start
