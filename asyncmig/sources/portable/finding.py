"""Models named by a string: ``"app.models:ALL_COLLECTIONS"``, or ``"app.models"`` and what is in it."""

from __future__ import annotations

import contextlib
import difflib
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from asyncmig.sources.portable.calls import looks_like_calls
from asyncmig.sources.portable.described import described, is_index
from asyncmig.sources.portable.reading import framework_of, is_concrete

__all__ = ["KNOWN", "NotFoundError", "find_models", "given_model"]

KNOWN = (
    "Collections and Views of asyncmig, Documents of Beanie and MongoEngine, Models of ODMantic, "
    "and dictionaries of create_index arguments"
)
_USUAL = "ALL_COLLECTIONS"
_SHOWN = 10  # names


class NotFoundError(Exception):
    """There are no models where they were said to be; the message says what is wrong, and what may have been meant."""


def find_models(where: str) -> list[Any]:
    """The models at ``module:attribute``, or in ``module``, as ``(value, module, attribute)``.

    A module alone stands for its ``ALL_COLLECTIONS``; where it has none, for every model defined in
    it (or in its submodules, as far as it has imported them). ``sys.path`` is left as it is. Raises
    NotFoundError where nothing of the kind is there, or the module cannot be imported.
    """
    name, colon, attribute = where.partition(":")
    file, mark, attribute_there = where.rpartition(":") if _is_path(where.rpartition(":")[0]) else (where, "", "")
    if _is_path(file):
        meant = _dotted(file) + mark + attribute_there
        raise NotFoundError(f"{where!r} names a file; write the module's name, {meant!r}")
    if not name or name.startswith(".") or (colon and not attribute):
        raise NotFoundError(f"{where!r} names no models; write 'package.module:{_USUAL}'")
    module = _module(name, where)
    if attribute:
        return listed_models(_attribute(module, attribute), name, attribute)
    if hasattr(module, _USUAL):
        return listed_models(getattr(module, _USUAL), name, _USUAL)
    return _defined(module)


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith(".py")


def _dotted(file: str) -> str:
    """The module that a file, or a package's folder, is: from where modules are looked for, if it is below that."""
    path = os.path.abspath(file)
    homes = [os.path.abspath(home) for home in ("", *sys.path)]
    below = [os.path.relpath(path, home) for home in homes if path.startswith(home + os.sep)]
    parts = re.split(r"[\\/]+", min(below, key=len) if below and os.path.isabs(file) else os.path.normpath(file))
    name = ".".join(part for part in parts if part not in ("", ".", ".."))
    name = name[:-3] if name.endswith(".py") else name
    return name[: -len(".__init__")] if name.endswith(".__init__") else name


def listed_models(value: Any, module: str, attribute: str) -> list[Any]:
    """The entries of a list of models, which may hold dotted paths too; a class or a dictionary stands for itself."""
    where = f"{module}:{attribute}" if module else "the list"
    models = [value] if isinstance(value, (type, Mapping)) else value
    if isinstance(models, (str, bytes)) or not isinstance(models, Iterable):
        raise NotFoundError(f"{where!r} is to be a list of models, and is {described(value)}")
    listed: list[Any] = []
    for place, model in enumerate(models):
        if isinstance(model, (list, tuple)):  # a list made of lists: [*MODELS] without the star
            listed += listed_models(model, module, attribute)
        else:
            listed.append((_model(model, f"entry {place} of {where!r}"), module, attribute))
    return listed


def given_model(entry: Any, place: int) -> list[Any]:
    """An entry of a list that was passed in Python; one that is a list itself stands for its entries."""
    if isinstance(entry, (list, tuple)):
        return listed_models(entry, "", "")
    return [(_model(entry, f"entry {place} of the models"), "", "")]


def _model(entry: Any, where: str) -> Any:
    if isinstance(entry, str):
        name, _, attribute = entry.replace(":", ".").rpartition(".")
        if not name:
            raise NotFoundError(f"{where} is {entry!r}; write 'package.module.Class'")
        entry = _attribute(_module(name, entry), attribute)
    if is_index(entry) or (framework_of(entry) is None and not isinstance(entry, Mapping)):
        raise NotFoundError(f"{where} is {described(entry)}; known are {KNOWN}")
    return entry


def _module(name: str, where: str) -> Any:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what models print when imported is not our output
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise NotFoundError(
                f"importing {name!r} failed, as it imports {error.name!r}, which is not installed{_place(error)}"
            ) from error
        rest = where[len(error.name) :] if where.startswith(f"{error.name}:") else ""
        text = f"there is no module {error.name!r} (from {where!r}){_instead(error.name, name, rest)}"
        raise NotFoundError(text) from error
    except ImportError as error:
        raise NotFoundError(f"importing {name!r} failed: {error}{_place(error)}") from error
    except SyntaxError as error:
        text = f"{name!r} does not parse: {error.msg} ({error.filename}, line {error.lineno})"
        raise NotFoundError(text) from error
    except (Exception, SystemExit) as error:  # whatever the user's own code raises is no fault of ours
        if type(error).__module__.startswith("asyncmig."):
            raise
        kind = type(error).__name__
        raise NotFoundError(f"importing {name!r} failed: {kind}: {error}{_place(error)}") from error


def _place(error: BaseException) -> str:
    """The innermost line of the user's own code, else of all; libraries say what is wrong, not where it is written."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    own = [frame for frame in frames[1:] if not _is_of_library(frame.filename)]
    innermost = (own or frames)[-1]
    return f" ({innermost.filename}, line {innermost.lineno})" if len(frames) > 1 else ""


def _is_of_library(file: str) -> bool:
    return "site-packages" in file or "dist-packages" in file or file.startswith((sys.base_prefix, sys.prefix))


def _instead(missing: str, asked: str, rest: str) -> str:
    """What may have been meant: a colon where a point stands, a neighbour, a module of the same name elsewhere.

    ``rest``: what was written after the name of the module that is missing.
    """
    parent, _, last = missing.rpartition(".")
    if not parent:
        return _near(missing, [module.name for module in pkgutil.iter_modules()], "", rest) or _elsewhere(missing, rest)
    if missing == asked and hasattr(import_module(parent), last):
        return f"; did you mean '{parent}:{last}'?"
    names = _modules_in(parent)
    if not names:
        return f"; {parent!r} is a module, and no package"
    shown = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
    return _near(last, names, f"{parent}.", rest) or f"; {parent!r} has {shown}"


def _elsewhere(missing: str, rest: str) -> str:
    """Where a module of that name is: in a package of the folder that models are looked for in, or in src/."""
    homes = list(dict.fromkeys([os.path.abspath(home) for home in (sys.path[0], "")]))
    for home in homes:
        for package in pkgutil.iter_modules([home]):
            if package.ispkg and missing in _names_in(os.path.join(home, package.name)):
                return f"; did you mean {package.name + '.' + missing + rest!r}?"
    for home in homes:
        if missing in _names_in(os.path.join(home, "src")):
            return f"; it is in {os.path.join(home, 'src')}: set PYTHONPATH to that folder"
    return "; start asyncmig where it can be imported, or set PYTHONPATH"


def _names_in(folder: str) -> list[str]:
    return [module.name for module in pkgutil.iter_modules([folder])]


def _modules_in(package: str) -> list[str]:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return sorted(module.name for module in pkgutil.iter_modules(folders)) if folders else []


def _near(name: str, names: list[str], before: str = "", after: str = "") -> str:
    """``; did you mean 'app.models'?``: what may be written in its place, with what stands around it."""
    plain = {known.replace("_", "").casefold(): known for known in names}
    near = difflib.get_close_matches(name.replace("_", "").casefold(), plain, n=1, cutoff=0.7)
    return f"; did you mean {before + plain[near[0]] + after!r}?" if near else ""


def _attribute(module: Any, attribute: str) -> Any:
    value = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            names = [name for name in vars(value) if not name.startswith("_")]
            instead = _near(part, names) or _listed(value)
            raise NotFoundError(f"there is no {part!r} in {module.__name__!r}{instead}")
        value = getattr(value, part)
    return value


def _listed(holder: Any) -> str:
    """The names in a module that stand for models, or for a list of them."""
    names = [name for name, value in vars(holder).items() if not name.startswith("_") and _holds_models(value)]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    if names:
        return f"; of models it has {shown}"
    modules = _modules_in(holder.__name__) if hasattr(holder, "__path__") else []
    within = f", but modules: {', '.join(modules[:_SHOWN])}" if modules else f"; known are {KNOWN}"
    return f"; it has no models{within}"


def _holds_models(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(framework_of(item) is not None for item in value)
    return framework_of(value) is not None and _is_meant(value)


def _defined(module: Any) -> list[Any]:
    """Those of the module's own, but for bases of others that make nothing themselves."""
    name = module.__name__
    own = [
        value
        for value in vars(module).values()
        if framework_of(value) and (value.__module__ == name or value.__module__.startswith(name + "."))
    ]
    models = [(model, name, model.__qualname__) for model in dict.fromkeys(own) if _is_meant(model)]
    calls = {id(value): (value, name, key) for key, value in vars(module).items() if looks_like_calls(value)}
    if not models and not calls:
        raise NotFoundError(f"{name!r} defines no model, and has no {_USUAL}; known are {KNOWN}")
    return [*models, *calls.values()]


def _is_meant(model: Any) -> bool:
    if framework_of(model) == "asyncmig":
        return hasattr(model, "__collection_name__") or not model.__subclasses__()
    return is_concrete(model)
