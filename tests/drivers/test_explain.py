"""Why a replica set takes no commands: told by what its members say of themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, NotPrimaryError, ServerSelectionTimeoutError

from asyncmig.drivers.explain import no_primary


def client(*kinds: str) -> Any:
    servers = {number: SimpleNamespace(server_type_name=kind) for number, kind in enumerate(kinds)}
    return SimpleNamespace(topology_description=SimpleNamespace(server_descriptions=lambda: servers))


@pytest.mark.parametrize(
    ("error", "kinds", "cause"),
    [
        (ServerSelectionTimeoutError("x"), ["RSGhost"], "has not been initiated"),
        (NotPrimaryError("x"), ["RSGhost"], "rs.initiate()"),
        (NotPrimaryError("x"), ["RSSecondary"], "leave directConnection out"),
        (ServerSelectionTimeoutError("x"), ["RSSecondary", "Unknown"], "has no primary"),
        (ServerSelectionTimeoutError("x"), ["RSArbiter"], "has no primary"),
        (ServerSelectionTimeoutError("x"), ["Unknown"], ""),
        (ServerSelectionTimeoutError("x"), ["RSPrimary", "RSSecondary"], ""),
        (AutoReconnect("x"), ["RSGhost"], ""),
    ],
)
def test_why_there_is_no_primary(error: Exception, kinds: list[str], cause: str) -> None:
    found = no_primary(error, client(*kinds))
    assert (cause in found) if cause else found == ""
