"""Of two changes of documents one is done and the other not begun: the downgrade undoes no third thing."""

from __future__ import annotations

import pytest

from asyncmig.files.env_methods import Asked
from asyncmig.running.ledger.half_applied import HalfApplied

from .half_upgrades import downgraded, text_of

BY_FUNCTION = "lambda one: one"
CHANGES = {
    "inc": "await env.update_in_batches('c', {}, {'$inc': {'n': 1}})",
    "mul": "await env.update_in_batches('c', {}, {'$mul': {'n': 2}})",
    "transform": f"await env.transform_documents('c', {{}}, {BY_FUNCTION})",
    "transform_batches": f"await env.transform_batches('c', {{}}, {BY_FUNCTION})",
    "rename_field": "await env.rename_field('c', 'a', 'b')",
    "remove_field": "await env.remove_field('c', 'f', keep_in='g')",
    "convert_field": "await env.convert_field('c', 'm', to='string', from_='int')",
    "insert": "await env.insert_documents('c', [{'_id': 8}])",
    "delete": "await env.delete_documents('c', [9])",
    "merge_into": "await env.merge_into('s', [], 'c')",
    "split_array": "await env.split_array('s', 'f', 'c')",
    "move_from": "await env.move_documents('c', {'k': 1}, 'o')",
    "move_to": "await env.move_documents('o', {'k': 1}, 'c')",
    "deduplicate": "await env.deduplicate('c', ['k'], keep='oldest:k', keep_in='o')",
}
BACK = {
    "inc": "await env.update_in_batches('c', {}, {'$inc': {'n': -1}})",
    "mul": "await env.update_in_batches('c', {}, {'$mul': {'n': 0.5}})",
    "rename_field": "await env.rename_field('c', 'b', 'a')",
    "remove_field": "await env.rename_field('c', 'g', 'f')",
    "convert_field": "await env.convert_field('c', 'm', to='int', from_='string')",
    "insert": "await env.delete_documents('c', [8])",
    "delete": "await env.insert_documents('c', [{'_id': 9}])",
    "move_from": "await env.move_documents('o', {'k': 1}, 'c')",
    "move_to": "await env.move_documents('c', {'k': 1}, 'o')",
    "deduplicate": "await env.move_documents('o', {}, 'c')",
}
FINDING = {"rename_field", "remove_field", "convert_field"}
"""Those whose way back is about documents that it finds changed."""


def back(kind: str) -> str:
    return BACK.get(kind, "await env.transform_documents('c', {}, lambda one: one)")


def test_a_field_of_the_name_that_another_is_still_to_get_stays() -> None:
    shift = [("a", "old"), ("b", "a"), ("z", "b")]
    up = "\n".join(f"await env.rename_field('c', '{old}', '{new}')" for old, new in shift)
    down = "\n".join(f"await env.rename_field('c', '{new}', '{old}')" for old, new in reversed(shift))
    looped = f"for old, new in {shift}:\n    await env.rename_field('c', old, new)"
    ways = ["rename field b of c to z", "rename field a of c to b", "rename field old of c to a"]
    for done in (1, 2, 3):
        assert downgraded(text_of(up, down), done) == ways[3 - done :]
        assert downgraded(text_of(looped, down), done) == ways[3 - done :]


@pytest.mark.parametrize("first", CHANGES)
def test_pairs(first: str) -> None:
    """Refused in either order, whatever the downgrade takes back; not so what it would find."""
    for second in [kind for kind in CHANGES if kind != first]:
        up = f"{CHANGES[first]}\n{CHANGES[second]}\n"
        alone = [[first], [second]] if "inc" in (first, second) else []
        for kinds in ([second, first], *alone):
            text = text_of(up, "\n".join(map(back, kinds)))
            if FINDING.issuperset(kinds):
                both = downgraded(text, 2)
                ways = [way for kind, way in zip(kinds, both, strict=True) if kind in (first, "convert_field")]
                assert downgraded(text, 1) == ways
                continue
            for refused in (0, 1) if alone else (0,):
                with pytest.raises(
                    HalfApplied, match=r"r is half applied: .* in line 4 of /revisions/r.py was not begun"
                ):
                    downgraded(text, 1, refused=refused)
            assert len(downgraded(text, 2)) == len(kinds)


@pytest.mark.parametrize("kind", CHANGES)
def test_all_that_changes_documents_is_done(kind: str) -> None:
    up = f"{CHANGES[kind]}\nawait env.create_index('c', 'x')\nawait env.create_index('c', 'y')\n1 / 0"
    down = f"await env.drop_index('c', 'y_1')\nawait env.drop_index('c', 'x_1')\n{back(kind)}"
    for refused in (0, 1):
        found = downgraded(text_of(up, down), 2, refused=refused)
        assert len(found) == 2
        assert found[0] == "drop index x_1 of c"


@pytest.mark.parametrize("kind", CHANGES)
def test_nothing_that_changes_documents_is_done(kind: str) -> None:
    up = f"await env.create_index('c', 'x')\n{CHANGES[kind]}\n"
    down = f"{back(kind)}\nawait env.drop_index('c', 'x_1')"
    for refused in (0, 1):
        assert downgraded(text_of(up, down), 1, refused=refused) == ["drop index x_1 of c"]


INC, DEC = CHANGES["inc"], BACK["inc"]
MORE, LESS = (one.replace("'n'", "'m'") for one in (INC, DEC))
ON_D, BACK_ON_D = (one.replace("'c'", "'d'") for one in (INC, DEC))
BACK_ON_C = "update c in batches: {'$inc': {'n': -1}}"
HELPER = "async def helper(env, name):\n    await env.remove_field(name, 'f')\n"


@pytest.mark.parametrize(
    ("up", "down", "done"),
    [
        pytest.param(f"{INC}\n{MORE}", f"{LESS}\n{DEC}", 1, id="two fields"),
        pytest.param(f"{INC}\n{INC}", f"{DEC}\n{DEC}", 1, id="one field"),
        pytest.param(f"for i in range(3):\n    {INC}", f"for i in range(3):\n    {DEC}", 2, id="a loop"),
        pytest.param(f"{INC}\nawait helper(env, 'c')", DEC, 1, id="a function"),
        pytest.param(f"{INC}\nname = 'c'\nawait helper(env, name)", DEC, 1, id="a computed name"),
        pytest.param(f"{INC}\nawait getattr(env, 'remove_field')('c', 'f')", DEC, 1, id="nobody knows"),
        pytest.param(f"{INC}\nawait env.remove_field(*('c', 'f'))", DEC, 1, id="starred"),
        pytest.param(f"{INC}\n{MORE}", f"await helper(env, 'c')\n{DEC}", 1, id="the downgrade's is a function"),
        pytest.param(
            f"{INC}\n{MORE}", "await env.drop_index('c', 'x')\nx = getattr(env, 'collections')", 1, id="before it"
        ),
        pytest.param(f"{INC}\n{MORE}", f"name = 'c'\n{DEC.replace(repr('c'), 'name')}", 1, id="by a name"),
        pytest.param(
            f"{INC}\nawait env.rename_collection('c', 'd')\n{ON_D}",
            f"{BACK_ON_D}\nawait env.rename_collection('d', 'c')\n{DEC}",
            2,
            id="renamed between them",
        ),
        pytest.param(
            f"{INC}\nawait env.rename_collection('c', 'd')",
            f"{BACK_ON_D}\nawait env.rename_collection('d', 'c')",
            1,
            id="under its later name",
        ),
        pytest.param(
            f"await asyncio.gather(helper(env, 'c'), helper(env, 'd'))\n{INC}", DEC, 2, id="behind some at once"
        ),
        pytest.param(
            f"await env.rename_collection('c', 'old')\nawait env.create_collection('c')\n{INC}\n{MORE}",
            f"await env.drop_collection('c')\n{DEC.replace(repr('c'), repr('old'))}",
            3,
            id="dropped, and its documents may stand under another name",
        ),
        pytest.param(
            f"await env.rename_collection('c', 'old')\nawait env.create_collection('c')\n{INC}\n{MORE}",
            f"await env.drop_collection('c')\nname = 'old'\n{DEC.replace(repr('c'), 'name')}",
            3,
            id="dropped, and under a computed name",
        ),
        pytest.param(
            f"{INC}\n{MORE}\nawait env.drop_collection('c')\nawait env.create_collection('c')",
            f"await env.drop_collection('c')\nawait env.create_collection('c')\n{LESS}\n{DEC}",
            1,
            id="dropped only where it was made",
        ),
        pytest.param(
            f"{INC}\nawait env.insert_documents(*('c', [{{'_id': 1}}]))\nx = getattr(env, 'collections')",
            "await env.drop_collection('c')",
            2,
            id="a drop of what nobody knows who makes",
        ),
        pytest.param(f"{INC}\nx = getattr(env, 'collections')", BACK_ON_D, 1, id="nobody knows what is renamed"),
        pytest.param(
            f"await env.rename_collection('a', 'c')\nx = getattr(env, 'collections')\n{INC}",
            DEC,
            1,
            id="nobody knows what",
        ),
        pytest.param(
            f"await env.drop_collection('c')\n{INC}", "await env.remove_field('c', 'f')", 1, id="dropped and made again"
        ),
    ],
)
def test_refused(up: str, down: str, done: int) -> None:
    text = text_of(up, down, HELPER)
    with pytest.raises(HalfApplied):
        downgraded(text, done)


@pytest.mark.parametrize(
    ("up", "down", "done", "expected"),
    [
        pytest.param(f"{INC}\n{ON_D}", f"{BACK_ON_D}\n{DEC}", 1, [BACK_ON_C], id="another collection"),
        pytest.param(f"{INC}\n{MORE}", "await env.drop_collection('c')", 1, ["drop collection c"], id="it is dropped"),
        pytest.param(
            f"await env.create_collection('c')\n{INC}\n{MORE}",
            f"await env.drop_collection('c')\n{DEC}",
            2,
            ["drop collection c"],
            id="dropped before",
        ),
        pytest.param(
            f"for name in ['c']:\n    {INC}\nawait env.create_index('c', 'x')\n1 / 0", DEC, 2, [BACK_ON_C], id="a loop"
        ),
        pytest.param(
            "await asyncio.gather(helper(env, 'c'), helper(env, 'd'))\nawait env.create_index('c', 'x')",
            DEC,
            3,
            [BACK_ON_C],
            id="at once",
        ),
        pytest.param(f"{INC}\n1 / 0", DEC, 1, [BACK_ON_C], id="its own code"),
        # A collection of which nothing is changed yet but its name.
        pytest.param(
            f"await env.rename_collection('a', 'c')\n{INC}",
            f"{DEC}\nawait env.rename_collection('c', 'a')",
            1,
            ["rename collection c to a"],
            id="renamed",
        ),
        pytest.param(
            f"await env.create_collection('c')\n{INC}",
            f"{DEC}\nawait env.drop_collection('c')",
            1,
            ["drop collection c"],
            id="created",
        ),
        pytest.param(
            "await env.create_collection('c')\nawait env.insert_documents('c', [{'_id': 1}])\n"
            "await env.insert_documents('c', [{'_id': 2}])",
            "await env.delete_documents('c', [1, 2])\nawait env.drop_collection('c')",
            2,
            ["delete 2 documents of c", "drop collection c"],
            id="inserts alone",
        ),
        pytest.param(
            f"{INC}\nawait env.insert_documents('c', [{{'_id': 2}}])",
            "await env.delete_documents('c', [2], if_unchanged=True)",
            1,
            ["delete 1 document of c that nobody has changed"],
            id="what is unchanged",
        ),
        pytest.param(
            f"{INC}\nawait env.rename_collection('c', 'd')",
            f"await env.rename_collection('d', 'c')\n{DEC}",
            1,
            [BACK_ON_C],
            id="under its former name",
        ),
        # Renames, each by its own.
        pytest.param(
            "await env.rename_collection('a', 'b')\nawait env.create_collection('a')\n"
            "await env.rename_collection('a', 'c')\nawait env.create_collection('a')",
            "await env.drop_collection('a')\nawait env.rename_collection('c', 'a')\n"
            "await env.drop_collection('a')\nawait env.rename_collection('b', 'a')",
            2,
            ["drop collection a", "rename collection b to a"],
            id="away twice",
        ),
        pytest.param(
            "await env.rename_collection('p', 'q')\nawait env.create_collection('p')",
            "await env.drop_collection('p')\nawait env.rename_collection('q', 'p')",
            1,
            ["rename collection q to p"],
            id="what stands in its place is another's",
        ),
        pytest.param(
            "await env.insert_documents('a', [{'_id': 1}])\n1 / 0\n"
            "await env.rename_collection('a', 'd')\nawait env.create_collection('a')",
            "await env.drop_collection('a')\nawait env.rename_collection('d', 'a')\n"
            "await env.delete_documents('a', [1])",
            1,
            ["delete 1 document of a"],
            id="what has not moved away is not dropped",
        ),
        pytest.param(
            "await env.rename_collection('b', 'a')\n1 / 0\n"
            "await env.rename_collection('a', 'd')\nawait env.create_collection('a')",
            "await env.drop_collection('a')\nawait env.rename_collection('d', 'a')\n"
            "await env.rename_collection('a', 'b')",
            1,
            ["rename collection a to b"],
            id="nor what has moved there",
        ),
        *(
            pytest.param(
                "await env.rename_collection('a', 't')\nawait env.rename_collection('b', 'a')\n"
                "await env.rename_collection('t', 'b')\n1 / 0",
                "await env.rename_collection('b', 't')\nawait env.rename_collection('a', 'b')\n"
                "await env.rename_collection('t', 'a')",
                done,
                ["rename collection b to t", "rename collection a to b", "rename collection t to a"][3 - done :],
                id=f"a swap after {done}",
            )
            for done in (1, 2, 3)
        ),
        *(
            pytest.param(
                "await env.rename_collection('a', 'b')\nawait env.rename_collection('b', 'a')\n"
                "await env.rename_collection('a', 'b')\n1 / 0",
                "await env.rename_collection('b', 'a')\nawait env.rename_collection('a', 'b')\n"
                "await env.rename_collection('b', 'a')",
                done,
                [
                    "rename collection b to a",
                    "rename collection a to b",
                    "rename collection b to a",
                ][3 - done :],
                id=f"there and back after {done}",
            )
            for done in (1, 2, 3)
        ),
        *(
            pytest.param(
                "await env.rename_collection('a', 'b')\nawait env.rename_collection('b', 'c')\n1 / 0",
                "await env.rename_collection('c', 'b')\nawait env.rename_collection('b', 'a')",
                done,
                ["rename collection c to b", "rename collection b to a"][2 - done :],
                id=f"a chain after {done}",
            )
            for done in (1, 2)
        ),
        pytest.param(
            "await env.rename_collection('a', 'b')\nawait env.rename_collection('b', 'c')\n1 / 0",
            "await env.rename_collection('c', 'a')",
            2,
            ["rename collection c to a"],
            id="a chain at once",
        ),
        pytest.param(
            "await env.move_documents('a', {}, 'b')\nawait env.drop_collection('a')\n1 / 0",
            "await env.rename_collection('b', 'a')",
            2,
            ["rename collection b to a"],
            id="a rename that undoes no rename",
        ),
    ],
)
def test_allowed(up: str, down: str, done: int, expected: list[str]) -> None:
    assert downgraded(text_of(up, down, HELPER), done) == expected


def test_a_collection_that_was_there_before_is_not_dropped() -> None:
    """So its documents are not gone, and what is done to them is not."""
    text = text_of(f"await env.create_collection('c')\n{INC}\n{MORE}", f"await env.drop_collection('c')\n{DEC}")
    with pytest.raises(HalfApplied):
        downgraded(text, 2, kept=("c",))


@pytest.mark.parametrize("last", [f"name = 'c'\n{DEC.replace(repr('c'), 'name')}", f"if False:\n    {DEC}", DEC])
def test_refused_before_the_first_step(last: str) -> None:
    """So that nothing of another collection is undone, and neither way could go on then."""
    text = text_of(f"{ON_D}\n{INC}\n{MORE}", f"{BACK_ON_D}\n{last}")
    with pytest.raises(HalfApplied) as caught:
        downgraded(text, 2)
    assert isinstance(caught.value.operation, Asked)


def test_the_rest_is_taken_out_of_the_file() -> None:
    """Of both functions: what is left is undone; of one alone, it is refused still."""
    before = text_of(f"{INC}\n{MORE}", f"{LESS}\n{DEC}")
    assert downgraded(before, 1, now=text_of(INC, DEC)) == [BACK_ON_C]
    assert downgraded(before, 1, now=text_of(f"# more\n\n{INC}\nreturn\n{MORE}", DEC)) == [BACK_ON_C]
    looped = f"for one in [1]:\n    {INC}\n{ON_D}"
    assert downgraded(text_of(f"{looped}\n1 / 0", DEC), 2, now=text_of(f"# one\n{looped}", DEC)) == [BACK_ON_C]
    with pytest.raises(HalfApplied):
        downgraded(before, 1, now=text_of(f"# more\n{INC}\n{MORE}", DEC))
    assert downgraded(before, 2, now=text_of(f"# more\n{INC}\n{MORE}", f"{LESS}\n{DEC}"))[1:] == [BACK_ON_C]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(f"{ON_D}\n{INC}", f"{MORE}\n{ON_D}\n{INC}", id="in front"),
        pytest.param(f"{ON_D}\n{INC}", f"{ON_D}\n{MORE}\n{INC}", id="between"),
        pytest.param(f"{ON_D}\n{INC}", f"{ON_D}\nif True:\n    {MORE}\n{INC}", id="below a condition"),
        pytest.param(f"{ON_D}\n{INC}", f"{ON_D}; {MORE}\n{INC}", id="in the same line"),
        pytest.param(f"{INC}\n{ON_D}", f"{MORE}\n{ON_D}", id="in its place"),
        pytest.param(
            f"for one in [1]:\n    {ON_D}\n{INC}", f"for one in [1]:\n    {ON_D}\n    {MORE}\n{INC}", id="a loop"
        ),
    ],
)
def test_edited_since(before: str, now: str) -> None:
    """What was put in front of what is done is not done."""
    with pytest.raises(HalfApplied):
        downgraded(text_of(f"{before}\n1 / 0", DEC), 2, now=text_of(now, f"{LESS}\n{DEC}"))
    assert downgraded(text_of(f"{before}\n1 / 0", DEC), 2, now=text_of(f"# one\n{before}", f"# more\n{DEC}")) == [
        BACK_ON_C
    ]


def test_a_function_that_was_edited_since() -> None:
    before = text_of(f"await helper(env, 'd')\n{INC}\n1 / 0", DEC, HELPER)
    now = text_of(f"await helper(env, 'd')\n{INC}\n1 / 0", DEC, f"{HELPER}    await env.remove_field('c', 'g')\n")
    assert downgraded(before, 2, now=before) == [BACK_ON_C]
    with pytest.raises(HalfApplied):
        downgraded(before, 2, now=now)
