"""``python -m pages [--write] [PAGE...]``, with scripts/ on the path: run pages, all unless named."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from pymongo import MongoClient

from asyncmig.testing.server import LocalServer

from .blocks import parse
from .commands import COMMANDS_PAGE, commands_page
from .run import Outcome, run_page

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the pages one after the other, on one server, each in a folder and with databases of its own."""
    options = _options()
    pages = [Path(one).resolve() for one in options.pages] or sorted(_all_pages())
    failed = 0 if options.pages else _generated(write=options.write)
    with LocalServer(parameters={"enableTestCommands": "1"}) as server:
        for page in pages:
            text = page.read_text(encoding="utf-8")
            if not parse(text):
                continue
            began = time.monotonic()
            outcome = _run(text, server.url)
            _report(page, outcome, time.monotonic() - began)
            failed += bool(outcome.failures)
            if options.write and outcome.failures:
                page.write_text(outcome.rewritten(text), encoding="utf-8")
    print(f"{failed} page(s) do not hold" if failed else "every page holds")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write into the pages what was printed")
    parser.add_argument("pages", nargs="*", help="pages to run; all of docs/ and README.md unless named")
    return parser.parse_args()


def _generated(*, write: bool) -> int:
    """Pages that are made from the program: how many are not what they ought to be."""
    place, page = ROOT / "docs" / COMMANDS_PAGE, commands_page()
    if place.read_text(encoding="utf-8") == page:
        return 0
    print(f"docs/{COMMANDS_PAGE} is not what the program says: `nox -s docs -- --write` writes it")
    if write:
        place.write_text(page, encoding="utf-8")
    return 1


def _all_pages() -> list[Path]:
    return [ROOT / "README.md", *(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)]


def _run(text: str, url: str) -> Outcome:
    with MongoClient[dict[str, object]](url) as client:
        for name in set(client.list_database_names()) - {"admin", "config", "local"}:
            client.drop_database(name)
    with tempfile.TemporaryDirectory(prefix="page-") as home:
        folder = Path(home).resolve() / "shop"
        folder.mkdir()
        return run_page(text, folder, urlsplit(url).netloc)


def _report(page: Path, outcome: Outcome, seconds: float) -> None:
    name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    word = "does not hold" if outcome.failures else "holds"
    print(f"{name} {word}: {outcome.blocks} blocks in {seconds:.1f} s", flush=True)
    for failure in outcome.failures:
        print(f"{name}:{failure.line}: {failure.what}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
