"""``python -m asyncmig.testing``: a server by hand, or beside a command."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from asyncmig.testing import wire

PROGRAM = [sys.executable, "-m", "asyncmig.testing"]
SHOW = "import os, sys; print(os.environ['ASYNCMIG_URL']); sys.exit(7)"


def test_a_command_gets_the_address_and_gives_its_exit_code(tmp_path: Path) -> None:
    done = subprocess.run([*PROGRAM, str(tmp_path), "--", sys.executable, "-c", SHOW], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.startswith("mongodb://127.0.0.1:")
    assert (tmp_path / "mongod.log").exists()


def test_a_command_that_does_not_exist_is_told() -> None:
    done = subprocess.run([*PROGRAM, "--", "no-such-command"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (127, "error: no-such-command: command not found\n")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_it_serves_until_interrupted(how: signal.Signals, code: int) -> None:
    with subprocess.Popen([*PROGRAM, "--standalone"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        port = int(url.split(":")[2].split("/")[0])
        assert wire.command(port, {"hello": 1})["isWritablePrimary"] is True
        process.send_signal(how)
        assert process.wait(20) == code
    with pytest.raises(OSError, match="refused"):
        wire.command(port, {"hello": 1})


def test_without_a_mongod_it_says_how_to_get_one() -> None:
    done = subprocess.run(
        PROGRAM, capture_output=True, text=True, env={"ASYNCMIG_MONGOD": "/none", "PYTHONPATH": ":".join(sys.path)}
    )
    assert done.returncode == 1
    assert "Three ways to get one" in done.stderr
