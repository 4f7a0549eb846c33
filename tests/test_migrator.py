"""The façade, end to end on a real server: declared, written, applied, compared, taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Collection, Index, Migrator, View, autogenerate_migration
from asyncmig.errors import ConfigurationError, PendingRevisions, RevisionFailed, RevisionsEdited, SchemaDiffers
from asyncmig.events import RevisionFinished
from asyncmig.files.errors import HeadFileError, UnreadableFile
from asyncmig.history.errors import MultipleHeads, PartlyReplaced
from asyncmig.history.parents import NotAHead, NothingToMerge
from asyncmig.history.rebase import NotRebasable
from asyncmig.operations import CreateCollection, CreateIndexes, DropCollection, DropIndex
from asyncmig.review.replay import NotReplayable

pytestmark = pytest.mark.servers

OWN = {"asyncmig_revisions", "asyncmig_revisions_journal", "asyncmig_lock"}


class Wallet(Collection):
    __collection_name__ = "wallet"
    __indexes__ = [Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True), "rec_date"]


class Setting(Collection):
    __collection_name__ = "setting"
    __initial_data__ = [{"_id": "item1", "value": "data"}]


class ActiveWallet(View):
    __collection_name__ = "active_wallet"
    __view_on__ = "wallet"
    __pipeline__ = [{"$match": {"active": True}}]


MODELS = [Wallet, Setting, ActiveWallet]

Make = Callable[..., Migrator]


@pytest.fixture
def make(database: Any, tmp_path: Path) -> Make:
    (tmp_path / "migrations/versions").mkdir(parents=True)

    def made(models: Any = MODELS, **options: Any) -> Migrator:
        return Migrator(database, tmp_path / "migrations", models, **options)

    return made


async def names(migrator: Migrator) -> set[str]:
    return set(await migrator.database.list_collection_names()) - OWN - {"system.views"}


@pytest.mark.parametrize("name", ["admin", "config", "local"])
def test_mongodbs_own_databases_are_no_place_for_collections(database: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"database: '{name}' is MongoDB's own"):
        Migrator(database.client[name])


async def test_the_whole_road(make: Make) -> None:
    events: list[Any] = []
    migrator = make(on_event=events.append)

    first = await migrator.revision("wallets", autogenerate=True)
    assert first is not None
    assert first.message == "wallets"
    with pytest.raises(PendingRevisions):
        await migrator.check()
    assert [step.revision.revision for step in (await migrator.plan()).steps] == [first.revision]
    assert await names(migrator) == set()  # neither diff nor plan has written anything

    assert await migrator.upgrade() == [first]
    assert await migrator.current() == (first.revision,)
    assert await names(migrator) == {"wallet", "setting", "active_wallet"}
    assert await migrator.diff() == []
    assert await migrator.revision("again", autogenerate=True) is None
    assert await migrator.upgrade() == []
    await migrator.check()

    assert await migrator.downgrade("base") == [first]
    assert await names(migrator) == set()
    assert await migrator.current() == ()
    assert [event.direction for event in events if isinstance(event, RevisionFinished)] == ["upgrade", "downgrade"]


async def test_only_what_is_new_is_generated(make: Make) -> None:
    await make().revision("wallets", autogenerate=True)
    await make().upgrade()

    class Wallet2(Wallet):
        __indexes__ = [*Wallet.__indexes__, "coins"]

    grown = make([Wallet2, Setting, ActiveWallet])
    with pytest.raises(SchemaDiffers):
        await grown.check()
    found = (await grown.generate("coins")).difference
    assert [(type(one), [index.name for index in one.indexes]) for one in found.operations] == [
        (CreateIndexes, ["coins_1"])
    ]
    await grown.upgrade()
    assert await grown.diff() == []
    assert [type(one) for one in await make().diff()] == [DropIndex]
    await grown.downgrade("-1")
    assert await make().diff() == []


async def test_documents_that_users_changed_stay(make: Make) -> None:
    migrator = make()
    await migrator.revision("wallets", autogenerate=True)
    await migrator.upgrade()
    await migrator.database["setting"].update_one({"_id": "item1"}, {"$set": {"value": "mine"}})
    assert await migrator.diff() == []
    assert [loss.text for loss in await migrator.losses("base", direction="downgrade")] == [
        "drop collection setting with its documents"
    ]


async def test_a_downgrade_of_what_asyncmig_made_loses_nothing(make: Make) -> None:
    migrator = make()
    await migrator.revision("wallets", autogenerate=True)
    await migrator.upgrade()
    assert await migrator.losses("base", direction="downgrade") == ()
    await migrator.database["wallet"].insert_one({"uid": 1, "org_id": 1})
    assert [loss.text for loss in await migrator.losses("base", direction="downgrade")] == [
        "drop collection wallet with its documents"
    ]


async def test_a_collection_goes_only_if_we_made_it_and_it_is_asked_for(make: Make) -> None:
    await make().revision("wallets", autogenerate=True)
    await make().upgrade()
    await make().database["theirs"].insert_one({})
    fewer = make([Wallet, ActiveWallet])
    assert await fewer.diff() == []
    found = await fewer.difference(drop_collections=True)
    assert found.operations == (DropCollection("setting"),)
    assert sorted(note.collection for note in found.notes) == ["theirs"]


async def test_include_leaves_other_services_alone(make: Make) -> None:
    migrator = make(include=lambda kind, name: name == "setting")
    operations = await migrator.diff()
    assert [one.collection for one in operations] == ["setting", "setting"]
    assert operations[0] == CreateCollection("setting")


async def test_autogenerate_migration_writes_nothing(database: Any) -> None:
    code, has_changes = await autogenerate_migration("test", database=database, collections=MODELS)
    assert has_changes
    assert 'await env.create_collection("wallet")' in code
    assert await database.list_collection_names() == []
    assert (await autogenerate_migration("test", database=database, collections=[]))[1] is False


async def test_stamp_runs_nothing(make: Make) -> None:
    migrator = make()
    first = await migrator.revision("wallets", autogenerate=True)
    await migrator.stamp("head")
    assert first is not None
    assert await migrator.current() == (first.revision,)
    assert await names(migrator) == set()
    await migrator.stamp("base")
    assert await migrator.current() == ()


async def test_a_failing_revision_is_resumed_where_it_stopped(make: Make) -> None:
    migrator = make()
    revision = await migrator.revision("by hand")
    assert revision is not None
    assert revision.path is not None
    whole = revision.path.read_text()
    broken = whole.replace(
        '"""Apply schema changes."""',
        '"""Apply schema changes."""\n    await env.create_collection("one")\n    raise ValueError("not today")',
    )
    revision.path.write_text(broken)
    with pytest.raises(RevisionFailed, match="not today"):
        await migrator.upgrade()
    assert await migrator.current() == ()
    (record,) = await migrator.records()
    assert (record.state, record.finished) == ("failed", 1)
    revision.path.write_text(
        broken.replace('    raise ValueError("not today")', '    await env.create_collection("two")')
    )
    assert [one.revision for one in await migrator.upgrade()] == [revision.revision]
    assert await names(migrator) == {"one", "two"}


async def test_where_revisions_grow(make: Make) -> None:
    """``a ─ b`` and ``a ─ c`` joined by ``d``."""
    migrator = make()
    a = await migrator.revision("a")
    b = await migrator.revision("b")
    assert a is not None
    assert b is not None
    with pytest.raises(NotAHead):
        await migrator.revision("c", head=a.revision)
    with pytest.raises(NothingToMerge):
        await migrator.merge()
    c = await migrator.revision("c", head=a.revision, splice=True, branch_label="side")
    assert c is not None
    with pytest.raises(MultipleHeads):
        await migrator.revision("e")
    assert migrator.directory.head_file.read() == tuple(sorted((b.revision, c.revision)))
    d = await migrator.merge()
    assert d.down_revision == tuple(sorted((b.revision, c.revision)))
    assert migrator.graph.heads == (d.revision,)


async def test_autogenerate_on_pending_revisions_is_refused(make: Make) -> None:
    await make().revision("wallets", autogenerate=True)
    with pytest.raises(PendingRevisions):
        await make().revision("again", autogenerate=True)
    assert len(make().listing().revisions) == 1


async def test_where_it_stands_in_one_answer(make: Make) -> None:
    first = await make([Wallet]).revision("wallets", autogenerate=True)
    assert first is not None
    before = await make().status()
    assert (before.current, before.pending, before.at_head) == ((), (first.revision,), False)
    await make().upgrade()
    at_head = await make().status()
    assert (at_head.current, at_head.pending, at_head.at_head) == ((first.revision,), (), True)
    path = next(iter(make().directory.versions.glob("*.py")))
    path.rename(path.with_suffix(".txt"))
    ahead = await make().status()
    assert (ahead.current, ahead.ahead, ahead.at_head) == ((first.revision,), (first.revision,), False)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="database"):
        Migrator(directory=tmp_path)._connected()
    with pytest.raises(ConfigurationError, match="models"):
        Migrator(directory=tmp_path).declared()


async def test_squash_is_taken_as_applied_by_those_that_have_the_range(make: Make) -> None:
    migrator = make([])
    for name, models in (("one", [Wallet]), ("two", [Wallet, Setting]), ("three", MODELS)):
        await make(models).revision(name, autogenerate=True)
        await migrator.upgrade()
    first, second, third = (revision.revision for revision in migrator.graph)
    before = await make().state()

    squashed = await migrator.squash(":")
    assert squashed.replaces == (first, second, third)
    assert await migrator.current() == (squashed.revision,)  # it has the whole range
    assert await migrator.upgrade() == []
    await make().check()

    assert await migrator.downgrade("base") == [squashed]
    assert await names(migrator) == set()
    assert await migrator.upgrade() == [squashed]  # it has none: the one runs instead of the three
    assert await make().state() == before
    assert await make().diff() == []


async def test_a_part_of_a_squashed_range_is_finished_first(make: Make) -> None:
    migrator = make([])
    await make([Wallet]).revision("one", autogenerate=True)
    await migrator.upgrade()
    await migrator.revision("two")
    await migrator.squash(":")
    with pytest.raises(PartlyReplaced):
        await migrator.upgrade()


async def test_squash_refuses_what_it_cannot_replay(make: Make) -> None:
    migrator = make([])
    await migrator.revision("one")
    two = await migrator.revision("two")
    assert two is not None
    assert two.path is not None
    code = two.path.read_text()
    for line, reason in (
        ('await env.db["x"].insert_one({})', "env.db"),
        ('if "x" in env.collections: pass', "env.collections"),
        ("raise ValueError(7)", "ValueError: 7"),
    ):
        docstring = '"""Apply schema changes."""'
        two.path.write_text(code.replace(docstring, f"{docstring}\n    {line}"))
        with pytest.raises(NotReplayable, match=reason):
            await migrator.squash(":")


async def test_rebase_puts_a_revision_behind_the_other_head(make: Make) -> None:
    """``a ─ b`` and ``a ─ c`` become ``a ─ b ─ c``."""
    migrator = make([])
    a, b = await migrator.revision("a"), await migrator.revision("b")
    assert a is not None
    assert b is not None
    c = await migrator.revision("c", head=a.revision, splice=True)
    assert c is not None
    moved, parent = await migrator.rebase(c.revision)
    assert (moved.down_revision, parent.revision) == ((b.revision,), b.revision)
    assert migrator.graph.heads == (c.revision,)
    assert migrator.directory.head_file.read() == (c.revision,)
    assert await migrator.upgrade() == [a, b, moved]
    d = await migrator.revision("d", head=a.revision, splice=True)
    assert d is not None
    with pytest.raises(NotRebasable, match="applied"):
        await migrator.rebase(c.revision, onto=d.revision)


async def test_check_sees_edited_files_and_a_wrong_head_file(make: Make) -> None:
    migrator = make([])
    first = await migrator.revision("one")
    assert first is not None
    assert first.path is not None
    await migrator.upgrade()
    await migrator.check()
    first.path.write_text(first.path.read_text() + "# a remark\n")
    with pytest.raises(RevisionsEdited, match=first.revision):
        await migrator.check()
    assert [one.revision for one in await migrator.repair()] == [first.revision]
    await migrator.check()
    assert await migrator.repair() == []
    migrator.directory.head_file.write(["somebody_else"])
    with pytest.raises(HeadFileError):
        await migrator.check()


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"revisions_collection": "a$b"}, "revisions_collection: 'a$b' has a character in it"),
        ({"lock_collection": "system.lock"}, "lock_collection: 'system.lock' is among MongoDB's own"),
        ({"lock_collection": "asyncmig_revisions"}, "lock_collection: 'asyncmig_revisions' is the ledger's own"),
        ({"lock_collection": "asyncmig_revisions_failed"}, "is the ledger's own"),
        ({"undeclared_indexes": "keep"}, "undeclared_indexes: must be one of agreed, drop, hide, ignore, not 'keep'"),
        ({"lock_timeout": "60"}, "lock_timeout: must be a number of seconds, not '60'"),
        ({"lock_timeout": -1}, "lock_timeout: must be a number of seconds, not -1"),
        ({"lock_lease": 0}, "lock_lease: must be a number of seconds, not 0"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Migrator(**options)
    assert fault in str(caught.value)


async def test_one_model_is_no_list_of_models(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"collections is a list of models: write \[Wallet\]"):
        await make(Wallet).diff()


async def test_a_model_of_asyncmigs_own_collection_is_refused(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"'wallet' is asyncmig's own collection, and a model has its name"):
        await make(lock_collection="wallet").diff()


async def test_no_file_is_left_where_head_cannot_be_written(make: Make, tmp_path: Path) -> None:
    (tmp_path / "migrations/HEAD/in_the_way").mkdir(parents=True)
    with pytest.raises(UnreadableFile, match="HEAD: it cannot be written"):
        await make().revision("empty")
    assert list((tmp_path / "migrations/versions").iterdir()) == []
