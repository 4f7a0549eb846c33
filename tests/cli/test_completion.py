"""Completion in a shell: the scripts are sourced by the shells that are here, and complete for real."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..conftest import cli_command, cli_environment
from .conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_each_shell_has_its_script(run: Run, shell: str) -> None:
    printed = await run("completion", shell)
    assert (printed.code, printed.stderr) == (0, "")
    assert "_ASYNCMIG_COMPLETE" in printed.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=printed.stdout, text=True, check=True)


async def test_another_shell_is_told(run: Run) -> None:
    refused = await run("completion", "tcsh")
    assert (refused.code, "'bash', 'fish', 'zsh'" in refused.stderr) == (2, True)


def test_bash_completes_commands_and_revisions(folder: Path, write_revision: Any) -> None:
    write_revision("a001")
    write_revision("b002", "a001")
    for words, wanted in (("upg", "upgrade"), ("upgrade b", "b002"), ("completion z", "zsh")):
        typed = f"asyncmig {words}"
        environment = cli_environment() | {
            "_ASYNCMIG_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
        done = subprocess.run(cli_command(), cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert f"plain,{wanted}" in done.stdout, done.stderr
