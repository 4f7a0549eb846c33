"""The frame: help, versions, faults of usage, streams and exit codes."""

from __future__ import annotations

import re
import signal

import asyncclick as click
import pytest

import asyncmig
from asyncmig.cli.console import Console
from asyncmig.cli.failures import Answer, Interrupted, report
from asyncmig.cli.group import COMMANDS
from asyncmig.errors import ConfigurationError, LockError, PendingRevisions

from .conftest import imported


class TestHelp:
    async def test_lists_every_command(self, run) -> None:
        result = await run("--help")
        assert (result.code, result.stderr) == (0, "")
        assert all(re.search(rf"^  {name} +\w", result.stdout, re.MULTILINE) for name in COMMANDS)

    @pytest.mark.parametrize("name", COMMANDS)
    async def test_of_each_command_has_an_example(self, run, name: str) -> None:
        result = await run(name, "--help")
        assert result.code == 0
        assert f"Usage: asyncmig {name}" in result.stdout
        assert f"Examples:\n  asyncmig {name}" in result.stdout

    async def test_version(self, run) -> None:
        assert (await run("--version")).stdout == f"asyncmig {asyncmig.__version__}\n"

    async def test_bare(self, run) -> None:
        result = await run()
        assert (result.code, result.stdout) == (2, "")
        assert "Usage: asyncmig" in result.stderr

    def test_imports_neither_a_driver_nor_a_loop(self, run_cli) -> None:
        result = run_cli("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert result.returncode == 0
        assert not imported(result.stderr) & {"asyncio", "anyio", "rich", "pymongo", "bson", "motor", "tomllib"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["historie"], "There is no command 'historie'. Did you mean 'history'?"),
        (["zzz"], "There is no command 'zzz'."),
        (["--ulr", "x", "heads"], "--ulr|--url"),
        (["heads", "--jsn"], "--jsn|--json"),
        (["heads", "superfluous"], "superfluous"),
        (["--driver", "mongo", "heads"], "'--driver'|'mongo'|'motor'|'pymongo'"),
        (["revision"], "'-m'"),
        (["downgrade"], "'TARGET'"),
        (["history", "-r", "abc"], "must be A:B"),
        (["upgrade", "--lock-timeout", "soon"], "'--lock-timeout'|'soon'"),
        (["stamp", "head", "--lock-timeout", "-1"], "'--lock-timeout'|-1.0"),
    ],
)
async def test_faults_of_usage(run, args: list[str], words: str) -> None:
    """What is at fault is named, and what may have been meant; the rest of some sentences is click's."""
    result = await run(*args)
    assert (result.code, result.stdout) == (2, "")
    assert all(word in result.stderr for word in words.split("|"))


class TestShared:
    @pytest.mark.parametrize("args", [["--config", "nowhere.toml", "heads"], ["heads", "--config", "nowhere.toml"]])
    async def test_options_stand_before_or_after_the_command(self, run, args: list[str]) -> None:
        result = await run(*args)
        assert result.code == 2
        assert result.stderr.startswith("Error: the configuration file")

    @pytest.mark.parametrize("name", ["heads", "history", "branches", "graph", "current", "upgrade", "check", "merge"])
    async def test_without_a_folder_of_migrations(self, run, name: str) -> None:
        result = await run(name, *(["-m", "x"] if name == "merge" else []))
        assert (result.code, result.stdout) == (2, "")
        assert "there are no migrations at" in result.stderr
        assert "`asyncmig init`" in result.stderr

    @pytest.mark.parametrize("name", ["current", "upgrade", "status", "check", "diff", "unlock"])
    async def test_without_a_url(self, run, name: str) -> None:
        await run("init")
        result = await run(name)
        assert (result.code, result.stdout) == (2, "")
        assert "url is not set" in result.stderr
        assert "ASYNCMIG_URL=" in result.stderr

    async def test_without_a_database(self, run) -> None:
        await run("init")
        result = await run("current", "--url", "mongodb://me:secret@localhost")
        assert result.code == 2
        assert "database is not set" in result.stderr
        assert "secret" not in result.stderr

    async def test_without_models(self, run) -> None:
        await run("init")
        result = await run("diff", "--url", "mongodb://localhost/x")
        assert result.code == 2
        assert "models is not set" in result.stderr

    async def test_no_server(self, run) -> None:
        await run("init")
        url = "mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=50"
        result = await run("current", "--url", url)
        assert (result.code, result.stdout) == (1, "")
        assert "127.0.0.1:1" in result.stderr
        assert "secret" not in result.stderr


class TestReport:
    @pytest.mark.parametrize(
        ("error", "code", "said"),
        [
            (ConfigurationError("no"), 2, "Error: no\n"),
            (LockError("held"), 6, "Error: held\n"),
            (ExceptionGroup("g", [ValueError("x"), PendingRevisions(["a"])]), 4, "Error: 1 revision is pending"),
            (ExceptionGroup("g", [ExceptionGroup("h", [click.ClickException("inner")])]), 1, "Error: inner\n"),
            (KeyboardInterrupt(), 130, "Warning: interrupted by SIGINT\n"),
            (click.Abort(), 130, "Warning: interrupted by SIGINT\n"),
            (Interrupted(signal.SIGTERM), 143, "Warning: interrupted by SIGTERM\n"),
            (Answer(3), 3, ""),
            (ValueError("odd"), 1, "Error: internal error: ValueError: odd; run with -v for the traceback\n"),
        ],
    )
    def test_one_message_and_an_exit_code(self, capsys, error: BaseException, code: int, said: str) -> None:
        assert report(error, Console(), verbose=False) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(said)
        assert "Traceback" not in captured.err

    def test_with_a_traceback_when_verbose(self, capsys) -> None:
        assert report(ValueError("odd"), Console(), verbose=True) == 1
        assert "ValueError: odd" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("asyncmig upg", ["upgrade"]),
        ("asyncmig upgrade aa", ["aaaa"]),
        ("asyncmig downgrade ", ["bbbb", "aaaa", "audit@head", "head", "heads", "base"]),
        ("asyncmig show au", ["audit@head"]),
        ("asyncmig --dire", ["--directory"]),
    ],
)
def test_completion(run_cli, write_revision, words: str, offered: list[str]) -> None:
    write_revision("aaaa")
    write_revision("bbbb", "aaaa", branch_labels="audit")
    environment = {"_ASYNCMIG_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = run_cli(env=environment)
    assert result.stdout.split() == [f"plain,{name}" for name in offered], result.stderr


def test_completion_where_there_is_nothing(run_cli) -> None:
    environment = {"_ASYNCMIG_COMPLETE": "bash_complete", "COMP_WORDS": "asyncmig upgrade x", "COMP_CWORD": "2"}
    result = run_cli(env=environment)
    assert (result.stdout.strip(), result.stderr) == ("", "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["upgrade", "--dry-run"], "--plan"),
        (["downgrade", "base", "--sql"], "--plan"),
        (["upgrade", "--fake"], "asyncmig stamp"),
        (["revision", "-m", ""], "Say it in a few words"),
        (["revision", "-m", "  ", "--autogenerate"], "Say it in a few words"),
    ],
)
async def test_what_other_tools_call_it(run, folder, args: list[str], said: str) -> None:
    result = await run(*args)
    assert result.code == 2
    assert said in result.stderr
    assert not [*folder.iterdir()]


async def test_a_variable_that_is_no_setting_is_a_warning(run, write_revision, server) -> None:
    write_revision("aaaa")
    result = await run("current", ASYNCMIG_LOCK_TIMOUT="5")
    assert result.code == 0
    assert "did you mean ASYNCMIG_LOCK_TIMEOUT?" in result.stderr


async def test_one_fault_of_several_files_is_said_once(run, write_revision, server) -> None:
    for name in ("aaaa", "bbbb", "cccc"):
        path = write_revision(name)
        path.write_text(path.read_text().replace("async def upgrade", "def upgrade"))
    result = await run("upgrade")
    assert result.stderr.count("plain `def`") == 1
    assert "The same in bbbb_step.py, cccc_step.py" in result.stderr
