"""What is taken for ordinary at a glance: the rules and the normal form say the same of it, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st

from asyncmig import Index
from asyncmig.schema import index_rules, normal
from asyncmig.schema.index_rules import index_faults
from asyncmig.schema.normal import normal_index
from asyncmig.schema.ordinary import is_ordinary

FIELDS = st.sampled_from(["a", "b.c", "_id", "a..b", "$**", "a.$id", "\0", "", "x y", "-", "_", "ü"])
DIRECTIONS = st.sampled_from([1, -1, 0, 2, 1.0, Int64(1), True, "text", "hashed", "2d", 2**40])
KEYS = st.lists(st.tuples(FIELDS, DIRECTIONS), max_size=3) | st.just([(f"f{place}", 1) for place in range(33)])
FLAG = st.sampled_from([True, False, 1, 0, None, "yes"])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["n", "", "_id_", "*", "a\0b", 5]),
        "unique": FLAG,
        "sparse": FLAG,
        "hidden": FLAG,
        "background": FLAG,
        "expireAfterSeconds": st.sampled_from([0, 60, -1, 2**31 - 1, 2**31, 1.5, True, Int64(5)]),
        "collation": st.just({"locale": "de"}),
        "weights": st.just({"a": 2}),
    },
)


@given(KEYS, OPTIONS)
def test_an_ordinary_index_has_no_fault_and_is_normal(keys: Any, options: dict[str, Any]) -> None:
    index = Index(keys, **options)
    if not is_ordinary(index):
        return
    with pytest.MonkeyPatch.context() as patched:
        for module in (index_rules, normal):
            patched.setattr(module, "is_ordinary", lambda index: False)
        assert list(index_faults(index, "collection")) == []
        assert normal_index(index) == index


@pytest.mark.parametrize(
    ("index", "ordinary"),
    [
        (Index("a"), True),
        (Index([("a.b", 1), ("c", -1)], name="n", unique=True, sparse=True), True),
        (Index("at", expireAfterSeconds=60, hidden=True), True),
        (Index("_id"), False),
        (Index("a", unique=False), False),
    ],
)
def test_what_is_ordinary(index: Index, ordinary: bool) -> None:
    assert is_ordinary(index) is ordinary
