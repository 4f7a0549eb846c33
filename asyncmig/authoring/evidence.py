"""``Evidence``: what the documents of one collection say about a change of their schema, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncmig.profiling.findings import percent
from asyncmig.profiling.profile import PathProfile, Profile
from asyncmig.profiling.rename_evidence import LikelyRename, likely_renames

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one collection: its profile, how many documents break the new schema, and texts that cannot be converted.

    ``breaking`` is None where counting took too long. ``unconvertible``: by path, how many of how many.
    """

    profile: Profile
    breaking: int | None = None
    unconvertible: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def renamed(self) -> dict[str, LikelyRename]:
        """Likely renames by the old path."""
        return {rename.old: rename for rename in likely_renames(self.profile)}

    def of(self, path: str) -> PathProfile | None:
        """What is known of a dotted path."""
        return next((finding for finding in self.profile.paths.values() if finding.dotted == path), None)

    def presence(self, path: str) -> str:
        """In how many documents a field is, and when it was last seen; a sentence."""
        finding = self.of(path)
        if finding is None:
            return f"None of {self.profile.documents:,} documents that were read has it."
        seen = f", last seen {finding.last_seen:%Y-%m-%d}" if finding.last_seen else ""
        return f"It is in {percent(finding.share)} of {self.profile.documents:,} documents that were read{seen}."

    def types(self, path: str) -> str:
        """The types that a field holds, with their counts; a sentence."""
        values = [finding for finding in self.profile.paths.values() if finding.dotted == path]
        counts = ", ".join(f"{kind} {number:,}" for finding in values for kind, number in finding.types.most_common())
        sample = f"Of {self.profile.documents:,} documents that were read: {counts or 'none has it'}."
        bad, tried = self.unconvertible.get(path, (0, 0))
        return f"{sample} {bad:,} of {tried:,} texts cannot be converted, and stop it." if bad else sample
