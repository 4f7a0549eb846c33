"""Which event loop a test runs on, so that it gets a client that belongs to that loop."""

from __future__ import annotations

import inspect

import pytest

__all__ = ["clients_fixture"]


def clients_fixture(request: pytest.FixtureRequest) -> str:
    """The name of the fixture whose clients live as long as the loop of the requesting test.

    pytest-asyncio decides where it is active and the test is its own (in auto mode all are); else
    anyio, for a test that has its ``anyio_backend``. A test that is not async has no loop that is
    known beforehand. Skips a test on trio, where MongoDB's drivers do not run.
    """
    item = request.node
    function = getattr(item, "obj", None)
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    if not inspect.iscoroutinefunction(inner):
        return "_asyncmig_clients_of_no_loop"
    marker = item.get_closest_marker("asyncio")
    if marker is not None and request.config.pluginmanager.hasplugin("asyncio"):
        return f"_asyncmig_clients_{_asyncio_scope(request.config, marker)}"
    if "anyio_backend" in item.fixturenames:
        backend = request.getfixturevalue("anyio_backend")
        if (backend if isinstance(backend, str) else backend[0]) != "asyncio":
            pytest.skip("MongoDB's drivers need asyncio")
        return "_asyncmig_clients_of_anyio"
    return "_asyncmig_clients_of_no_loop"


def _asyncio_scope(config: pytest.Config, marker: pytest.Mark) -> str:
    asked = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
    try:
        return str(asked or config.getini("asyncio_default_test_loop_scope") or "function")
    except (KeyError, ValueError):  # before pytest-asyncio 1.0
        return "function"
