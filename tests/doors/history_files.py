"""``History``: revision files written in one line each."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

_TEXT = '''"""about {name}"""

import asyncio

from asyncmig import Index

revision = "{name}"
down_revision = {parent!r}


async def upgrade(env):
{up}


async def downgrade(env):
{down}
'''


class History:
    """A linear history in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.order: list[str] = []
        (folder / "versions").mkdir(parents=True, exist_ok=True)

    def add(self, name: str, up: str = "pass", down: str = "pass") -> None:
        """Write the file of a revision, or write it again; its parent is the one added before."""
        if name not in self.order:
            self.order.append(name)
        before = self.order[: self.order.index(name)][-1:]
        text = _TEXT.format(name=name, parent=before[0] if before else None, up=_body(up), down=_body(down))
        self.path(name).write_text(text)

    def forget(self, name: str) -> None:
        """Take a revision's file away, as an older release does not have it."""
        self.order.remove(name)
        self.path(name).unlink()

    def path(self, name: str) -> Path:
        """The file of a revision."""
        return self.folder / "versions" / f"{name}_step.py"


def _body(text: str) -> str:
    return indent(dedent(text).strip(), "    ")
