"""``Imports``: what a generated file needs to import, and nothing else."""

from __future__ import annotations

import sys

__all__ = ["Imports"]


class Imports:
    """What the source written so far needs to import."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self._modules: set[str] = set()

    def name(self, module: str, name: str) -> str:
        """``name``, which ``from module import name`` provides."""
        self._names.setdefault(module, set()).add(name)
        return name

    def module(self, module: str) -> str:
        """``module``, which ``import module`` provides."""
        self._modules.add(module)
        return module

    def update(self, other: Imports) -> None:
        """Take over what ``other`` needs."""
        self._modules |= other._modules
        for module, names in other._names.items():
            self._names.setdefault(module, set()).update(names)

    def beyond(self, other: Imports) -> Imports:
        """What is needed here and not by ``other``.

        For code that is a comment: an import inside a function makes the name a local one from the
        function's first line on, so that code above it which has the name from the module would fail.
        """
        added = Imports()
        added._modules = self._modules - other._modules
        left = {module: names - other._names.get(module, set()) for module, names in self._names.items()}
        added._names = {module: names for module, names in left.items() if names}
        return added

    def lines(self) -> list[str]:
        """The import statements as isort sorts them: the standard library's, a blank line, and the others."""
        standard, others = self._statements(standard=True), self._statements(standard=False)
        return [*standard, *([""] if standard and others else []), *others]

    def _statements(self, *, standard: bool) -> list[str]:
        plain = [module for module in sorted(self._modules) if _is_standard(module) is standard]
        named = [module for module in sorted(self._names) if _is_standard(module) is standard]
        return [f"import {module}" for module in plain] + [self._from(module) for module in named]

    def _from(self, module: str) -> str:
        return f"from {module} import {', '.join(sorted(self._names[module], key=_rank))}"


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _rank(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name.lower()
