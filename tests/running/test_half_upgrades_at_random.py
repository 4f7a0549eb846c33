"""Random upgrades, stopped anywhere: their downgrade leaves what was there before, or is refused and does nothing."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from random import Random

import pytest

from asyncmig.operations import (
    CreateCollection,
    DeleteDocuments,
    DropCollection,
    InsertDocuments,
    Operation,
    RenameCollection,
    UpdateInBatches,
)
from asyncmig.running.ledger.half_applied import HalfApplied

from .half_upgrades import operations_of, text_of, undone

NAMES = frozenset("abcd")
BEFORE: dict[str, dict[int, dict[str, int]]] = {
    name: {1: {"n": 0, "m": 0}, 2: {name: 1, "n": 0, "m": 0}} for name in "ab"
}
State = dict[str, dict[int, dict[str, int]]]


def change(random: Random, names: set[str]) -> tuple[str, str]:
    """A call of the upgrade and its way back; ``names`` are the collections that there are, and follow it."""
    kind, name = random.choice(["inc", "inc", "rename", "create", "index", "insert"]), random.choice(sorted(names))
    number, free = random.randint(1, 999), sorted(NAMES - names)
    if kind == "inc":
        inc = f"await env.update_in_batches('{name}', {{}}, {{'$inc': {{'{random.choice('nm')}': {number}}}}})"
        return inc, inc.replace(f": {number}", f": {-number}")
    if kind == "index":
        return f"await env.create_index('{name}', 'i{number}')", f"await env.drop_index('{name}', 'i{number}_1')"
    if kind == "insert" or not free:
        document = f"{{'_id': {number}, 'n': 0, 'm': 0}}"
        return (
            f"await env.insert_documents('{name}', [{document}])",
            f"await env.delete_documents('{name}', [{number}])",
        )
    new = random.choice(free)
    names.add(new)
    if kind == "create":
        return f"await env.create_collection('{new}')", f"await env.drop_collection('{new}')"
    names.remove(name)
    return f"await env.rename_collection('{name}', '{new}')", f"await env.rename_collection('{new}', '{name}')"


def applied(state: State, operation: Operation) -> State:
    """What is there then; one that a server would refuse is an error."""
    after = deepcopy(state)
    match operation:
        case UpdateInBatches(collection=name, update=dict(update)):
            changes: dict[str, int] = update["$inc"]
            for document in after.get(name, {}).values():
                document |= {field: document[field] + number for field, number in changes.items()}
        case RenameCollection(collection=name, new=new):
            assert new not in after
            after[new] = after.pop(name)
        case CreateCollection(collection=name):
            after.setdefault(name, {})
        case DropCollection(collection=name):
            after.pop(name, None)
        case InsertDocuments(collection=name, documents=documents):
            for inserted in documents:
                after.setdefault(name, {}).setdefault(inserted["_id"], dict(inserted))
        case DeleteDocuments(collection=name, ids=ids):
            after[name] = {key: one for key, one in after.get(name, {}).items() if key not in ids}
        case _:
            pass
    return after


def ended(seed: int) -> str:
    random, names = Random(seed), {*BEFORE}
    calls = [change(random, names) for _ in range(random.randint(2, 6))]
    text = text_of("\n".join(up for up, _ in calls), "\n".join(down for _, down in reversed(calls)))
    done, state = random.randint(0, len(calls)), BEFORE
    for operation in operations_of(text, "upgrade")[:done]:
        state = applied(state, operation)
    try:
        back = undone(text, done, refused=random.randint(0, 1))
    except HalfApplied:
        return "refused"
    for operation in back:
        state = applied(state, operation)
    assert state == BEFORE, (seed, text, back)
    return "undone"


@pytest.mark.parametrize("first", [0, 100])
def test_undone_or_refused(first: int) -> None:
    counts = Counter(ended(seed) for seed in range(first, first + 100))
    assert counts["undone"] > 2 * counts["refused"] > 0
