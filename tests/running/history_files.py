"""Histories for the tests of the runner: revision files written from short descriptions, and runners over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from asyncmig.drivers import driver_for
from asyncmig.events import Event
from asyncmig.files.directory import Directory
from asyncmig.files.module import RevisionModule
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.locking.lock import Lock
from asyncmig.running.runner import Runner


class History:
    """A linear history in a folder: ``add("a", up="…", down="…")`` one revision after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.revisions: dict[str, Revision] = {}
        self.order: list[str] = []

    def add(
        self, name: str, up: str = "pass", down: str = "pass", *, parents: Iterable[str] | None = None, **flags: bool
    ) -> str:
        """Write, or write again, the file of a revision; its parent is the one added before."""
        if name not in self.order:
            self.order.append(name)
        before = self.order[: self.order.index(name)][-1:]
        above = tuple(before if parents is None else parents)
        marks = {"transactional": False, "irreversible": False} | flags
        text = _TEXT.format(name=name, above=above, up=_body(up), down=_body(down), **marks)
        path = self.folder / f"{name}.py"
        if not path.exists() or path.read_text() != text:  # other processes may be reading it
            path.write_text(text)
        checksum = sha256(text.encode()).hexdigest()
        self.revisions[name] = Revision(name, above, message=f"about {name}", path=path, checksum=checksum, **flags)
        return name

    @property
    def graph(self) -> RevisionGraph:
        """All that was added."""
        return RevisionGraph(self.revisions.values())

    def load(self, revision: Revision) -> RevisionModule:
        """Run a file, as the real thing does."""
        return Directory(self.folder).load(revision)

    def runner(
        self,
        database: Any,
        *,
        lease: float = 30.0,
        wait: float = 10.0,
        events: list[Event] | None = None,
        on_event: Any = None,
    ) -> Runner:
        """A runner of its own, as another process would have it."""
        driver = driver_for(database)
        return Runner(
            driver,
            graph=self.graph,
            load=self.load,
            ledger=Ledger(driver),
            lock=Lock(driver, lease=lease),
            on_event=on_event or (events.append if events is not None else None),
            lock_timeout=wait,
            command="test",
        )


async def states(database: Any) -> Mapping[str, str]:
    """What the ledger says, by revision."""
    found = await database["asyncmig_revisions"].find({}, {"state": 1}).sort("_id").to_list(None)
    return {one["_id"]: one["state"] for one in found}


def _body(text: str) -> str:
    return indent(dedent(text).strip() or "pass", "    ")


_TEXT = '''"""about {name}"""
import asyncio, time
from asyncmig import Index

revision = "{name}"
down_revision = {above!r}
transactional = {transactional}
irreversible = {irreversible}


async def upgrade(env):
{up}


async def downgrade(env):
{down}
'''
