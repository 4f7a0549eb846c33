"""Models of other libraries, and our own, become one ``DatabaseState``."""

from asyncmig.sources.declared import Declared, Origin
from asyncmig.sources.registry import load_models

__all__ = ["Declared", "Origin", "load_models"]
