"""What is printed: text, JSON, GitHub's annotations, SARIF; exit codes; the page that explains the rules."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from asyncmig.lint.finding import CATALOGUE

from ..conftest import ROOT
from .projects import FIRST, SECOND, folder, revision

LOUD = 'await env.drop_collection("user")  # %, and: more\nawait env.drop_index("a", "b")  # asyncmig: allow L05 (old)'
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder(tmp_path, revision(FIRST, "pass"), revision(SECOND, LOUD, down=FIRST))
    return tmp_path


def test_text_and_exit_codes(project: Path, run_cli: Run) -> None:
    found = run_cli("lint", cwd=project)
    path = f"migrations/versions/{SECOND}_x.py"
    assert re.match(rf"{path}:\d+: L06 error: collection user goes with its documents; ", found.stdout)
    assert (found.returncode, found.stderr.splitlines()[-1]) == (8, "2 files: 1 error, 1 silenced.")
    assert run_cli("lint", "--select", "L1,L01", cwd=project).returncode == 0
    assert run_cli("lint", str(project / "migrations" / "versions" / f"{FIRST}_x.py"), cwd=project).returncode == 0
    assert run_cli("lint", "--select", "L77", cwd=project).returncode == 2
    (project / "migrations" / "versions" / f"{SECOND}_x.py").write_text("def :", encoding="utf-8")
    broken = run_cli("lint", cwd=project)
    assert (broken.returncode, "does not parse" in broken.stderr) == (1, True)


def test_fail_on(tmp_path: Path, run_cli: Run) -> None:
    folder(tmp_path, revision(FIRST, 'await env.rename_collection("user", "member")'))
    assert [run_cli("lint", "--fail-on", level, cwd=tmp_path).returncode for level in ("warning", "information")] == [
        0,
        8,
    ]


def test_json(project: Path, run_cli: Run) -> None:
    for form in (("lint", "--format", "json"), ("--json", "lint")):
        document = json.loads(run_cli(*form, cwd=project).stdout)
        (finding,) = document["findings"]
        assert (finding["code"], finding["severity"], finding["revision"]) == ("L06", "error", SECOND)
        assert finding["url"].endswith("lint.html#l06")
        assert [one["code"] for one in document["silenced"]] == ["L05"]


def test_annotations_of_github_escape_what_they_must(project: Path, run_cli: Run) -> None:
    plain = project / "migrations" / "versions" / f"{FIRST}_x.py"
    plain.write_text(plain.read_text().replace("pass", 'await env.drop_collection("50%")', 1))
    plain.rename(plain.with_name(f"{FIRST}_a,b:c.py"))
    first, second = run_cli("lint", "--format", "github", cwd=project).stdout.splitlines()
    assert first.startswith(f"::error file=migrations/versions/{FIRST}_a%2Cb%3Ac.py,line=10,endLine=10,title=L06 ")
    assert "::collection 50%25 goes with its documents" in first
    assert second.startswith(f"::error file=migrations/versions/{SECOND}_x.py,line=10,")


def test_sarif(project: Path, run_cli: Run) -> None:
    (run,) = json.loads(run_cli("lint", "--format", "sarif", cwd=project).stdout)["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [*CATALOGUE]
    loud, quiet = run["results"]
    assert (loud["ruleId"], loud["level"], "suppressions" in loud) == ("L06", "error", False)
    assert (quiet["ruleId"], quiet["suppressions"]) == ("L05", [{"kind": "inSource"}])


def test_a_finding_is_one_line_whatever_names_hold(tmp_path: Path, run_cli: Run) -> None:
    body = 'await env.drop_collection("us%er,a:b\\nc::d")'
    folder(tmp_path, revision(FIRST, body))
    for name in ("text", "github"):
        found = run_cli("lint", "--select", "L06", "--format", name, cwd=tmp_path)
        (line,) = [line for line in found.stdout.splitlines() if line]
        assert line.endswith("in the file's header"), line
    assert "us%25er,a:b%0Ac::d" in line


def test_every_rule_has_its_place_in_the_documentation() -> None:
    page = (ROOT / "docs" / "reference" / "lint.md").read_text(encoding="utf-8")
    for code, entry in CATALOGUE.items():
        section = page.partition(f"({code.lower()})=\n### {code} {entry.title}\n")[2]
        assert section.strip().startswith(f"*{entry.severity.capitalize()}"), code


def test_findings_lead_to_a_page_that_is_built() -> None:
    """The address of the documentation is one, in its own settings, in the package's and in the rules'."""
    settings = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    found = re.search(r'^html_baseurl = "(.+?)"', settings, re.MULTILINE)
    assert found
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == found[1]
    for code, entry in CATALOGUE.items():
        page, _, anchor = entry.url(code).removeprefix(found[1]).partition("#")
        text = (ROOT / "docs" / page).with_suffix(".md").read_text(encoding="utf-8")
        assert f"({anchor})=\n" in text, code


def test_heads_can_be_refused(tmp_path: Path, run_cli: Run) -> None:
    folder(tmp_path, revision(FIRST, "pass"), revision(SECOND, "pass"))
    refused = run_cli("heads", "--check", cwd=tmp_path)
    assert (refused.returncode, "there are 2 heads" in refused.stderr) == (5, True)
    folder(tmp_path, *(revision(name, "pass", head=f"branch_labels = 'b{name}'") for name in (FIRST, SECOND)))
    assert run_cli("heads", "--check", cwd=tmp_path).returncode == 0
