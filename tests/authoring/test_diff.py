"""Collections, options, views, documents: which operations the difference consists of, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Int64, ObjectId

from asyncmig.authoring.diff import Difference, difference
from asyncmig.authoring.draft import draft
from asyncmig.authoring.policy import Policy
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    CreateView,
    DropCollection,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyView,
    NeedsRebuild,
    Operation,
    RenameCollection,
    reverse,
)
from asyncmig.schema.index import Index
from asyncmig.schema.note import Note, joined
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionKind, CollectionState, DatabaseState

FR, DE = {"locale": "fr"}, {"locale": "de"}
CLUSTERED = {"key": {"_id": 1}, "unique": True}


def one(kind: CollectionKind = "collection", /, name: str = "c", **options: Any) -> CollectionState:
    return CollectionState(name, kind, normal_options(options, kind))


def series(**options: Any) -> CollectionState:
    fields = {key: options.pop(key) for key in ("granularity", "metaField", "bucketMaxSpanSeconds") if key in options}
    return one("timeseries", timeseries={"timeField": options.pop("timeField", "t"), **fields}, **options)


def view(name: str, on: str, *pipeline: Mapping[str, Any], **options: Any) -> CollectionState:
    return one("view", name, viewOn=on, pipeline=list(pipeline), **options)


def database(*states: CollectionState) -> DatabaseState:
    return DatabaseState({state.name: state for state in sorted(states, key=lambda state: state.name)})


def compared(old: Sequence[CollectionState], new: Sequence[CollectionState], **policy: Any) -> Difference:
    return difference(database(*old), database(*new), Policy(**policy))


def operations(old: Sequence[CollectionState], new: Sequence[CollectionState]) -> tuple[Operation, ...]:
    return compared(old, new).operations


V, W = {"a": {"$gt": 1}}, {"a": {"$gt": 2}}

IN_PLACE: dict[str, tuple[CollectionState, CollectionState, Mapping[str, Any], Mapping[str, Any]]] = {
    "validator": (one(), one(validator=V), {"validator": V}, {"validator": {}}),
    "another validator": (one(validator=V), one(validator=W), {"validator": W}, {"validator": V}),
    "no validator": (one(validator=V), one(), {"validator": {}}, {"validator": V}),
    "level": (one(), one(validationLevel="off"), {"validationLevel": "off"}, {"validationLevel": "strict"}),
    "level back": (
        one(validationLevel="moderate"),
        one(validationLevel="strict"),
        {"validationLevel": "strict"},
        {"validationLevel": "moderate"},
    ),
    "action": (one(), one(validationAction="warn"), {"validationAction": "warn"}, {"validationAction": "error"}),
    "a validator goes, its level with it": (
        one(validator=V, validationLevel="moderate"),
        one(),
        {"validator": {}, "validationLevel": "strict"},
        {"validator": V, "validationLevel": "moderate"},
    ),
    "size": (one(capped=True, size=300), one(capped=True, size=600), {"cappedSize": 768}, {"cappedSize": 512}),
    "max": (one(capped=True, size=9), one(capped=True, size=9, max=5), {"cappedMax": 5}, {"cappedMax": 0}),
    "no max": (one(capped=True, size=9, max=5), one(capped=True, size=9), {"cappedMax": 0}, {"cappedMax": 5}),
    "images": (
        one(),
        one(changeStreamPreAndPostImages={"enabled": True}),
        {"changeStreamPreAndPostImages": {"enabled": True}},
        {"changeStreamPreAndPostImages": {"enabled": False}},
    ),
    "life of a time series": (
        series(),
        series(expireAfterSeconds=0),
        {"expireAfterSeconds": 0},
        {"expireAfterSeconds": "off"},
    ),
    "no end of a clustered collection": (
        one(clusteredIndex=CLUSTERED, expireAfterSeconds=5),
        one(clusteredIndex=CLUSTERED),
        {"expireAfterSeconds": "off"},
        {"expireAfterSeconds": 5},
    ),
    "pre-images of old": (
        one(recordPreImages=True),
        one(),
        {"recordPreImages": False},
        {"recordPreImages": True},
    ),
    "several in one command": (
        one(capped=True, size=512, validator=V),
        one(capped=True, size=256, validationAction="warn"),
        {"cappedSize": 256, "validator": {}, "validationAction": "warn"},
        {"cappedSize": 512, "validator": V, "validationAction": "error"},
    ),
}


@pytest.mark.parametrize(("old", "new", "options", "was"), IN_PLACE.values(), ids=IN_PLACE)
def test_options_that_change_in_place(
    old: CollectionState, new: CollectionState, options: Mapping[str, Any], was: Mapping[str, Any]
) -> None:
    assert operations([old], [new]) == (ModifyCollection("c", options),)
    assert reverse(operations([old], [new])) == (ModifyCollection("c", was),)
    assert operations([new], [old]) == (ModifyCollection("c", was),)
    assert operations([new], [new]) == ()


GRANULARITIES = ("seconds", "minutes", "hours")


@pytest.mark.parametrize("old", GRANULARITIES)
@pytest.mark.parametrize("new", GRANULARITIES)
def test_granularity_becomes_coarser_only(old: str, new: str) -> None:
    found = operations([series(granularity=old)], [series(granularity=new)])
    if old == new:
        assert found == ()
    elif GRANULARITIES.index(old) < GRANULARITIES.index(new):
        assert found == (ModifyCollection("c", {"timeseries": {"granularity": new}}),)
        assert [type(step) for step in reverse(found)] == [NeedsRebuild]
    else:
        reason = f"timeseries.granularity: it is {old!r} and shall be {new!r}; MongoDB makes it coarser only"
        assert found == (NeedsRebuild("c", (reason,)),)


def test_the_way_back_of_granularity_and_more() -> None:
    found = operations([series()], [series(granularity="hours", expireAfterSeconds=5)])
    assert len(found) == 1
    back = reverse(found)
    assert back[0] == ModifyCollection("c", {"expireAfterSeconds": "off"})
    assert isinstance(back[1], NeedsRebuild)
    assert "it was seconds and is hours now" in back[1].reasons[0]


REBUILDS: dict[str, tuple[CollectionState, CollectionState, str]] = {
    "collation": (one(), one(collation=FR), "collation: a collection keeps"),
    "another collation": (one(collation=DE), one(collation=FR), "collation: a collection keeps"),
    "no collation": (one(collation=FR), one(), "collation: a collection keeps"),
    "clustered": (one(), one(clusteredIndex=CLUSTERED, expireAfterSeconds=5), "clusteredIndex: a collection is"),
    "not clustered": (one(clusteredIndex=CLUSTERED, expireAfterSeconds=5), one(), "clusteredIndex: a collection is"),
    "capped": (one(), one(capped=True, size=9, max=1), "capped: a collection cannot become"),
    "not capped": (one(capped=True, size=9, max=1), one(), "capped: a capped collection stays so"),
    "time field": (series(timeField="t"), series(timeField="u"), "timeseries.timeField: it is 't' and shall be 'u'"),
    "meta field": (series(), series(metaField="m"), "timeseries.metaField: it is not set and shall be 'm'"),
    "span of buckets": (series(), series(bucketMaxSpanSeconds=5), "timeseries.bucketMaxSpanSeconds: it is not set"),
    "storage engine": (one(), one(storageEngine={"wiredTiger": {"configString": "x"}}), "storageEngine: it is fixed"),
    "a time series": (one(), series(), "it is a collection and shall be a time series"),
    "no time series": (series(), one(), "it is a time series and shall be a collection"),
    "a view": (one(), view("c", "b"), "it is a collection and shall be a view"),
    "no view": (view("c", "b"), one(), "it is a view and shall be a collection"),
    "other encrypted fields": (
        one(encryptedFields={"fields": [{"path": "a"}]}),
        one(encryptedFields={"fields": [{"path": "b"}]}),
        "encryptedFields: they are fixed when the collection is created",
    ),
}


@pytest.mark.parametrize(("old", "new", "reason"), REBUILDS.values(), ids=REBUILDS)
def test_what_cannot_change_in_place_is_reported(old: CollectionState, new: CollectionState, reason: str) -> None:
    found = operations([old], [new])
    assert len(found) == 1
    assert isinstance(found[0], NeedsRebuild)
    assert [cause[: len(reason)] for cause in found[0].reasons] == [reason]
    assert found[0].target == new
    back = [(step.target, step.was) for step in reverse(found) if isinstance(step, NeedsRebuild) and step.reasons]
    assert back == ([] if operations([new], [old]) == () else [(old, new)])


def test_beside_a_rebuild_the_rest_changes_in_place() -> None:
    new = CollectionState("c", options={**one(capped=True, size=9, validator=V).options}, indexes=(Index("a"),))
    found = operations([one()], [new])
    assert [type(step) for step in found] == [NeedsRebuild, ModifyCollection, CreateIndexes]


@pytest.mark.parametrize("new", [one(collation=FR), series()])
def test_what_depends_on_the_rebuild_waits_for_it(new: CollectionState) -> None:
    wanted = CollectionState("c", new.kind, new.options, (Index("a"),), ({"_id": 1},))
    (found,) = operations([one()], [wanted])
    assert isinstance(found, NeedsRebuild)
    assert [type(step) for step in found.waiting] == [CreateIndexes, InsertDocuments]
    told = "with it: create 1 index on c: a_1; with it: insert 1 document into c where missing"
    assert found.describe().endswith(f"; {told}")


def test_a_time_to_live_waits_until_the_collection_is_not_capped_any_more() -> None:
    wanted = CollectionState("c", indexes=(Index("a"), Index("b", expireAfterSeconds=5)))
    rebuild, indexes = operations([one(capped=True, size=9)], [wanted])
    assert isinstance(rebuild, NeedsRebuild)
    assert rebuild.waiting == (CreateIndexes("c", (Index("b", expireAfterSeconds=5),)),)
    assert indexes == CreateIndexes("c", (Index("a"),))


def test_storage_engine_that_nobody_asks_for() -> None:
    assert operations([one(storageEngine={"wiredTiger": {"configString": "x"}})], [one()]) == ()


A = Index("a")


class TestRename:
    def state(self, name: str, old: str | None = None, **fields: Any) -> CollectionState:
        return CollectionState(name, renamed_from=old, **fields)

    def test_and_the_rest_under_the_new_name(self) -> None:
        old = self.state("purse", options={"validator": V}, indexes=(Index("a"),))
        new = self.state("wallet", "purse", indexes=(Index("b"),), documents=({"_id": 1},))
        found = operations([old], [new])
        assert found == (
            RenameCollection("purse", "wallet"),
            ModifyCollection("wallet", {"validator": {}}),
            CreateIndexes("wallet", (Index("b"),)),
            found[3],
            InsertDocuments("wallet", ({"_id": 1},)),
        )
        assert found[3].describe() == "drop index a_1 of wallet"
        assert reverse(found)[-1] == RenameCollection("wallet", "purse")

    def test_done_before(self) -> None:
        assert compared([self.state("wallet")], [self.state("wallet", "purse")]) == Difference()

    def test_new_altogether(self) -> None:
        assert operations([], [self.state("wallet", "purse")]) == (CreateCollection("wallet"),)

    def test_both_exist(self) -> None:
        found = compared([self.state("purse"), self.state("wallet")], [self.state("wallet", "purse")])
        assert found.operations == ()
        (note,) = map(str, found.notes)
        assert note.startswith("wallet: renamed from purse, but both exist: move the documents and drop purse. If new")
        assert 'env.drop_collection("wallet"), then env.rename_collection("purse", "wallet")' in note

    @pytest.mark.parametrize(
        ("old", "new", "hinted"),
        [
            (
                [CollectionState("carts", indexes=(Index("a"),))],
                [CollectionState("baskets", indexes=(Index("a"),))],
                True,
            ),
            ([CollectionState("carts")], [CollectionState("baskets")], True),
            ([CollectionState("carts")], [CollectionState("baskets", indexes=(A,))], False),
            ([CollectionState("carts"), CollectionState("x")], [CollectionState("baskets")], False),
            ([CollectionState("carts")], [CollectionState("carts"), CollectionState("baskets")], False),
            ([one(name="carts", capped=True, size=9)], [CollectionState("baskets")], False),
            ([view("carts", "x")], [CollectionState("baskets")], False),
        ],
    )
    def test_what_looks_like_a_rename_is_told_with_its_line(
        self, old: list[CollectionState], new: list[CollectionState], hinted: bool
    ) -> None:
        notes = [str(note) for note in compared(old, new).notes if note.collection == "baskets"]
        assert ['__renamed_from__ = "carts"' in note for note in notes] == ([True] if hinted else [])

    def test_the_old_one_is_never_dropped_unmoved(self) -> None:
        old, new = [self.state("purse"), self.state("wallet")], [self.state("wallet", "purse")]
        assert compared(old, new, drop_collections=True, owned=frozenset({"purse"})).operations == ()

    def test_the_old_name_is_used_anew(self) -> None:
        wanted = [self.state("a"), self.state("b", "a")]
        assert operations([self.state("a")], wanted) == (RenameCollection("a", "b"), CreateCollection("a"))
        assert compared([self.state("a"), self.state("b")], wanted) == Difference()

    def test_in_a_chain_the_last_one_first(self) -> None:
        wanted = [self.state("b", "a"), self.state("c", "b"), self.state("d", "c")]
        assert operations([self.state("a"), self.state("b"), self.state("c")], wanted) == (
            RenameCollection("c", "d"),
            RenameCollection("b", "c"),
            RenameCollection("a", "b"),
        )

    def test_names_cannot_be_swapped(self) -> None:
        found = compared([self.state("a"), self.state("b")], [self.state("a", "b"), self.state("b", "a")])
        assert found == Difference()

    def test_a_time_series_stays_where_it_is(self) -> None:
        new = CollectionState("s", "timeseries", series().options, renamed_from="c")
        found = compared([series()], [new])
        assert found.operations == (CreateCollection("s", new.options),)
        assert "MongoDB cannot rename a time series" in found.notes[0].text

    def test_a_view_is_nothing_to_rename(self) -> None:
        found = compared([view("v", "a")], [self.state("c", "v")])
        assert found.operations == (CreateCollection("c"),)
        assert "that is a view" in found.notes[0].text


class TestViews:
    def test_new(self) -> None:
        assert operations([], [view("v", "c", {"$match": V}, collation=FR)]) == (
            CreateView("v", "c", [{"$match": V}], {"collation": view("v", "c", collation=FR).options["collation"]}),
        )

    @pytest.mark.parametrize("new", [view("v", "d"), view("v", "c", {"$match": V})])
    def test_modified_in_place(self, new: CollectionState) -> None:
        old = view("v", "c")
        found = operations([old], [new])
        assert found == (ModifyView("v", new.options["viewOn"], new.options["pipeline"]),)
        assert reverse(found) == (ModifyView("v", "c", []),)

    def test_a_pipeline_is_compared_to_the_letter(self) -> None:
        stages: list[dict[str, Any]] = [
            {"$match": {"a": 1, "b": 1}},
            {"$match": {"b": 1, "a": 1}},
            {"$match": {"a": Int64(1), "b": 1}},
            {"$match": {"a": True, "b": 1}},
        ]
        for at, stage in enumerate(stages):
            for place, other in enumerate(stages):
                assert bool(operations([view("v", "c", stage)], [view("v", "c", other)])) == (at != place)

    def test_another_collation(self) -> None:
        old, new = view("v", "c", collation=FR), view("v", "c", collation=DE)
        found = operations([old], [new])
        assert [type(step) for step in found] == [DropView, CreateView]
        assert [type(step) for step in reverse(found)] == [DropView, CreateView]
        assert reverse(found)[1] == CreateView("v", "c", [], {"collation": old.options["collation"]})

    def test_sources_come_first(self) -> None:
        found = operations([], [view("a", "b"), view("b", "c"), view("c", "coll")])
        assert [step.collection for step in found] == ["c", "b", "a"]

    @pytest.mark.parametrize(
        "stage",
        [
            {"$lookup": {"from": "z", "pipeline": [], "as": "x"}},
            {"$graphLookup": {"from": "z"}},
            {"$unionWith": "z"},
            {"$unionWith": {"coll": "z", "pipeline": []}},
            {"$facet": {"f": [{"$unionWith": {"coll": "y", "pipeline": [{"$lookup": {"from": "z"}}]}}]}},
        ],
    )
    def test_sources_of_a_pipeline_come_first(self, stage: dict[str, Any]) -> None:
        found = operations([], [view("a", "coll", stage), view("z", "coll")])
        assert [step.collection for step in found] == ["z", "a"]

    def test_the_direction_turns(self) -> None:
        """a reads from b, and b shall read from a: at no moment in a circle."""
        old, new = [view("a", "b"), view("b", "c")], [view("a", "c"), view("b", "a")]
        found = operations(old, new)
        assert found == (ModifyView("a", "c", []), ModifyView("b", "a", []))
        assert reverse(found) == (ModifyView("b", "c", []), ModifyView("a", "b", []))

    def test_a_reader_goes_while_its_source_changes_the_collation(self) -> None:
        old = [view("a", "c", collation=FR), view("b", "a", collation=FR), view("z", "c", collation=FR)]
        new = [view("a", "c", collation=DE), view("b", "z", collation=FR), view("z", "c", collation=FR)]
        found = operations(old, new)
        assert [type(step) for step in found] == [DropView, DropView, CreateView, CreateView]

    def test_a_chain_is_remade_as_a_whole(self) -> None:
        """All of it is gone before any of it comes back, the sources first: one collation along a chain."""

        def chain(collation: Mapping[str, Any]) -> list[CollectionState]:
            return [
                view("a", "b", collation=collation),
                view("b", "z", collation=collation),
                view("z", "coll", collation=collation),
            ]

        found = operations(chain(FR), chain(DE))
        assert {type(step) for step in found[:3]} == {DropView}
        assert {step.collection for step in found[:3]} == {"a", "b", "z"}
        assert [(type(step), step.collection) for step in found[3:]] == [(CreateView, name) for name in "zba"]
        back = reverse(found)
        assert {type(step) for step in back[:3]} == {DropView}
        assert sorted(map(repr, back[3:])) == sorted(map(repr, operations([], chain(FR))))

    def test_who_reads_through_others_is_remade_too(self) -> None:
        """Only the last source changes its collation; what reads from it, at any distance, cannot stay."""
        old = [view("a", "b", collation=FR), view("b", "z", collation=FR), view("z", "coll", collation=FR)]
        new = [view("a", "b", collation=FR), view("b", "z", collation=FR), view("z", "coll", collation=DE)]
        found = operations(old, new)
        assert sorted(step.collection for step in found if isinstance(step, DropView)) == ["a", "b", "z"]
        assert [step.collection for step in found if isinstance(step, CreateView)] == ["z", "b", "a"]

    def test_one_that_goes_makes_room(self) -> None:
        """Only then is b free to read from a, or to change the collation that a shares with it."""
        for new in (view("b", "a"), view("b", "c", collation=FR)):
            found = compared([view("a", "b"), view("b", "c")], [new], drop_collections=True, owned=frozenset({"a"}))
            assert found.operations[0] == DropView("a")

    def test_a_circle_is_left_to_the_server(self) -> None:
        assert len(operations([], [view("a", "b"), view("b", "a")])) == 2


class TestDocuments:
    def wanted(self, *documents: Mapping[str, Any]) -> CollectionState:
        return CollectionState("c", documents=tuple(documents))

    def test_missing_by_id_only(self) -> None:
        old = self.wanted({"_id": 1, "by": "a user"}, {"_id": "x"})
        new = self.wanted({"_id": 1.0, "by": "us"}, {"_id": Int64(2)}, {"_id": "x"}, {"_id": True})
        assert operations([old], [new]) == (InsertDocuments("c", ({"_id": Int64(2)}, {"_id": True})),)

    def test_nothing_missing(self) -> None:
        identity = ObjectId()
        assert operations([self.wanted({"_id": identity})], [self.wanted({"_id": identity})]) == ()

    def test_ids_that_are_documents(self) -> None:
        old, new = self.wanted({"_id": {"a": 1, "b": 2}}), self.wanted({"_id": {"b": 2, "a": 1}})
        assert operations([old], [new]) == (InsertDocuments("c", ({"_id": {"b": 2, "a": 1}},)),)


class TestUnclaimed:
    STATES = (one(name="a"), view("v", "a"), CollectionState("s", "timeseries", series().options))

    def test_only_noted(self) -> None:
        found = compared(self.STATES, [])
        assert found.operations == ()
        assert not found
        assert sorted(str(note) for note in found.notes) == [
            "a: this collection is in the database, and no model claims it",
            "s: this time series is in the database, and no model claims it",
            "v: this view is in the database, and no model claims it",
        ]

    @pytest.mark.parametrize(
        "policy", [{"drop_collections": True}, {"owned": frozenset({"a", "v", "s"})}], ids=["not ours", "not asked to"]
    )
    def test_not_dropped(self, policy: Any) -> None:
        assert compared(self.STATES, [], **policy).operations == ()

    def test_dropped_where_ours_and_asked_to(self) -> None:
        found = compared(self.STATES, [], drop_collections=True, owned=frozenset({"a", "v"}))
        assert found.operations == (DropView("v"), DropCollection("a"))
        assert reverse(found.operations) == (CreateCollection("a"), CreateView("v", "a", []))
        assert len(found.notes) == 1


def test_the_order_of_all() -> None:
    old = [
        CollectionState("old", indexes=(Index("x"),)),
        one(name="changed"),
        one(name="gone"),
        view("changed_view", "old"),
    ]
    new = [
        CollectionState("renamed", renamed_from="old", documents=({"_id": 1},)),
        CollectionState("a_new", indexes=(Index("a"),)),
        CollectionState("changed", options={"validator": V}, indexes=(Index("b"),)),
        view("changed_view", "renamed"),
        view("a_view", "changed_view"),
    ]
    found = compared(old, new, drop_collections=True, owned=frozenset({"gone"})).operations
    assert [step.describe() for step in found] == [
        "rename collection old to renamed",
        "create collection a_new",
        "create 1 index on a_new: a_1",
        "modify collection changed (validator)",
        "create 1 index on changed: b_1",
        "drop index x_1 of renamed",
        "insert 1 document into renamed where missing",
        "modify view changed_view on renamed",
        "create view a_view on changed_view",
        "drop collection gone",
    ]


def test_nothing_at_all() -> None:
    assert difference(DatabaseState(), DatabaseState()) == Difference()


class TestOddities:
    NOW, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ([one(name="wallet")], [one(name="Wallet")], "differs from wallet in upper and lower case only"),
            ([], [one(name="wallet"), one(name="WALLET")], "in upper and lower case only"),
            ([one(name="a"), one(name="A")], [one(name="a"), one(name="A")], "in upper and lower case only"),
            ([one(name="x"), one(name="X")], [one(name="wallet")], ""),
            (
                [CollectionState("c", indexes=(Index("a", partialFilterExpression={"at": {"$gt": NOW}}),))],
                [CollectionState("c", indexes=(Index("a", partialFilterExpression={"at": {"$gt": LATER}}),))],
                "index a_1 differs from what the database has by a date or an id only",
            ),
            (
                [one(validator={"at": {"$gt": NOW}})],
                [one(validator={"at": {"$gt": LATER}})],
                "its validator differs",
            ),
            ([view("v", "c", {"$match": ObjectId()})], [view("v", "c", {"$match": ObjectId()})], "its pipeline"),
            ([one(validator={"at": {"$gt": NOW}})], [one(validator={"at": {"$lt": LATER}})], ""),
            ([one(validator={"at": {"$gt": NOW}})], [one(validator={"at": {"$gt": NOW}})], ""),
        ],
    )
    def test_what_is_probably_not_meant(
        self, old: list[CollectionState], new: list[CollectionState], said: str
    ) -> None:
        notes = [str(note) for note in compared(old, new).notes]
        assert len(notes) == len(set(notes))
        assert any(said in note for note in notes) if said else not any("only" in note for note in notes)


def test_what_is_said_of_many_collections_is_said_once() -> None:
    notes = [Note(name, "nobody's") for name in "abcde"] + [Note("a", "other"), Note("f", "nobody's")]
    assert joined(notes) == ["a, b, c and 3 more, each: nobody's", "a: other"]
    assert joined(notes[:3]) == ["a: nobody's", "b: nobody's", "c: nobody's"]
    source = draft(
        difference(DatabaseState({name: one(name=name) for name in "abcde"}), DatabaseState()),
        revision="r",
        down_revision=None,
        message="m",
    )
    assert source.count("no model claims it") == 1


@pytest.mark.parametrize(
    ("more", "made"),
    [
        ({}, []),
        ({"indexes": (Index("a"),)}, ["CreateCollection", "CreateIndexes"]),
        ({"options": {"validator": {"a": 1}}}, ["CreateCollection"]),
        ({"documents": ({"_id": 1},)}, ["CreateCollection", "InsertDocuments"]),
    ],
)
def test_a_collection_that_is_implied_is_made_for_what_it_has(more: dict[str, Any], made: list[str]) -> None:
    wanted = DatabaseState({"c": CollectionState("c", implicit=True, **more)})
    assert [type(operation).__name__ for operation in difference(DatabaseState(), wanted).operations] == made
