"""What goes wrong with the server, as its user reads it: one message, an exit code, no traceback, no password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from asyncmig.testing.server import LocalServer

from .conftest import Run

PASSWORD = "hunter2"
USERS: dict[str, list[Any]] = {
    "reader": [{"role": "read", "db": "shop"}],
    "stranger": [{"role": "read", "db": "other"}],
    "ledger_only": [
        {"role": "read", "db": "shop"},
        "ledger_writer",
    ],
    "of_before": [  # what was needed before there was a journal beside the ledger
        {"role": "read", "db": "kept"},
        "ledger_of_before",
    ],
}


@pytest.fixture(scope="session")
def guarded() -> Iterator[LocalServer]:
    """A server that asks who one is."""
    with LocalServer(replset=False, args=["--auth"]) as server:
        with MongoClient(server.url) as client:
            client.admin.command("createUser", "root", pwd=PASSWORD, roles=["root"])
        with MongoClient(_url(server, "root")) as client:
            resource = {"db": "shop", "collection": "asyncmig_lock"}
            privilege = {"resource": resource, "actions": ["find", "insert", "update"]}
            client.admin.command("createRole", "ledger_writer", privileges=[privilege], roles=[])
            actions = ["find", "insert", "update", "remove", "createCollection", "dropCollection"]
            allowed = [
                {"resource": {"db": "kept", "collection": name}, "actions": actions}
                for name in ("asyncmig_lock", "asyncmig_revisions", "a")
            ]
            client.admin.command("createRole", "ledger_of_before", privileges=allowed, roles=[])
            for name, roles in USERS.items():
                client.admin.command("createUser", name, pwd=PASSWORD, roles=roles)
        yield server


def _url(server: LocalServer, user: str) -> str:
    return server.url.replace("mongodb://", f"mongodb://{user}:{PASSWORD}@")


@pytest.fixture
def ask(run: Run, guarded: LocalServer, write_revision: Callable[..., Any], write_models: Callable[[str], None]) -> Run:
    """Run one command line as a user of that server; there is a revision to run and a model to compare with."""
    write_revision("aaaa", body='await env.create_collection("a")', undo='await env.drop_collection("a")')
    write_models('class Wallet(Collection):\n    __collection_name__ = "wallet"\n')

    async def ask(user: str, *args: str, **settings: str) -> Any:
        given = {"ASYNCMIG_URL": _url(guarded, user), "ASYNCMIG_DATABASE": "shop"} | settings
        return await run(*args, **given)

    return ask


LOOKING = (["current"], ["status"], ["history", "-i"], ["upgrade", "--plan"], ["diff"])


@pytest.mark.parametrize("args", LOOKING, ids=" ".join)
async def test_who_may_read_may_look(ask: Run, args: list[str]) -> None:
    result = await ask("reader", *args)
    assert result.code == (3 if args == ["diff"] else 0), result.stderr


async def test_a_report_names_what_the_user_may_not_ask(ask: Run, guarded: LocalServer) -> None:
    with MongoClient(_url(guarded, "root")) as client:
        client["shop"]["cart"].insert_one({})
    result = await ask("reader", "report", "--json")
    assert (result.code, result.document["status"]["at_head"]) == (0, False), result.stderr
    assert result.document["refused"] == [
        "uses of indexes of 1 collection: the user may not ask; the role dbAdmin, or clusterMonitor, allows it"
    ]
    (cart,) = result.document["collections"]
    assert (cart["documents"], [one["uses"] for one in cart["indexes"]]) == (1, [None])
    written = await ask("reader", "report", "--markdown")
    assert "### Not told\n\n- uses of indexes of 1 collection" in written.stdout
    refused = await ask("stranger", "report")
    assert (refused.code, "reading the ledger asyncmig_revisions" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("user", "args", "doing"),
    [
        ("reader", ["upgrade"], "taking the lock in asyncmig_lock"),
        ("reader", ["stamp", "head"], "taking the lock in asyncmig_lock"),
        ("reader", ["unlock"], "breaking the lock in asyncmig_lock"),
        ("ledger_only", ["upgrade"], "writing to the ledger asyncmig_revisions"),
        ("ledger_only", ["stamp", "head"], "writing to the ledger asyncmig_revisions"),
        ("stranger", ["upgrade"], "reading the ledger asyncmig_revisions"),
        ("stranger", ["downgrade", "base"], "reading the ledger asyncmig_revisions"),
        *[("stranger", args, "reading the ledger asyncmig_revisions") for args in LOOKING],
        ("stranger", ["unlock"], "breaking the lock in asyncmig_lock"),
    ],
)
async def test_who_may_not_is_told_what_is_missing(
    ask: Run, guarded: LocalServer, user: str, args: list[str], doing: str
) -> None:
    result = await ask(user, *args)
    assert (result.code, result.stdout) == (1, ""), result.stderr
    host = guarded.url.partition("//")[2].partition("/")[0]
    assert f"Error: {doing} (database shop at {host}): the server does not allow it: " in result.stderr
    assert "Give the user the role dbOwner on shop" in result.stderr
    assert PASSWORD not in result.stderr
    assert "Traceback" not in result.stderr


async def test_rights_on_the_journal_are_asked_for_before_anything_is_reverted(ask: Run, guarded: LocalServer) -> None:
    """Reverting writes an event, to a collection that a user with rights on single collections may not have."""
    kept = {"ASYNCMIG_URL": _url(guarded, "of_before"), "ASYNCMIG_DATABASE": "kept"}
    assert (await ask("of_before", "upgrade", **kept)).code == 0
    result = await ask("of_before", "downgrade", "base", "--yes", **kept)
    assert result.code == 1
    assert "Error: writing to asyncmig_revisions_journal (database kept at " in result.stderr
    assert "Give the user the role dbOwner on kept, or readWrite and dbAdmin" in result.stderr
    with MongoClient(_url(guarded, "root")) as client:
        assert "a" in client["kept"].list_collection_names()
        assert client["kept"]["asyncmig_revisions"].find_one({"_id": "aaaa"})["state"] == "applied"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mongodb://root:{0}@127.0.0.1:1/?serverSelectionTimeoutMS=200", "no MongoDB server answered at 127.0.0.1:1"),
        (
            "mongodb://root:{0}@{1}/?replicaSet=wrong&serverSelectionTimeoutMS=200",
            'No replica set members available for replica set name "wrong"',
        ),
        ("mongodb://root:wrong-{0}@{1}/", "refused the user name or the password"),
        ("mongodb://nobody:{0}@{1}/", "refused the user name or the password"),
        ("mongodb://{1}/", "requires authentication"),
        ("mongodb://root:{0}@nowhere.invalid/?serverSelectionTimeoutMS=200", "nowhere.invalid:27017"),
    ],
)
async def test_a_url_that_leads_nowhere(
    run: Run, guarded: LocalServer, write_revision: Callable[..., Any], url: str, words: str
) -> None:
    write_revision("aaaa")
    host = guarded.url.partition("//")[2].partition("/")[0]
    for command in ("upgrade", "status"):
        result = await run(command, ASYNCMIG_URL=url.format(PASSWORD, host), ASYNCMIG_DATABASE="shop")
        assert (result.code, result.stdout) == (1, "")
        assert words in result.stderr
        assert PASSWORD not in result.stderr
        assert "Traceback" not in result.stderr
        assert "Topology Description" not in result.stderr


async def test_an_option_that_the_driver_does_not_know_is_a_warning_of_ours(
    run: Run, server: Any, server_url: str, write_revision: Callable[..., Any]
) -> None:
    write_revision("aaaa")
    result = await run("current", ASYNCMIG_URL=f"{server_url}&colour=blue")
    assert result.code == 0
    assert "Warning: Unknown option: colour." in result.stderr


# -- documents that somebody has edited by hand ---------------------------------------------------

SOUND = {"_id": "aaaa", "state": "applied", "token": 1, "journal": []}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (SOUND | {"state": "aplied"}, "`state` is 'aplied', and should be 'applied', 'upgrading'"),
        (SOUND | {"state": None}, "`state` is None"),
        (SOUND | {"state": ["applied"]}, "`state` is ['applied']"),
        (SOUND | {"_id": 20240101}, "its _id is 20240101, and should be a revision's id, a string"),
    ],
)
async def test_a_record_that_cannot_be_understood_is_named(
    run: Run, server: Any, write_revision: Callable[..., Any], record: dict[str, Any], words: str
) -> None:
    write_revision("aaaa")
    await server.asyncmig_revisions.insert_one(record)
    for args in (["upgrade"], ["status"], ["current"], ["check"], ["stamp", "head"], ["downgrade", "base"]):
        result = await run(*args)
        assert (result.code, result.stdout) == (1, ""), args
        assert words in result.stderr
        assert "a record of the ledger asyncmig_revisions cannot be understood" in result.stderr
        assert "internal error" not in result.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [("journal", "gone"), ("journal", [1]), ("journal", [{"number": 1}]), ("undo", {"0": 1}), ("direction", "up")],
)
async def test_a_journal_that_cannot_be_understood_stops_who_needs_it(
    run: Run, server: Any, write_revision: Callable[..., Any], field: str, value: Any
) -> None:
    write_revision("aaaa", undo='await env.drop_collection("a")')
    await server.asyncmig_revisions.insert_one(SOUND | {"state": "failed", field: value})
    for args in (["upgrade"], ["status"], ["downgrade", "base"]):
        result = await run(*args)
        assert (result.code, result.stdout) == (1, ""), args
        assert f"`{field}" in result.stderr
        assert "cannot be understood ('aaaa')" in result.stderr


@pytest.mark.parametrize(
    "odd",
    [
        {"token": "many"},
        {"token": None},
        {"started_at": "yesterday", "finished_at": 5, "stopped_at": "never"},
        {"error": "it broke"},
        {"parents": "zzzz", "message": 5, "host": None, "pid": "x", "milliseconds": "long"},
        {"checksum": 5, "source": 5},
    ],
    ids=str,
)
async def test_what_only_informs_may_be_odd(
    run: Run, server: Any, write_revision: Callable[..., Any], odd: dict[str, Any]
) -> None:
    write_revision("aaaa", body='await env.create_collection("a")', undo='await env.drop_collection("a")')
    write_revision("bbbb", "aaaa", undo='await env.drop_collection("b")')
    await server.asyncmig_revisions.insert_one(SOUND | {"state": "failed"} | odd)
    for args in (["status"], ["history", "-i"], ["show", "aaaa"], ["upgrade"], ["current"], ["downgrade", "base"]):
        result = await run(*args)
        assert result.code == 0, (args, result.stderr)


@pytest.mark.parametrize(
    "odd",
    [
        {"token": "many"},
        {"token": None, "expires_at": "tomorrow"},
        {"expires_at": {"at": 1}, "acquired_at": "yesterday", "renewed_at": 1},
        {"owner": 5, "host": 5, "pid": "x", "broken_by": "me"},
        {"owner": {"name": "x"}, "command": None, "alive": "maybe"},
    ],
    ids=str,
)
async def test_a_lock_that_somebody_has_edited(
    run: Run, server: Any, write_revision: Callable[..., Any], odd: dict[str, Any]
) -> None:
    write_revision("aaaa")
    await server.asyncmig_lock.insert_one({"_id": "migration", "owner": "x", "token": 5} | odd)
    assert (await run("status")).code == 0
    assert "Released the lock" in (await run("unlock")).stderr
    await server.asyncmig_lock.replace_one({"_id": "migration"}, {"owner": "x", "token": 5} | odd)
    assert (await run("upgrade")).code == 0
    await server.asyncmig_lock.replace_one({"_id": "trail"}, {"events": "none"}, upsert=True)
    assert (await run("stamp", "base")).code == 0
