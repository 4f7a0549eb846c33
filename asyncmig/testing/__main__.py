"""``python -m asyncmig.testing [FOLDER]``: a server to try things on, until Ctrl-C.

``python -m asyncmig.testing -- COMMAND ARGUMENT...`` runs a command beside it instead, with
``ASYNCMIG_URL`` set to its address, stops the server after it, and exits as the command did.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading

from asyncmig.errors import AsyncmigError
from asyncmig.testing.server import LocalServer


def main(arguments: list[str]) -> int:
    """Start the server, and stop it when the command has ended, or when interrupted."""
    before, command = _split(arguments)
    parser = argparse.ArgumentParser("python -m asyncmig.testing", description=__doc__)
    parser.add_argument("folder", nargs="?", help="where the data stays; else it is temporary")
    parser.add_argument("--standalone", action="store_true", help="no replica set, so no transactions")
    options = parser.parse_args(before)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with LocalServer(options.folder, replset=not options.standalone) as server:
            return _run(command, server.url) if command else _serve(server.url)
    except AsyncmigError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _run(command: list[str], url: str) -> int:
    try:
        return subprocess.run(command, env=os.environ | {"ASYNCMIG_URL": url}, check=False).returncode
    except FileNotFoundError:
        print(f"error: {command[0]}: command not found", file=sys.stderr)
        return 127


def _serve(url: str) -> int:
    print(url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
