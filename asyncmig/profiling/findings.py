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
    renamed = {path for rename in renames for path in (rename.old, rename.new)}
    findings = [_rename(profile, rename) for rename in renames]
    if schema is None:
        findings += [finding for path in profile.paths.values() for finding in _mixed(profile, path)]
    else:
        declared = {field.path: field for field in _declared(schema, "")}
        findings += [finding for field in declared.values() for finding in _of_declared(profile, field)]
        findings += _undeclared(profile, declared, renamed)
    return sorted(findings, key=lambda finding: (not finding.breaks, finding.kind != "rename"))


@dataclass(frozen=True, slots=True)
class _Declared:
    path: str
    schema: Mapping[str, Any]
    required: bool
    is_open: bool


def _declared(schema: Mapping[str, Any], above: str) -> Iterator[_Declared]:
    """The fields of a schema under the paths of a profile; elements of arrays among them."""
    needed = required(schema)
    for name, shape in properties(schema).items():
        path = f"{above}.{name}" if above else name
        yield from _field(shape, path, name in needed)


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
    stored = profile.paths.get(declared.path)
    if stored is None:
        if declared.required and _holders(profile, declared.path):
            yield _missing(profile, declared.path, 1.0)
        elif "[]" not in declared.path and profile.documents:
            yield Finding("unseen", declared.path, "no document has it")
        return
    if declared.required and stored.count < stored.holders:
        yield _missing(profile, declared.path, 1 - stored.share)
    allowed = types(declared.schema)
    wrong = {kind: number for kind, number in stored.types.items() if allowed is not None and kind not in allowed}
    if wrong:
        yield _wrong_type(stored, wrong, allowed or frozenset(), profile.collection)


def _holders(profile: Profile, path: str) -> int:
    above = path.rpartition(".")[0]
    if not above:
        return profile.documents
    return profile.paths[above].types["object"] if above in profile.paths else 0


def _missing(profile: Profile, path: str, share: float) -> Finding:
    where = "documents" if "." not in path else f"those that have {path.rpartition('.')[0]}"
    return Finding("missing", path, f"required, and {percent(share)} of {where} lack it", share)


def _wrong_type(stored: PathProfile, wrong: Mapping[str, int], allowed: frozenset[str], collection: str) -> Finding:
    kinds = ", ".join(f"{kind} {percent(number / stored.count)}" for kind, number in stored.types.most_common())
    to = next((kind for kind in _TARGETS if kind in allowed), None)
    only = next(iter(wrong)) if len(wrong) == 1 else ""
    convertible = to and all(kind in _TARGETS for kind in wrong)
    origin = f', from_="{only}"' if only else ""
    suggest = (
        f'await env.convert_field("{collection}", "{stored.dotted}", to="{to}"{origin}, on_error="collect")'
        if convertible
        else ""
    )
    share = sum(wrong.values()) / stored.count
    return Finding("type", stored.path, f"{kinds}; the models allow {', '.join(sorted(allowed))}", share, suggest)


def _mixed(profile: Profile, stored: PathProfile) -> Iterator[Finding]:
    kinds = [kind for kind in stored.types if kind != "null"]
    numbers = {"int", "long"}  # one type to an application
    if len(kinds) > 1 and not set(kinds) <= numbers:
        shares = ", ".join(f"{kind} {percent(number / stored.count)}" for kind, number in stored.types.most_common())
        yield Finding("mixed", stored.path, shares, stored.share)


def _undeclared(profile: Profile, declared: Mapping[str, _Declared], renamed: set[str]) -> Iterator[Finding]:
    for path, stored in profile.paths.items():
        parent = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
        parents_known = not parent or (parent in declared and not declared[parent].is_open)
        if path == "_id" or path in declared or not parents_known or stored.dotted in renamed:
            continue
        seen = f", last seen {stored.last_seen:%Y-%m-%d}" if stored.last_seen else ""
        text = f"not in the models, in {percent(stored.share)} of documents{seen}"
        remove = f'await env.remove_field("{profile.collection}", "{stored.dotted}", keep_in="{stored.dotted}_removed")'
        yield Finding("undeclared", path, text, stored.share, "" if path.endswith("[]") else remove)


def _rename(profile: Profile, rename: LikelyRename) -> Finding:
    last = f"{rename.last_old:%Y-%m-%d}" if rename.last_old else "?"
    first = f"{rename.first_new:%Y-%m-%d}" if rename.first_new else "?"
    doubt = (
        f"; also told apart by {rename.told_by}: it may be another kind of document instead" if rename.told_by else ""
    )
    text = (
        f"likely became {rename.new}: never both, same types, last seen {last} / first seen {first}, "
        f"{percent(rename.left)} of documents still have the old one{doubt}"
    )
    suggest = f'await env.rename_field("{profile.collection}", "{rename.old}", "{rename.new}")'
    return Finding("rename", rename.old, text, rename.left, suggest)


def percent(share: float) -> str:
    """A share for people: the less of it there is, the more digits."""
    number = share * 100
    return (
        f"{number:.0f} %" if number >= 10 or number == 0 else f"{number:.1f} %" if number >= 0.1 else f"{number:.2g} %"
    )
