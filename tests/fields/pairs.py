"""Random pairs of models, A and B, with documents that are valid under A."""

from __future__ import annotations

import datetime as dt
import decimal
from dataclasses import dataclass, field, replace
from random import Random
from typing import Annotated, Any, Literal

from bson import Decimal128, Int64, ObjectId
from pydantic import BaseModel, ConfigDict, create_model

from asyncmig import RenamedFrom

SCALARS = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "date": dt.datetime,
    "decimal": decimal.Decimal,
    "oid": ObjectId,
}
_MISSING: Any = object()
_DEFAULTS: dict[str, Any] = {"str": "new", "int": 7, "float": 0.5, "bool": True}
_STYLES = {"int": "number", "float": "number", "decimal": "number", "date": "date", "oid": "oid"}


@dataclass(frozen=True)
class Spec:
    """One field: ``kind`` is a scalar, ``enum``, ``model``, ``list`` (of ``inner``) or ``dict``."""

    kind: str
    optional: bool = False
    default: Any = _MISSING
    values: tuple[str, ...] = ()
    inner: Spec | None = None
    fields: dict[str, Spec] = field(default_factory=dict)
    closed: bool = False
    renamed_from: str | None = None
    style: str = "plain"


@dataclass
class Pair:
    """Two models with renames between whole paths, and documents of the first."""

    before: type[BaseModel]
    after: type[BaseModel]
    renamed: dict[str, str]
    documents: list[dict[str, Any]]


class Pairs:
    """Makes pairs from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def pair(self) -> Pair:
        """One pair with a handful of documents."""
        old = self.fields("abcdef", depth=2)
        styled, new = self.changed(old, "klmnop", depth=2)
        renamed = self.moved(styled, new)
        closed = self.chance(0.2), self.chance(0.2)
        documents = [{"_id": number, **self.document(styled)} for number in range(self.random.randint(1, 6))]
        return Pair(model("A", styled, closed=closed[0]), model("B", new, closed=closed[1]), renamed, documents)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fields(self, names: str, depth: int) -> dict[str, Spec]:
        return {name: self.spec(depth) for name in self.random.sample(names, self.random.randint(1, 4))}

    def spec(self, depth: int) -> Spec:
        kind = self.random.choice([*SCALARS, "enum", "dict", *(["model", "list", "list"] if depth else [])])
        optional = self.chance(0.3)
        if kind == "enum":
            return Spec(kind, optional, values=tuple(self.random.sample("vwxyz", self.random.randint(1, 3))))
        if kind == "model":
            return Spec(kind, optional, fields=self.fields("abcdef", depth - 1), closed=self.chance(0.2))
        if kind == "list":
            inner = self.spec(depth - 1 if self.chance(0.5) else 0)
            return Spec(kind, optional, inner=replace(inner, optional=False, default=_MISSING))
        default = _DEFAULTS[kind] if kind in _DEFAULTS and self.chance(0.3) else None if optional else _MISSING
        return Spec(kind, optional, default)

    # From A to B.

    def changed(self, old: dict[str, Spec], names: str, depth: int) -> tuple[dict[str, Spec], dict[str, Spec]]:
        """The old fields with the style of their texts, and the new fields."""
        styled, new, free = {}, {}, list(names)
        for name, spec in old.items():
            fate = self.random.choice(["keep"] * 4 + ["remove", "rename", "retype", "retype", "null", "inner", "inner"])
            styled[name], kept = self.fate(fate, spec, depth)
            if fate == "rename":
                new[free.pop()] = replace(kept, renamed_from=name)
            elif fate != "remove":
                new[name] = kept
        for _ in range(self.random.randint(0, 2)):
            new[free.pop()] = self.spec(depth)
        return styled, new

    def fate(self, fate: str, spec: Spec, depth: int) -> tuple[Spec, Spec]:
        if fate == "retype":
            other = self.spec(max(depth - 1, 0))
            return _styled(spec, other), other
        if fate == "null":
            return spec, replace(spec, optional=not spec.optional, default=_MISSING)
        if fate == "inner" and spec.kind == "model":
            styled, new = self.changed(spec.fields, "klmnop", depth - 1)
            return replace(spec, fields=styled), replace(spec, fields=new, closed=self.chance(0.2))
        if fate == "inner" and spec.inner is not None:
            if spec.inner.kind == "list":  # no path leads into an array in an array
                return spec, spec
            styled_one, new_one = self.fate("inner" if self.chance(0.6) else "retype", spec.inner, depth - 1)
            kept = replace(new_one, optional=False, default=_MISSING)
            return replace(spec, inner=styled_one), replace(spec, inner=kept)
        if fate == "inner" and spec.kind == "enum":
            return spec, replace(spec, values=tuple(self.random.sample("vwxyz", self.random.randint(1, 3))))
        return spec, spec

    def moved(self, old: dict[str, Spec], new: dict[str, Spec]) -> dict[str, str]:
        """Sometimes a field becomes part of a sub-document of its own name, or takes its place."""
        if self.chance(0.1):
            old["title"] = Spec("str", style="plain")
            new["title"] = Spec("model", fields={"en": Spec("str"), "de": Spec("str", True, None)})
            return {"title": "title.en"}
        if self.chance(0.1):
            old["title"] = Spec(
                "model", fields={"en": Spec("str"), **({"de": Spec("str")} if self.chance(0.5) else {})}
            )
            new["title"] = Spec("str")
            return {"title.en": "title"}
        return {}

    # Documents.

    def document(self, fields: dict[str, Spec]) -> dict[str, Any]:
        """A document that is valid under these fields."""
        found = {}
        for name, spec in fields.items():
            if (spec.optional or spec.default is not _MISSING) and self.chance(0.3):
                if spec.optional and self.chance(0.5):
                    found[name] = None
            else:
                found[name] = self.value(spec)
        return found

    def value(self, spec: Spec) -> Any:
        match spec.kind:
            case "str":
                return self.text(spec.style)
            case "int":
                return self.random.choice([1, 0, -5, Int64(3), 2**40])
            case "float":
                return self.random.choice([1.5, -0.25, 2])
            case "bool":
                return self.chance(0.5)
            case "date":
                return dt.datetime(2020, 1, self.random.randint(1, 28))
            case "decimal":
                return Decimal128(self.random.choice(["1.5", "20", "-3.25"]))
            case "oid":
                return ObjectId(self.random.randbytes(12))
            case "enum":
                return self.random.choice(spec.values)
            case "dict":
                return {"x": 1} if self.chance(0.5) else {}
            case "model":
                return self.document(spec.fields)
        assert spec.inner is not None
        return [self.value(spec.inner) for _ in range(self.random.randint(0, 3))]

    def text(self, style: str) -> str:
        match style:
            case "number":
                return str(self.random.randint(0, 99))
            case "date":
                return f"2020-01-{self.random.randint(1, 28):02}T00:00:00.000Z"
            case "oid":
                return self.random.randbytes(12).hex()
        return self.random.choice(["", "text", "zwölf"])


def _styled(spec: Spec, other: Spec) -> Spec:
    """The field with texts that can be converted to what they become."""
    style = _STYLES.get(other.kind, "plain")
    inner = _styled(spec.inner, other.inner) if spec.inner and other.inner else spec.inner
    fields = {
        name: _styled(one, other.fields[name]) if name in other.fields else one for name, one in spec.fields.items()
    }
    return replace(spec, style=style, inner=inner, fields=fields)


def model(name: str, fields: dict[str, Spec], *, closed: bool = False) -> type[BaseModel]:
    """The Pydantic model of these fields."""
    config = ConfigDict(arbitrary_types_allowed=True, **({"extra": "forbid"} if closed else {}))  # type: ignore[typeddict-item]
    made: type[BaseModel] = create_model(
        name, __config__=config, **{one: _field(one, spec) for one, spec in fields.items()}
    )  # type: ignore[call-overload]
    return made


def _field(name: str, spec: Spec) -> tuple[Any, Any]:
    annotation = _annotation(name, spec)
    if spec.optional:
        annotation = annotation | None
    if spec.renamed_from:
        annotation = Annotated[annotation, RenamedFrom(spec.renamed_from)]
    default = None if spec.default is _MISSING and spec.optional else spec.default
    return annotation, ... if default is _MISSING else default


def _annotation(name: str, spec: Spec) -> Any:
    match spec.kind:
        case "enum":
            return Literal[spec.values]
        case "dict":
            return dict[str, Any]
        case "model":
            return model(name.upper(), spec.fields, closed=spec.closed)
        case "list":
            assert spec.inner is not None
            return list[_annotation(name, spec.inner)]  # type: ignore[misc]
    return SCALARS[spec.kind]
