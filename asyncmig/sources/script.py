"""The single file that reads models in another Python: the portable modules, joined."""

from __future__ import annotations

import ast
from importlib.resources import files

from asyncmig.version import __version__

__all__ = ["MODULES", "script_source"]

MODULES = (
    "values",
    "places",
    "parts",
    "calls",
    "beanie",
    "mongoengine",
    "odmantic",
    "reading",
    "described",
    "finding",
    "document",
    "script",
)
"""In the order in which they use each other. Their top-level names are distinct."""

_HEAD = '''\
#!/usr/bin/env python3
"""Print a project's MongoDB models as JSON, for asyncmig {version}.

Copy this file into the project, or pipe it into the project's own interpreter, Python 3.8 or later; it
needs nothing but what the models themselves import, and asks no server:

    python asyncmig_models.py app.models app.indexes:CALLS > models.json
    asyncmig models export --script | python - app.models > models.json

and where asyncmig is installed: asyncmig diff --models models.json
"""
'''
_TAIL = """

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def script_source() -> str:
    """The source of the file, to be written or piped wherever the models can be imported."""
    imports: dict[str, None] = {}
    bodies = []
    for name in MODULES:
        source = (files("asyncmig.sources.portable") / f"{name}.py").read_text(encoding="utf-8")
        imported, body = _parted(source)
        imports |= dict.fromkeys(imported)
        bodies.append(body)
    future, *others = sorted(imports, key=lambda line: (not line.startswith("from __future__"), line))
    head = _HEAD.format(version=__version__)
    return "\n".join([head, future, "", *others, *("\n\n" + body for body in bodies)]) + _TAIL


def _parted(source: str) -> tuple[list[str], str]:
    """Its imports but those of its neighbours, and its body without ``__all__``; the docstring becomes a comment."""
    tree, lines = ast.parse(source), source.splitlines()
    imports = []
    dropped: set[int] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if not (isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("asyncmig.")):
                imports.append(ast.unparse(statement))
        elif not (isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"):
            continue
        dropped |= set(range(statement.lineno - 1, statement.end_lineno or 0))
    first = tree.body[0]
    dropped |= set(range(first.lineno - 1, first.end_lineno or 0))
    summary = str(ast.get_docstring(tree)).partition("\n")[0]
    body = "\n".join(line for number, line in enumerate(lines) if number not in dropped).strip("\n")
    return imports, f"# {summary}\n\n\n{body}"
