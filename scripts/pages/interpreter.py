"""Runs the Python blocks of a page, one after the other: a JSON line in (the code), one out (what it printed).

``await`` may stand at the top level, as in ``python -m asyncio``; names stay from one block to the next.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import sys
import traceback
from types import FunctionType
from typing import Any


def run(code: str, runner: asyncio.Runner, names: dict[str, Any]) -> dict[str, str]:
    """What the code printed, and the traceback if it raised."""
    printed, error = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            compiled = compile(code, "<page>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            coroutine = FunctionType(compiled, names)()
            if inspect.iscoroutine(coroutine):
                runner.run(coroutine)
        except Exception:  # noqa: BLE001 - whatever a page raises is told
            error = traceback.format_exc()
    return {"printed": printed.getvalue(), "error": error}


def main() -> None:
    """Until stdin ends."""
    sys.path.insert(0, "")
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(run(json.loads(line), runner, names)), flush=True)


if __name__ == "__main__":
    main()
