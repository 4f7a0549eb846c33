"""Names of databases, what somebody may have meant, and remarks that name collections."""

from __future__ import annotations

import pytest

from asyncmig.schema.names import database_name_fault, suggestion
from asyncmig.schema.note import Note, joined


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("shop", None),
        ("x" * 63, None),
        ("я" * 31, None),
        ("x" * 64, "a name of 64 bytes, and a database's has 63 at most"),
        ("я" * 32, "a name of 64 bytes, and a database's has 63 at most"),
        *((name, f"{name!r} is MongoDB's own, where no app") for name in ("admin", "local", "config", "Admin")),
        *((f"a{one}b", f"{f'a{one}b'!r} has {one!r} in it, which no") for one in '/\\. "$\0'),
        ("a$b.c", "'a$b.c' has '$' in it, which no"),
    ],
)
def test_a_database(name: str, fault: str | None) -> None:
    found = database_name_fault(name)
    assert (found is None) if fault is None else str(found).startswith(fault)


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("uniqe", ("unique", "sparse"), "; did you mean 'unique'?"),
        ("expire_after_seconds", ("expireAfterSeconds",), "; did you mean 'expireAfterSeconds'?"),
        ("SPARSE", ("unique", "sparse"), "; did you mean 'sparse'?"),
        ("validatio", ("validation", "validator"), "; did you mean 'validation'?"),
        ("nothing", ("unique", "sparse"), ""),
        ("unique", (), ""),
    ],
)
def test_what_was_meant(word: str, known: tuple[str, ...], said: str) -> None:
    assert suggestion(word, known) == said


def test_what_is_said_of_many_is_said_once() -> None:
    assert str(Note("a", "x")) == "a: x"
    assert joined([]) == []
    three = [Note("a", "x"), Note("b", "y"), Note("c", "x"), Note("b", "x")]
    assert joined(three) == ["a: x", "c: x", "b: x", "b: y"]
    assert joined([*three, Note("d", "x")]) == ["a, c, b and 1 more, each: x", "b: y"]
    assert joined([*three, *(Note(name, "x") for name in "defg")]) == ["a, c, b and 4 more, each: x", "b: y"]
