"""The normal form of indexes, held to what a real server listed for 175 specifications."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.schema.normal import agree, definition, index_from_server, normal_index
from asyncmig.schema.server import is_id_index

from .index_cases import ACCEPTED, ASKED, declared


def normal_asked(case: str) -> list[Any]:
    return [normal_index(declared(spec)) for spec in ASKED[case] if not is_id_index(spec["key"], "collection")]


def normal_listed(specs: list[dict[str, Any]]) -> list[Any]:
    return [index_from_server(spec) for spec in specs if not is_id_index(spec["key"], "collection")]


@pytest.mark.parametrize("case", ACCEPTED)
def test_asked_and_listed_are_one(case: str) -> None:
    asked, listed = normal_asked(case), normal_listed(ACCEPTED[case])
    assert {index.name: definition(index) for index in asked} == {index.name: definition(index) for index in listed}
    assert all(agree(current, wanted) for current, wanted in zip(listed, asked, strict=True))


@pytest.mark.parametrize("case", ACCEPTED)
def test_the_normal_form_is_its_own(case: str) -> None:
    for index in (*normal_asked(case), *normal_listed(ACCEPTED[case])):
        assert normal_index(index) == index
        assert definition(normal_index(index)) == definition(index)


ALIKE = """
2d 2d_default_bits
2dsphere 2dsphere_v1 2dsphere_v2 2dsphere_v3 2dsphere_v3f
asc_and_desc background_1 background_false background_true collation_simple dir_decimal dropDups hidden_false \
name_1000 name_1MB name_200 name_dollar name_like_other name_unicode ns_given ns_wrong prepareUnique_false single \
single_float single_int64 sparse_false storageEngine_empty unique_false v1 v2 v2f
asc_and_desc desc
collation_float_strength collation_partial_spec
partial_eq partial_eqop
text_collation_simple text_single text_version1 text_version2
text_weights_extra text_weights_float text_weights_partial
ttl_float ttl_float_frac ttl_int ttl_int64
ttl_max ttl_nan
unique unique_1 unique_1.0
wildcard_proj_incl wildcard_proj_nested
"""


def test_what_is_told_apart() -> None:
    """Cases share a definition where they differ in nothing but spelling, and nowhere else."""
    groups: dict[Any, set[str]] = {}
    for case, specs in ACCEPTED.items():
        for index in normal_listed(specs):
            groups.setdefault(definition(index), set()).add(case)
    alike = sorted(" ".join(sorted(group)) for group in groups.values() if len(group) > 1)
    assert alike == ALIKE.replace("\\\n", "").split("\n")[1:-1]
