"""What is to become of documents when the schema of their fields changes: operations, and suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from typing import Any, Final

from bson import Decimal128, ObjectId
from bson.errors import InvalidId

from asyncmig.authoring.evidence import Evidence
from asyncmig.authoring.filling import condition, fill
from asyncmig.authoring.policy import RemovedFields
from asyncmig.fields.changes import (
    Added,
    Change,
    Changes,
    Exchanged,
    Gone,
    Narrowed,
    Place,
    Renamed,
    Restricted,
    Retyped,
    value_changes,
)
from asyncmig.fields.shapes import element, example, types, without_null
from asyncmig.operations import ConvertField, DataOperation, RemoveField, RenameField, Suggestion, UpdateInBatches
from asyncmig.operations.fields import WAYS_BACK
from asyncmig.profiling.findings import percent
from asyncmig.profiling.rename_evidence import LikelyRename

__all__ = ["DocumentChanges"]

_TARGETS: Final = ("decimal", "double", "long", "int", "string", "date", "objectId", "bool")
"""What values are converted to, where several types are allowed: the first that loses nothing, else the first."""
_CONVERTIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("double", "int", "long", "decimal", "string"),
    "date": ("bool", "double", "decimal", "long", "string"),
    "decimal": ("bool", "double", "int", "long", "string", "date"),
    "double": ("bool", "int", "long", "decimal", "string", "date"),
    "int": ("bool", "double", "long", "decimal", "string"),
    "long": ("bool", "double", "int", "decimal", "string", "date"),
    "objectId": ("bool", "string", "date"),
    "string": ("bool", "double", "int", "long", "decimal", "date", "objectId"),
}
"""What ``$convert`` can do: https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/"""
_FILL_IN: Final = "Put in the value that documents get which lack it"


@dataclass(slots=True)
class DocumentChanges:
    """The operations on the documents of one collection, in order; suggestions stand among them.

    ``is_open``: whether documents may break the new schema unless somebody takes suggestions in.
    ``is_refused``: whether the old schema, where it is in force, would refuse what is to be done.
    """

    collection: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    removed_fields: RemovedFields = "suggest"
    evidence: Evidence | None = None
    operations: list[DataOperation | Suggestion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_open: bool = False
    is_refused: bool = False

    def take(self, changes: Changes) -> None:
        """Add what each of the changes asks for, renames first: the others see fields under their new names."""
        for renamed in changes.renamed:
            self._rename(renamed)
        for old, new in changes.blocked:
            self.notes.append(f"{new} is marked as renamed from {old}, and stood beside it before: it is not renamed")
        self.is_refused = bool(changes.renamed)
        for change in self._paired(changes.others):
            self.is_refused |= not (isinstance(change, Added) and change.is_new and not change.was_refused)
            self._change(change)

    def _paired(self, differing: Sequence[Change]) -> list[Change]:
        """With a field gone and one come as one change, where the documents say that it was renamed."""
        likely = self.evidence.renamed() if self.evidence else {}
        come = {change.place.path: change for change in differing if isinstance(change, Added) and change.is_new}
        pairs = {
            change.place.path: Exchanged(change, come[likely[change.place.path].new])
            for change in differing
            if isinstance(change, Gone) and change.place.path in likely and likely[change.place.path].new in come
        }
        taken = {pair.come.place.path for pair in pairs.values()}
        rest: list[Change] = []
        for change in differing:
            if isinstance(change, Gone) and change.place.path in pairs:
                pair = pairs[change.place.path]
                new = pair.come
                rest += [pair, *value_changes(change.schema, new.schema, new.place, new.required)]
            elif not (isinstance(change, Added) and change.place.path in taken):
                rest.append(change)
        return rest

    def _rename(self, change: Renamed) -> None:
        old, new = change.old, change.new
        if change.through_array and old.rpartition(".")[0] != new.rpartition(".")[0]:
            self.notes.append(f"{old} became {new}, and an array is on the way: write a transform that moves it")
            self.is_open = True
        elif new.startswith(f"{old}."):
            self._sink(old, new)
        elif old.startswith(f"{new}."):
            self._rise(old, new, keeps=change.siblings and not change.closed)
        else:
            self.operations.append(RenameField(self.collection, old, new))

    def _sink(self, old: str, new: str) -> None:
        """A field becomes part of a sub-document of its own name, through a name that neither has."""
        between = f"{old}_renamed"
        back = RenameField(self.collection, new, between), RemoveField(self.collection, old, was=())
        self.operations += [
            RenameField(self.collection, old, between),
            RenameField(self.collection, between, new, was=back),
        ]

    def _rise(self, old: str, new: str, *, keeps: bool) -> None:
        """A field takes the place of the sub-document that it is in; the others in it are kept elsewhere."""
        between = f"{new}_renamed"
        emptied = RemoveField(self.collection, new, keep_in=_kept(new)) if keeps else None
        self.operations += [
            RenameField(self.collection, old, between),
            emptied or RemoveField(self.collection, new, was=()),
            RenameField(self.collection, between, new),
        ]

    @singledispatchmethod
    def _change(self, change: object) -> None:
        raise TypeError(f"there is no way to act on {change!r}")

    @_change.register
    def _(self, change: Gone) -> None:
        keep_in = None if change.place.closed else _kept(change.place.path)
        operation = RemoveField(self.collection, change.place.path, keep_in)
        if self.removed_fields == "drop":
            self.operations.append(operation)
            return
        self.is_open |= change.place.closed
        known = f" {self.evidence.presence(change.place.path)}" if self.evidence else ""
        self._suggest(f"{change.place.path} is declared no more.{known}", operation)

    @_change.register
    def _(self, change: Added) -> None:
        path = change.place.path
        back = (RemoveField(self.collection, path),) if change.is_new else ()
        missing = condition(missing=True)
        if path in self.defaults:
            self.operations.append(fill(self.collection, change.place, self.defaults[path], missing, was=back))
        elif change.required:
            self.is_open = True
            hole = fill(self.collection, change.place, example(change.schema), missing, was=back)
            self._suggest(f"{path} is required, and has no default. {_FILL_IN}.", hole)

    @_change.register
    def _(self, change: Exchanged) -> None:
        old, come = change.gone.place.path, change.come
        likely = self.evidence.renamed().get(old) if self.evidence else None
        if come.place.path in self.defaults and likely is None:
            self._change(change.gone)
            self._change(come)
            return
        self.is_open |= come.required or come.place.closed
        steps: list[DataOperation] = [RenameField(self.collection, old, come.place.path)]
        missing = condition(missing=True)
        if come.required:
            steps.append(fill(self.collection, come.place, example(come.schema), missing, was=()))
        self._suggest(_why_renamed(old, come.place.path, likely), *steps)
        if come.place.path in self.defaults:
            default = self.defaults[come.place.path]
            self.operations.append(fill(self.collection, come.place, default, missing, was=()))

    @_change.register
    def _(self, change: Narrowed) -> None:
        path = change.place.path
        wanted = condition(missing=change.required, null=True, in_arrays=_may_be_array(change.new))
        reason, default = f"{path} may be null no more.", self.defaults.get(path)
        if default is None:
            self._replace(change.place, change.new, wanted, reason)
        else:
            self.operations.append(fill(self.collection, change.place, default, wanted, was=(), note=reason))

    @_change.register
    def _(self, change: Restricted) -> None:
        path, values = change.place.path, ", ".join(map(repr, change.lost or change.allowed))
        in_arrays = not change.elements and _may_be_array(change.new)
        wanted = condition(values=change.lost, others=change.allowed, in_arrays=in_arrays)
        reason = f"{path} may no longer be {values}." if change.lost else f"{path} may be nothing but {values}."
        if not values or (change.elements and change.place.arrays):
            self.notes.append(f"{path}: fewer values are allowed; documents that break this stay as they are")
        elif change.elements:
            self._replace_elements(path, change.new, wanted, reason)
        else:
            self._replace(change.place, change.new, wanted, reason)

    def _replace_elements(self, path: str, schema: Mapping[str, Any], wanted: Any, reason: str) -> None:
        self.is_open = True
        where, update = {path: {"$elemMatch": wanted}}, {"$set": {f"{path}.$[e]": example(schema)}}
        hole = UpdateInBatches(self.collection, where, update, {"arrayFilters": [{"e": wanted}]}, was=())
        self._suggest(f"{reason} Put in the value that takes its place.", hole)

    def _replace(self, place: Place, schema: Mapping[str, Any], wanted: Any, reason: str) -> None:
        self.is_open = True
        value = self.defaults.get(place.path, example(schema))
        hole = fill(self.collection, place, value, wanted, was=())
        self._suggest(f"{reason} Put in the value that takes its place.", hole)

    @_change.register
    def _(self, change: Retyped) -> None:
        lost = sorted(change.lost - {"null"})
        conversions = [_conversion(self.collection, change, kind) for kind in lost]
        if None in conversions:
            self._set_aside(change, lost)
            return
        ways = _with_way_back([conversion for conversion in conversions if conversion is not None], change.old)
        if all(conversion.was == () for conversion in ways):
            path, to = change.place.path, ways[0].to
            self.notes.append(f"{path}: a downgrade leaves it {to}, as nobody can tell what has been converted")
        for conversion in ways:
            self._convert(change, conversion)

    def _convert(self, change: Retyped, conversion: ConvertField) -> None:
        known = self.evidence.types(change.place.path) if self.evidence else ""
        conversion = replace(conversion, note=known)
        if conversion.to in WAYS_BACK.get(str(conversion.from_), ()):
            self.operations.append(conversion)
            return
        self.is_open = True
        self._suggest(f"{change.place.path}: {_why_lossy(conversion)}", conversion)

    def _set_aside(self, change: Retyped, lost: list[str]) -> None:
        """Values that cannot be converted: an array around a single one, else they move to another field."""
        self.is_open = True
        place, kinds = change.place, " and ".join(lost)
        if wrapped := _wrapped(self.collection, change, lost):
            self._suggest(f"{place.path} is an array now.", wrapped)
            return
        steps = [_aside(self.collection, change, lost)]
        if change.required:
            value = example(change.array or change.new)
            steps.append(fill(self.collection, place, value, condition(missing=True), was=()))
        self._suggest(f"{place.path}: no conversion is known from {kinds}; the values move to another field.", *steps)

    def _suggest(self, reason: str, *operations: DataOperation) -> None:
        self.operations.append(Suggestion(self.collection, operations, reason))


def _why_lossy(conversion: ConvertField) -> str:
    """https://www.mongodb.com/docs/manual/reference/operator/aggregation/toBool/"""
    if conversion.to == "bool" and conversion.from_ == "string":
        return 'MongoDB makes true of every text, of "false" and "" too; transform_documents can tell them apart.'
    if conversion.to == "bool" and conversion.from_ in ("date", "objectId"):
        return f"MongoDB makes true of every {conversion.from_}."
    return f"{conversion.to} does not hold all that {conversion.from_} does."


def _why_renamed(old: str, new: str, likely: LikelyRename | None) -> str:
    if likely is None or likely.new != new:
        return f"{old} may have become {new}, which has the same schema."
    last = f"{likely.last_old:%Y-%m-%d}" if likely.last_old else "?"
    first = f"{likely.first_new:%Y-%m-%d}" if likely.first_new else "?"
    doubt = f" (also told apart by {likely.told_by})" if likely.told_by else ""
    return (
        f"{old} likely became {new}: never both, same types, last seen {last}, first seen {first}{doubt}; "
        f"{percent(likely.left)} of the documents that were read still have the old one."
    )


def _may_be_array(schema: Mapping[str, Any]) -> bool:
    return "array" in (types(schema) or ("array",))


def _kept(path: str) -> str:
    return f"{path}_removed"


def _conversion(collection: str, change: Retyped, kind: str) -> ConvertField | None:
    """The conversion of the values of one type, if there is one; to a list of values there is none."""
    allowed = frozenset() if "enum" in change.new else types(change.new) or frozenset()
    targets = [target for target in _TARGETS if target in allowed and target in _CONVERTIBLE.get(kind, ())]
    if not targets:
        return None
    to = next((target for target in targets if target in WAYS_BACK[kind]), targets[0])
    if kind == "string" and not all(_can_become(value, to) for value in change.old.get("enum", ())):
        return None
    return ConvertField(collection, change.place.path, to, kind)


def _with_way_back(conversions: list[ConvertField], old: Mapping[str, Any]) -> list[ConvertField]:
    """With what undoes them, where that is not just the opposite: values of several types have become one.

    Numbers all go back to the type that holds them all. Where some have been of that one type before,
    nobody can tell which, and they stay.
    """
    before = types(old) or frozenset()
    kinds = [str(conversion.from_) for conversion in conversions]
    widest = next((kind for kind in ("decimal", "double", "long", "int") if kind in kinds), kinds[0])
    if any(conversion.to in before for conversion in conversions):
        return [replace(conversion, was=()) for conversion in conversions]
    if len({conversion.to for conversion in conversions}) > 1:
        return conversions
    if len(kinds) > 1 and not set(kinds) <= {"decimal", "double", "long", "int"}:
        return [replace(conversion, was=()) for conversion in conversions]
    *others, last = conversions
    if "null" in before and last.to == "string":
        # What has been filled in since need not be convertible, and may be null again.
        back = ConvertField(last.collection, last.field, widest, last.to, on_error="null")
    elif others:
        back = ConvertField(last.collection, last.field, widest, last.to)
    else:
        return conversions
    return [*(replace(conversion, was=()) for conversion in others), replace(last, was=(back,))]


def _can_become(value: Any, to: str) -> bool:
    """Whether a text that is known beforehand can be converted."""
    try:
        if not isinstance(value, str):
            return True
        if to in ("int", "long"):
            int(value)
        elif to in ("double", "decimal"):
            Decimal128(value)
        elif to == "objectId":
            ObjectId(value)
    except (ValueError, ArithmeticError, InvalidId):
        return False
    return to != "date"


def _wrapped(collection: str, change: Retyped, lost: list[str]) -> UpdateInBatches | None:
    """Each single value becomes an array of one, where the elements may be of its type."""
    items = element(change.new) or {}
    fits = (
        without_null(change.new) == {"array"}
        and (types(items) or set(lost)).issuperset(lost)
        and not items.keys() - {"bsonType"}
    )
    if not fits or change.place.arrays:
        return None
    path = change.place.path
    unwrapped = UpdateInBatches(collection, {path: {"$type": "array"}}, [{"$set": {path: {"$first": f"${path}"}}}])
    single = {"$type": lost, "$not": {"$type": "array"}}
    return UpdateInBatches(collection, {path: single}, [{"$set": {path: [f"${path}"]}}], was=(unwrapped,))


def _aside(collection: str, change: Retyped, lost: list[str]) -> DataOperation:
    place = change.place
    inside_arrays = [array for array in place.arrays if array != place.path]
    kept = f"{place.path}_before"
    if inside_arrays:
        return RemoveField(collection, place.path, None if place.closed else kept)
    wanted: dict[str, Any] = {"$elemMatch": {"$type": lost}} if change.elements else {"$type": lost}
    if not change.elements and "array" not in lost:
        wanted["$not"] = {"$type": "array"}  # of an array, `$type` asks for the types of its elements, too
    where = {place.path: wanted}
    if place.closed:
        return UpdateInBatches(collection, where, {"$unset": {place.path: ""}})
    back = RenameField(collection, kept, place.path, on_conflict="overwrite")
    return UpdateInBatches(collection, where, {"$rename": {place.path: kept}}, was=(back,))
