"""A database that has a baseline's collections and no ledger: it is to be adopted, and nothing may run on it."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from asyncmig.drivers.base import Driver
from asyncmig.errors import NotAdopted
from asyncmig.files.created import created_collections
from asyncmig.history.revision import Revision

__all__ = ["unadopted"]


async def unadopted(driver: Driver, records: Sized, pending: Iterable[Revision]) -> NotAdopted | None:
    """What to raise where one of the ``pending`` revisions is a baseline, and the database was there before it.

    A database with any record is asyncmig's, and costs no question.
    """
    baseline = None if records else next((revision for revision in pending if revision.baseline), None)
    if baseline is None or baseline.path is None:
        return None
    wanted = created_collections(baseline.path.read_text(encoding="utf-8"))
    listed = await driver.read({"listCollections": 1, "nameOnly": True})
    existing = sorted(wanted & {info["name"] for info in listed})
    return NotAdopted(driver.database.name, baseline.revision, existing) if existing else None
