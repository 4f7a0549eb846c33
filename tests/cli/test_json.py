"""``--json`` as programs rely on it: one document on stdout, whatever happens. The ``run`` of all tests holds each
document that a command prints against its schema; here is what goes wrong in every command, and in how many ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig.cli.app import App
from asyncmig.cli.group import COMMANDS
from asyncmig.cli.json_schemas import DOCUMENTS
from asyncmig.cli.json_schemas.tables import tables

from ..conftest import ROOT
from .conftest import Run

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "completion": ("bash",),
    "adopt": ("--from-database",),
    "revision": ("-m", "x", "--rev-id", "cccc"),
    "squash": (":aaaa",),
    "rebase": ("aaaa",),
    "downgrade": ("base",),
    "stamp": ("head",),
    "index": ("abort", "user", "email_1"),
    "show": ("head",),
    "models": ("export",),
}
"""What a command cannot do without."""
OFFLINE = {"init", "completion", "revision", "merge", "squash", "history", "heads", "branches", "show", "lint", "graph"}
OFFLINE |= {"models"}
"""Those that ask no server, as they are called here."""


def line(name: str) -> list[str]:
    return [name, *ARGUMENTS.get(name, ())]


def test_every_command_has_a_schema() -> None:
    assert DOCUMENTS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_line_that_cannot_be_read(run: Run, name: str) -> None:
    for args in ([*line(name), "--nonsense", "--json"], ["--json", *line(name), *["extra"] * 9, "--nonsense"]):
        result = await run(*args)
        assert (result.code, result.document["error"]["code"]) == (2, "UsageError")
        assert result.document["error"]["facts"]["command"] == f"asyncmig {name}"
        assert result.document["error"]["message"] in result.stderr


async def test_no_command_at_all(run: Run) -> None:
    for args in (["--json", "historie"], ["--json", "--ulr", "x", "heads"], ["--driver", "mongo", "heads", "--json"]):
        result = await run(*args)
        assert (result.code, result.document["error"]["code"]) == (2, "UsageError")


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"completion"}))
async def test_a_setting_that_is_refused(run: Run, folder: Path, name: str) -> None:
    (folder / "asyncmig.toml").write_text('direktory = "x"\n')
    result = await run(*line(name), "--json")
    assert (result.code, result.document["error"]["code"]) == (2, "ConfigurationError")
    assert result.document["error"]["message"].endswith("unknown key 'direktory'; did you mean 'directory'?")
    assert result.stderr == f"Error: {result.document['error']['message']}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - OFFLINE))
async def test_a_server_that_does_not_answer(
    run: Run, write_revision: Callable[..., Path], write_models: Callable[[str], None], name: str
) -> None:
    write_revision("aaaa")
    if name != "adopt":
        write_models("class Wallet(Collection):\n    __collection_name__ = 'wallet'\n")
    url = "mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=50"
    result = await run(*line(name), "--json", "--url", url)
    error = result.document["error"]
    assert (result.code, error["code"], error["exit_code"]) == (1, "ServerUnreachable", 1)
    assert error["facts"]["hosts"] == ["127.0.0.1:1"]
    assert "secret" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("raised", "code", "exit_code"),
    [(ValueError("odd"), "InternalError", 1), (KeyboardInterrupt(), "Interrupted", 130)],
)
async def test_a_fault_of_ours_and_an_interruption(
    run: Run, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: str, exit_code: int
) -> None:
    def fail(self: App) -> Any:
        raise raised

    monkeypatch.setattr(App, "settings", property(fail))
    for name in COMMANDS.keys() - {"completion"}:
        result = await run(*line(name), "--json")
        error = result.document["error"]
        assert (result.code, error["code"], error["exit_code"]) == (exit_code, code, exit_code), name
        assert "Traceback" not in result.stderr


async def test_a_run_that_fails_tells_what_it_has_done(
    run: Run, server: Any, write_revision: Callable[..., Path]
) -> None:
    write_revision("aaaa", message="first")
    write_revision("bbbb", "aaaa", body="1 / 0")
    result = await run("upgrade", "--json")
    document = result.document
    assert (result.code, document["error"]["code"], document["error"]["facts"]["revision"]) == (
        7,
        "RevisionFailed",
        "bbbb",
    )
    assert [(one["revision"], one["message"]) for one in document["revisions"]] == [("aaaa", "first")]
    await run("downgrade", "base")
    told = await run("upgrade")
    assert (told.code, told.stdout.partition("  (")[0]) == (7, "aaaa  first")


async def test_what_stands_in_the_way_of_a_run(
    run: Run, server: Any, write_revision: Callable[..., Path], folder: Path
) -> None:
    """The facts of what is held, lost, several, ahead."""
    from asyncmig.drivers import driver_for
    from asyncmig.running.locking.lock import Lock

    write_revision("aaaa", body='await env.drop_collection("kept")')
    await server["kept"].insert_one({})

    async def refused(*args: str) -> tuple[int, str, dict[str, Any]]:
        result = await run(*args, "--json")
        error = result.document["error"]
        assert (result.code, error["message"] in result.stderr) == (error["exit_code"], True)
        return result.code, error["code"], error["facts"]

    async with Lock(driver_for(server)).held(command="asyncmig upgrade head"):
        code, name, facts = await refused("upgrade", "--yes", "--lock-timeout", "0")
        assert (code, name, facts["holder"]["command"]) == (6, "LockTimeout", "asyncmig upgrade head")
    code, name, facts = await refused("upgrade")
    assert (code, name, len(facts["losses"])) == (1, "NotConfirmed", 1)
    write_revision("bbbb")
    code, name, facts = await refused("upgrade")
    assert (code, name, [one["revision"] for one in facts["heads"]]) == (5, "MultipleHeads", ["aaaa", "bbbb"])
    assert (await refused("show", "zzzz"))[:2] == (1, "UnknownRevision")
    (folder / "migrations" / "versions" / "cccc.py").write_text("revision = (")
    code, name, facts = await refused("heads")
    assert (code, name, facts["line"]) == (1, "BrokenFile", 1)


async def test_every_command_says_what_it_does(
    run: Run, server: Any, write_revision: Callable[..., Path], write_models: Callable[[str], None], folder: Path
) -> None:
    """One project, every command: each document is held to its schema by ``run``, and names things alike."""
    write_models("class Wallet(Collection):\n    __collection_name__ = 'wallet'\n    __indexes__ = ['uid']\n")
    await server["stranger"].insert_one({"a": [1, 2]})
    said: dict[str, Any] = {}

    async def ask(*args: str, code: int = 0, **environment: str) -> Any:
        result = await run(*args, "--json", **environment)
        assert result.code == code, (args, result.stderr, result.stdout)
        said[" ".join(args)] = result.document
        return result.document

    created = (await ask("init"))["created"]
    assert created == ["migrations/versions/.gitkeep"]
    await ask("status")
    await ask("diff", code=3)
    first = (await ask("revision", "-m", "wallets", "--autogenerate"))["revision"]
    await ask("report")
    for options in ((), ("--plan",), ("--preflight",)):
        await ask("upgrade", *options)
        await ask("downgrade", "base", *options)
    await ask("upgrade")
    await ask("fields", "--paths", "--examples")
    for name, body in (("bbbb", "pass"), ("cccc", 'await env.drop_collection("gone")')):
        write_revision(name, first, body=body)
    await ask("heads", "--check", code=5)
    await ask("upgrade", code=5)
    await ask("check", code=5)
    await ask("rebase", "cccc", "--onto", "bbbb")
    write_revision("dddd", first)
    await ask("merge")
    for args in (["branches"], ["graph", "-i"], ["history", "-i"], ["show", "head"], ["lint"], ["current"], ["status"]):
        await ask(*args, code=8 if args == ["lint"] else 0)
    await ask("upgrade")
    await ask("show", "--applied", "head")
    await ask("stamp", "head")
    edited = folder / "migrations" / "versions" / "bbbb_step.py"
    edited.write_text(edited.read_text() + "# edited\n")
    await ask("check", code=1)
    await ask("repair")
    await ask("unlock")
    await ask("index", "abort", "wallet", "uid_1", code=2)
    await ask("squash", f"{first}:bbbb", code=1)
    await ask("models", "export")
    await ask("models", "export", "--script")
    await ask("completion", "fish")
    assert {key.split()[0] for key in said} >= COMMANDS.keys() - {"adopt"}
    for args, document in said.items():
        for place, revision in revisions(document):
            assert isinstance(revision, dict), (args, place)
            assert "parents" not in revision, (args, place)


def revisions(document: Any, place: str = "") -> Any:
    """Whatever stands in a list of revisions, with where it does."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in ("revisions", "heads", "pending", "ahead", "failed", "edited", "branches", "out_of_order"):
                yield from ((f"{place}.{name}", one) for one in value if isinstance(value, list))
            yield from revisions(value, f"{place}.{name}")
    elif isinstance(document, list):
        for one in document:
            yield from revisions(one, place)


def test_the_tables_of_the_reference_are_up_to_date() -> None:
    page = ROOT / "docs" / "reference" / "json.md"
    assert page.read_text(encoding="utf-8") == tables(), "run scripts/json_fields.py"
