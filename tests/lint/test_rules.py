"""Every rule finds what it is for, and lets the right way pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncmig.lint.finding import CATALOGUE, Finding

from .cases import BAD, GOOD, Case
from .projects import SECOND, linted, of_case

OF_THE_WHOLE = {"L21"}
"""Rules on the history as a whole: in test_history.py."""


def test_each_rule_has_three_bad_files_and_three_good_ones() -> None:
    assert [*BAD] == [*GOOD] == [code for code in CATALOGUE if code not in OF_THE_WHOLE]
    assert all(len(cases) >= 3 for table in (BAD, GOOD) for cases in table.values())


async def _found(code: str, place: Path, case: Case | str) -> list[Finding]:
    directory, made = of_case(place, case)
    findings = (await linted(directory, made)).findings
    return [one for one in findings if one.code == code and one.revision == SECOND]


@pytest.mark.parametrize("code", BAD)
async def test_what_is_wrong_is_found(code: str, tmp_path: Path) -> None:
    for number, case in enumerate(BAD[code]):
        found = await _found(code, tmp_path / str(number), case)
        assert found, case
        lines = len(found[0].path.read_text().splitlines())
        assert all(1 <= one.line <= one.end_line <= lines for one in found)


@pytest.mark.parametrize("code", GOOD)
async def test_what_is_right_passes(code: str, tmp_path: Path) -> None:
    for number, case in enumerate(GOOD[code]):
        assert [one.message for one in await _found(code, tmp_path / str(number), case)] == [], case
