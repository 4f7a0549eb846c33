"""Many databases of one kind: what most of them have, and the table of the others."""

from __future__ import annotations

from asyncmig.adopting.many import majority
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState, DatabaseState


def state(**collections: list[Index]) -> DatabaseState:
    return DatabaseState({name: CollectionState(name, indexes=tuple(made)) for name, made in collections.items()})


A, B, C = Index("a"), Index("b"), Index("c")
OTHER_B = Index("b", unique=True)


def test_most_of_them_win_and_the_others_are_told() -> None:
    """
    t1  user: a b      post
    t2  user: a b c    post
    t3  user: a B      -       (b is unique there)
    """
    found = majority(
        {"t1": state(user=[A, B], post=[]), "t2": state(user=[A, B, C], post=[]), "t3": state(user=[A, OTHER_B])}
    )
    assert found.state == state(user=[A, B], post=[])
    assert [(one.name, one.wanted, one.databases) for one in found.outliers] == [
        ("post", True, ("t3",)),
        ("user.b_1", True, ("t3",)),
        ("user.b_1", False, ("t3",)),
        ("user.c_1", False, ("t2",)),
    ]


def test_the_quorum() -> None:
    states = {"t1": state(user=[A, B]), "t2": state(user=[A]), "t3": state(user=[A]), "t4": state()}
    assert majority(states, 0.75).state == state(user=[A])
    assert majority(states, 1.0).state == state()
    assert majority(states, 0.01).state == state(user=[A, B])
    assert majority({}).state == state()


def test_options_go_by_the_commonest() -> None:
    capped = DatabaseState({"log": CollectionState("log", options={"capped": True, "size": 4096})})
    found = majority({"t1": capped, "t2": capped, "t3": state(log=[])})
    assert found.state == capped
    assert [(one.name, one.databases) for one in found.outliers] == [("log: options", ("t3",))]


def test_all_alike_leaves_no_table() -> None:
    assert majority({"t1": state(user=[A]), "t2": state(user=[A])}).outliers == ()
