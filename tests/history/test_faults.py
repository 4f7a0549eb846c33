"""Revisions that form no history: each fault with an error of its own, which names them and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import RevisionError
from asyncmig.files import errors as file_errors
from asyncmig.history import Revision, RevisionGraph, errors

R = Revision
A_FILE = Path("migrations/versions/aaaa_first.py")
ANOTHER = Path("migrations/versions/bbbb_second.py")

FAULTS: list[tuple[str, Any, type[RevisionError], type[Exception], list[str]]] = [
    ("self-loop", [R("a", "a")], errors.Cycle, ValueError, ["needs itself: a -(down_revision)-> a"]),
    ("self-loop by dependency", [R("a", None, "a")], errors.Cycle, ValueError, ["a -(depends_on)-> a"]),
    ("cycle", [R("a", "c"), R("b", "a"), R("c", "b")], errors.Cycle, ValueError,
     ["a -(down_revision)-> c -(down_revision)-> b -(down_revision)-> a"]),
    ("cycle by dependency", [R("a", None, "c"), R("b", "a"), R("c", "b")], errors.Cycle, ValueError,
     ["a -(depends_on)-> c", "Change depends_on or down_revision"]),
    ("cycle between head and base", [R("a"), R("x", ("a", "y")), R("y", "x"), R("h", "y")], errors.Cycle, ValueError,
     ["x -(down_revision)-> y -(down_revision)-> x"]),
    ("cycle with files", [R("a", "b", path=A_FILE), R("b", "a", path=ANOTHER)], errors.Cycle, ValueError,
     [str(A_FILE), str(ANOTHER)]),
    ("missing parent", [R("aaaa"), R("bbbb", "lost", path=ANOTHER)], errors.MissingParent, LookupError,
     ["bbbb", str(ANOTHER), "'lost'", "Restore the file"]),
    ("misspelt parent", [R("20240101"), R("bbbb", "20240102")], errors.MissingParent, LookupError,
     ["did you mean 20240101"]),
    ("beginning of a parent", [R("20240101"), R("bbbb", "2024")], errors.MissingParent, LookupError, []),
    ("label as parent", [R("aaaa", branch_labels="x"), R("bbbb", "x")], errors.MissingParent, LookupError, []),
    ("missing dependency", [R("aaaa", None, "lost")], errors.MissingDependency, LookupError, ["depends_on 'lost'"]),
    ("short dependency", [R("abc"), R("bbbb", None, "ab")], errors.MissingDependency, LookupError, ["ab"]),
    ("ambiguous dependency", [R("aaaa1"), R("aaaa2"), R("b", None, "aaaa")], errors.AmbiguousRevision, LookupError,
     ["aaaa1, aaaa2", "depends_on of b"]),
    ("one id twice", [R("aaaa", path=A_FILE), R("aaaa", path=ANOTHER)], file_errors.DuplicateRevision, ValueError,
     ["'aaaa' is there twice", str(A_FILE), str(ANOTHER)]),
    ("one id twice, no files", [R("aaaa"), R("aaaa")], file_errors.DuplicateRevision, ValueError, ["twice"]),
    ("one label twice", [R("a", branch_labels="x"), R("b", branch_labels="x", path=ANOTHER)], errors.DuplicateLabel,
     ValueError, ["'x' is carried by several", "\n  a", str(ANOTHER)]),
    ("label of an id", [R("a", branch_labels="b"), R("b")], errors.DuplicateLabel, ValueError, ["id of a revision"]),
    ("label of its own id", [R("a", branch_labels="a")], errors.DuplicateLabel, ValueError, ["id of a revision"]),
    ("label with @", [R("a", branch_labels="x@y")], errors.IllegalLabel, ValueError, ["'@'"]),
    ("empty label", [R("a", branch_labels="")], errors.IllegalLabel, ValueError, ["is empty"]),
    ("label head", [R("a", branch_labels="head")], errors.IllegalLabel, ValueError, ["a word that targets use"]),
    ("id with a dash", [R("a-b", path=A_FILE)], errors.IllegalRevisionId, ValueError, ["'a-b'", str(A_FILE), "'-'"]),
    ("id with all of it", [R("@ +:/")], errors.IllegalRevisionId, ValueError, ["' ' '+' '/' ':' '@'"]),
    ("empty id", [R("")], errors.IllegalRevisionId, ValueError, ["is empty"]),
    ("id heads", [R("heads")], errors.IllegalRevisionId, ValueError, ["a word that targets use"]),
    ("id of another type", [R(5)], errors.IllegalRevision, TypeError, ["must be a string, not 5"]),  # type: ignore[arg-type]
    ("not a revision", ["aaaa"], errors.IllegalRevision, TypeError, ["'aaaa' cannot be a revision"]),
    ("not a collection", None, errors.IllegalRevision, TypeError, ["collection of Revision"]),
    ("one revision alone", R("aaaa"), errors.IllegalRevision, TypeError, ["collection of Revision"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("revisions", "error", "builtin", "said"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_fault(revisions: Any, error: type[RevisionError], builtin: type[Exception], said: list[str]) -> None:
    with pytest.raises(error) as raised:
        RevisionGraph(revisions)
    assert type(raised.value) is error
    assert isinstance(raised.value, builtin)
    assert [part for part in said if part not in str(raised.value)] == []


@pytest.mark.parametrize("field", ["down_revision", "depends_on", "branch_labels", "replaces"])
@pytest.mark.parametrize("value", [5, (None,), ["a", 5], object(), b"ab"])
def test_fields_that_are_not_strings(field: str, value: Any) -> None:
    with pytest.raises(errors.IllegalRevision, match=f"{field} must be None, a string or several strings"):
        Revision("aaaa", **{field: value})


@pytest.mark.parametrize("value", [None, (), [], "", "ab", ["a", "b"], {"a": 1}, iter("ab")])
def test_fields_that_are(value: Any) -> None:
    assert isinstance(Revision("aaaa", value).down_revision, tuple)


def test_parents_named_twice_count_once() -> None:
    graph = RevisionGraph([Revision("a"), Revision("b", ("a", "a"), ("a",))])
    assert (graph.parents("b"), graph.merge_points, graph.children("a")) == (("a",), (), ("b",))


def test_a_cycle_of_twenty_thousand() -> None:
    names = [f"r{number}" for number in range(20_000)]
    with pytest.raises(errors.Cycle) as raised:
        RevisionGraph([Revision(one, below) for one, below in zip(names, [names[-1], *names], strict=False)])
    assert len(raised.value.revisions) == 20_001
    assert len(str(raised.value)) < 5_000


def test_every_error_has_a_family() -> None:
    """Nothing of this room is outside RevisionError, and each leaf is a builtin as well."""
    families = (errors.GraphFault, errors.TargetError, errors.AppliedError, file_errors.RevisionFileError)
    for module in (errors, file_errors):
        for name in module.__all__:
            member = getattr(module, name)
            if isinstance(member, type) and member not in families:
                assert issubclass(member, families)
                assert issubclass(member, (ValueError, LookupError, TypeError, OSError, RuntimeError, AttributeError))
