"""Written models, read back: what they declare has to be what they were written from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from asyncmig.adopting.class_names import ALL
from asyncmig.adopting.models_writer import INDEXES
from asyncmig.schema.state import DatabaseState
from asyncmig.sources import load_models

__all__ = ["state_of_files", "state_of_source"]

_NAME = "asyncmig_written_models"


def state_of_source(source: str) -> DatabaseState:
    """What the models in one module's text declare. Raises DeclarationError, as importing it would."""
    return state_of_files({"__init__.py": source})


def state_of_files(files: Mapping[str, str]) -> DatabaseState:
    """What the models of a package declare, ``files`` by name; it is imported from a temporary folder."""
    with TemporaryDirectory() as folder, _no_traces():
        for name, source in files.items():
            Path(folder, name).write_text(source, encoding="utf-8")
        module = _imported(Path(folder))
        return load_models(list(getattr(module, ALL, ())) or [getattr(module, INDEXES, {})]).state


def _imported(folder: Path) -> ModuleType:
    spec = spec_from_file_location(_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _no_traces() -> Iterator[None]:
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        for name in [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]:
            del sys.modules[name]
