"""Settings go into the configuration file, and everything else in it stays to the letter."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from asyncmig.adopting.errors import AdoptionRefused
from asyncmig.adopting.project_file import with_settings

PROJECT = """\
# ours
[project]
name = "shop"   # the name

[tool.ruff]
line-length = 100
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROJECT,
        PROJECT.replace("\n", "\r\n"),
        PROJECT + '\n[tool.asyncmig]\n# where\nurl = "mongodb://h/x"\n\n[tool.z]\na = 1\n',
        '[tool.asyncmig]\nmodels = "old"',
        'tool.asyncmig.url = "mongodb://h"\n',
        '[tool]\nasyncmig = { url = "mongodb://h" }\n',
        "[tool.asyncmig.sub]\nx = 1\n",
    ],
)
def test_keys_are_set_and_the_rest_stays(text: str) -> None:
    written = with_settings(text, {"models": "app:ALL", "exclude": ["a", "b"]})
    before, after = tomllib.loads(text), tomllib.loads(written)
    assert after["tool"]["asyncmig"]["models"] == "app:ALL"
    assert after["tool"]["asyncmig"]["exclude"] == ["a", "b"]
    assert _without(after) == _without(before)
    kept = [line for line in text.splitlines() if "models" not in line and "{" not in line]
    assert [line for line in written.splitlines() if line in kept][: len(kept)] == kept
    assert written.count("\r\n") == (written.count("\n") if "\r\n" in text else 0)


def test_an_own_file_has_its_keys_at_the_top() -> None:
    assert with_settings('# x\nurl = "mongodb://h"\n', {"models": "m"}, own_file=True) == (
        '# x\nurl = "mongodb://h"\nmodels = "m"\n'
    )
    assert "[tool.asyncmig]" in with_settings("[tool.asyncmig]\nurl = 'x'\n", {"models": "m"}, own_file=True)


@pytest.mark.parametrize("text", ["[", "tool = 1\n", "[tool]\nasyncmig = 3\n"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(AdoptionRefused):
        with_settings(text, {"models": "m"})


def _without(document: dict[str, Any]) -> dict[str, Any]:
    tool = {name: held for name, held in document.get("tool", {}).items() if name != "asyncmig"}
    own = dict(document.get("tool", {}).get("asyncmig", {}))
    own.pop("models", None)
    own.pop("exclude", None)
    return {**document, "tool": {**tool, "asyncmig": own}}
