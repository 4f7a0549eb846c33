"""What ``asyncmig lint`` prints: text, JSON, GitHub's annotations, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from asyncmig.lint.finding import CATALOGUE, Finding, Severity
from asyncmig.lint.linter import Report, fingerprints
from asyncmig.printable import one_line
from asyncmig.version import __version__

__all__ = ["FORMATS", "as_document", "as_github", "as_sarif", "as_text"]

_LEVELS: Final[Mapping[Severity, tuple[str, str]]] = {
    "error": ("error", "error"),
    "warning": ("warning", "warning"),
    "information": ("notice", "note"),
}
"""By severity, GitHub's word and SARIF's."""
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_text(report: Report, root: Path) -> str:
    """A line for each finding, ``path:line: code severity: message``, which editors can follow."""
    return "\n".join(
        f"{_shown(finding.path, root)}:{finding.line}: {finding.code} {finding.severity}: {one_line(finding.message)}"
        for finding in report.findings
    )


def as_document(report: Report, root: Path) -> dict[str, Any]:
    """The report as one JSON document."""
    marks = fingerprints(report.findings)
    return {
        "findings": [_document(finding, root) | {"fingerprint": marks[finding]} for finding in report.findings],
        "silenced": [_document(finding, root) for finding in report.silenced],
        "not_run": [{"file": _shown(path, root), "reason": reason} for path, reason in report.not_run],
        "checked": report.files,
    }


def _document(finding: Finding, root: Path) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "title": finding.title,
        "message": finding.message,
        "file": _shown(finding.path, root),
        "line": finding.line,
        "end_line": finding.end_line,
        "revision": finding.revision,
        "url": finding.url,
    }


def as_github(report: Report, root: Path) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request: 10 of each kind in one step.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    return "\n".join(_annotation(finding, root) for finding in report.findings)


def _annotation(finding: Finding, root: Path) -> str:
    where = {
        "file": _shown(finding.path, root),
        "line": str(finding.line),
        "endLine": str(finding.end_line),
        "title": f"{finding.code} {finding.title}",
    }
    said = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in where.items()
    )
    return f"::{_LEVELS[finding.severity][0]} {said}::{_escaped(finding.message)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def as_sarif(report: Report, root: Path) -> str:
    """One run, with every rule, and fingerprints that stay when lines move.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    codes = list(CATALOGUE)
    driver = {
        "name": "asyncmig",
        "version": __version__,
        "informationUri": CATALOGUE["L00"].url("L00").partition("#")[0],
        "rules": [_rule(code) for code in codes],
    }
    results = list(_results(report, root, codes))
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    entry = CATALOGUE[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in entry.title.replace("'", "").replace(",", "").split()),
        "shortDescription": {"text": entry.title},
        "helpUri": entry.url(code),
        "defaultConfiguration": {"level": _LEVELS[entry.severity][1]},
    }


def _results(report: Report, root: Path, codes: list[str]) -> Iterator[dict[str, Any]]:
    marks = fingerprints([*report.findings, *report.silenced])
    for finding in [*report.findings, *report.silenced]:
        region = {"startLine": finding.line, "endLine": finding.end_line}
        place = {"artifactLocation": {"uri": _uri(finding.path, root)}, "region": region}
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": _LEVELS[finding.severity][1],
            "message": {"text": finding.message},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"asyncmig/v1": marks[finding]},
        }
        if finding in report.silenced:
            result["suppressions"] = [{"kind": "inSource"}]
        yield result


def _uri(path: Path, root: Path) -> str:
    from urllib.parse import quote

    return quote(_shown(path, root))


def _shown(path: Path, root: Path) -> str:
    """A path from the folder where the command runs, with slashes."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


FORMATS: Final[Mapping[str, Callable[[Report, Path], str]]] = {
    "text": as_text,
    "github": as_github,
    "sarif": as_sarif,
}
