"""Models named by a string: ``"app.models:ALL_COLLECTIONS"``, or ``"app.models"`` and what is in it."""

from __future__ import annotations

import contextlib
import difflib
import pkgutil
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
    if "/" in name or name.endswith(".py"):
        dotted = (name[2:] if name.startswith("./") else name).replace("/", ".")
        dotted = dotted[:-3] if dotted.endswith(".py") else dotted
        raise NotFoundError(f"{where!r} names a file; write the module's name, {dotted!r}")
    if not name or name.startswith(".") or (colon and not attribute):
        raise NotFoundError(f"{where!r} names no models; write 'package.module:{_USUAL}'")
    module = _module(name, where)
    if attribute:
        return listed_models(_attribute(module, attribute), name, attribute)
    if hasattr(module, _USUAL):
        return listed_models(getattr(module, _USUAL), name, _USUAL)
    return _defined(module)


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
        text = f"there is no module {error.name!r} (from {where!r}){_instead(error.name, name)}"
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


def _instead(missing: str, asked: str) -> str:
    """What may have been meant: a colon where a point stands, a neighbour, or the folder to start in."""
    parent, _, last = missing.rpartition(".")
    if not parent:
        near = _near(missing, [module.name for module in pkgutil.iter_modules()])
        return near or "; start asyncmig where it can be imported, or set PYTHONPATH"
    spec = find_spec(parent)
    if missing == asked and hasattr(import_module(parent), last):
        return f"; did you mean '{parent}:{last}'?"
    folders = spec.submodule_search_locations if spec else None
    return _near(last, [module.name for module in pkgutil.iter_modules(folders)], f"{parent}.") if folders else ""


def _near(name: str, names: list[str], before: str = "") -> str:
    """``; did you mean 'app.models'?``: what may be written in its place, with what stands ``before`` it."""
    plain = {known.replace("_", "").casefold(): known for known in names}
    near = difflib.get_close_matches(name.replace("_", "").casefold(), plain, n=1, cutoff=0.7)
    return f"; did you mean {before + plain[near[0]]!r}?" if near else ""


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
    return f"; of models it has {shown}" if names else f"; it has no models; known are {KNOWN}"


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
