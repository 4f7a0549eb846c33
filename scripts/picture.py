"""Draws ``docs/session.svg``, the picture of the README: real commands on a real server, as a terminal shows them.

``nox -s docs -- --write`` runs it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from asyncmig.testing.server import LocalServer

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "session.svg"
WIDTH = 92
MODELS = """\
from asyncmig import Collection, Index


class Customer(Collection):
    __collection_name__ = "customer"
    __indexes__ = [Index("email", unique=True)]


class Order(Collection):
    __collection_name__ = "order"
    __indexes__ = [Index([("customer_id", 1), ("placed", -1)], name="by_customer")]
"""
COMMANDS = [
    'asyncmig revision -m "customers and orders" --autogenerate',
    "asyncmig upgrade --plan",
    "asyncmig upgrade",
    "asyncmig check",
]


def main() -> None:
    """Run the commands in a fresh folder, and draw what they print."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder, LocalServer() as server:
        Path(folder, "models.py").write_text(MODELS)
        environment = _environment(f"mongodb://127.0.0.1:{server.port}/shop?directConnection=true")
        _run("asyncmig init --models models", folder, environment)
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            printed = _run(command, folder, environment).replace(f"127.0.0.1:{server.port}", "localhost:27017")
            console.print(Text.from_ansi(printed.rstrip()), soft_wrap=False)
    PICTURE.write_text(_svg(console), encoding="utf-8")


def _environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNCMIG_", "NO_COLOR"))}
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {
        "PATH": place,
        "ASYNCMIG_URL": url,
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "TERM": "xterm-256color",
    }


def _run(command: str, folder: str, environment: dict[str, str]) -> str:
    words = ["bash", "-c", f"{command} 2>&1"]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def _svg(console: Console) -> str:
    """Without the fonts that rich would have the reader's browser download."""
    drawn = console.export_svg(title="asyncmig", theme=MONOKAI, unique_id="session")
    drawn = re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("Fira Code", "ui-monospace, Menlo, Consolas")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


if __name__ == "__main__":
    main()
