"""What the files alone can answer.

The history of these tests::

    aaaa --- bbbb --- dddd
       \\____ cccc (audit)
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, imported

HISTORY = (
    "dddd  fourth  (head, needs cccc)",
    "cccc  third  (head, audit@)",
    "bbbb  second",
    "aaaa  first  (base, branch point)",
)


@pytest.fixture
def forked(write_revision) -> None:
    write_revision("aaaa", message="first")
    write_revision("bbbb", "aaaa", message="second")
    write_revision("cccc", "aaaa", message="third", branch_labels="audit")
    write_revision("dddd", "bbbb", message="fourth", depends_on="cccc")


@pytest.mark.usefixtures("forked")
class TestForked:
    @pytest.mark.parametrize(
        ("args", "lines"),
        [
            (["history"], HISTORY),
            (["history", "-r", "aaaa:bbbb"], HISTORY[2:]),
            (["history", "-r", "cccc:"], HISTORY[1:2]),
            (["history", "-r", ":audit"], [HISTORY[1], HISTORY[3]]),
            (["heads"], [HISTORY[1], HISTORY[0]]),
            (["branches"], [HISTORY[3], f"  -> {HISTORY[2]}", f"  -> {HISTORY[1]}"]),
            (["graph"], ["●  " + HISTORY[0], "│ ●  " + HISTORY[1], "● │  " + HISTORY[2], "├─╯", "●  " + HISTORY[3]]),
        ],
    )
    async def test_lines(self, run, args: list[str], lines: list[str]) -> None:
        result = await run(*args)
        assert (result.code, result.stderr) == (0, "")
        assert result.stdout.splitlines() == list(lines)

    @pytest.mark.parametrize(
        ("command", "number"), [("heads", 2), ("branches", 3), ("history", 4), ("history -r cccc:", 1)]
    )
    async def test_in_detail(self, run, command: str, number: int) -> None:
        said = (await run(*command.split(), "-v")).stdout.splitlines()
        at = next(place for place, line in enumerate(said) if HISTORY[1] in line)
        assert said[at + 1 : at + 5] == [
            "    File: migrations/versions/cccc_step.py",
            "    Parents: aaaa",
            "    Children: none",
            "    Branch: audit",
        ]
        assert sum("File: " in line for line in said) == number

    async def test_several_beginnings(self, run, write_revision, folder: Path) -> None:
        for path in (folder / "migrations" / "versions").iterdir():
            path.unlink()
        write_revision("aaaa")
        write_revision("bbbb")
        assert "History does not fork; it begins 2 times: aaaa, bbbb." in (await run("branches")).stderr

    async def test_in_colour(self, run) -> None:
        result = await run("heads", FORCE_COLOR="1")
        assert result.stdout.splitlines()[0] == "\x1b[36mcccc\x1b[0m  third  \x1b[32m(head, audit@)\x1b[0m"

    async def test_json(self, run) -> None:
        document = (await run("history", "--json")).document
        assert [one["revision"] for one in document["revisions"]] == ["dddd", "cccc", "bbbb", "aaaa"]
        third = document["revisions"][1]
        assert third.pop("checksum")
        assert third == {
            "revision": "cccc",
            "message": "third",
            "down_revision": ["aaaa"],
            "children": [],
            "depends_on": [],
            "branch_labels": ["audit"],
            "replaces": [],
            "transactional": False,
            "irreversible": False,
            "head": True,
            "base": False,
            "file": "migrations/versions/cccc_step.py",
        }

    @pytest.mark.parametrize(
        ("args", "ids"),
        [
            (["heads", "--json"], lambda d: [one["revision"] for one in d["heads"]]),
            (["--json", "branches"], lambda d: d["branches"][0]["children"]),
        ],
    )
    async def test_json_of_heads_and_branches(self, run, args, ids) -> None:
        assert ids((await run(*args)).document) in (["cccc", "dddd"], ["bbbb", "cccc"])

    async def test_show(self, run, folder: Path) -> None:
        result = await run("show", "audit")
        source = (folder / "migrations" / "versions" / "cccc_step.py").read_text()
        assert result.stdout.splitlines()[:5] == [
            HISTORY[1],
            "File: migrations/versions/cccc_step.py",
            "Parents: aaaa",
            "Children: none",
            "Branch: audit",
        ]
        assert source in result.stdout
        assert (await run("show", "cccc", "--json")).document["source"] == source

    async def test_mermaid_and_dot(self, run) -> None:
        assert "    rdddd -.-> rcccc" in (await run("graph", "--format", "mermaid")).stdout.splitlines()
        assert '    "dddd" -> "cccc" [style=dashed];' in (await run("graph", "--format", "dot")).stdout.splitlines()
        assert len((await run("graph", "--json")).document["revisions"]) == 4

    async def test_a_new_revision_needs_to_know_its_head(self, run) -> None:
        result = await run("revision", "-m", "more")
        assert (result.code, result.stdout) == (5, "")
        assert "cccc" in result.stderr
        assert "dddd" in result.stderr

    async def test_a_new_revision_on_a_branch(self, run) -> None:
        document = (await run("revision", "-m", "more", "--head", "audit@head", "--json")).document
        assert document["down_revision"] == ["cccc"]


class TestLinear:
    async def test_nothing_there_yet(self, run) -> None:
        await run("init")
        for name in ("history", "heads"):
            result = await run(name)
            assert (result.code, result.stdout) == (0, "")
            assert "There is no revision yet" in result.stderr
        assert (await run("history", "--json")).document == {"revisions": []}

    async def test_an_empty_revision(self, run, folder: Path) -> None:
        await run("init")
        result = await run("revision", "-m", "Add wallets, twice!")
        assert result.code == 0
        name, number = re.fullmatch(
            r"Created revision: (\d+_add_wallets_twice\.py)\n"
            r"  Revision ID: (\d{14})\n"
            r"  Edit: migrations/versions/\d+_add_wallets_twice\.py\n",
            result.stdout,
        ).groups()
        assert name.startswith(number)
        assert f'revision = "{number}"' in (folder / "migrations" / "versions" / name).read_text()

    async def test_merge(self, run, write_revision) -> None:
        write_revision("aaaa")
        write_revision("bbbb", "aaaa")
        write_revision("cccc", "aaaa")
        result = await run("merge", "-m", "join", "--rev-id", "dddd")
        assert result.stdout.splitlines()[0] == "Created merge revision: dddd_join.py"
        assert (await run("heads")).stdout == "dddd  join  (head, merge point)\n"
        assert (await run("merge")).code == 1


class TestFaults:
    async def test_the_good_ones_are_listed_beside_the_bad(self, run, write_revision) -> None:
        write_revision("aaaa", message="first")
        write_revision("bbbb", "aaaa", message="second").write_text("def x(:\n")
        write_revision("cccc", "aaaa", message="third")
        result = await run("history")
        assert (result.code, result.stdout) == (1, "cccc  third\naaaa  first\n")
        assert "bbbb_step.py, line 1" in result.stderr
        result = await run("history", "--json")
        assert [one["revision"] for one in result.document["revisions"]] == ["cccc", "aaaa"]
        assert "bbbb_step.py" in result.document["problems"][0]

    @pytest.mark.parametrize("args", [["heads"], ["branches"], ["graph"], ["show", "head"], ["revision", "-m", "x"]])
    async def test_nothing_is_built_on_a_broken_history(self, run, write_revision, args: list[str]) -> None:
        write_revision("bbbb", "aaaa")
        result = await run(*args)
        assert (result.code, result.stdout) == (1, "")
        assert "down_revision 'aaaa'" in result.stderr

    @pytest.mark.parametrize("target", ["zzzz", "head-5", "a@b@c"])
    async def test_a_wrong_target(self, run, write_revision, target: str) -> None:
        write_revision("aaaa")
        result = await run("show", target)
        assert (result.code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    "args", [["heads"], ["history"], ["branches"], ["graph"], ["show", "head"], ["revision", "-m", "x"], ["init"]]
)
def test_the_files_are_read_without_a_driver(run_cli, write_revision, args: list[str]) -> None:
    write_revision("aaaa")
    result = run_cli(*args, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == 0, result.stderr
    assert not imported(result.stderr) & {"asyncio", "anyio", "rich", "pymongo", "motor"}


def test_a_reader_that_leaves_early(folder: Path, write_revision) -> None:
    previous = None
    for number in range(1500):
        write_revision(name := f"r{number:06}", previous, message="x" * 60)
        previous = name
    command = f"{sys.executable} -m asyncmig history | head -1"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


async def test_a_name_that_the_files_have_twice_is_not_looked_for_in_the_database(
    run: Run, write_revision: Callable[..., Any]
) -> None:
    write_revision("aaaa1")
    write_revision("aaaa2", "aaaa1")
    ambiguous, unknown = await run("show", "aaaa"), await run("show", "bbbb")
    assert (ambiguous.code, unknown.code) == (1, 1)
    assert "--applied" not in ambiguous.stderr
    assert "`asyncmig show --applied bbbb` looks for it in the database" in unknown.stderr
