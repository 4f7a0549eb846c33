"""The file of a revision now, and as it was when an earlier run of it stopped."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmig.drivers.base import Document
from asyncmig.files.call_site import CallSites
from asyncmig.files.env_methods import Asked
from asyncmig.files.remaining import Site, remaining
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.matching import Matching
from asyncmig.running.ledger.record import JournalEntry, Record

__all__ = ["former_sources", "left_undone", "matching_of"]

_KEPT = 3  # former sources in a record


def matching_of(
    record: Record | None,
    former: Sequence[JournalEntry],
    revision: Revision,
    source: str | None,
    *,
    by_hand: bool = True,
) -> Matching:
    """What holds the ``former`` journal of a record against a run of the file as it is now.

    ``by_hand``: whether its function has calls of its own, on ``env.db``.
    """
    checksum, now = revision.checksum or "", CallSites(source, source)
    about: Document = {"path": str(revision.path or ""), "file": checksum, "by_hand": by_hand}
    if record is None:  # nearly always, and then nothing is held against anything
        return Matching((), same_file=bool(checksum), sites=lambda _: now, **about)
    known = {of_file: CallSites(text, source) for of_file, text in _sources(record).items()}

    def file_of(entry: JournalEntry) -> str:
        return entry.file or (record.checksum if record else None) or ""  # entries of earlier versions have none

    def sites(entry: JournalEntry | None) -> CallSites:
        if entry is None or (checksum and file_of(entry) == checksum):
            return now
        return known.get(file_of(entry)) or CallSites(None, source)

    is_same = bool(checksum) and all(file_of(entry) == checksum for entry in former)
    return Matching(former, record.superseded, same_file=is_same, sites=sites, **about)


def left_undone(record: Record, checksum: str | None, source: str | None) -> list[Asked]:
    """What the upgrade of a record has not begun, by the file as it is now: its ``checksum``, its ``source``.

    Where the file was edited since, each of its runs tells of what was in it.
    """
    known = {of_file: CallSites(text, source) for of_file, text in _sources(record).items()}
    known[checksum or ""] = CallSites(source, source)
    nowhere = CallSites(None, source)
    reached: dict[str, set[Site]] = {checksum or "": set()}
    done = set[tuple[Site, str]]()
    for entry in (*record.journal, *record.superseded):
        of_file = entry.file or record.checksum or ""
        sites = known.get(of_file, nowhere)
        reached.setdefault(of_file, set()).add(sites.moved(entry.site))
        if entry.may_be_done:
            done.add((sites.kept(entry.site), entry.fingerprint))
    runs = [
        remaining(source, "upgrade", places, [site for site, _ in done], known.get(of_file, nowhere).edited)
        for of_file, places in reached.items()
    ]
    common = frozenset(runs[0]).intersection(*runs[1:])
    return [one for one in runs[0] if one in common]


def _sources(record: Record | None) -> dict[str, str | None]:
    """By checksum, the sources that were run before, as far as the ledger has them."""
    if record is None:
        return {}
    former = {str(earlier.get("checksum")): earlier.get("source") for earlier in record.former_sources}
    return former | {str(record.checksum): record.source}


def former_sources(record: Record | None, checksum: str | None) -> Document:
    """The field of a record that keeps what the file was when it stopped, where it was edited since: the newest few."""
    if record is None or record.checksum == checksum or not record.journal:
        return {}
    kept = [dict(earlier) for earlier in record.former_sources if earlier.get("checksum") != record.checksum]
    kept.append({"checksum": record.checksum, "source": record.source})
    return {"former_sources": kept[-_KEPT:]}
