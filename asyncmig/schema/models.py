"""Models named by a string: ``"app.models:ALL_COLLECTIONS"``, or ``"app.models"`` and what is in it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from traceback import extract_tb
from types import ModuleType
from typing import Any

from asyncmig.errors import AsyncmigError, ConfigurationError
from asyncmig.schema.declaration import Collection, View
from asyncmig.schema.names import suggestion

__all__ = ["load_models"]

_USUAL = "ALL_COLLECTIONS"


def load_models(where: str) -> list[type[Any]]:
    """The Collections and Views at ``module:attribute``, or in ``module``.

    A module alone stands for its ``ALL_COLLECTIONS``; where it has none, for every Collection and
    View defined in it (or in its submodules, as far as it has imported them). ``sys.path`` is left
    as it is. Raises ConfigurationError where nothing of the kind is there or the module cannot be
    imported, whatever it raises, and DeclarationError where a model is faulty.
    """
    name, colon, attribute = where.partition(":")
    if "/" in name or name.endswith(".py"):
        dotted = name.removeprefix("./").removesuffix(".py").replace("/", ".")
        raise ConfigurationError(f"models: {where!r} names a file; write the module's name, {dotted!r}")
    if not name or name.startswith(".") or (colon and not attribute):
        raise ConfigurationError(f"models: {where!r} names no models; write 'package.module:{_USUAL}'")
    module = _module(name, where)
    if attribute:
        return _listed(_attribute(module, attribute, where), where)
    if hasattr(module, _USUAL):
        return _listed(getattr(module, _USUAL), f"{where}:{_USUAL}")
    return _defined(module)


def _module(name: str, where: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"models: importing {name!r} failed, as it imports {error.name!r}, which is not installed"
            ) from error
        raise ConfigurationError(
            f"models: there is no module {error.name!r} (from {where!r}){_instead(error.name, name)}"
        ) from error
    except ImportError as error:
        raise ConfigurationError(f"models: importing {name!r} failed: {error}") from error
    except SyntaxError as error:
        raise ConfigurationError(
            f"models: {name!r} does not parse: {error.msg} ({error.filename}, line {error.lineno})"
        ) from error
    except AsyncmigError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's own code raises is no fault of ours
        raise ConfigurationError(
            f"models: importing {name!r} failed: {type(error).__name__}: {error}{_place(error)}"
        ) from error


def _place(error: BaseException) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    return f" ({frame.filename}, line {frame.lineno})"


def _instead(missing: str, asked: str) -> str:
    """What may have been meant: a colon where a point stands, a neighbour, or the folder to start in."""
    parent, _, last = missing.rpartition(".")
    if not parent:
        names = (found.name for found in pkgutil.iter_modules())
        return suggestion(missing, names) or "; start asyncmig where it can be imported, or set PYTHONPATH"
    spec = find_spec(parent)
    if missing == asked and hasattr(import_module(parent), last):
        return f"; did you mean '{parent}:{last}'?"
    folders = spec.submodule_search_locations if spec else None
    return suggestion(last, (found.name for found in pkgutil.iter_modules(folders))) if folders else ""


def _attribute(module: ModuleType, attribute: str, where: str) -> Any:
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [name for name in vars(found) if not name.startswith("_")]
            raise ConfigurationError(f"models: there is no {part!r} in {module.__name__!r}{suggestion(part, names)}")
        found = getattr(found, part)
    return found


def _listed(found: Any, where: str) -> list[type[Any]]:
    models = [found] if isinstance(found, type) else found
    if not isinstance(models, Iterable) or isinstance(models, str | bytes):
        raise ConfigurationError(f"models: {where!r} is a list of Collections and Views, not {found!r}")
    listed = list(models)
    for place, model in enumerate(listed):
        if not _is_model(model):
            raise ConfigurationError(f"models: entry {place} of {where!r} is no Collection or View: {model!r}")
    return listed


def _defined(module: ModuleType) -> list[type[Any]]:
    """Those of the module's own, but for bases of others that have no name themselves."""
    own = (module.__name__, f"{module.__name__}.")
    found = [
        value
        for value in vars(module).values()
        if _is_model(value) and (value.__module__ == own[0] or value.__module__.startswith(own[1]))
    ]
    models = [
        model for model in dict.fromkeys(found) if hasattr(model, "__collection_name__") or not model.__subclasses__()
    ]
    if not models:
        raise ConfigurationError(
            f"models: {module.__name__!r} defines no Collection and no View, and has no {_USUAL}; "
            "derive your classes from asyncmig.Collection"
        )
    return models


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Collection | View) and value not in (Collection, View)
