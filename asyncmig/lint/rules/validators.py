"""Rules on validators: L09 and L10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import Step, Subject
from asyncmig.operations import ModifyCollection
from asyncmig.operations.known import ANY_FIELD, KnownCollection, KnownState

__all__ = ["required_unfilled", "stricter"]

_VALIDATION: Final = ("validator", "validationLevel", "validationAction")
_RELAXING: Final = frozenset({"title", "description", "$comment"})

Schema = Mapping[str, Any]


def stricter(subject: Subject) -> Iterator[Finding]:
    """L09: documents that are there and break the new validator can no longer be updated."""
    for step, operation, known in _changes(subject):
        options = {**known.options, **operation.options}
        if not _refuses(options):
            continue
        before, after = known.options.get("validator"), options.get("validator")
        was_refusing = bool(before) and _refuses(known.options)
        if after and not (was_refusing and not _tightens(before, after)):
            yield subject.on_step(
                "L09",
                step,
                f"the validator of {step.operation.collection} becomes stricter, and its level strict with action "
                "error refuses every update of a document that breaks it already. Count those first (`asyncmig "
                'upgrade --preflight`), and begin with validationLevel="moderate" or validationAction="warn"',
            )


def required_unfilled(subject: Subject) -> Iterator[Finding]:
    """L10: a field becomes required, and no operation before it has given the documents a value."""
    for step, operation, known in _changes(subject):
        options = {**known.options, **operation.options}
        if not _refuses(options) or "validator" not in operation.options:
            continue
        new = [
            name for name in _required(options["validator"]) if name not in _required(known.options.get("validator"))
        ]
        raw = {call.collection for call in subject.upgrade.raw if call.place.line < step.place.line}
        missing = [name for name in new if not {name, ANY_FIELD} & known.filled and name != "_id"]
        if missing and not {step.operation.collection, None} & raw:
            yield subject.on_step(
                "L10",
                step,
                f"{', '.join(missing)} of {step.operation.collection} becomes required, and nothing has filled it in: "
                "documents without it cannot be updated any more. Fill it in before, for example with "
                f"`await env.update_in_batches({step.operation.collection!r}, "
                f'{{"{missing[0]}": {{"$exists": False}}}}, {{"$set": {{"{missing[0]}": ...}}}})`',
            )


def _changes(subject: Subject) -> Iterator[tuple[Step, ModifyCollection, KnownCollection]]:
    """The changes of validators on collections that may have documents, with what was known before each."""
    for step, state in subject.states():
        operation = step.operation
        if (
            isinstance(operation, ModifyCollection)
            and any(option in operation.options for option in _VALIDATION)
            and subject.is_standing(operation.collection)
        ):
            yield step, operation, _known(state, operation, subject)


def _known(state: KnownState, operation: ModifyCollection, subject: Subject) -> KnownCollection:
    """What was known before; where the history does not tell the validator, the way back does."""
    known = state.get(operation.collection)
    if "validator" in known.options:
        return known
    for back in subject.downgrade.operations:
        if isinstance(back, ModifyCollection) and back.collection == operation.collection:
            return KnownCollection({**back.options, **known.options}, known.indexes, known.filled)
    return known


def _refuses(options: Mapping[str, Any]) -> bool:
    """Whether documents that break the validator are refused, old ones included."""
    level, action = options.get("validationLevel", "strict"), options.get("validationAction", "error")
    return level == "strict" and action in ("error", "errorAndLog") and bool(options.get("validator"))


def _required(validator: Any) -> list[str]:
    schema = validator.get("$jsonSchema") if isinstance(validator, Mapping) else None
    required = schema.get("required") if isinstance(schema, Mapping) else None
    return [str(name) for name in required] if isinstance(required, list | tuple) else []


def _tightens(before: Any, after: Any) -> bool:
    """Whether documents may break ``after`` that do not break ``before``; yes, where nobody can tell."""
    if before == after:
        return False
    old, new = (
        validator.get("$jsonSchema") if isinstance(validator, Mapping) and len(validator) == 1 else None
        for validator in (before, after)
    )
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return True
    return _schema_tightens(old, new)


def _schema(validator: Any) -> Any:
    """The schema, where the validator is nothing else."""
    return validator.get("$jsonSchema") if isinstance(validator, Mapping) and len(validator) == 1 else None


def _schema_tightens(old: Schema, new: Schema) -> bool:
    for keyword, value in new.items():
        former = old.get(keyword)
        if keyword in _RELAXING or former == value:
            continue
        if keyword == "required":
            if not set(map(str, value)) <= set(map(str, former or ())):
                return True
        elif keyword == "properties":
            if _properties_tighten(former or {}, value):
                return True
        elif keyword == "additionalProperties":
            if value is not True:
                return True
        elif keyword in ("enum", "bsonType", "type"):
            if former is None or not _set(former) <= _set(value):
                return True
        elif keyword.startswith("min"):
            if former is None or value > former:
                return True
        elif keyword.startswith("max"):
            if former is None or value < former:
                return True
        else:
            return True
    return False


def _properties_tighten(old: Schema, new: Schema) -> bool:
    for name, schema in new.items():
        former = old.get(name)
        if not isinstance(former, Mapping) or not isinstance(schema, Mapping):
            if schema not in ({}, former):
                return True
        elif _schema_tightens(former, schema):
            return True
    return False


def _set(value: Any) -> set[str]:
    return {repr(item) for item in value} if isinstance(value, list | tuple) else {repr(value)}
