"""What a server can do: a table by release, and which of its two versions counts."""

from __future__ import annotations

import pytest

from asyncmig.schema.capabilities import NEEDS, UNLIMITED, Server, version_of_wire

FIRST = {
    "unique in place": "6.0",
    "time to live in place": "5.1",
    "capped size in place": "6.0",
    "pre- and post-images": "6.0",
    "clustered collection": "5.3",
    "time series": "5.0",
    "index on a measurement of a time series": "6.0",
    "several indexes on the same keys": "5.0",
    "compound wildcard index": "7.0",
    "bucketing of a time series": "6.3",
}
RELEASES = [(4, 2), (4, 4), (5, 0), (5, 1), (5, 2), (5, 3), (6, 0), (6, 2), (6, 3), (7, 0), (8, 0)]


@pytest.mark.parametrize("feature", NEEDS)
def test_from_which_release_on(feature: str) -> None:
    able = [release for release in RELEASES if Server(release, release).has(feature)]
    assert able == RELEASES[RELEASES.index(able[0]) :]
    assert ".".join(map(str, able[0])) == FIRST[feature]
    assert UNLIMITED.has(feature)


@pytest.mark.parametrize("feature", NEEDS)
def test_the_compatibility_version_decides(feature: str) -> None:
    """But for a time to live that is put on an index in place: the binary does that."""
    between = Server((4, 4), (8, 0))
    assert between.has(feature) is (feature == "time to live in place")
    assert (str(between), between.is_exact, between.is_set) == ("4.4", True, True)


@pytest.mark.parametrize(
    ("wire", "release"),
    [
        *((wire, (4, 0)) for wire in (0, 7)),
        (8, (4, 2)),
        *((wire, (4, 4)) for wire in (9, 12)),
        *((wire, (5, 0)) for wire in (13, 16)),
        *((wire, (6, 0)) for wire in (17, 20)),
        *((wire, (7, 0)) for wire in (21, 24)),
        *((wire, (8, 0)) for wire in (25, 99)),
    ],
)
def test_the_release_of_a_wire_version(wire: int, release: tuple[int, int]) -> None:
    assert version_of_wire(wire) == release
