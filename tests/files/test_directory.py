"""The folder of revision files: read, loaded, written to."""

from __future__ import annotations

import hashlib
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.files import errors as file_errors
from asyncmig.files.directory import Directory, Listing, checksum, new_id, slug
from asyncmig.history import Revision, errors

FUNCTIONS = "async def upgrade(env):\n    await env.up()\n\n\nasync def downgrade(env):\n    await env.down()\n"


def source(revision: str, down: str | None = None, more: str = "", body: str = FUNCTIONS) -> str:
    return f'"""message of {revision}"""\n\nrevision = "{revision}"\ndown_revision = {down!r}\n{more}\n\n{body}'


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    found = Directory(tmp_path / "migrations")
    found.versions.mkdir(parents=True)
    return found


def put(directory: Directory, name: str, content: str | bytes) -> Path:
    path = directory.versions / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class TestRead:
    def test_revisions_by_id(self, directory: Directory) -> None:
        second = put(directory, "a_second.py", source("bbbb", "aaaa", "transactional = True\nirreversible = True"))
        first = put(directory, "z_first.py", source("aaaa"))
        listing = directory.read()
        assert listing.problems == ()
        assert [(r.revision, r.path, r.message) for r in listing.revisions] == [
            ("aaaa", first, "message of aaaa"),
            ("bbbb", second, "message of bbbb"),
        ]
        assert listing.revisions[1].down_revision == ("aaaa",)
        assert listing.revisions[1].transactional is listing.revisions[1].irreversible is True
        assert listing.graph().heads == ("bbbb",)
        assert directory.read(thorough=True) == listing

    def test_what_is_left_alone(self, directory: Directory) -> None:
        for name in ("__init__.py", "_helpers.py", ".#a.py", "a.pyc", "a.py~", "README.md"):
            put(directory, name, "this is not Python")
        (directory.versions / "__pycache__").mkdir()
        (directory.versions / "folder.py").mkdir()
        assert directory.read() == Listing(())
        assert len(directory.read().graph()) == 0

    def test_nothing_is_run_and_no_bytecode_is_written(self, directory: Directory) -> None:
        put(directory, "a.py", source("aaaa", more="import nowhere_to_be_found"))
        assert [r.revision for r in directory.read().revisions] == ["aaaa"]
        assert [path.name for path in directory.versions.iterdir()] == ["a.py"]

    def test_a_computed_header_is_run(self, directory: Directory) -> None:
        put(directory, "a.py", source("aaaa", more="down_revision = 'b' * 4\nreplaces = [f'r{n}' for n in (1, 2)]"))
        (revision,) = directory.read().revisions
        assert (revision.down_revision, revision.replaces) == (("bbbb",), ("r1", "r2"))
        assert revision.message == "message of aaaa"
        assert [path.name for path in directory.versions.iterdir()] == ["a.py"]

    def test_good_ones_are_listed_beside_problems(self, directory: Directory) -> None:
        put(directory, "a.py", source("aaaa"))
        put(directory, "b.py", "revision = (\n")
        put(directory, "c.py", source("cccc", body=FUNCTIONS.replace("async def upgrade", "def upgrade")))
        put(directory, "d.py", source("dddd", more="down_revision = str(1 / 0)"))
        put(directory, "e.py", source("aaaa"))
        listing = directory.read()
        assert [r.revision for r in listing.revisions] == ["aaaa"]
        assert [(type(p), p.path and p.path.name, p.line) for p in listing.problems] == [
            (file_errors.BrokenFile, "b.py", 1),
            (file_errors.NotAsync, "c.py", 7),
            (file_errors.BrokenFile, "d.py", 5),
            (file_errors.DuplicateRevision, "e.py", None),
        ]
        assert "ZeroDivisionError: division by zero" in str(listing.problems[2])
        assert "a.py and " in str(listing.problems[3])
        for _ in range(2):
            with pytest.raises(file_errors.BrokenFile) as raised:
                listing.graph()
            assert len(raised.value.__notes__) == 3

    def test_no_folder(self, tmp_path: Path) -> None:
        for found in (Directory(tmp_path / "nowhere"), Directory(str(tmp_path))):
            for question in (found.read, found.new_id, lambda f=found: f.write("", "aaaa", "x"), found.record_heads):
                with pytest.raises(file_errors.MissingDirectory, match=r"versions: .*asyncmig init") as raised:
                    question()
                assert isinstance(raised.value, FileNotFoundError)

    def test_a_file_in_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "versions").write_text("")
        with pytest.raises(file_errors.MissingDirectory):
            Directory(tmp_path).read()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"\xef\xbb\xbf" + source("aaaa").encode(), "message of aaaa"),
            (source("aaaa").replace("\n", "\r\n").encode(), "message of aaaa"),
            (
                b"# -*- coding: latin-1 -*-\n" + source("aaaa", more="x = 'ü'").encode("latin-1"),
                "message of aaaa",
            ),
        ],
    )
    def test_encodings(self, directory: Directory, content: bytes, message: str) -> None:
        path = put(directory, "a.py", content)
        (revision,) = directory.read().revisions
        assert revision.message == message
        assert directory.load(revision).revision == revision
        assert revision.path == path

    @pytest.mark.parametrize("content", [b"x = '\xff'", b"# coding: nonsense\nx = '\xff'"])
    def test_what_is_no_text(self, directory: Directory, content: bytes) -> None:
        put(directory, "a.py", content)
        (problem,) = directory.read().problems
        assert isinstance(problem, file_errors.UnreadableFile)
        assert "a.py: it is not text" in str(problem)

    def test_a_link_that_leads_nowhere(self, directory: Directory) -> None:
        (directory.versions / "a.py").symlink_to("gone.py")
        (problem,) = directory.read().problems
        assert isinstance(problem, file_errors.UnreadableFile)
        assert "a.py" in str(problem)

    def test_speed(self, directory: Directory) -> None:
        for number in range(500):
            put(directory, f"r{number}.py", source(f"r{number}", f"r{number - 1}" if number else None))
        times = []
        for _ in range(5):
            start = time.process_time()
            assert len(directory.read().revisions) == 500
            times.append(time.process_time() - start)
        # About 0.02 s on an idle machine; parsing them all takes ten times as long.
        assert min(times) < 0.2


def test_checksum_does_not_depend_on_the_line_ending(directory: Directory) -> None:
    unix, dos = source("aaaa").encode(), source("aaaa").replace("\n", "\r\n").encode()
    assert checksum(unix) == checksum(dos) == hashlib.sha256(unix).hexdigest()
    assert checksum(unix + b" ") != checksum(unix)
    put(directory, "a.py", dos)
    assert directory.read().revisions[0].checksum == checksum(unix)


class Recorder:
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def up(self) -> None:
        self.calls.append("up")

    async def down(self) -> None:
        self.calls.append("down")


class TestLoad:
    def one(self, directory: Directory, content: str) -> Revision:
        path = put(directory, "aaaa_x.py", content)
        return Revision("aaaa", path=path)

    async def test_functions_run(self, directory: Directory) -> None:
        module = directory.load(self.one(directory, source("aaaa", "bbbb")))
        env = Recorder()
        await module.upgrade(env)
        await module.downgrade(env)
        assert env.calls == ["up", "down"]
        assert module.revision.down_revision == ("bbbb",)
        assert module.revision.checksum == checksum((directory.versions / "aaaa_x.py").read_bytes())

    def test_no_traces(self, directory: Directory) -> None:
        before = set(sys.modules)
        directory.load(self.one(directory, source("aaaa")))
        assert set(sys.modules) == before
        assert [path.name for path in directory.versions.iterdir()] == ["aaaa_x.py"]

    FAULTS: tuple[tuple[str, type[file_errors.RevisionFileError], int | None, str], ...] = (
        (source("aaaa", more="import nowhere_to_be_found"), file_errors.BrokenFile, 5, "ModuleNotFoundError"),
        (source("aaaa", more="raise SystemExit(3)"), file_errors.BrokenFile, 5, "SystemExit: 3"),
        (source("aaaa") + "\nx = (", file_errors.BrokenFile, 14, "does not parse"),
        (source("aaaa", body="upgrade = downgrade = 5"), file_errors.NotAsync, None, "`upgrade` is a int"),
        (source("aaaa", body="upgrade = downgrade = lambda env: None"), file_errors.NotAsync, 7, "a plain `def`"),
        (source("aaaa", body=FUNCTIONS.replace("async def down", "def down").replace("await env.down()", "...")),
         file_errors.NotAsync, 11, "silently do nothing"),
        (source("aaaa", body=FUNCTIONS.replace("await env.up()", "yield")), file_errors.NotAsync, 7, "a `yield`"),
        (source("aaaa", body=FUNCTIONS.replace("await env.up", "env.up")), file_errors.NotAwaited, 8, "`env.up(...)`"),
        (source("aaaa", body=FUNCTIONS.replace("await env.down()", "if 1: env.db['a'].insert_one({})")),
         file_errors.NotAwaited, 12, "in `downgrade` is not awaited"),
        (source("aaaa", body=FUNCTIONS.replace("upgrade(env)", "upgrade()")), file_errors.WrongSignature, 7, "()"),
        (source("aaaa", body=FUNCTIONS.replace("upgrade(env)", "upgrade(e, x)")), file_errors.WrongSignature, 7, "x)"),
        (source("aaaa", body=FUNCTIONS.replace("downgrade", "down")), file_errors.MissingFunction, None, "`downgrade`"),
        (source("aaaa", body=FUNCTIONS + "del upgrade"), file_errors.MissingFunction, None, "no `upgrade`"),
        (source("bbbb"), file_errors.UnreadableFile, None, "it was aaaa when it was listed, and is bbbb now"),
    )  # fmt: skip

    @pytest.mark.parametrize(
        "call",
        [
            "env.collections.add('a')",
            "print('x')",
            "await gather(\n        env.up(),\n    )",
            "helper.up(env)",
            "x = env.up()",
        ],
    )
    def test_what_need_not_be_awaited_as_it_stands(self, directory: Directory, call: str) -> None:
        directory.load(self.one(directory, source("aaaa", body=FUNCTIONS.replace("await env.up()", call))))

    @pytest.mark.parametrize(("content", "error", "line", "said"), FAULTS)
    def test_fault(
        self, directory: Directory, content: str, error: type[Exception], line: int | None, said: str
    ) -> None:
        with pytest.raises(error) as raised:
            directory.load(self.one(directory, content))
        assert type(raised.value) is error
        assert "aaaa_x.py" in str(raised.value)
        assert said in str(raised.value)
        assert line is None or f"line {line}: " in str(raised.value)

    def test_no_file(self, directory: Directory) -> None:
        with pytest.raises(file_errors.UnreadableFile, match="aaaa has no file"):
            directory.load(Revision("aaaa"))
        with pytest.raises(file_errors.UnreadableFile, match="the file is gone"):
            directory.load(Revision("aaaa", path=directory.versions / "gone.py"))


class TestWrite:
    def test_new_file(self, directory: Directory) -> None:
        path = directory.write(source("aaaa"), "aaaa", "add_wallets")
        assert path == directory.versions / "aaaa_add_wallets.py"
        assert path.read_text() == source("aaaa")
        assert [r.revision for r in directory.read().revisions] == ["aaaa"]
        assert [found.name for found in directory.versions.iterdir()] == [path.name]

    @pytest.mark.parametrize("other", ["aaaa_add_wallets.py", "aaaa_else.py", "aaaa.py"])
    def test_never_over_another(self, directory: Directory, other: str) -> None:
        put(directory, other, "mine")
        with pytest.raises(file_errors.FileExists, match=other) as raised:
            directory.write("yours", "aaaa", "add_wallets")
        assert isinstance(raised.value, FileExistsError)
        assert [(p.name, p.read_text()) for p in directory.versions.iterdir()] == [(other, "mine")]

    def test_what_cannot_be_written(self, directory: Directory) -> None:
        for text, name in (("x", "n" * 300), ("\ud800", "x")):
            with pytest.raises(file_errors.UnreadableFile, match="cannot be written"):
                directory.write(text, "aaaa", name)
        assert list(directory.versions.iterdir()) == []


NOW = datetime(2024, 12, 10, 15, 0, 0, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "taken", "expected"),
    [
        (NOW, (), "20241210150000"),
        (NOW, ("20241210150000",), "20241210150001"),
        (NOW, ("20241210150000", "20241210150001", "20241210150003"), "20241210150002"),
        (NOW.replace(second=59), ("20241210150059",), "20241210150100"),
        (NOW.astimezone(timezone(timedelta(hours=5))), (), "20241210150000"),
        (NOW.replace(tzinfo=None), (), "20241210150000"),
    ],
)
def test_new_id(now: datetime, taken: tuple[str, ...], expected: str) -> None:
    assert new_id(now, taken) == expected


def test_new_id_looks_at_ids_and_at_names(directory: Directory) -> None:
    put(directory, "renamed.py", source("20241210150000"))
    put(directory, "20241210150001_broken.py", "(")
    assert directory.new_id(NOW) == "20241210150002"
    assert directory.new_id(NOW, taken=()) == "20241210150000"
    assert len(directory.new_id()) == 14


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("add complete wallet system", "add_complete_wallet_system"),
        ("  Add: wallets & (co-ins)! ", "add_wallets_co_ins"),
        ("__a__b__", "a__b"),
        ("Größe ändern", "größe_ändern"),
        ("Cafe\u0301", "café"),
        ("添加 索引", "添加_索引"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\x00b\nc\ud800d", "a_b_c_d"),
        ("", "revision"),
        ("!!! 🎉", "revision"),
        ("___", "revision"),
        ("one two three four five six seven eight nine ten", "one_two_three_four_five_six_seven_eight"),
        ("x" * 60, "x" * 40),
        ("x" * 40 + " y", "x" * 40),
    ],
)
def test_slug(message: str, expected: str) -> None:
    assert slug(message) == expected


class TestHeadFile:
    def test_written_and_read(self, directory: Directory) -> None:
        head = directory.head_file
        assert head.path == directory.path / "HEAD"
        assert head.read() is None
        head.write(("bbbb", "aaaa"))
        assert head.path.read_text() == "aaaa\nbbbb\n"
        assert head.read() == ("aaaa", "bbbb")
        head.verify(("bbbb", "aaaa"))
        head.write(())
        assert head.read() == ()
        assert [path.name for path in directory.path.iterdir() if path.is_file()] == ["HEAD"]

    def test_kept_in_step(self, directory: Directory) -> None:
        directory.head_file.verify(())
        put(directory, "a.py", source("aaaa"))
        directory.record_heads()
        assert directory.head_file.read() == ("aaaa",)
        put(directory, "b.py", source("bbbb", "aaaa"))
        put(directory, "c.py", source("cccc", "aaaa"))
        directory.record_heads()
        directory.head_file.verify(("bbbb", "cccc"))

    REFUSALS: tuple[tuple[str | None, tuple[str, ...], type[AsyncmigError], list[str]], ...] = (
        (None, ("aaaa",), file_errors.HeadFileError, ["is not there", "revision files: aaaa"]),
        ("aaaa\n", ("bbbb",), file_errors.HeadFileError, ["says aaaa", "revision files: bbbb; write bbbb into it"]),
        ("aaaa\n", (), file_errors.HeadFileError, ["revision files: none; delete it"]),
        ("", ("aaaa",), file_errors.HeadFileError, ["says nothing"]),
        ("aaaa\naaaa\n", ("aaaa",), file_errors.HeadFileError, ["says aaaa, aaaa", "write aaaa into it"]),
        ("aaaa\nbbbb\naaaa\n", ("aaaa", "bbbb"), file_errors.HeadFileError, ["revision files: aaaa, bbbb"]),
        ("aaaa\n", ("aaaa", "bbbb"), file_errors.HeadFileError, ["asyncmig merge", "asyncmig rebase"]),
        ("<<<<<<< HEAD\naaaa\n=======\nbbbb\n>>>>>>> other\n", ("aaaa", "bbbb"), file_errors.HeadFileConflict,
         ["between aaaa and bbbb", "asyncmig merge"]),
    )  # fmt: skip

    @pytest.mark.parametrize(("content", "heads", "error", "said"), REFUSALS)
    def test_wrong(
        self, directory: Directory, content: str | None, heads: tuple[str, ...], error: type[AsyncmigError], said: Any
    ) -> None:
        if content is not None:
            directory.head_file.path.write_text(content)
        with pytest.raises(error) as raised:
            directory.head_file.verify(heads)
        assert type(raised.value) is error
        assert [part for part in ("HEAD: ", *said) if part not in str(raised.value)] == []

    def test_unreadable(self, directory: Directory) -> None:
        directory.head_file.path.mkdir()
        for question in (directory.head_file.read, lambda: directory.head_file.write(("aaaa",))):
            with pytest.raises(file_errors.UnreadableFile, match="HEAD: it cannot be"):
                question()


def test_a_missing_parent_names_the_file(directory: Directory) -> None:
    put(directory, "b.py", source("bbbb", "aaaa"))
    with pytest.raises(errors.MissingParent, match=r"b\.py\) has down_revision 'aaaa'"):
        directory.read().graph()
