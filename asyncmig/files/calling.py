"""Calling a revision's own code, which may raise whatever it likes: an exit of the process, too."""

from __future__ import annotations

import asyncio
import dis
from collections.abc import Awaitable, Callable
from typing import Any

from asyncmig.errors import RevisionError

__all__ = ["LeftByRevision", "call", "is_request_to_stop"]

_RAISES = dis.opmap["RAISE_VARARGS"]


class LeftByRevision(RevisionError):
    """Raised in the place of what is no error to Python, and would pass every ``except Exception``: ``sys.exit()``."""

    def __init__(self, cause: BaseException) -> None:
        said = f"{type(cause).__name__}({cause})"
        super().__init__(f"it raised {said}: a revision ends by returning, or by raising an error")


async def call(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Await ``function``; what it raises is an Exception, unless somebody outside wants all of this to stop."""
    try:
        return await function(*arguments)
    except Exception:
        raise
    except BaseException as error:
        if is_request_to_stop(error):
            raise
        raise LeftByRevision(error).with_traceback(error.__traceback__) from error


def is_request_to_stop(error: BaseException) -> bool:
    """Whether an exception has come from outside: a cancellation of the task, Ctrl-C, a coroutine that is closed."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, GeneratorExit) and not _was_raised(error))


def _was_raised(error: BaseException) -> bool:
    """Whether it was raised by a statement of code, and not thrown in where a coroutine waits."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == _RAISES
