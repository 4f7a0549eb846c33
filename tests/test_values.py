"""What is passed between the pure rooms are values: they cannot be changed, and hold nothing but their fields."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import asyncmig

ROOMS = ("schema", "operations", "history", "running.ledger")


def values(room: str) -> list[Any]:
    """The dataclasses that are defined in a room."""
    package = importlib.import_module(f"{asyncmig.__name__}.{room}")
    names = [module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    classes = [kind for name in names for kind in vars(importlib.import_module(name)).values() if inspect.isclass(kind)]
    own = [kind for kind in dict.fromkeys(classes) if kind.__module__ in names]
    return [kind for kind in own if dataclasses.is_dataclass(kind)]


@pytest.mark.parametrize("room", ROOMS)
def test_values_are_frozen_and_hold_their_fields_alone(room: str) -> None:
    found = values(room)
    assert found
    assert [kind.__name__ for kind in found if not kind.__dataclass_params__.frozen] == []
    assert [kind.__name__ for kind in found if "__slots__" not in vars(kind)] == []
