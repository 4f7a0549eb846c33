"""The question before data is lost."""

from __future__ import annotations

import os
import pty
import sys

import anyio
import pytest

from asyncmig.cli.confirm import NotConfirmed, confirm_losses
from asyncmig.cli.console import Console
from asyncmig.cli.failures import Answer
from asyncmig.review.loss import Loss

LOSSES = [Loss("20241210150000", "drop collection wallet with its documents")]


@pytest.fixture
def keyboard(monkeypatch):
    """A terminal to type on; what it shows goes to stderr as ever."""
    ours, theirs = pty.openpty()
    monkeypatch.setattr(sys, "stdin", os.fdopen(theirs, closefd=False))
    monkeypatch.setattr(Console, "interactive", property(lambda self: True))
    yield lambda text: os.write(ours, text.encode())
    sys.stdin.close()
    os.close(ours)
    os.close(theirs)


async def test_nothing_to_ask(capsys) -> None:
    await confirm_losses(Console(), [], yes=False)
    assert capsys.readouterr().err == ""


async def test_yes_goes_on_and_still_tells(capsys) -> None:
    await confirm_losses(Console(), LOSSES, yes=True)
    assert "20241210150000: drop collection wallet" in capsys.readouterr().err


async def test_nobody_there() -> None:
    with pytest.raises(NotConfirmed) as caught:
        await confirm_losses(Console(), LOSSES, yes=False)
    assert caught.value.exit_code == 1
    assert "drop collection wallet with its documents" in str(caught.value)
    assert "--yes" in str(caught.value)


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
async def test_agreed(keyboard, answer: str) -> None:
    keyboard(answer)
    with anyio.fail_after(60):
        await confirm_losses(Console(), LOSSES, yes=False)


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04", "yess\n"])
async def test_not_agreed(keyboard, capsys, answer: str) -> None:
    keyboard(answer)
    with anyio.fail_after(60), pytest.raises(Answer) as caught:
        await confirm_losses(Console(), LOSSES, yes=False)
    assert caught.value.exit_code == 1
    assert str(caught.value) == "Nothing was run."


async def test_waiting_for_the_answer_can_be_cancelled(keyboard) -> None:
    with anyio.move_on_after(0.05) as scope:
        await confirm_losses(Console(), LOSSES, yes=False)
    assert scope.cancelled_caught
