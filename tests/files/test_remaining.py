"""What of a function was not begun, read from its text: by the last line that was reached, and what was awaited."""

from __future__ import annotations

from textwrap import indent

import pytest

from asyncmig.files.remaining import remaining

ON_C = "await env.update_in_batches('c', {}, {'$inc': {'n': 1}})"
OTHER = "await env.create_index('x', 'k')"
HELPERS = """
NAME = 'named'
async def helper(env):
    await env.update_in_batches('c', {}, {'$inc': {'n': 1}})
    await env.update_in_batches('e', {}, {'$inc': {'n': 1}})
def prepared(env, names):
    return [env.remove_field(name, 'f') for name in names]
async def plain(): ...
@decorated
async def again(e):
    await e.remove_field('c', 'f')
async def recursive(env):
    await recursive(env)
"""


def left(body: str, *sites: str, refused: tuple[str, ...] = ()) -> list[str]:
    """What is left, ``c`` or ``c+d`` for each: its collections, ``?`` where nobody knows.

    ``sites``: what was reached, by the lines of ``body`` (``3``) and of the helpers (``h4``).
    """
    source = f"async def upgrade(env):\n{indent(body, '    ')}\n{HELPERS.strip()}\n"
    above = 1 + len(body.splitlines())

    def lines(site: str) -> tuple[int, ...]:
        return tuple(int(one[1:]) + above if one.startswith("h") else int(one) + 1 for one in site.split(">"))

    done = [lines(site) for site in sites if site not in refused]
    found = remaining(source, "upgrade", map(lines, sites), done)
    return ["+".join(one.collections) if one.collections is not None else "?" for one in found]


@pytest.mark.parametrize(
    ("body", "sites", "expected"),
    [
        pytest.param(f"{ON_C}\n{OTHER}", ["1", "2"], [], id="all"),
        pytest.param(f"{OTHER}\n{ON_C}", ["1"], ["c"], id="the second"),
        pytest.param(f"{ON_C}\n{OTHER}\n{ON_C}", ["1", "2"], ["c"], id="the third"),
        pytest.param(ON_C, [], ["c"], id="none"),
        pytest.param(f"{ON_C}; {ON_C}", ["1"], ["c", "c"], id="two in one line, once"),
        pytest.param(f"{ON_C}; {ON_C}", ["1", "1"], [], id="two in one line, twice"),
        pytest.param(f"{ON_C}; {OTHER}", ["1"], ["c"], id="one that does nothing to documents in the same line"),
        pytest.param("await env.update_in_batches(\n    'c',\n    {},\n    {},\n)", ["1"], [], id="several lines"),
        pytest.param("await env.update_in_batches(NAME, {}, {})", [], ["named"], id="a name of its own"),
        pytest.param("await env.update_in_batches(f'{NAME}', {}, {})", [], ["?"], id="a computed name"),
        pytest.param("await env.update_in_batches(name='c', filter={}, update={})", [], ["c"], id="by keyword"),
        pytest.param("await env.update_in_batches(**arguments)", [], ["?"], id="by many keywords"),
        pytest.param("await env.move_documents('a', {}, 'b')", [], ["a+b"], id="moved"),
        pytest.param("await env.merge_into('a', [], into='b')", [], ["b"], id="merged"),
        pytest.param("await env.deduplicate('a', ['k'], keep='first', keep_in='b')", [], ["a+b"], id="kept elsewhere"),
        pytest.param("await env.deduplicate('a', ['k'], keep='first', keep_in=None)", [], ["a"], id="kept nowhere"),
        # Conditions and loops.
        pytest.param(f"if x:\n    {ON_C}\n{OTHER}", ["3"], [], id="a condition that is over"),
        pytest.param(f"if x:\n    {OTHER}\nelse:\n    {ON_C}", ["2"], ["c"], id="the other branch"),
        pytest.param(f"if x:\n    {ON_C}\n    {OTHER}", ["2"], [], id="in a branch"),
        pytest.param(f"for name in names:\n    {ON_C}", ["2"], ["c"], id="a loop"),
        pytest.param(f"for name in names:\n    {ON_C}\n{OTHER}", ["2", "3"], [], id="a loop that is over"),
        pytest.param(f"while x:\n    {OTHER}\n    {ON_C}\n", ["2", "3"], ["c"], id="while"),
        pytest.param(f"try:\n    {ON_C}\nfinally:\n    {ON_C}", ["2"], ["c"], id="try"),
        pytest.param(f"try:\n    {ON_C}\nexcept E:\n    raise\n{OTHER}", ["5"], [], id="try that is over"),
        pytest.param(f"try:\n    {ON_C}\nexcept E:\n    pass\n{OTHER}", ["5"], ["c"], id="an error that was caught"),
        pytest.param(f"try:\n    {ON_C}\nexcept E:\n    pass\n{OTHER}", ["2", "5"], [], id="one that was begun"),
        pytest.param(f"with suppress(E):\n    {ON_C}\n{OTHER}", ["3"], ["c"], id="suppress"),
        pytest.param(f"async with x:\n    {ON_C}\n    {ON_C}", ["2"], ["c"], id="with"),
        pytest.param(f"match x:\n    case 1:\n        {ON_C}\n    case 2:\n        {ON_C}", ["3"], ["c"], id="match"),
        pytest.param(f"{OTHER}\nreturn\n{ON_C}", ["1"], [], id="behind the end"),
        # Functions.
        pytest.param("await helper(env)", ["1>h3"], ["e"], id="a function, half"),
        pytest.param("await helper(env)\nawait helper(env)", ["1>h3", "1>h4", "2>h3"], ["e"], id="the second time"),
        pytest.param(f"await helper(env)\n{OTHER}", ["2"], [], id="a function that is over"),
        pytest.param("e = env\nawait helper(env=e)", [], ["c", "e"], id="by another name"),
        pytest.param("await again(env)", ["1>h10"], ["c"], id="decorated"),
        pytest.param("await plain()", [], [], id="not given env"),
        pytest.param("await recursive(env)", [], ["?"], id="it calls itself"),
        pytest.param("await imported(env)", [], ["?"], id="an imported one"),
        pytest.param(f"await imported(env)\n{OTHER}", ["2"], [], id="an imported one that is over"),
        pytest.param("await getattr(env, 'x')()", [], ["?"], id="getattr"),
        pytest.param("update = env.update_in_batches\nawait update('c', {}, {})", [], ["?"], id="a method by itself"),
        pytest.param("await Helper(env).run()", [], ["?"], id="a class"),
        pytest.param("global E\nE = env\nawait plain()", [], ["?"], id="seen elsewhere"),
        pytest.param(f"async def inner():\n    {ON_C}\nawait inner()", ["3>2"], [], id="an inner one"),
        # At once.
        pytest.param(f"await asyncio.gather(env.remove_field('c', 'f'), helper(env))\n{OTHER}", ["2"], [], id="gather"),
        pytest.param("await asyncio.gather(env.remove_field('c', 'f'), helper(env))", [], ["c", "c", "e"], id="now"),
        pytest.param(f"task = asyncio.create_task(helper(env))\n{OTHER}", ["2"], ["c", "e"], id="a task"),
        pytest.param(
            f"task = asyncio.create_task(helper(env))\nawait task\n{OTHER}", ["3"], [], id="a task that was awaited"
        ),
        pytest.param(
            f"tasks = []\nfor x in xs:\n    tasks.append(helper(env))\nawait asyncio.gather(*tasks)\n{OTHER}",
            ["5"],
            [],
            id="tasks that were awaited",
        ),
        pytest.param(
            f"async with asyncio.TaskGroup() as group:\n    group.create_task(helper(env))\n{OTHER}",
            ["3"],
            [],
            id="a group that is over",
        ),
        pytest.param(f"await asyncio.gather(*prepared(env, xs))\n{OTHER}", ["2"], [], id="prepared, over"),
        pytest.param("await asyncio.gather(*prepared(env, xs))", [], ["?"], id="prepared"),
        pytest.param(
            f"async with TaskGroup() as g:\n    g.create_task(again(env))\n    {OTHER}", ["3"], ["c"], id="group"
        ),
        pytest.param(f"await gather(again(env), return_exceptions=True)\n{OTHER}", ["2"], ["c"], id="with exceptions"),
        pytest.param(f"await wait([create_task(again(env))], timeout=1)\n{OTHER}", ["2"], ["c"], id="wait"),
        pytest.param(f"t = again(env)\nawait wait([t])\n{OTHER}", ["3"], ["c"], id="wait for a task"),
        pytest.param(f"t = again(env)\nif x:\n    await t\n{OTHER}", ["4"], ["c"], id="awaited in a branch"),
        pytest.param(f"t = again(env)\nt = plain()\nawait t\n{OTHER}", ["4"], ["c"], id="another task of that name"),
        pytest.param(
            f"async def inner():\n    create_task(again(env))\nawait inner()\n{OTHER}",
            ["4"],
            ["c"],
            id="a task of a task",
        ),
        # Several in one line.
        pytest.param(f"[await env.remove_field('a', x) for x in y]; {ON_C}", ["1", "1"], ["a", "c"], id="after others"),
        pytest.param("await helper(env); await helper(env)", ["1>h3", "1>h4"], ["c", "e"] * 2, id="a function twice"),
        pytest.param(f"await helper(env); await helper(env)\n{OTHER}", ["2"], [], id="a function twice, over"),
        # What is kept for later.
        pytest.param(f"class A:\n    async def run(self):\n        {ON_C}\n{OTHER}", ["4"], ["c"], id="a class in it"),
        pytest.param(f"g = (await env.remove_field('c', x) for x in y)\n{OTHER}", ["2"], ["c"], id="a generator"),
        pytest.param(
            f"async def g():\n    {ON_C}\n    yield\na = g()\nawait anext(a)\n{OTHER}", ["6"], ["c"], id="next"
        ),
        pytest.param(f"x = await imported(env)\n{OTHER}", ["2"], ["?"], id="an object that may have env"),
        pytest.param(f"x = await env.db.c.update_many({{}}, {{}})\n{OTHER}", ["2"], [], id="a result"),
        pytest.param(f"await plain(e := env)\n{OTHER}", ["2"], ["?"], id="a name within an expression"),
        pytest.param(
            f"async def inner():\n    X['e'] = env\nawait inner()\n{OTHER}", ["4"], ["?"], id="kept by a function"
        ),
        pytest.param(f"async def f():\n    return env\ne = await f()\n{OTHER}", ["4"], ["?"], id="returned"),
        pytest.param(
            f"if x:\n    async def f():\n        {ON_C}\nelse:\n    async def f(): ...\nawait f()",
            [],
            ["?"],
            id="two inner ones of one name",
        ),
        pytest.param("await eval('env.x()')", [], ["?"], id="from text"),
        # What is no operation.
        pytest.param("1 / 0", [], [], id="nothing"),
        pytest.param("async for one in env.rows('c'):\n    x(one)", [], [], id="rows"),
        pytest.param("async for one in env.db.c.find({}):\n    x(one)", [], [], id="reads"),
        pytest.param("await env.db['c'].update_many({}, {})", [], ["?"], id="by hand"),
        pytest.param("if 'c' in env.collections and env.context['x']:\n    pass", [], [], id="values"),
        pytest.param("await env.rename_collection('a', 'b')", [], ["a+b"], id="a rename"),
        pytest.param("await env.create_collections([('a',), (NAME, {})])", [], ["a+named"], id="several"),
    ],
)
def test_what_is_left(body: str, sites: list[str], expected: list[str]) -> None:
    assert left(body, *sites) == expected


def test_what_was_refused_as_a_whole_is_left() -> None:
    assert left(f"{OTHER}\n{ON_C}", "1", "2", refused=("2",)) == ["c"]


@pytest.mark.parametrize("source", [None, "", "not python", "from x import upgrade", "upgrade = x"])
def test_where_nobody_can_read_it_anything_is_left(source: str | None) -> None:
    assert [one.does for one in remaining(source, "upgrade")] == ["anything"]


def test_a_long_one_and_a_deep_one_are_read() -> None:
    calls = "\n".join([OTHER] * 1_000)
    assert left(f"{calls}\n{ON_C}", *map(str, range(1, 1_001))) == ["c"]
    assert left("x = " + "+".join(["y"] * 5_000)) in ([], ["?"])
    steps = "".join(f"async def f{n}(env):\n    await f{n + 1}(env)\n    await f{n + 1}(env)\n" for n in range(40))
    found = remaining(f"async def upgrade(env):\n    await f0(env)\n{steps}", "upgrade")
    assert "anything" in {one.does for one in found}


def test_a_function_may_be_another_after_an_import_of_everything() -> None:
    helper = "async def helper(env): ...\n"
    upgrade = "async def upgrade(env):\n    await helper(env)\n"
    assert remaining(f"from x import *\n{helper}{upgrade}", "upgrade") == []
    assert [one.does for one in remaining(f"{helper}from x import *\n{upgrade}", "upgrade")] == ["anything"]
