"""The names that users import are a promise: this test changes only with the changelog."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

import asyncmig

PAGES = sorted((Path(__file__).resolve().parent.parent / "docs" / "reference").glob("*.md"))
REFERENCE = "".join(page.read_text(encoding="utf-8") for page in PAGES)

PUBLIC = {
    "asyncmig": {
        "Collection",
        "CollectionState",
        "DatabaseState",
        "Delete",
        "Env",
        "Index",
        "Migrator",
        "RenamedFrom",
        "View",
        "__version__",
        "autogenerate_migration",
        "introspect",
        "startup",
    },
    "asyncmig.errors": {
        "AsyncmigError",
        "CheckFailed",
        "ConfigurationError",
        "DatabaseAhead",
        "DeclarationError",
        "DriverError",
        "FailedElsewhere",
        "IrreversibleOperation",
        "LedgerGone",
        "LockError",
        "LockLost",
        "LockTimeout",
        "NotAdopted",
        "OperationRefused",
        "PendingRevisions",
        "RevisionError",
        "RevisionFailed",
        "RevisionFileError",
        "RevisionHalfDone",
        "RevisionsEdited",
        "SchemaDiffers",
        "ServerUnreachable",
        "StillPending",
        "UnsupportedByDriver",
        "UnsupportedByServer",
    },
    "asyncmig.events": {
        "ChecksumChanged",
        "DataProgress",
        "Direction",
        "Event",
        "IndexBuildProgress",
        "IndexBuildStalled",
        "JournalDiverged",
        "Listener",
        "LockAcquired",
        "LockHolder",
        "LockReleased",
        "LockWaiting",
        "LoopBlocked",
        "OperationEdited",
        "OperationFinished",
        "OperationRetried",
        "OperationSkipped",
        "OperationStarted",
        "RangeTaken",
        "RevisionFinished",
        "RevisionResumed",
        "RevisionRetried",
        "RevisionStarted",
        "RevisionStopped",
        "RevisionsOutOfOrder",
        "RunStarted",
    },
    "asyncmig.history": {"Revision", "RevisionGraph"},
    "asyncmig.fastapi": {"Health", "Report", "lifespan", "router"},
    "asyncmig.testing.server": {"FolderInUse", "LocalServer", "ServerFailed"},
}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_exactly_these(module: str) -> None:
    assert set(import_module(module).__all__) == PUBLIC[module]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_is_for(module: str) -> None:
    home = import_module(module)
    for name in PUBLIC[module] - {"__version__", "Direction", "Listener"}:  # of types, two aliases
        assert getattr(home, name).__doc__, name


def test_the_reference_lists_exactly_the_public_names() -> None:
    """By a directive of its own, or by that of its module; what else it shows is named here."""
    shown = re.findall(r"(?m)^\.\. auto(class|function|data|module):: (\S+)", REFERENCE)
    modules = {path for kind, path in shown if kind == "module"}
    listed = {path for kind, path in shown if kind != "module"}
    listed |= {f"{module}.{name}" for module in modules & PUBLIC.keys() for name in PUBLIC[module]}
    public = {f"{module}.{name}" for module, names in PUBLIC.items() for name in names} - {"asyncmig.__version__"}
    assert public - listed == set()
    assert listed - public == {"asyncmig.application.options.Options"}
    assert modules - PUBLIC.keys() == set()


def test_a_search_for_an_error_leads_to_one_class() -> None:
    """By its name, as a traceback shows it, whether it is public or not."""
    package = Path(asyncmig.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    named = Counter(name for text in sources for name in re.findall(r'(?m)^class (\w+)\(.*\):\n    """Raised ', text))
    assert [name for name, number in named.items() if number > 1] == []
    assert {"LockLost", "DamagedRecord", "NeedsDatabase"} < named.keys()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'asyncmig' has no attribute 'Migrater'"):
        _ = asyncmig.Migrater


def test_dir_shows_the_names_before_they_are_loaded() -> None:
    assert PUBLIC["asyncmig"] <= set(dir(asyncmig))


@pytest.mark.parametrize(
    "module", ["asyncmig", "asyncmig.errors", "asyncmig.history", "asyncmig.migrator", "asyncmig.cli.main"]
)
def test_importing_loads_no_driver(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{'bson', 'motor', 'pymongo'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
