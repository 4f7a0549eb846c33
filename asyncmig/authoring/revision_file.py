"""The source of a whole revision file: docstring, header, upgrade and downgrade."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

from asyncmig.authoring.imports import Imports
from asyncmig.authoring.layout import LINE_LENGTH, Node, lay_out, listing, text, tuple_
from asyncmig.authoring.literals import quoted
from asyncmig.authoring.render import comment, render
from asyncmig.operations import Operation

__all__ = ["revision_source"]

Ids = str | Sequence[str] | None
Lines = Sequence[str]

_INDENT = " " * 4
_UPGRADE_TEMPLATE = """\
# Each method of env is safe to run again after a crash. Options are spelled as MongoDB spells them:
#
#     await env.create_collection("wallet", validator={"coins": {"$gte": 0}})
#     await env.create_index("wallet", [("uid", 1), ("org_id", 1)], unique=True)
#     await env.insert_documents("currency", [{"_id": "EUR", "digits": 2}])
#
# Documents are changed in batches; what is interrupted goes on where it was, and nothing is done twice:
#
#     await env.update_in_batches("wallet", {"coins": {"$exists": False}}, {"$set": {"coins": 0}})
#     await env.rename_field("wallet", "uid", "user_id")
#     await env.convert_field("wallet", "coins", to="long", from_="int")
#
# Your own database is env.db, its collections' names are env.collections. Write what may run twice there."""
_DOWNGRADE_TEMPLATE = """\
# What undoes upgrade, in reverse order:
#
#     await env.drop_index("wallet", "rec_date_1")
#
# Where there is no way back, write `irreversible = True` below depends_on."""
_MERGE_TEMPLATE = "# A merge only joins its parents; there is nothing to run, unless you add it."
_NO_WAY_BACK = "# There is no way back: a downgrade stops before this revision."
_NOTHING = "# Nothing to do."


def revision_source(
    *,
    revision: str,
    down_revision: Ids,
    message: str,
    branch_labels: Ids = None,
    depends_on: Ids = None,
    upgrade: Iterable[Operation] = (),
    downgrade: Iterable[Operation] = (),
    summary: Iterable[str] = (),
    notes: Iterable[object] = (),
    replaces: Iterable[str] = (),
    transactional: bool = False,
    irreversible: bool = False,
    baseline: bool = False,
    empty: str = "",
) -> str:
    """The file's text, formatted, ending in a newline.

    Without operations the functions hold comments alone, which show what can be written there, or say
    ``empty``. ``summary`` goes below the message in the docstring; ``notes``, whatever ``str`` makes of
    them, become comments at the head of ``upgrade``. Ids are None, one id, or several. Raises
    Unwritable for a value that BSON has no type for.
    """
    squashed = tuple(replaces)
    header = {
        **_links(revision, down_revision, branch_labels, depends_on, squashed),
        **_flags(transactional=transactional, irreversible=irreversible and not baseline, baseline=baseline),
    }
    imports = Imports()
    imports.name("asyncmig", "Env")
    forth, back = tuple(upgrade), tuple(downgrade)
    if empty or forth or back or squashed:
        otherwise = f"# {empty}" if empty else _NOTHING
        no_way_back = (irreversible or baseline) and not empty
        up, down = _body(forth, imports, otherwise), _body(back, imports, _NO_WAY_BACK if no_way_back else otherwise)
    else:
        up, down = _templates(merges=len(_several(down_revision)) > 1, irreversible=irreversible)
    lines = [
        *_docstring(message if message.strip() else f"revision {revision}", tuple(summary)),
        "",
        *imports.lines(),
        "",
        *(line for name, value in header.items() for line in lay_out(value.prefixed(f"{name} = "))),
        *_function("upgrade", "Apply schema changes.", _below(_remarks(notes), up)),
        *_function("downgrade", "Revert schema changes.", down),
    ]
    return "".join(f"{line}\n" for line in lines)


def _links(revision: str, parents: Ids, labels: Ids, needs: Ids, replaces: Sequence[str]) -> dict[str, Node]:
    """The names that give a revision its place in the graph."""
    squashed = {"replaces": listing(text(quoted(name)) for name in replaces)} if replaces else {}
    return {
        "revision": text(quoted(revision)),
        "down_revision": _ids(parents),
        "branch_labels": _ids(labels),
        "depends_on": _ids(needs),
        **squashed,
    }


def _flags(**flags: bool) -> dict[str, Node]:
    """The names that a header has only where they say something."""
    return {name: text("True") for name, is_set in flags.items() if is_set}


def _body(operations: Sequence[Operation], imports: Imports, otherwise: str) -> Lines:
    rendered = render(operations)
    imports.update(rendered.imports)
    return rendered.lines or (otherwise,)


def _templates(*, merges: bool, irreversible: bool) -> tuple[Lines, Lines]:
    up = _MERGE_TEMPLATE if merges else _UPGRADE_TEMPLATE
    down = _NO_WAY_BACK if irreversible else _MERGE_TEMPLATE if merges else _DOWNGRADE_TEMPLATE
    return up.splitlines(), down.splitlines()


def _function(name: str, docstring: str, body: Lines) -> Lines:
    inside = [f'"""{docstring}"""', *body]
    return ["", "", f"async def {name}(env: Env) -> None:", *(f"{_INDENT}{line}".rstrip() for line in inside)]


def _remarks(notes: Iterable[object]) -> Lines:
    return [line for note in notes for line in comment(f"Note: {note}", hanging="  ")]


def _below(remarks: Lines, body: Lines) -> Lines:
    return [*remarks, "", *body] if remarks else body


def _ids(ids: Ids) -> Node:
    several = [text(quoted(name)) for name in _several(ids)]
    if len(several) > 1:
        return tuple_(several)
    return several[0] if several else text("None")


def _several(ids: Ids) -> Sequence[str]:
    if ids is None:
        return ()
    return (ids,) if isinstance(ids, str) else tuple(ids)


def _docstring(message: str, summary: Sequence[str]) -> Lines:
    """The message as it was written, with nothing in it that could end the docstring or fail to be encoded."""
    encodable = message.encode("utf-8", "replace").decode("utf-8")
    words = inspect.cleandoc("\n".join(encodable.splitlines()))
    shown = [_escaped(line).rstrip() for line in words.split("\n")]
    if not summary:
        return _quoted("\n".join(shown)).split("\n")
    listed = [line for change in summary for line in _bullet(_escaped(change))]
    return [*_quoted("\n".join([*shown, "", "Autogenerated migration:", *listed, ""])).split("\n")]


def _bullet(change: str) -> Lines:
    return textwrap.wrap(
        f"- {change}", LINE_LENGTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _escaped(line: str) -> str:
    escaped = line.replace("\\", "\\\\")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in escaped)


def _quoted(content: str) -> str:
    return '"""' + re.sub(r'\A"|"\Z|"{3,}', lambda quotes: '\\"' * len(quotes[0]), content) + '"""'
