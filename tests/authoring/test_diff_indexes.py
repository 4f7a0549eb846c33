"""Indexes: which operations the difference consists of, and that no moment is without what both sides have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from asyncmig.authoring.diff import Note, difference
from asyncmig.authoring.policy import Policy
from asyncmig.drivers.mock import MockDriver
from asyncmig.drivers.real import MotorDriver
from asyncmig.operations import CreateIndexes, DropIndex, ModifyIndex, Operation, reverse
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.state import CollectionKind, CollectionState, DatabaseState

from .index_rules import listed, moments, outcome, services

LOSING = Policy().without(MockDriver.lost_index_options)


def state(*indexes: Index, kind: CollectionKind = "collection", **fields: Any) -> DatabaseState:
    normal = tuple(sorted((normal_index(index) for index in indexes), key=lambda index: index.name))
    return DatabaseState({"c": CollectionState("c", kind=kind, indexes=normal, **fields)})


def plan(old: Sequence[Index], new: Sequence[Index], policy: Policy | None = None) -> tuple[Operation, ...]:
    return difference(state(*old), state(*new), policy).operations


def told(operations: Sequence[Operation]) -> list[str]:
    """The operations in shorthand: ``+a,b`` creates, ``-a`` drops, ``~a`` modifies."""
    return [_shorthand(operation) for operation in operations]


def _shorthand(operation: Operation) -> str:
    match operation:
        case CreateIndexes(indexes=indexes):
            return "+" + ",".join(index.name.replace("__asyncmig_bridge", "'") for index in indexes)
        case DropIndex(name=name):
            return "-" + name.replace("__asyncmig_bridge", "'")
        case ModifyIndex(name=name, options=options):
            return f"~{name} " + " ".join(f"{key}={value}" for key, value in options.items())
    raise AssertionError(operation)


A, B = Index("a", name="x"), Index("b", name="x")
EN, FR = {"locale": "en", "strength": 2}, {"locale": "fr"}
SOME, OTHER = {"b": {"$gt": 1}}, {"b": {"$gt": 2}}


def x(*keys: Any, **options: Any) -> Index:
    return Index(list(keys) or ["a"], name=options.pop("name", "x"), **options)


CASES: dict[str, tuple[list[Index], list[Index], list[str]]] = {
    "nothing": ([], [], []),
    "equal": ([x()], [x()], []),
    "equal but spelled otherwise": (
        [x(("a", 1), partialFilterExpression={"b": 1, "c": {"$eq": 2}}, collation=EN)],
        [
            x(
                ("a", 1.0),
                partialFilterExpression={"$and": [{"c": 2}, {"b": 1.0}]},
                collation={"locale": "en", "strength": 2.0},
            )
        ],
        [],
    ),
    "new ones in one command": ([], [x(), x("b", name="y")], ["+x,y"]),
    "removed": ([x(), x("b", name="y")], [], ["-x", "-y"]),
    "another key under another name": ([x()], [x("b", name="y")], ["+y", "-x"]),
    "renamed": ([x()], [x(name="y")], ["+y'", "-x", "+y", "-y'"]),
    "renamed, unique": ([x(unique=True)], [x(name="y", unique=True)], ["+y'", "-x", "+y", "-y'"]),
    "renamed, hashed": ([x(("a", "hashed"))], [x(("a", "hashed"), name="y")], ["+y'", "-x", "+y", "-y'"]),
    "renamed, wildcard": ([x("$**")], [x("$**", name="y")], ["+y'", "-x", "+y", "-y'"]),
    "renamed, 2dsphere": ([x(("g", "2dsphere"))], [x(("g", "2dsphere"), name="y")], ["+y'", "-x", "+y", "-y'"]),
    "renamed, sparse 2dsphere": (
        [x(("g", "2dsphere"), sparse=True)],
        [x(("g", "2dsphere"), name="y", sparse=True)],
        ["+y'", "-x", "+y", "-y'"],
    ),
    "renamed, text": ([x(("s", "text"))], [x(("s", "text"), name="y")], ["-x", "+y"]),
    "renamed, partial hashed: the server has no other like it": (
        [x(("a", "hashed"), partialFilterExpression=SOME)],
        [x(("a", "hashed"), name="y", partialFilterExpression=SOME)],
        ["-x", "+y"],
    ),
    "renamed, hidden: nobody misses it": ([x(hidden=True)], [x(name="y", hidden=True)], ["-x", "+y"]),
    "renamed, hidden and unique": (
        [x(hidden=True, unique=True)],
        [x(name="y", hidden=True, unique=True)],
        ["+y'", "-x", "+y", "-y'"],
    ),
    "names swapped": (
        [x(name="p"), x("b", name="q")],
        [x("b", name="p"), x(name="q")],
        ["+p',q'", "-p", "-q", "+p,q", "-p'", "-q'"],
    ),
    "names swapped, one the other turned round": (
        [x(("a", 1), name="p"), x(("a", -1), name="q")],
        [x(("a", -1), name="p"), x(("a", 1), name="q")],
        ["+p',q'", "-p", "-q", "+p,q", "-p'", "-q'"],
    ),
    "names go round": (
        [x("a", name="p"), x("b", name="q"), x("c", name="r")],
        [x("c", name="p"), x("a", name="q"), x("b", name="r")],
        ["+p',q',r'", "-p", "-q", "-r", "+p,q,r", "-p'", "-q'", "-r'"],
    ),
    "the new name is another's old one": (
        [x("a", name="p"), x("b", name="q")],
        [x("a", name="q")],
        ["+q'", "-q", "-p", "+q", "-q'"],
    ),
    "an undeclared one serves as the bridge": (
        [x(("a", 1), name="p"), x(("a", -1), name="q")],
        [x(("a", 1), name="r")],
        ["-p", "+r", "-q"],
    ),
    "a declared one serves as the bridge": (
        [x(("a", 1), name="p"), x(("a", -1), name="q")],
        [x(("a", 1), name="r"), x(("a", -1), name="q")],
        ["-p", "+r"],
    ),
    "a hidden one serves nobody": (
        [x(("a", 1), name="p"), x(("a", -1), name="q", hidden=True)],
        [x(("a", 1), name="r"), x(("a", -1), name="q", hidden=True)],
        ["+r'", "-p", "+r", "-r'"],
    ),
    "a new one serves as the bridge": (
        [x(("a", 1), name="p")],
        [x(("a", 1), name="r"), x(("a", -1), name="q")],
        ["+q", "-p", "+r"],
    ),
    "another key under the same name": ([x("a")], [x("a", "b")], ["+x'", "-x", "+x", "-x'"]),
    "a definition changes beside a new index": (
        [x("a")],
        [x("a", "b"), x("c", name="y")],
        ["+y,x'", "-x", "+x", "-x'"],
    ),
    "turned round under the same name": ([x(("a", 1))], [x(("a", -1))], ["+x'", "-x", "+x", "-x'"]),
    "sparse": ([x()], [x(sparse=True)], ["+x'", "-x", "+x", "-x'"]),
    "not sparse": ([x(sparse=True)], [x()], ["+x'", "-x", "+x", "-x'"]),
    "partial": ([x()], [x(partialFilterExpression=SOME)], ["+x'", "-x", "+x", "-x'"]),
    "another filter": (
        [x(partialFilterExpression=SOME)],
        [x(partialFilterExpression=OTHER)],
        ["+x'", "-x", "+x", "-x'"],
    ),
    "collation": ([x(collation=EN)], [x(collation=FR)], ["+x'", "-x", "+x", "-x'"]),
    "TTL n to m": ([x(expireAfterSeconds=5)], [x(expireAfterSeconds=9)], ["~x expireAfterSeconds=9"]),
    "TTL of 0": ([x()], [x(expireAfterSeconds=0)], ["~x expireAfterSeconds=0"]),
    "none to TTL": ([x()], [x(expireAfterSeconds=9)], ["~x expireAfterSeconds=9"]),
    "TTL to none": ([x(expireAfterSeconds=9)], [x()], ["+x'", "-x", "+x", "-x'"]),
    "TTL, renamed": (
        [x(expireAfterSeconds=9)],
        [x(name="y", expireAfterSeconds=5)],
        ["+y'", "-x", "+y", "-y'"],
    ),
    "hidden": ([x()], [x(hidden=True)], ["~x hidden=True"]),
    "shown": ([x(hidden=True)], [x()], ["~x hidden=False"]),
    "hidden wildcard": ([x("$**")], [x("$**", hidden=True)], ["~x hidden=True"]),
    "hidden and TTL in one command": (
        [x()],
        [x(hidden=True, expireAfterSeconds=3)],
        ["~x expireAfterSeconds=3 hidden=True"],
    ),
    "unique": ([x()], [x(unique=True)], ["~x unique=True"]),
    "unique, prepared": ([x(prepareUnique=True)], [x(unique=True)], ["~x unique=True"]),
    "unique and hidden": ([x()], [x(unique=True, hidden=True)], ["~x hidden=True", "~x unique=True"]),
    "unique text": ([x(("s", "text"))], [x(("s", "text"), unique=True)], ["~x unique=True"]),
    "no longer unique": ([x(unique=True)], [x()], ["+x'", "-x", "+x", "-x'"]),
    "unique although another is so already": (
        [x(), x(name="y", unique=True)],
        [x(unique=True)],
        ["+x'", "-x", "-y", "+x", "-x'"],
    ),
    "unique and plain change their names": (
        [x(name="p"), x(name="q", unique=True)],
        [x(name="p", unique=True), x(name="q")],
        ["+p',q'", "-p", "-q", "+p,q", "-p'", "-q'"],
    ),
    "unique now, and a plain one beside it": (
        [x()],
        [x(unique=True), x(name="y")],
        ["~x unique=True", "+y"],
    ),
    "prepareUnique": ([x()], [x(prepareUnique=True)], ["~x prepareUnique=True"]),
    "prepareUnique no more": ([x(prepareUnique=True)], [x()], ["~x prepareUnique=False"]),
    "prepareUnique on a wildcard is made anew": (
        [x("$**")],
        [x("$**", prepareUnique=True)],
        ["+x'", "-x", "+x", "-x'"],
    ),
    "prepareUnique on everything as text is made anew": (
        [x(("$**", "text"))],
        [x(("$**", "text"), prepareUnique=True)],
        ["-x", "+x"],
    ),
    "in place, and not": ([x()], [x(hidden=True, sparse=True)], ["-x", "+x"]),
    "weights": ([x(("s", "text"))], [x(("s", "text"), weights={"s": 5})], ["-x", "+x"]),
    "2d bits": ([x(("g", "2d"))], [x(("g", "2d"), bits=20)], ["+x'", "-x", "+x", "-x'"]),
    "storage engine": (
        [x()],
        [x(storageEngine={"wiredTiger": {"configString": "prefix_compression=false"}})],
        ["+x'", "-x", "+x", "-x'"],
    ),
    "text for another": ([x(("s", "text"))], [x(("t", "text"), name="y")], ["-x", "+y"]),
    "text for another on one field more": (
        [x(("s", "text"))],
        [x(("a", 1), ("s", "text"), name="y")],
        ["-x", "+y"],
    ),
    "one text leaves, a plain one comes": ([x(("s", "text"))], [x("t", name="y")], ["+y", "-x"]),
    "the same key twice, by collation": (
        [x(collation=EN)],
        [x(collation=EN), x(name="y", collation=FR), x(name="z")],
        ["+y,z"],
    ),
    "a bridge left over from a crash": (
        [x(name="x__asyncmig_bridge"), x(("a", -1))],
        [x(("a", -1))],
        ["-x'"],
    ),
    "a crash after the drop": ([x(("a", -1), name="x__asyncmig_bridge")], [x(("a", 1))], ["+x", "-x'"]),
    "a crash before the drop": (
        [x(("a", 1)), x(("a", -1), name="y__asyncmig_bridge")],
        [x(("a", 1), name="y")],
        ["-x", "+y", "-y'"],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_operations(old: list[Index], new: list[Index], expected: list[str]) -> None:
    operations = plan(old, new)
    assert told(operations) == expected
    check_the_law(state(*old), state(*new), operations)


def check_the_law(old: DatabaseState, new: DatabaseState, operations: Sequence[Operation]) -> None:
    """The operations lead to ``new``, their mirror back; what both have is there at each moment in between."""
    before, wanted = old.collections["c"].indexes, new.collections["c"].indexes
    assert outcome(before, operations) == listed(wanted)
    assert outcome(wanted, reverse(operations)) == listed(before)
    after = DatabaseState({"c": CollectionState("c", indexes=wanted)})
    assert difference(after, new).operations == ()
    lasting = services(before) & services(wanted) - {service for index in wanted for service in _irreplaceable(index)}
    for moment in [*moments(before, operations), *moments(wanted, reverse(operations))]:
        assert lasting <= services(moment)


def _irreplaceable(index: Index) -> set[object]:
    """What no bridge can do: text, and partial or sparse ones without a number to turn round."""
    only_names = all(isinstance(direction, str) for _, direction in index.keys) or "$**" in str(index.keys)
    return services([index]) if only_names and ("text" in str(index.keys) or _is_partial(index)) else set()


def _is_partial(index: Index) -> bool:
    return bool(index.options.get("partialFilterExpression"))


def test_a_full_collection_has_no_room_for_bridges() -> None:
    others = [x(f"f{number}", name=f"i{number}") for number in range(62)]
    assert told(plan([*others, x("a", name="p")], [*others, x("a", name="q")])) == ["-p", "+q"]
    assert told(plan([*others, x("a", name="p")], [*others, x("b", name="q")])) == ["-p", "+q"]


def test_almost_full() -> None:
    others = [x(f"f{number}", name=f"i{number}") for number in range(60)]
    old = [*others, x("a", name="p"), x("b", name="q")]
    assert told(plan(old, [*others, x("a", name="r"), x("b", name="s"), x("c", name="t")])) == [
        "+t",
        "-p",
        "-q",
        "+r,s",
    ]
    assert told(plan(old, [*others, x("a", name="r"), x("b", name="s")])) == ["+r'", "-p", "-q", "+r,s", "-r'"]


def test_few_go_and_many_come() -> None:
    """Never more than 63 beside the one on _id, nor fewer drops than make room: as many as fit come first."""
    kept = [x(f"f{number}", name=f"i{number}") for number in range(57)]
    gone = [x(f"g{number}", name=f"o{number}") for number in range(3)]
    fresh = [x(f"n{number}", name=f"n{number}") for number in range(6)]
    operations = plan([*kept, *gone], [*kept, *fresh])
    first, *drops, last = told(operations)
    assert (first, drops) == ("+n0,n1,n2", ["-o0", "-o1", "-o2"])
    assert last == "+n3,n4,n5"  # in the order in which they are declared
    check_the_law(state(*kept, *gone), state(*kept, *fresh), operations)
    found = moments(state(*kept, *gone).collections["c"].indexes, operations)
    assert max(map(len, found)) == 63


def test_few_change_and_many_come() -> None:
    """What is made anew has its bridge only where none is too many, in the end as in between."""
    kept = [x(f"f{number}", name=f"i{number}") for number in range(58)]
    old = [*kept, x("a", name="p"), x("b", name="q")]
    new = [*kept, x("a", name="r"), x("b", name="q"), *(x(f"n{number}", name=f"n{number}") for number in range(3))]
    operations = plan(old, new)
    assert max(map(len, moments(state(*old).collections["c"].indexes, operations))) == 63
    assert told(operations) == ["+n0,n1,n2", "-p", "+r"]


@pytest.mark.parametrize(("others", "bridges"), [(58, 2), (59, 2), (60, 1), (61, 0)])
def test_one_goes_and_two_come_in_its_place(others: int, bridges: int) -> None:
    """Bridges stand until the end, when there are more indexes than at first."""
    kept = [x(f"f{number}", name=f"i{number}") for number in range(others)]
    old, new = [*kept, x("a", name="p")], [*kept, x("b", name="p"), x("a", name="q")]
    operations = plan(old, new)
    assert sum(isinstance(step, DropIndex) for step in operations) == 1 + bridges
    assert outcome(state(*old).collections["c"].indexes, operations) == listed(state(*new).collections["c"].indexes)


@pytest.mark.parametrize(("others", "bridges"), [(59, 1), (60, 0)])
def test_many_go_and_one_is_made_anew(others: int, bridges: int) -> None:
    """Its bridge stands beside all that are to go: room that there is later is no help."""
    kept = [x(f"f{number}", name=f"i{number}") for number in range(others)]
    gone = [x(f"g{number}", name=f"o{number}") for number in range(2)]
    old, new = [*kept, *gone, x("a", name="p")], [*kept, x("a", name="r")]
    operations = plan(old, new)
    assert max(map(len, moments(state(*old).collections["c"].indexes, operations))) == 63
    assert sum(isinstance(step, DropIndex) for step in operations) == 3 + bridges
    assert outcome(state(*old).collections["c"].indexes, operations) == listed(state(*new).collections["c"].indexes)


class TestUndeclared:
    OLD: tuple[Index, ...] = (x("a", name="p"), x("b", name="q", hidden=True))

    @pytest.mark.parametrize(
        ("policy", "expected", "notes"),
        [
            ("drop", ["-p", "-q"], []),
            ("hide", ["~p hidden=True", "-q"], []),
            ("ignore", [], [Note("c", "index p is not declared"), Note("c", "index q is not declared")]),
        ],
    )
    def test_policy(self, policy: Any, expected: list[str], notes: list[Note]) -> None:
        found = difference(state(*self.OLD), state(), Policy(undeclared_indexes=policy))
        assert told(found.operations) == expected
        assert list(found.notes) == notes

    @pytest.mark.parametrize("policy", ["hide", "ignore"])
    def test_one_in_the_way_goes_all_the_same(self, policy: Any) -> None:
        found = difference(state(x()), state(x(name="y")), Policy(undeclared_indexes=policy))
        assert told(found.operations) == ["+y'", "-x", "+y", "-y'"]
        assert found.notes[-1] == Note("c", "index x makes room for the declared y")

    @pytest.mark.parametrize("policy", ["hide", "ignore"])
    def test_a_bridge_goes_all_the_same(self, policy: Any) -> None:
        found = difference(state(x(name="y__asyncmig_bridge")), state(), Policy(undeclared_indexes=policy))
        assert told(found.operations) == ["-y'"]

    def test_hiding_is_undone_by_showing(self) -> None:
        operations = difference(state(x()), state(), Policy(undeclared_indexes="hide")).operations
        assert told(reverse(operations)) == ["~x hidden=False"]

    def test_a_time_series_does_not_show_what_is_hidden(self) -> None:
        found = difference(state(x(), kind="timeseries"), state(kind="timeseries"), Policy(undeclared_indexes="hide"))
        assert found.operations == ()
        assert "cannot be hidden" in found.notes[0].text

    def test_usage_is_told(self) -> None:
        since = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        usage = {("c", "p"): (since, 12), ("c", "q"): (since, 0), ("c", "r"): (since, 1)}
        usage |= {("c", "u"): (since, 0), ("c", "v"): (since, 4)}
        unique = [x("e", name="u", unique=True), x("f", name="v", unique=True)]
        old = state(x(), x("a", name="p"), x("b", name="q"), x("d", name="r"), *unique)
        drops = difference(old, state(x()), usage=usage).operations
        assert [drop.note for drop in drops if isinstance(drop, DropIndex)] == [
            "used 12 times since 2026-01-02 03:04 UTC",
            "not used since 2026-01-02 03:04 UTC",
            "used once since 2026-01-02 03:04 UTC",
            "unique: without it nothing refuses duplicates",
            "unique: without it nothing refuses duplicates; 4 queries since 2026-01-02 03:04 UTC",
        ]


def test_an_index_being_built_is_asked_for_again() -> None:
    found = difference(state(building=("x", "old")), state(x()))
    assert told(found.operations) == ["+x"]
    assert [note.text for note in found.notes] == [
        "index x is being built at this moment; creating it waits for that build",
        "index old is being built at this moment, and is not declared",
    ]


def test_an_index_of_the_servers_own_accord_is_left() -> None:
    old = state(Index([("m", 1), ("t", 1)]), kind="timeseries", automatic=("m_1_t_1",))
    assert difference(old, state(kind="timeseries")).operations == ()


def test_nothing_is_changed_in_place_on_a_time_series() -> None:
    old, new = state(x(), kind="timeseries"), state(x(hidden=True), kind="timeseries")
    assert told(difference(old, new).operations) == ["-x", "+x"]


def test_what_the_mock_loses_is_no_difference() -> None:
    old, new = state(x()), state(x(collation=EN, hidden=True))
    assert difference(old, new, LOSING).operations == ()
    assert difference(old, new, Policy().without(MotorDriver.lost_index_options)).operations != ()
    assert told(difference(old, state(x(unique=True)), LOSING).operations) == ["~x unique=True"]


@pytest.mark.parametrize(
    ("old", "new", "back"),
    [
        (x(expireAfterSeconds=5), x(expireAfterSeconds=9), ["~x expireAfterSeconds=5"]),
        (x(), x(expireAfterSeconds=9), ["+x'", "-x", "+x", "-x'"]),
        (x(), x(hidden=True), ["~x hidden=False"]),
        (x(), x(unique=True), ["+x'", "-x", "+x", "-x'"]),
        (x(("s", "text")), x(("s", "text"), unique=True), ["-x", "+x"]),
        (x(prepareUnique=True), x(unique=True), ["+x'", "-x", "+x", "-x'"]),
    ],
)
def test_the_way_back_of_a_change_in_place(old: Index, new: Index, back: list[str]) -> None:
    assert told(reverse(plan([old], [new]))) == back


class TestNames:
    OLD = x("a", ("b", -1), name="old", unique=True)
    NEW = x("a", ("b", -1), name="new", unique=True)

    def test_an_index_by_another_name_is_built_anew_and_the_setting_is_told(self) -> None:
        found = difference(state(self.OLD), state(self.NEW))
        assert told(found.operations)[-1] in ("-old", "-new'")
        assert 'differs from old by its name only, and is built anew; the setting index_names = "ignore"' in str(
            found.notes
        )

    @pytest.mark.parametrize(
        ("old", "new", "operations"),
        [
            ([OLD], [NEW], []),
            ([OLD, x("c")], [NEW, x("c")], []),
            ([OLD], [x("a", name="new")], ["+new", "-old"]),
            ([OLD, x("c", name="new")], [NEW], ["+new'", "-new", "-old", "+new", "-new'"]),
            ([OLD, NEW], [NEW], ["-old"]),
            ([x("a", name="p"), x("b", name="q")], [x("b", name="p"), x("a", name="q")], None),
        ],
    )
    def test_names_that_are_let_be(self, old: list[Index], new: list[Index], operations: list[str] | None) -> None:
        found = difference(state(*old), state(*new), Policy(index_names="ignore"))
        if operations is not None and "+new'" not in operations:
            assert told(found.operations) == operations
        assert "by its name only" not in str(found.notes)
