"""The runner of the documentation's pages: what it runs, what it takes for the same, what it notices."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from pages.blocks import Block, PageError, parse
from pages.run import Outcome, run_page
from pages.sameness import is_same


def kinds(page: str) -> list[tuple[str, str]]:
    return [(one.kind, one.name) if isinstance(one, Block) else ("setup", one.text.strip()) for one in parse(page)]


@pytest.mark.parametrize(
    ("page", "steps"),
    [
        ("```console\n$ ls\n```", [("console", "")]),
        ("```python\n# a/b.py\nx = 1\n```", [("file", "a/b.py")]),
        ("```toml\n# pyproject.toml\n```", [("file", "pyproject.toml")]),
        ("<!-- file: a.json -->\n```json\n{}\n```", [("file", "a.json")]),
        ("```python\n1\n```\n\n```text\n1\n```", [("python", ""), ("printed", "")]),
        ("```python\n1\n```\n\nwords\n\n```text\n1\n```", [("python", "")]),
        ("<!-- output: cat x -->\n```python\n1\n```", [("output", "cat x")]),
        ("<!-- fragment -->\n```python\nawait x\n```", [("fragment", "")]),
        ("<!-- append: a.py -->\n```python\n1\n```", [("append", "a.py")]),
        ("<!-- setup: ls -->", [("setup", "ls")]),
        ("<!-- setup\nls --all\npwd\n-->", [("setup", "ls --all\npwd")]),
        ("```yaml\na: 1\n```", []),
        ("*Not run here: why.*\n\n```console\n$ a\n```\n\n```console\n$ b\n```", [("console", "")]),
        ("## One\n\n*Not run here.*\n\n```console\n$ a\n```\n\n### Sub\n\n```console\n$ b\n```", []),
        ("## One\n\n*Not run here.*\n\n## Two\n\n```console\n$ b\n```", [("console", "")]),
        ("- item\n\n  ```console\n  $ ls\n  ```", [("console", "")]),
    ],
)
def test_what_is_run(page: str, steps: list[tuple[str, str]]) -> None:
    assert kinds(page) == steps


def test_the_commands_of_a_console_block_and_their_outputs() -> None:
    (block,) = parse("```console\n$ a \\\n  b\none\n\n$ cat <<'END'\nx\nEND\n$ c 'd\ne'\n```")
    assert isinstance(block, Block)
    assert [(one.text, one.shown) for one in block.commands] == [
        ("a \\\n  b", ("one", "")),
        ("cat <<'END'\nx\nEND", ()),
        ("c 'd\ne'", ()),
    ]


@pytest.mark.parametrize("page", ["```console\nls\n```", "```console\n$ ls\n", "<!-- setup\nls\n"])
def test_a_page_that_breaks_the_rules(page: str) -> None:
    with pytest.raises(PageError, match=r"^line [12]:"):
        parse(page)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("took 12 ms", "took 3.4 s", True),
        ("20261128185008_x.py", "20271128185008_x.py", True),
        ("at 2026-11-28T10:00:00Z, 12.0 KiB", "at 2027-01-01 09:00:00, 4 KiB", True),
        ("127.0.0.1:1/app", "127.0.0.1:65000/app", True),
        ("a\nb", "a\n  x: 40% (8,000 of 20,000 documents), 1,476/s\nb", True),
        ("1 index", "2 indexes", False),
        ("10 documents", "11 documents", False),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...\nz", "a\nz", True),
        ("a\n...", "a\nb", True),
        ("a\n...\nz", "a\nb", False),
        ("", "a", False),
        ("a", "", False),
    ],
)
def test_what_is_the_same(shown: str, printed: str, same: bool) -> None:
    assert is_same(shown.split("\n"), printed.split("\n")) is same


PAGE = """\
# A page

<!-- setup: echo models > models.txt -->
```console
$ cat models.txt
models
$ cd . && export WORD=kept
$ echo "$WORD"; false
kept
$ echo $?
1
```

```python
import asyncio

await asyncio.sleep(0)
place = "localhost:27017"
```

```python
print(place)
```

```text
localhost:27017
```

```python
# app.py
print("localhost:27017")
```

```console
$ python app.py
localhost:27017
```
"""


def run(page: str, folder: Path, address: str = "127.0.0.1:1") -> Outcome:
    place = folder / "shop"
    place.mkdir(exist_ok=True)
    return run_page(page, place, address)


def test_a_page_that_holds(tmp_path: Path) -> None:
    outcome = run(PAGE, tmp_path)
    assert outcome.failures == []
    assert outcome.rewritten(PAGE) == PAGE


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\nmodels\n$", "\nmodel\n$", "$ cat models.txt\n--- the page\nmodel\n--- the run\nmodels"),
        ("kept\n$ echo $?\n1\n", "kept\n", "ended with 1:\nkept"),
        ("```text\nlocalhost:27017\n```", "", "it prints what the page does not show:\nlocalhost:27017"),
        ("place = ", "1 / 0  # ", "ZeroDivisionError"),
        ("echo models", "false; exit 3 #", "the process ended"),
    ],
)
def test_a_page_that_does_not_hold(tmp_path: Path, old: str, new: str, told: str) -> None:
    page = PAGE.replace(old, new)
    assert page != PAGE
    assert any(told in failure.what for failure in run(page, tmp_path).failures)


def test_outputs_are_written_into_the_page(tmp_path: Path) -> None:
    old = PAGE.replace("\nmodels\n$", "\n$").replace("\nkept\n", "\nother\nlines\n").replace("27017\n```", "1\n```")
    assert run(old, tmp_path).rewritten(old) == PAGE


async def test_a_page_against_a_server(tmp_path: Path, server_url: str) -> None:
    page = """\
<!-- setup: asyncmig init -->
```python
# models.py
from asyncmig import Collection, Index


class Customer(Collection):
    __collection_name__ = "customer"
    __indexes__ = [Index("email")]
```

```console
$ asyncmig check --models models --url mongodb://localhost:27017/page_of_a_test; echo "exit code $?"
Database: localhost:27017/page_of_a_test
...
exit code 3
```
"""
    assert run(page, tmp_path, urlsplit(server_url).netloc).failures == []
