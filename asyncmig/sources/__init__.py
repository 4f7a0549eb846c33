"""Models of other libraries, and our own, become one ``DatabaseState``."""

from asyncmig.sources.declared import Declared, Origin
from asyncmig.sources.registry import Models, load_models

__all__ = ["Declared", "Models", "Origin", "load_models"]
