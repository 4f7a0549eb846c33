"""Folders of revisions, made from the bodies of their functions."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from pathlib import Path

from asyncmig.files.directory import Directory
from asyncmig.lint.finding import CATALOGUE
from asyncmig.lint.linter import Report, lint
from asyncmig.lint.reference import Reference

from .cases import Case

FIRST, SECOND = "20240101000000", "20240102000000"


def revision(
    name: str, upgrade: str, *, down: str | None = None, head: str = "", downgrade: str = "raise NotImplementedError"
) -> str:
    """The text of a revision file; a docstring in ``head`` goes to the top."""
    docstring, _, rest = head.rpartition('"""\n') if head.startswith('"""') else ("", "", head)
    if head.startswith('"""') and head.endswith('"""'):
        docstring, rest = head, ""
    top = docstring or f'"""revision {name}"""'
    return (
        f"{top}\nfrom asyncmig import Env, Index\n\nrevision = {name!r}\ndown_revision = {down!r}\n{rest}\n\n\n"
        f"async def upgrade(env: Env) -> None:\n{textwrap.indent(upgrade, '    ')}\n\n\n"
        f"async def downgrade(env: Env) -> None:\n{textwrap.indent(downgrade, '    ')}\n"
    )


def folder(place: Path, *sources: str) -> Directory:
    """A folder with these revisions, named by their ids."""
    versions = place / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for source in sources:
        found = re.search(r"^revision = ['\"](\w+)", source, re.MULTILINE)
        assert found
        name = found[1]
        (versions / f"{name}_x.py").write_text(source, encoding="utf-8")
    return Directory(place / "migrations")


def of_case(place: Path, case: Case | str) -> tuple[Directory, Case]:
    """The folder that a case stands for: two revisions."""
    made = Case(case) if isinstance(case, str) else case
    first = revision(FIRST, made.before)
    second = revision(SECOND, made.upgrade, down=FIRST, head=made.head, downgrade=made.downgrade)
    return folder(place, first, second), made


async def linted(
    directory: Directory,
    case: Case | None = None,
    *,
    select: Collection[str] = tuple(CATALOGUE),
    files: Collection[Path] = (),
    reference: Reference | None = None,
) -> Report:
    """What lint says about a folder."""
    options = case.options if case else None
    return await lint(directory, files=files, select=select, reference=reference, options=options)
