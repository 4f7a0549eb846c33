"""Other programs read what lint writes, run the GitHub Action's steps, and call the hooks: ``nox -s lint_tools``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from ..conftest import ROOT
from .projects import FIRST, SECOND, folder, revision

pytestmark = pytest.mark.long

LOUD = 'await env.drop_collection("user")\nawait env.rename_collection("a", "b")'
BIN = Path(sys.executable).parent
Run = Callable[..., "CompletedProcess[str]"]


def _call(*arguments: str | Path, cwd: Path, **environment: str) -> CompletedProcess[str]:
    """A program of this environment, which comes first on the path."""
    path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        list(map(str, arguments)), cwd=cwd, env={**os.environ, **path, **environment}, capture_output=True, text=True
    )


def _git(place: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    assert _call("git", *identity, *arguments, cwd=place).returncode == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """``main`` has a revision; the branch adds a loud one."""
    place = tmp_path / "project"
    folder(place, revision(FIRST, 'await env.drop_collection("old")'))
    (place / "pyproject.toml").write_text("[tool.asyncmig]\n")
    _git(tmp_path, "init", "-q", "-b", "main", "project")
    _git(place, "add", "-A")
    _git(place, "commit", "-q", "-m", "first")
    _git(place, "clone", "-q", "--bare", ".", "../origin.git")
    _git(place, "remote", "add", "origin", "../origin.git")
    _git(place, "checkout", "-q", "-b", "topic")
    folder(place, revision(SECOND, LOUD, down=FIRST))
    _git(place, "add", "-A")
    _git(place, "commit", "-q", "-m", "second")
    return place


def test_sarif_is_read_by_two_libraries(project: Path) -> None:
    from sarif_pydantic import Sarif

    sarif = project / "lint.sarif"
    sarif.write_text(_call("asyncmig", "lint", "--format", "sarif", cwd=project).stdout)
    run = Sarif.model_validate(json.loads(sarif.read_text())).runs[0]
    assert [result.rule_id for result in run.results or []].count("L06") == 2
    assert all(str(rule.help_uri).startswith("https://") for rule in run.tool.driver.rules or [])
    summary = _call("sarif", "summary", sarif, cwd=project)
    assert (summary.returncode, "error: 2" in summary.stdout, "note: 1" in summary.stdout) == (0, True, True)
    _call("sarif", "csv", sarif, "-o", project / "lint.csv", cwd=project)
    assert f"migrations/versions/{SECOND}_x.py" in (project / "lint.csv").read_text()


def test_the_action_keeps_to_the_schema_of_actions() -> None:
    checked = _call("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml", cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _steps(place: Path, inputs: dict[str, str], **environment: str) -> list[CompletedProcess[str]]:
    """Run the steps of the action as a runner does: bash, the inputs put in, ``GITHUB_*`` set."""
    import yaml

    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = {name: one["default"] for name, one in action["inputs"].items()} | inputs

    def filled(text: Any) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], str(text))

    files = {name: str(place / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    files["RUNNER_TEMP"] = str(place)
    done = []
    for step in action["runs"]["steps"]:
        if done and done[-1].returncode and "cancelled()" not in str(step.get("if")):
            continue
        if "inputs.report" in str(step.get("if")) and given["report"] == "none":
            continue
        own = {name: filled(value) for name, value in step.get("env", {}).items()}
        done.append(
            _call(
                *("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]),
                cwd=place / filled(step.get("working-directory", ".")),
                **{**files, "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_BASE_REF": "", **environment, **own},
            )
        )
    return done


def test_the_steps_of_the_action_on_a_pull_request(project: Path) -> None:
    requirement = {"requirement": "asyncmig"}  # it is installed already
    install, lint, report = _steps(project, requirement | {"sarif": "out.sarif"}, GITHUB_BASE_REF="main")
    assert (install.returncode, lint.returncode) == (0, 8), install.stderr + lint.stderr
    assert [line.partition(" ")[0] for line in lint.stdout.splitlines()] == ["::error", "::notice"]
    assert (report.returncode, report.stdout) == (0, ""), report.stderr
    summary = (project / "github_step_summary").read_text()
    assert summary.index("### asyncmig lint") < summary.index("## Migrations") < summary.index("```mermaid")
    assert (project / "github_output").read_text() == "exit-code=8\n"
    assert f"{SECOND}_x.py:10: L06 error" in (project / "github_step_summary").read_text()
    assert len(json.loads((project / "out.sarif").read_text())["runs"][0]["results"]) == 2


def test_the_inputs_of_the_action(project: Path) -> None:
    requirement = {"requirement": "asyncmig", "report": "none"}
    assert _steps(project, requirement | {"against": "none"})[-1].stdout.count("::error") == 2
    assert _steps(project, requirement | {"select": "L08"})[-1].returncode == 0
    assert _steps(project, requirement | {"select": "L08", "fail-on": "information"})[-1].returncode == 8
    unknown = _steps(project, requirement | {"against": "nowhere"})[-1]
    assert (unknown.returncode, "git does not know 'nowhere'" in unknown.stderr) == (2, True)


def test_the_report_of_the_action(project: Path) -> None:
    """It is made of files that a job has brought along; one that cannot be made is a warning, and fails nothing."""
    inputs = {"requirement": "asyncmig", "select": "L08"}
    kept = project / "a report.json"
    kept.write_text(_call("asyncmig", "report", "--json", cwd=project).stdout)
    made = _steps(project, inputs | {"report": "a report.json\n"})[-1]
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    assert "```mermaid" in (project / "github_step_summary").read_text()
    (project / "github_step_summary").unlink()
    broken = _steps(project, inputs | {"report": "none.json"})[-1]
    assert (broken.returncode, broken.stdout.partition(" title=")[0]) == (0, "::warning")
    assert "## Migrations" not in (project / "github_step_summary").read_text()
    assert _steps(project, inputs | {"report": "none"})[-1].stdout.startswith("::")


@pytest.mark.timeout(900)  # pre-commit builds an environment for the hooks
def test_the_hooks_of_pre_commit(project: Path, tmp_path: Path) -> None:
    home = {"PRE_COMMIT_HOME": str(tmp_path / "cache")}
    manifest = _call("pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml", cwd=ROOT, **home)
    assert manifest.returncode == 0, manifest.stdout
    files = [f"migrations/versions/{name}_x.py" for name in (FIRST, SECOND)]
    lint = _call("pre-commit", "try-repo", ROOT, "asyncmig-lint", "--files", files[1], cwd=project, **home)
    assert (lint.returncode, "L06 error: collection user" in lint.stdout) == (1, True), lint.stdout + lint.stderr
    heads = ("pre-commit", "try-repo", ROOT, "asyncmig-heads", "--files", *files)
    assert _call(*heads, cwd=project, **home).returncode == 0
    folder(project, revision("20240103000000", "pass"))
    forked = _call(*heads, cwd=project, **home)
    assert (forked.returncode, "there are 2 heads" in forked.stdout) == (1, True), forked.stdout
