"""The whole graph through the command line, on a real database: branches, merges, stamps, squashes, rebases.

Each test is a road: command lines in order, each with the exit code that it answers with and words
that it says, on whichever stream. ``a*`` is the root of most histories, ``b*`` and ``c*`` its branches.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ..clients import DRIVERS

Step = tuple[Any, ...]
Play = Callable[..., Awaitable[None]]

FORK = "They part at aaaa"
MERGE = "`asyncmig merge bbbb cccc`"


@pytest.fixture
def play(run: Any, server: Any) -> Play:
    """Run command lines: ``("upgrade heads", 0, "words", ...)``; a word with ! before it must not be said."""

    async def go(*steps: Step) -> None:
        for line, code, *words in steps:
            result = await run(*shlex.split(line))
            said = result.stdout + result.stderr
            assert result.code == code, f"{line}: {said}"
            for word in words:
                assert (word[1:] not in said) if word.startswith("!") else (word in said), f"{line}: {said}"

    return go


@pytest.fixture
def step(write_revision: Any, server: Any) -> Callable[..., Path]:
    """A revision that makes a collection of its own name."""

    def write(name: str, down: str | tuple[str, ...] | None = None, **header: Any) -> Path:
        up, back = f'await env.create_collection("{name}")', f'await env.drop_collection("{name}")'
        return write_revision(name, down, body=up, undo=back, **header)

    return write


@pytest.fixture
def fork(step: Any) -> None:
    """``aaaa - bbbb`` and ``aaaa - cccc - dddd``, labelled billing."""
    step("aaaa")
    step("bbbb", "aaaa")
    step("cccc", "aaaa", branch_labels="billing")
    step("dddd", "cccc")


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCMIG_DRIVER", request.param)


async def collections(server: Any) -> str:
    """The names of the collections: which revisions have left their mark."""
    return " ".join(sorted(n for n in await server.list_collection_names() if not n.startswith("asyncmig_")))


async def ledger(server: Any) -> str:
    return " ".join(sorted([one["_id"] for one in await server.asyncmig_revisions.find().to_list(None)]))


def head_file(folder: Path) -> str:
    return (folder / "migrations" / "HEAD").read_text()


@pytest.mark.usefixtures("fork", "driver")
class TestBranches:
    async def test_one_up_the_other_down_then_merged(self, play: Play, server: Any, folder: Path) -> None:
        await play(
            ("upgrade", 5, "bbbb_step.py", "dddd_step.py", FORK, "`asyncmig merge bbbb dddd`"),
            ("upgrade bbbb", 0, "2 revisions applied"),
            ("current", 0, "bbbb  make bbbb  (head)"),
            ("upgrade billing@head", 0, "2 revisions applied"),
            ("current", 0, "bbbb  make bbbb", "dddd  make dddd"),
            ("downgrade -1", 5, "the database stands at 2 revisions", "bbbb@-1"),
            ("upgrade +1", 5, "the database stands at 2 revisions"),
            ("downgrade billing@-1", 0, "Downgrading dddd", "!bbbb"),
            ("graph -i", 0, "○  dddd  make dddd  (pending, head)", "◉  cccc  make cccc  (current, billing@)"),
            ("history -i", 0, "bbbb  make bbbb  (current, head)", "aaaa  make aaaa  (applied, base, branch point)"),
            ("merge --rev-id eeee", 0, "eeee_merge_bbbb_and_dddd.py"),
            ("check", 4, "2 revisions are pending: dddd, eeee"),
            ("upgrade", 0, "Upgrading dddd", "Upgrading eeee", "!Out of order"),
            ("downgrade -1", 5, "eeee merges 2 revisions"),
            ("downgrade dddd", 0, "Downgrading eeee", "!Downgrading bbbb"),
            ("downgrade billing@base --plan", 0, "4 revisions"),  # as in Alembic: down to where the branch comes from
            ("downgrade billing@cccc", 0, "Downgrading dddd"),
            ("current", 0, "bbbb", "cccc"),
        )
        assert await collections(server) == "aaaa bbbb cccc"
        assert head_file(folder) == "eeee\n"
        await play(("upgrade", 0), ("check", 0), ("downgrade base", 0, "5 revisions reverted"))
        assert (await collections(server), await ledger(server)) == ("", "")

    async def test_all_heads_at_once(self, play: Play, server: Any) -> None:
        await play(
            ("upgrade heads --plan", 0, "4 revisions with 4 operations"),
            ("upgrade heads", 0, "4 revisions applied"),
            ("upgrade heads", 0, "Nothing to do"),
            ("revision -m more", 5, MERGE.replace("cccc", "dddd")),
            ("revision -m more --head aaaa", 1, "aaaa (make aaaa) is not a head", "--splice"),
            ("revision -m more --head billing@head --rev-id eeee", 0),
            ("upgrade billing@+1", 0, "Upgrading eeee"),
            ("downgrade billing@aaaa --plan", 0, "eeee", "dddd", "cccc", "!bbbb"),
            ("upgrade billing@+1", 1, "asks for 1 step up, and there is none after eeee"),
        )

    async def test_a_branch_that_waits_for_another(self, play: Play, step: Any, server: Any) -> None:
        step("ffff", "bbbb", depends_on="billing")
        await play(
            ("upgrade ffff", 0, "Upgrading cccc", "4 revisions applied"),
            ("current", 0, "ffff  make ffff  (head, needs billing)", "!cccc"),
            ("downgrade billing@-1", 0, "Downgrading ffff", "Downgrading cccc"),
            ("current", 0, "bbbb"),
            ("merge", 0, "merge_dddd_and_ffff"),
        )


class TestOrder:
    @pytest.fixture(autouse=True)
    async def late(self, play: Play, step: Any) -> None:
        """``cccc`` is applied when ``bbbb`` comes in, and ``dddd`` merges them."""
        step("aaaa")
        step("cccc", "aaaa")
        await play(("upgrade", 0))
        step("bbbb", "aaaa")
        step("dddd", ("bbbb", "cccc"))

    WORDS = "bbbb (make bbbb) is older than cccc (make cccc), which is applied already"

    @pytest.mark.usefixtures("driver")
    async def test_what_came_in_late_is_run_and_said_so(self, play: Play, server: Any) -> None:
        await play(("upgrade --plan", 0, self.WORDS), ("upgrade", 0, f"Out of order: {self.WORDS}", "2 revisions"))
        assert await ledger(server) == "aaaa bbbb cccc dddd"
        await play(("upgrade", 0, "!Out of order"))

    async def test_a_strict_order_refuses(self, play: Play, server: Any, folder: Path) -> None:
        refused = ("bbbb_step.py) comes before cccc", "asyncmig rebase", "--no-strict-order")
        await play(("upgrade --strict-order", 1, *refused), ("upgrade --plan --strict-order", 1, *refused))
        (folder / "asyncmig.toml").write_text("strict_order = true\n")
        await play(("upgrade", 1, *refused))
        assert await ledger(server) == "aaaa cccc"
        await play(("upgrade --no-strict-order", 0), ("upgrade --strict-order", 0, "Nothing to do"))

    async def test_as_json(self, run: Any) -> None:
        assert (await run("upgrade", "--plan", "--json")).document["out_of_order"][0]["revision"] == "bbbb"


class TestStamp:
    @pytest.mark.usefixtures("fork", "driver")
    async def test_only_the_branch_that_is_named_moves(self, play: Play, server: Any) -> None:
        await play(
            ("stamp heads", 0, "the database stands at bbbb, dddd"),
            ("stamp cccc", 0, "the database stands at bbbb, cccc"),
            ("stamp billing@base", 0, "the database stands at bbbb"),
            ("stamp head", 5, FORK),
            ("stamp aaaa", 0, "the database stands at aaaa"),
            ("stamp base", 0, "the database stands at base"),
        )
        assert (await collections(server), await ledger(server)) == ("", "")

    @pytest.mark.usefixtures("fork")
    async def test_ids_that_no_file_has(self, play: Play, server: Any, folder: Path) -> None:
        await play(("upgrade heads", 0))
        (folder / "migrations" / "versions" / "dddd_step.py").unlink()
        out = ("has 1 applied revision that no file has: dddd", "bbbb_step.py", "cccc_step.py", "stamp --purge")
        await play(
            ("current", 0, "dddd  (its file is missing)"),
            *((line, 9, *out) for line in ("upgrade heads", "downgrade base", "stamp bbbb", "upgrade --plan heads")),
            ("show dddd", 1, "`asyncmig show --applied dddd`"),
            ("show --applied dddd", 0, "(applied)", "Parents: cccc", "1. create collection dddd", "async def upgrade"),
            ("show --applied dd", 0, "make dddd"),
            ("stamp --purge heads", 0, "the database stands at bbbb, cccc"),
            ("show --applied dddd", 1, "no revision or branch is called 'dddd'"),
            ("upgrade heads", 0, "Nothing to do"),
        )
        assert await ledger(server) == "aaaa bbbb cccc"

    async def test_what_was_run_before_the_file_was_edited(self, play: Play, step: Any) -> None:
        path = step("aaaa")
        await play(("upgrade", 0))
        path.write_text(path.read_text() + "# edited\n")
        await play(
            ("show aaaa", 0, "# edited"),
            ("show --applied aaaa", 0, "!# edited"),
            ("show --applied head --json", 0, '"state": "applied"'),
        )
        step("bbbb", "aaaa")
        await play(("show --applied head", 1, "bbbb is not recorded"))


class TestSquash:
    @pytest.fixture(autouse=True)
    def line(self, step: Any) -> None:
        step("aaaa")
        step("bbbb", "aaaa")
        step("cccc", "bbbb", branch_labels="billing")
        step("dddd", "cccc")

    SQUASH = ("squash :cccc --rev-id eeee -m range", 0, "eeee_range.py", "Replaces: 3 revisions, aaaa to cccc")

    @pytest.mark.usefixtures("driver")
    async def test_all_of_the_range(self, play: Play, server: Any, folder: Path) -> None:
        await play(
            ("upgrade", 0),
            self.SQUASH,
            ("current", 0, "dddd"),
            ("upgrade", 0, "eeee (range) counts as applied", "Nothing to do"),
            ("upgrade", 0, "!counts as applied"),
            ("check", 0),
            ("graph -i", 0, "●  eeee  range  (applied, base, billing@, replaces 3)"),
            ("downgrade bbbb", 1, "bbbb was squashed into eeee", "name eeee"),
            ("show bbbb", 0, "bbbb_step.py"),
        )
        for name in ("aaaa", "bbbb", "cccc"):
            (folder / "migrations" / "versions" / f"{name}_step.py").unlink()
        await play(
            ("check", 0),
            ("upgrade", 0, "Nothing to do"),
            ("show bbbb", 0, "eeee_range.py", "bbbb was squashed into eeee, and its file is gone"),
            ("upgrade bbbb", 1, "its file is gone; name eeee"),
            ("downgrade billing@base", 0, "2 revisions reverted"),
        )
        assert (await collections(server), await ledger(server)) == ("", "")
        await play(("upgrade", 0, "Upgrading eeee", "Upgrading dddd"), ("check", 0))
        assert (await collections(server), await ledger(server)) == ("aaaa bbbb cccc dddd", "dddd eeee")

    async def test_none_of_the_range(self, play: Play, server: Any) -> None:
        await play(self.SQUASH, ("upgrade", 0, "Upgrading eeee", "Upgrading dddd", "2 revisions"), ("check", 0))
        assert await collections(server) == "aaaa bbbb cccc dddd"

    @pytest.mark.usefixtures("driver")
    async def test_a_part_of_the_range(self, play: Play, server: Any, folder: Path) -> None:
        await play(
            ("upgrade bbbb", 0),
            self.SQUASH,
            ("upgrade", 1, "only a part of them: applied aaaa, bbbb; not applied cccc", "`asyncmig upgrade cccc`"),
            ("graph -i", 0, "○  eeee  range  (pending, 2 of 3 applied, base"),
            ("status", 0, "Pending   cccc"),
            ("downgrade -1", 0, "Downgrading bbbb"),
            ("upgrade cccc", 0, "Upgrading bbbb", "Upgrading cccc"),
            ("upgrade", 0, "eeee (range) counts as applied", "Upgrading dddd"),
            ("check", 0),
        )

    async def test_a_part_whose_files_are_gone(self, play: Play, folder: Path) -> None:
        await play(("upgrade bbbb", 0), self.SQUASH)
        for name in ("aaaa", "bbbb", "cccc"):
            (folder / "migrations" / "versions" / f"{name}_step.py").unlink()
        gone = ("these are gone: aaaa, bbbb, cccc", "Go back to the release that still has them")
        await play(("upgrade", 1, *gone), ("downgrade base", 1, *gone), ("graph -i", 0, "2 of 3 applied"))

    async def test_stamped(self, play: Play, server: Any) -> None:
        await play(self.SQUASH, ("stamp cccc", 0, "the database stands at eeee"), ("stamp dddd", 0))
        assert await ledger(server) == "dddd eeee"
        await play(("stamp --purge bbbb", 0, "the database stands at bbbb"))
        assert await ledger(server) == "aaaa bbbb"

    async def test_ranges_that_cannot_be(self, play: Play, step: Any) -> None:
        step("ffff", "bbbb")
        await play(
            ("squash :cccc", 1, "ffff, outside of it, comes from bbbb in its middle"),
            ("squash bbbb", 1, "a range has a colon"),
            ("squash bbbb:bbbb", 1, "fewer than two"),
            ("squash cccc:aaaa", 1, "cccc is not an ancestor of aaaa"),
            ("squash :", 5, "needs one head"),
            ("squash :zzzz", 1, "'zzzz'"),
        )

    async def test_what_a_range_says_of_itself(self, play: Play, write_revision: Any, folder: Path) -> None:
        """One way, within a transaction, below another branch: kept where it can be, and said where it cannot."""
        write_revision("ffff", "dddd", body='await env.insert_documents("aaaa", [{"_id": 1}])', transactional=True)
        write_revision("gggg", "ffff", irreversible=True)
        await play(("squash bbbb:gggg --rev-id hhhh", 0), ("squash eeee:", 1, "'eeee'"))
        text = (folder / "migrations" / "versions" / "hhhh_squash_bbbb_to_gggg.py").read_text()
        for line in (
            'down_revision = "aaaa"',
            'branch_labels = "billing"',
            'replaces = ["bbbb", "cccc", "dddd", "ffff", "gggg"]',
            "irreversible = True",
            "# Note: replaces ffff (make ffff); it ran in a transaction, and this does not; it has no way back",
            "# Note: replaces gggg (make gggg); it has no way back",
        ):
            assert line in text
        await play(("upgrade", 0), ("downgrade -1", 1, "irreversible"))

    async def test_only_transactional_members(self, play: Play, write_revision: Any, folder: Path) -> None:
        for name, down in (("ffff", "dddd"), ("gggg", "ffff")):
            body = f'await env.insert_documents("aaaa", [{{"_id": "{name}"}}])'
            undo = f'await env.delete_documents("aaaa", ["{name}"], if_unchanged=True)'
            write_revision(name, down, body=body, undo=undo, transactional=True)
        await play(("squash -1:head --rev-id hhhh -m both", 0))
        text = (folder / "migrations" / "versions" / "hhhh_both.py").read_text()
        assert "transactional = True" in text
        assert "Note: replaces ffff (make ffff)\n" in text

    async def test_squashed_again(self, play: Play, server: Any, folder: Path) -> None:
        await play(
            ("upgrade", 0),
            ("squash :bbbb --rev-id eeee -m inner", 0),
            ("squash eeee:cccc --rev-id ffff -m outer", 0, "aaaa to cccc"),
            ("graph", 0, "dddd", "ffff", "!eeee"),
            ("upgrade", 0, "eeee (inner) counts", "ffff (outer) counts"),
        )
        for name in ("aaaa_step", "bbbb_step", "cccc_step", "eeee_inner"):
            (folder / "migrations" / "versions" / f"{name}.py").unlink()
        await play(("check", 0), ("upgrade", 0, "Nothing to do"), ("check", 0))
        assert await ledger(server) == "dddd ffff"


@pytest.mark.usefixtures("fork")
class TestRebase:
    @pytest.mark.usefixtures("driver")
    async def test_a_chain_moves_along(self, play: Play, server: Any, folder: Path) -> None:
        await play(
            ("upgrade bbbb", 0),
            ("rebase dddd", 1, "cccc, which it comes from, would be left behind", "rebase cccc"),
            ("rebase cccc", 0, "Rebased cccc (make cccc) onto bbbb (make bbbb)"),
            ("heads", 0, "dddd", "!bbbb"),
            ("upgrade", 0, "2 revisions applied", "!Out of order"),
            ("check", 0),
        )
        assert head_file(folder) == "dddd\n"
        assert await collections(server) == "aaaa bbbb cccc dddd"

    @pytest.mark.parametrize("upgrade", ["upgrade cccc", "upgrade heads", "stamp heads"])
    async def test_refused_where_it_is_applied(self, play: Play, server: Any, upgrade: str) -> None:
        await play((upgrade, 0), ("rebase cccc", 1, f"it is applied in {server.name}", "downgrade it first", "merge"))

    async def test_refused_where_it_stopped_half_way(self, play: Play, write_revision: Any) -> None:
        write_revision("cccc", "aaaa", body='await env.create_collection("x")\n1 / 0')
        await play(("upgrade cccc", 7), ("rebase cccc", 1, "it is applied in"))

    async def test_refused_where_the_range_that_it_replaces_is_applied(self, play: Play) -> None:
        await play(
            ("upgrade dddd", 0),
            ("squash cccc:dddd --rev-id eeee", 0),
            ("rebase eeee", 1, "it is applied in"),
            ("rebase cccc", 1, "it was squashed into eeee"),
            ("downgrade aaaa", 0),
            ("rebase eeee", 0),
        )

    async def test_not_asked(self, play: Play) -> None:
        await play(("upgrade heads", 0), ("rebase cccc --offline", 0), ("upgrade", 0, "Nothing to do"))


async def test_several_heads_are_no_agreement_though_all_are_applied(play: Play, step: Any, folder: Path) -> None:
    """A fresh database could not be upgraded to head; branches that have a label each are meant to be several."""
    step("aaaa")
    step("bbbb", "aaaa", branch_labels="audit")
    step("cccc", "aaaa")
    (folder / "migrations" / "HEAD").write_text("bbbb\ncccc\n")
    await play(
        ("upgrade heads", 0),
        ("check", 5, "bbbb_step.py", "cccc_step.py", FORK, "asyncmig merge"),
        ("--json check", 5, '"ok": false'),
    )
    step("cccc", "aaaa", branch_labels="billing")
    await play(("repair", 0), ("check", 0))


@pytest.mark.usefixtures("fork")
class TestHeadFile:
    CONFLICT = "<<<<<<< HEAD\nbbbb\n=======\ndddd\n>>>>>>> theirs\n"

    @pytest.mark.parametrize(
        ("line", "head"),
        [("merge --rev-id eeee", "eeee"), ("rebase cccc", "dddd"), ("squash cccc:dddd --rev-id eeee", "bbbb\neeee")],
    )
    async def test_a_conflict_is_settled_by_whoever_writes_next(
        self, play: Play, folder: Path, line: str, head: str
    ) -> None:
        (folder / "migrations" / "HEAD").write_text(self.CONFLICT)
        await play(
            ("upgrade heads --plan", 0),  # it is for people: nothing is computed from it
            ("check", 5, "git left a conflict in it between bbbb and dddd", "asyncmig merge", "asyncmig rebase"),
            (line, 0),
        )
        assert head_file(folder) == f"{head}\n"

    @pytest.mark.parametrize(
        ("text", "says"), [(None, "it is not there"), ("", "says nothing"), ("bbbb\n", "it says bbbb")]
    )
    async def test_check_says_when_it_is_wrong(self, play: Play, folder: Path, text: str | None, says: str) -> None:
        if text is not None:
            (folder / "migrations" / "HEAD").write_text(text)
        await play(
            ("upgrade heads", 0),
            ("check", 5, says, "bbbb, dddd", "asyncmig merge"),
            ("merge", 0),
            ("check", 4, f"!{says}"),
            ("upgrade", 0),
            ("check", 0),
        )
