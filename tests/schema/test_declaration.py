"""What can be declared, what becomes of it, and how each fault is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bson import Int64, Regex
from pymongo import IndexModel

from asyncmig import Collection, Index, View
from asyncmig.errors import AsyncmigError, DeclarationError
from asyncmig.schema.state import CollectionState
from asyncmig.sources import load_models

from .index_cases import ACCEPTED, ASKED, CREATED, NOT_CREATED, declared
from .index_cases import OPTIONS as ORACLE
from .invalid_declarations import CLUSTERED, IN_SERIES, INDEXES, NAMES, OPTIONS, SERIES, attributes, matching


def declare(base: type = Collection, **given: Any) -> Any:
    """A class as a user would make it; its name is Wallet."""
    attributes_ = {"collection_name": "wallet", **given}
    return type("Wallet", (base,), dict(attributes(**attributes_)))


def refused(attribute: str, fault: str, base: type = Collection, **given: Any) -> None:
    with pytest.raises(DeclarationError, match=matching(fault)) as caught:
        declare(base, **given)
    assert (caught.value.owner, caught.value.attribute) == ("Wallet", attribute)
    assert str(caught.value).startswith(f"Wallet.{attribute}: ")
    assert isinstance(caught.value, AsyncmigError | ValueError)


@pytest.mark.parametrize(("indexes", "fault"), INDEXES)
def test_index_faults(indexes: list[Index], fault: str) -> None:
    refused("__indexes__", fault, indexes=indexes)


@pytest.mark.parametrize(("indexes", "fault"), IN_SERIES)
def test_index_faults_of_time_series(indexes: list[Index], fault: str) -> None:
    refused("__indexes__", fault, indexes=indexes, options=SERIES)


@pytest.mark.parametrize(("options", "fault"), OPTIONS)
def test_option_faults(options: dict[str, Any], fault: str) -> None:
    refused("__options__", fault, options=options)


@pytest.mark.parametrize(("name", "fault"), NAMES)
def test_name_faults(name: str, fault: str) -> None:
    refused("__collection_name__", fault, collection_name=name)
    refused("__renamed_from__", fault, renamed_from=name)


OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("__collection_name__", "is a string, not 5", {"collection_name": 5}),
    ("__collection_name__", "is a string, not None", {"collection_name": None}),
    ("__indexes__", "is a list of indexes", {"indexes": Index("a")}),
    ("__indexes__", "is a list of indexes", {"indexes": "a"}),
    ("__indexes__", "write for example", {"indexes": [5]}),
    ("__indexes__", "write for example", {"indexes": [("a", -1)]}),
    ("__indexes__", "'a' is in its keys twice", {"indexes": [[("a", 1), ("a", -1)]]}),
    ("__indexes__", "its name has to be a string", {"indexes": [Index("a", name=5)]}),
    ("__options__", "is a document", {"options": [("capped", True)]}),
    ("__options__", "is a document", {"options": None}),
    ("__initial_data__", "is a list of documents", {"initial_data": {"_id": 1}}),
    ("__initial_data__", "entry 1 is a document", {"initial_data": [{"_id": 1}, 2]}),
    ("__initial_data__", "document 0 ({'a': 1}) has no '_id'", {"initial_data": [{"a": 1}]}),
    ("__initial_data__", "_id 1.0 is there already", {"initial_data": [{"_id": 1}, {"_id": 1.0}]}),
    ("__initial_data__", "_id 1 is there already", {"initial_data": [{"_id": Int64(1)}, {"_id": 1}]}),
    ("__initial_data__", "neither an array", {"initial_data": [{"_id": [1]}]}),
    ("__initial_data__", "neither an array", {"initial_data": [{"_id": Regex("x")}]}),
    ("__renamed_from__", "is the collection's name now", {"renamed_from": "wallet"}),
    ("__indices__", "did you mean '__indexes__'", {"indices": ["a"]}),
    ("__index__", "did you mean '__indexes__'", {"index": ["a"]}),
    ("__option__", "did you mean '__options__'", {"option": {}}),
    ("__initialdata__", "did you mean '__initial_data__'", {"initialdata": []}),
    ("__collectionname__", "did you mean '__collection_name__'", {"collectionname": "x"}),
]


@pytest.mark.parametrize(("attribute", "fault", "given"), OTHERS)
def test_other_faults(attribute: str, fault: str, given: dict[str, Any]) -> None:
    refused(attribute, fault, **given)


VIEWS: list[tuple[str, str, dict[str, Any]]] = [
    ("__view_on__", "is missing", {"pipeline": []}),
    ("__pipeline__", "is missing", {"view_on": "a"}),
    ("__pipeline__", "is a list of stages", {"view_on": "a", "pipeline": {"$match": {}}}),
    ("__pipeline__", "is a list of stages", {"view_on": "a", "pipeline": None}),
    ("__pipeline__", "stage 0 is a document of one operator", {"view_on": "a", "pipeline": ["$match"]}),
    ("__pipeline__", "stage 1", {"view_on": "a", "pipeline": [{"$match": {}}, {}]}),
    ("__pipeline__", "stage 0", {"view_on": "a", "pipeline": [{"$match": {}, "$limit": 1}]}),
    ("__pipeline__", "stage 0", {"view_on": "a", "pipeline": [{"match": {}}]}),
    ("__view_on__", "is the name of a collection", {"view_on": "", "pipeline": []}),
    ("__view_on__", "is the name of a collection", {"view_on": 5, "pipeline": []}),
    ("__view_on__", "a view of itself", {"view_on": "wallet", "pipeline": []}),
    ("__initial_data__", "has no data of its own", {"view_on": "a", "pipeline": [], "initial_data": [{"_id": 1}]}),
    ("__indexes__", "has no indexes", {"view_on": "a", "pipeline": [], "indexes": ["a"]}),
    ("__renamed_from__", "cannot be renamed", {"view_on": "a", "pipeline": [], "renamed_from": "b"}),
    ("__options__", "no option 'capped'", {"view_on": "a", "pipeline": [], "options": {"capped": True}}),
    ("__options__", "needs a locale", {"view_on": "a", "pipeline": [], "options": {"collation": {}}}),
    ("__options__", "is a document", {"view_on": "a", "pipeline": [], "options": 5}),
    ("__collection_name__", "cannot be empty", {"view_on": "a", "pipeline": [], "collection_name": ""}),
    ("__viewon__", "did you mean '__view_on__'", {"viewon": "a", "pipeline": []}),
]


@pytest.mark.parametrize(("attribute", "fault", "given"), VIEWS)
def test_view_faults(attribute: str, fault: str, given: dict[str, Any]) -> None:
    refused(attribute, fault, View, **given)


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_a_server_takes_can_be_declared(case: str) -> None:
    indexes = [declared(spec) for spec in ASKED[case]]
    declare(indexes=indexes)
    declare(indexes=[IndexModelLike(spec) for spec in ASKED[case]])


class IndexModelLike:
    """What pymongo's IndexModel is to us; the real one has opinions of its own on directions."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document


UNDECLARABLE = {"system.js", "system.users"}
"""Names that a server takes, and that asyncmig never shows nor touches."""


@pytest.mark.parametrize("name", [name for name in CREATED if name not in UNDECLARABLE])
def test_options_that_a_server_takes_can_be_declared(name: str) -> None:
    options = dict(ORACLE[name]["asked"])
    if "viewOn" in options:
        declare(
            View,
            collection_name=name,
            view_on=options.pop("viewOn"),
            pipeline=options.pop("pipeline", []),
            options=options,
        )
    else:
        declare(collection_name=name, options=options)


LEFT_TO_THE_SERVER = {
    *("validator_format", "validator_int", "validator_default", "validator_ref", "validator_schema"),
    "ts_bucketspan",  # from 6.3 on
    "view_out",
}


@pytest.mark.parametrize("name", [name for name in NOT_CREATED if name not in LEFT_TO_THE_SERVER])
def test_options_that_a_server_refuses_cannot(name: str) -> None:
    with pytest.raises(DeclarationError):
        declare(collection_name=name, options=ORACLE[name]["asked"])


def test_plain_attributes() -> None:
    """A base's indexes are inherited as any attribute is, and replaced as any is."""

    class Base(Collection):
        __indexes__ = ["a"]

    class Mixin:
        __indexes__ = ["b"]

    class Inheriting(Base):
        __collection_name__ = "inheriting"

    class Replacing(Base):
        __collection_name__ = "replacing"
        __indexes__ = [*Base.__indexes__, "c"]

    class Mixed(Mixin, Collection):
        __collection_name__ = "mixed"

    state = load_models([Mixed, Replacing, Inheriting]).state
    assert {one.name: [index.name for index in one.indexes] for one in state} == {
        "inheriting": ["a_1"],
        "mixed": ["b_1"],
        "replacing": ["a_1", "c_1"],
    }


def test_the_state_of_several_models() -> None:
    class Wallet(Collection):
        __collection_name__ = "wallet"
        __indexes__ = [
            IndexModel([("b", -1)], unique=True),
            "a",
            [("c", 1.0), "d"],
            Index("_id"),
            Index([("y", "text"), ("x", "text")], weights={"x": 1}),
        ]
        __options__ = {"validator": {"a": 1}, "collation": {"locale": "en"}, "comment": "what it is for"}
        __initial_data__ = [{"_id": 1, "a": 1.5}]
        __renamed_from__ = "purse"

    class Active(View):
        __collection_name__ = "active"
        __view_on__ = "wallet"
        __pipeline__ = [{"$match": {"active": True}}]

    class Readings(Collection):
        __collection_name__ = "readings"
        __options__ = SERIES
        __indexes__ = ["_id"]  # a time series has none by itself

    class Base(Collection):
        """Nothing to create."""

    state = load_models([Wallet, Base, Readings, Active, Wallet]).state
    assert list(state.collections) == ["wallet", "readings", "active"]
    assert state.get("active") == CollectionState(
        "active", "view", {"viewOn": "wallet", "pipeline": [{"$match": {"active": True}}]}
    )
    readings = state.collections["readings"]
    assert (readings.kind, [index.name for index in readings.indexes]) == ("timeseries", ["_id_1"])
    wallet = state.collections["wallet"]
    assert (wallet.kind, wallet.renamed_from, wallet.documents) == ("collection", "purse", ({"_id": 1, "a": 1.5},))
    assert set(wallet.options) == {"validator", "collation"}
    assert wallet.options["collation"]["strength"] == 3
    assert [(index.name, index.keys) for index in wallet.indexes] == [
        ("b_-1", (("b", -1),)),
        ("a_1", (("a", 1),)),
        ("c_1_d_1", (("c", 1), ("d", 1))),
        ("y_text_x_text", (("x", "text"), ("y", "text"))),
    ]
    assert all("collation" in index.options for index in wallet.indexes)


def test_faults_between_models() -> None:
    one, other = declare(), declare()
    renamed = declare(collection_name="purse", renamed_from="wallet")
    nameless = type("Nameless", (Collection,), {"__indexes__": ["a"]})
    cases: list[tuple[list[Any], str, str]] = [
        ([one, other], "__collection_name__", "is the name of"),
        ([one, renamed], "__renamed_from__", "so it has not been renamed"),
        ([nameless], "__collection_name__", "is missing, and __indexes__ says what to create"),
    ]
    for models, attribute, fault in cases:
        with pytest.raises(DeclarationError, match=fault) as caught:
            load_models(models)
        assert caught.value.attribute == attribute


MANY = [Index(f"f{place}") for place in range(64)]


def test_how_many_indexes() -> None:
    declare(indexes=MANY[:63])
    declare(indexes=["_id", *MANY[:63]])
    declare(indexes=MANY, options=CLUSTERED)
    declare(indexes=MANY, options=SERIES)
    refused("__indexes__", "65 indexes are too many", indexes=[*MANY, "x"], options=SERIES)


DECLARABLE: list[dict[str, Any]] = [
    {"indexes": [Index("a"), Index("a", name="y", unique=True), Index("a", name="z", sparse=True)]},
    {"indexes": [Index("a"), Index("a", name="y", collation={"locale": "en"})]},
    {"indexes": [Index("a"), Index("a", name="y", partialFilterExpression={"b": 1}), Index([("a", 2)])]},
    {"indexes": [Index([("a", 1), ("b.$**", 1)])]},  # from 7.0 on
    {"indexes": [Index([("$**", -1)])]},
    {"indexes": [Index([(f"f{place}", "text") for place in range(40)])]},
    {"indexes": [Index("a.$id"), Index("a.$ref"), Index("a$b")]},
    {"indexes": [Index("_id"), Index("_id", name="x", v=2), Index([("_id", "hashed")], expireAfterSeconds=1)]},
    {"indexes": [Index("_id", collation={"locale": "en"})], "options": {"collation": {"locale": "en"}}},
    {"indexes": [Index("_id", name="*")]},
    {"indexes": [Index("t", expireAfterSeconds=5, partialFilterExpression={"m": 1})], "options": SERIES},  # from 6.3 on
    {"indexes": (Index("a"),), "initial_data": ({"_id": None}, {"_id": True}, {"_id": 1}, {"_id": {"a": 1}})},
    {"options": {"validationAction": "errorAndLog"}},  # from 8.1 on
    {"options": {"capped": True, "size": 1.5, "max": -1, "validator": None}},
    {"collection_name": "a."},
    {"collection_name": "имя й"},
    {"collection_name": "x" * 253},
    # the least and the most
    {"options": {"capped": True, "size": 2**50, "max": 2**31 - 1}},
    {"options": {"capped": True, "size": 1, "max": -(2**63)}},
    *({"options": {**SERIES, "expireAfterSeconds": seconds}} for seconds in (0, 2**31 - 1, float("nan"))),
    *({"options": {"collation": {"locale": "en", "strength": strength}}} for strength in (1, 5)),
    *({"indexes": [Index("a", expireAfterSeconds=seconds)]} for seconds in (0, -0.5, 2**31 - 1)),
    *({"indexes": [Index([("a", "text")], weights={"a": weight})]} for weight in (1, 99_999)),
    {"indexes": [Index([(f"f{place}", 1) for place in range(32)])]},
    {"indexes": [Index([*((f"f{place}", 1) for place in range(30)), ("a", "text")])]},
    {"indexes": [Index([("a", "2d"), ("b", 1)]), Index([("b", -1), ("a", "text"), ("c", "text"), ("d", 1)])]},
    {"documentation": 5},
]


@pytest.mark.parametrize("given", DECLARABLE)
def test_what_is_not_refused(given: dict[str, Any]) -> None:
    declare(**given)


@pytest.mark.parametrize(
    ("attribute", "value", "fault"),
    [
        ("__indexs__", ["a"], "is not read by asyncmig; did you mean '__indexes__'?"),
        ("__option__", {"capped": True}, "is not read by asyncmig; did you mean '__options__'?"),
        ("__initialdata__", [], "is not read by asyncmig; did you mean '__initial_data__'?"),
        ("__validator__", {"a": 1}, "is not read by asyncmig; write __options__ = {'validator': ...}"),
        ("__collation__", {"locale": "de"}, "write __options__ = {'collation': ...}"),
        ("indexes", [Index("a")], "put what it holds into __indexes__"),
        ("by_owner", Index("owner"), "put what it holds into __indexes__"),
        ("indexes", ["a"], ""),  # another library's, for all that can be told
        ("by_date", Index("date"), ""),  # is in __indexes__
        ("both", (Index("date"), Index("more")), ""),  # a part of it is
    ],
)
def test_what_nobody_would_read(attribute: str, value: Any, fault: str) -> None:
    given = {"__collection_name__": "wallet", "__indexes__": [Index("date")], attribute: value}
    if not fault:
        type("Wallet", (Collection,), given)
        return
    with pytest.raises(DeclarationError, match=re.escape(fault)) as caught:
        type("Wallet", (Collection,), given)
    assert caught.value.attribute == attribute


def test_what_another_library_sets_on_a_class_that_is_its_model_too() -> None:
    both = {"__collection_name__": "wallet", "__odm_fields__": {}, "__pydantic_x__": 1, "__collection__": "x"}
    type("Wallet", (Collection,), both)
    with pytest.raises(DeclarationError, match=r"__collation__: is not read by asyncmig; write __options__"):
        type("Wallet", (Collection,), {**both, "__collation__": {"locale": "de"}})
    del both["__odm_fields__"]
    with pytest.raises(DeclarationError, match="__collection__: is not read by asyncmig"):
        type("Wallet", (Collection,), both)


def test_a_path_that_is_another_object() -> None:
    path = "".join([*"a.b"])
    refused("__renamed_fields__", "'a.b' is the same path twice", renamed_fields={"a.b": path})


def test_a_base_may_keep_indexes_for_its_subclasses() -> None:
    class Base(Collection):
        COMMON = (Index("created"),)

    class Wallet(Base):
        __collection_name__ = "wallet"
        __indexes__ = (*Base.COMMON, Index("owner"))

    assert [one.name for one in load_models([Wallet]).state.collections["wallet"].indexes] == ["created_1", "owner_1"]


@pytest.mark.parametrize("attribute", ["indexes", "options", "initial_data"])
def test_a_name_without_its_underscores_is_a_warning(attribute: str) -> None:
    with pytest.warns(UserWarning, match=rf"Wallet.{attribute} is not read by asyncmig; did you mean __{attribute}__"):
        type("Wallet", (Collection,), {"__collection_name__": "wallet", attribute: ["a"]})
