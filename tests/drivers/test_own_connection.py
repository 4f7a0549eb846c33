"""What the connection of the lock has of its own, whatever the caller's client is set to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from asyncmig.drivers.own_connection import options


@pytest.mark.parametrize(
    ("selection", "seconds", "milliseconds", "selecting"),
    [(30.0, 5.0, 5_000, 5_000), (2.0, 5.0, 5_000, 2_000), (30.0, 0.0001, 1, 1)],
)
def test_no_call_of_it_takes_longer(selection: float, seconds: float, milliseconds: int, selecting: int) -> None:
    client: Any = SimpleNamespace(server_selection_timeout=selection)
    assert options(client, seconds) == {
        "auto_encryption_opts": None,
        "connectTimeoutMS": milliseconds,
        "maxPoolSize": 3,
        "minPoolSize": 0,
        "serverSelectionTimeoutMS": selecting,
        "socketTimeoutMS": milliseconds,
        "timeoutMS": None,
        "waitQueueTimeoutMS": milliseconds,
    }
