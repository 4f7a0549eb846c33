"""The language of pages and docstrings: proselint, and words of our own. ``nox -s lint`` runs it.

What is code is blanked out first, with lines and columns kept.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "asyncmig"

OURS = {
    r"(a|an|and|as|at|be|by|in|is|it|of|on|or|the|to) \1": "once",
    r"in order to": "to",
    r"utili[sz]e[sd]?": "use",
    r"leverag(?:e|es|ed|ing)": "use",
    r"simply|obviously|of course": "leave it out: what is simple to you is not to everybody",
    r"easy|easily": "leave it out, or say how many steps",
    r"please": "leave it out",
    r"whilst|amongst": "while, among",
    r"hence|thus|thereby|whereby|thereof|herein": "so, by which, of it",
    r"aforementioned|the latter": "name it",
    r"seamless(?:ly)?|robust(?:ly)?|powerful|blazing(?:ly)?|state-of-the-art": "say what it does",
    r"e\.g\.|i\.e\.|etc\.": "for example, that is, and so on",
    r"and/or": "and, or",
    r"prior to|subsequent to": "before, after",
    r"is able to|are able to": "can",
    r"due to the fact that": "because",
    r"master (?:node|server)|slave": "primary, secondary",
    r"whitelist|blacklist": "allow list, deny list",
    r"sanity check": "check",
    r"nota bene|N\.B\.": "note",
    r"commence[sd]?|terminate[sd]?": "begin, end",
    r"data base": "database",
    r"auto-generate[sd]?": "autogenerate",
    r"upgradation|updation": "upgrade, update",
}
"""By word that is not used here, what to write instead."""

LONGEST = 38
"""Words in a sentence of a page."""

OFF = [
    "typography",  # straight quotes and three points are what one types in code
    "lexical_illusions",  # it takes code that is blanked out for words
    "weasel_words",  # "the very same" is no weasel word
]


def main() -> int:
    """Look at everything, and tell what is found."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        texts = dict(_texts())
        for number, text in enumerate(texts.values()):
            Path(folder, f"{number}.md").write_text(text, encoding="utf-8")
        names = [str(path.relative_to(ROOT)) for path in texts]
        for name, line, what in [*_proselint(Path(folder), names), *ours(texts), *long_sentences(texts)]:
            print(f"{name}:{line}: {what}")
            found += 1
    print(f"{found} finding(s) in {len(texts)} files")
    return 1 if found else 0


def _texts() -> Iterator[tuple[Path, str]]:
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts]
    for page in sorted([*ROOT.glob("*.md"), *pages]):
        yield page, prose_of_markdown(page.read_text(encoding="utf-8"))
    for module in sorted(PACKAGE.rglob("*.py")):
        yield module, docstrings(module.read_text(encoding="utf-8"))


def _blank(match: re.Match[str]) -> str:
    """As many lines and columns, of a word that means nothing."""
    return re.sub(r"[^\n]", "x", match[0])


def prose_of_markdown(text: str) -> str:
    """Without fenced blocks, comments, code and the targets of links."""
    for pattern in (
        r"(?ms)^( *)(`{3,}).*?^\1\2$",
        r"(?s)<!--.*?-->",
        r"`[^`\n]+`",
        r"(?<=\])\([^)\s]*\)",
        r"https?://\S+",
    ):
        text = re.sub(pattern, _blank, text)
    return text


def docstrings(source: str) -> str:
    """The docstrings alone, each at its lines; without code."""
    lines = source.splitlines()
    kept = [""] * len(lines)
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            first = node.body[0]
            for place in range(first.lineno - 1, first.end_lineno or first.lineno):
                kept[place] = lines[place].replace('"""', "   ")
    text = "\n".join(kept)
    for pattern in (r"::\n\n(?:(?: {4,}.*)?\n)+", r"``.+?``", r":\w+:`[^`]+`", r"`[^`\n]+`", r"https?://\S+"):
        text = re.sub(pattern, _blank, text)
    return text


def _proselint(folder: Path, names: list[str]) -> Iterator[tuple[str, int, str]]:
    configuration = folder / "proselint.json"
    configuration.write_text(json.dumps({"max_errors": 1000, "checks": dict.fromkeys(OFF, False)}))
    files = [str(folder / f"{number}.md") for number in range(len(names))]
    command = [sys.executable, "-m", "proselint", "check", "--config", str(configuration), *files]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stderr or done.returncode > 1:
        raise RuntimeError(done.stdout + done.stderr)
    for number, line, what in re.findall(r"(?m)^.*?(\d+)\.md:(\d+):\d+: (.*)$", done.stdout):
        yield names[int(number)], int(line), what


def ours(texts: dict[Path, str]) -> Iterator[tuple[str, int, str]]:
    """Our own words that stand in the texts: file, line, what to write instead."""
    rules = [(re.compile(rf"(?i)(?<![\w-])(?:{word})(?![\w-])"), instead) for word, instead in OURS.items()]
    for path, text in texts.items():
        for line, content in enumerate(text.splitlines(), 1):
            for rule, instead in rules:
                for word in rule.finditer(content):
                    yield str(path.relative_to(ROOT)), line, f"ours: {word[0]!r}: {instead}"


def long_sentences(texts: dict[Path, str]) -> Iterator[tuple[str, int, str]]:
    """Sentences of pages that are too long to be read once; tables, lists of changes and evidence are left out."""
    for path, text in texts.items():
        if path.suffix != ".md" or "appendix" in path.parts or path.name in ("CHANGELOG.md", "json.md"):
            continue
        plain = re.sub(r"(?m)^\s*\|.*$|^x+$|^ *[-*\d]+\.? ", lambda match: " " * len(match[0]), text)
        for sentence in re.finditer(r"(?s)(?:(?!\n\s*\n|\n {2,}\n|[.!?:;]\s).)+", plain):
            words = [word for word in sentence[0].split() if not re.fullmatch(r"x+\W*", word)]
            if len(words) > LONGEST:
                start = sentence.end() - len(sentence[0].lstrip())
                line = text[:start].count("\n") + 1
                yield str(path.relative_to(ROOT)), line, f"ours: a sentence of {len(words)} words: make two of it"


if __name__ == "__main__":
    sys.exit(main())
