"""``Server``: what a server can do, by its feature compatibility version, or else by its wire version.

Between the upgrade of the binaries and ``setFeatureCompatibilityVersion``, a server of 6.0 answers as
one of 5.0 does: so the feature compatibility version decides.

https://www.mongodb.com/docs/manual/reference/command/setFeatureCompatibilityVersion/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["NEEDS", "UNLIMITED", "Feature", "Server", "version_of_wire"]

Feature = str

_WIRE: Final[Mapping[int, tuple[int, int]]] = {
    8: (4, 2),
    9: (4, 4),
    13: (5, 0),
    17: (6, 0),
    21: (7, 0),
    25: (8, 0),
}
"""By wire version, the first release that has it."""

NEEDS: Final[Mapping[Feature, tuple[int, int]]] = {
    "unique in place": (6, 0),
    "time to live in place": (5, 1),
    "capped size in place": (6, 0),
    "pre- and post-images": (6, 0),
    "clustered collection": (5, 3),
    "time series": (5, 0),
    "index on a measurement of a time series": (6, 0),
    "several indexes on the same keys": (5, 0),
    "compound wildcard index": (7, 0),
    "bucketing of a time series": (6, 3),
}
"""By feature, the feature compatibility version from which on a server has it.

Up to 6.0 as real servers of 4.4, 5.0 and 6.0 answer; what came later by the manual, not run here.
"""

_OF_BINARY: Final = frozenset({"time to live in place"})
"""What a binary does whatever its compatibility version is set to."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server's feature compatibility version, as (6, 0); ``is_set``: a member of a replica set, or a router."""

    version: tuple[int, int]
    binary: tuple[int, int]
    """The release, as far as its wire version tells."""
    is_exact: bool = True
    """False where the version is that of the binary: the compatibility may be set lower."""
    is_set: bool = True

    def has(self, feature: Feature) -> bool:
        """Whether it has the feature."""
        return (self.binary if feature in _OF_BINARY else self.version) >= NEEDS[feature]

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


UNLIMITED: Final = Server((99, 0), (99, 0))
"""A server that has everything: where none is asked, as with the mock."""


def version_of_wire(wire: int) -> tuple[int, int]:
    """The release of the newest known wire version that is not above ``wire``."""
    return max((version for known, version in _WIRE.items() if known <= wire), default=(4, 0))
