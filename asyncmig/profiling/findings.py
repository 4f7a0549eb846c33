"""What a profile shows that the models do not say, or say otherwise; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from asyncmig.fields.shapes import element, properties, required, types
from asyncmig.profiling.profile import PathProfile, Profile
from asyncmig.profiling.rename_evidence import LikelyRename, likely_renames

__all__ = ["Finding", "Kind", "compare"]

Kind = Literal["missing", "type", "mixed", "rename", "undeclared", "unseen"]

_TARGETS = ("decimal", "double", "long", "int", "string", "date", "objectId", "bool")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know of one path.

    ``kind``: ``missing`` (a required field that documents lack), ``type`` (values of a type that the
    models do not allow), ``mixed`` (several types where no model says anything), ``rename`` (a likely
    one), ``undeclared`` (a field that no model has), ``unseen`` (one that no document has). ``share``: in
    which part of the documents. ``suggest``: what a revision might do. ``breaks``: whether documents
    break what the models say.
    """

    kind: Kind
    path: str
    text: str
    share: float = 0.0
    suggest: str = ""

    @property
    def breaks(self) -> bool:
        """Whether documents break what the models say."""
        return self.kind in ("missing", "type")


def compare(profile: Profile, schema: Mapping[str, Any] | None = None) -> list[Finding]:
    """The findings of a profile, those that break the models first.

    ``schema``: the ``$jsonSchema`` that the models come to; without it, only what the documents tell by
    themselves: likely renames and mixed types.
    """
    renames = likely_renames(profile)
    renamed = {path for one in renames for path in (one.old, one.new)}
    found = [_rename(profile, one) for one in renames]
    if schema is None:
        found += [finding for path in profile.paths.values() for finding in _mixed(profile, path)]
    else:
        declared = {one.path: one for one in _declared(schema, "")}
        found += [finding for one in declared.values() for finding in _of_declared(profile, one)]
        found += _undeclared(profile, declared, renamed)
    return sorted(found, key=lambda finding: (not finding.breaks, finding.kind != "rename"))


@dataclass(frozen=True, slots=True)
class _Declared:
    path: str
    schema: Mapping[str, Any]
    required: bool
    is_open: bool


def _declared(schema: Mapping[str, Any], above: str) -> Iterator[_Declared]:
    """The fields of a schema under the paths of a profile; elements of arrays among them."""
    needed = required(schema)
    for name, one in properties(schema).items():
        path = f"{above}.{name}" if above else name
        yield from _field(one, path, name in needed)


def _field(schema: Mapping[str, Any], path: str, needed: bool) -> Iterator[_Declared]:
    yield _Declared(path, schema, needed, is_open=types(schema) is None or _holds_anything(schema))
    yield from _declared(schema, path)
    if (items := element(schema)) is not None:
        yield from _field(items, f"{path}[]", False)


def _holds_anything(schema: Mapping[str, Any]) -> bool:
    """Whether what is below it is not declared: documents of any kind, or one of several shapes."""
    kinds = types(schema) or frozenset()
    return ("object" in kinds and "properties" not in schema) or ("array" in kinds and element(schema) is None)


def _of_declared(profile: Profile, declared: _Declared) -> Iterator[Finding]:
    found = profile.paths.get(declared.path)
    if found is None:
        if declared.required and _holders(profile, declared.path):
            yield _missing(profile, declared.path, 1.0)
        elif "[]" not in declared.path and profile.documents:
            yield Finding("unseen", declared.path, "no document has it")
        return
    if declared.required and found.count < found.holders:
        yield _missing(profile, declared.path, 1 - found.share)
    allowed = types(declared.schema)
    wrong = {kind: number for kind, number in found.types.items() if allowed is not None and kind not in allowed}
    if wrong:
        yield _wrong_type(found, wrong, allowed or frozenset(), profile.collection)


def _holders(profile: Profile, path: str) -> int:
    above = path.rpartition(".")[0]
    if not above:
        return profile.documents
    return profile.paths[above].types["object"] if above in profile.paths else 0


def _missing(profile: Profile, path: str, share: float) -> Finding:
    where = "documents" if "." not in path else f"those that have {path.rpartition('.')[0]}"
    return Finding("missing", path, f"required, and {percent(share)} of {where} lack it", share)


def _wrong_type(found: PathProfile, wrong: Mapping[str, int], allowed: frozenset[str], collection: str) -> Finding:
    told = ", ".join(f"{kind} {percent(number / found.count)}" for kind, number in found.types.most_common())
    to = next((kind for kind in _TARGETS if kind in allowed), None)
    only = next(iter(wrong)) if len(wrong) == 1 else ""
    convertible = to and all(kind in _TARGETS for kind in wrong)
    origin = f', from_="{only}"' if only else ""
    suggest = (
        f'await env.convert_field("{collection}", "{found.dotted}", to="{to}"{origin}, on_error="collect")'
        if convertible
        else ""
    )
    share = sum(wrong.values()) / found.count
    return Finding("type", found.path, f"{told}; the models allow {', '.join(sorted(allowed))}", share, suggest)


def _mixed(profile: Profile, found: PathProfile) -> Iterator[Finding]:
    kinds = [kind for kind in found.types if kind != "null"]
    numbers = {"int", "long"}  # one type to an application
    if len(kinds) > 1 and not set(kinds) <= numbers:
        told = ", ".join(f"{kind} {percent(number / found.count)}" for kind, number in found.types.most_common())
        yield Finding("mixed", found.path, told, found.share)


def _undeclared(profile: Profile, declared: Mapping[str, _Declared], renamed: set[str]) -> Iterator[Finding]:
    for path, found in profile.paths.items():
        parent = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
        parents_known = not parent or (parent in declared and not declared[parent].is_open)
        if path == "_id" or path in declared or not parents_known or found.dotted in renamed:
            continue
        seen = f", last seen {found.last_seen:%Y-%m-%d}" if found.last_seen else ""
        text = f"not in the models, in {percent(found.share)} of documents{seen}"
        remove = f'await env.remove_field("{profile.collection}", "{found.dotted}", keep_in="{found.dotted}_removed")'
        yield Finding("undeclared", path, text, found.share, "" if path.endswith("[]") else remove)


def _rename(profile: Profile, one: LikelyRename) -> Finding:
    last = f"{one.last_old:%Y-%m-%d}" if one.last_old else "?"
    first = f"{one.first_new:%Y-%m-%d}" if one.first_new else "?"
    doubt = f"; also told apart by {one.told_by}: it may be another kind of document instead" if one.told_by else ""
    text = (
        f"likely became {one.new}: never both, same types, last seen {last} / first seen {first}, "
        f"{percent(one.left)} of documents still have the old one{doubt}"
    )
    suggest = f'await env.rename_field("{profile.collection}", "{one.old}", "{one.new}")'
    return Finding("rename", one.old, text, one.left, suggest)


def percent(share: float) -> str:
    """A share for people: the less of it there is, the more digits."""
    number = share * 100
    return (
        f"{number:.0f} %" if number >= 10 or number == 0 else f"{number:.1f} %" if number >= 0.1 else f"{number:.2g} %"
    )
