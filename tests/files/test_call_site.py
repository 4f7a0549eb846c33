"""Where in a file an operation is asked for, and what becomes of that line by an edit."""

from __future__ import annotations

import pytest

from asyncmig.files.call_site import CallSites, call_site

BEFORE = """\
async def helper(env):
    await env.a()

async def upgrade(env):
    await env.b()
    await helper(env)
    for name in names:
        await env.c(
            name,
            1,
        )
    await env.d([one for one in many])
    [await env.e(one) for one in many]
"""


def test_the_lines_that_are_being_run() -> None:
    path = "a revision.py"
    names = {"call_site": call_site, "path": path}
    exec(
        compile("def inner():\n    return call_site(path)\n\n\ndef outer():\n    return inner()\n", path, "exec"), names
    )
    assert eval("outer()", names) == "6>2"
    assert call_site(path) == ""


@pytest.mark.parametrize(
    ("after", "before", "now", "same", "untouched"),
    [
        (BEFORE, "5", "5", True, True),
        (BEFORE, "5", "6", False, False),
        (BEFORE, "6>2", "6>2", True, True),
        (BEFORE, "6>2", "6", False, False),
        (f"# why\n{BEFORE}", "6>2", "7>3", True, True),
        (BEFORE.replace("env.b()", "env.x()"), "5", "5", True, False),
        (BEFORE.replace("env.b()", "env.x()"), "6>2", "6>2", True, True),
        (BEFORE.replace("    await env.b()\n", ""), "8", "7", True, True),
        (BEFORE.replace("            1,", "            2,"), "8", "8", True, False),
        (BEFORE.replace("    await env.b()\n", "    await env.b()\n    await env.b()\n"), "6>2", "7>2", True, True),
        ("", "5", "5", False, False),
        (None, "5", "5", False, False),
    ],
)
def test_a_call_site_after_an_edit(after: str | None, before: str, now: str, *, same: bool, untouched: bool) -> None:
    sites = CallSites(BEFORE, after)
    assert (sites.is_same(before, now), sites.is_untouched(before, now)) == (same, untouched)


@pytest.mark.parametrize(
    ("site", "repeats"), [("5", False), ("6>2", False), ("8", True), ("12", False), ("13", True), ("", True)]
)
def test_a_call_in_a_loop_may_repeat(site: str, *, repeats: bool) -> None:
    assert CallSites(BEFORE, BEFORE).may_repeat(site) is repeats
    assert CallSites(None, "not python (").may_repeat("1") is True
