"""Collections with a past, made up: documents in the order of their age, and the renames that happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

import bson
from bson import ObjectId

from asyncmig.profiling.profile import Collector, Profile

__all__ = ["PLAIN", "RENAMED", "TOO_YOUNG", "Shape", "documents", "profile_of"]

Shape = Callable[[Random, bool, float], dict[str, Any]]
"""Given a source of chance, whether the document is late, and its age from 0 (oldest) to 1: what it holds."""


def _partial(random: Random, late: bool, age: float) -> dict[str, Any]:
    return {"fullName" if late or random.random() < 0.3 else "name": "x"}


def _beside_look_alikes(random: Random, late: bool, age: float) -> dict[str, Any]:
    kind = random.choice(["card", "iban"])
    return {"fullName" if late else "name": "x", "kind": kind, ("cardNo" if kind == "card" else "iban"): "x"}


def _both_for_a_while(random: Random, late: bool, age: float) -> dict[str, Any]:
    if 0.595 < age < 0.605:
        return {"name": "x", "fullName": "x"}
    return {"fullName" if late else "name": "x"}


def _straggler(random: Random, late: bool, age: float) -> dict[str, Any]:
    """One process that nobody restarted goes on writing the old field now and then."""
    return {"fullName" if late and random.random() > 0.005 else "name": "x"}


def _optional(random: Random, late: bool, age: float) -> dict[str, Any]:
    """The place is optional: those documents that have it have one of the two."""
    return {"address": {"postcode" if late else "zip": "1"}} if random.random() < 0.5 else {}


RENAMED: Mapping[str, tuple[Shape, tuple[str, str]]] = {
    "whole": (lambda random, late, age: {"fullName" if late else "name": "x"}, ("name", "fullName")),
    "partly filled back": (_partial, ("name", "fullName")),
    "nested": (
        lambda random, late, age: {"address": {"postcode" if late else "zip": "1"}},
        ("address.zip", "address.postcode"),
    ),
    "nested, optional": (_optional, ("address.zip", "address.postcode")),
    "in an array": (
        lambda random, late, age: {"lines": [{"quantity" if late else "count": 1}] * 2},
        ("lines.count", "lines.quantity"),
    ),
    "beside two kinds": (_beside_look_alikes, ("name", "fullName")),
    "both written for a while": (_both_for_a_while, ("name", "fullName")),
    "a straggler writes the old one": (_straggler, ("name", "fullName")),
    "of numbers": (lambda random, late, age: {"amount" if late else "sum": random.random()}, ("sum", "amount")),
}
"""By name: the shape, and the rename that is to be found."""

TOO_YOUNG: Mapping[str, tuple[Shape, tuple[str, str]]] = {
    "in the newest twentieth": (
        lambda random, late, age: {"fullName" if age > 0.95 else "name": "x"},
        ("name", "fullName"),
    ),
}
"""A rename that is not seen: what only the newest twentieth has may as well be a new kind of document."""


def _two_kinds(random: Random, late: bool, age: float) -> dict[str, Any]:
    kind = random.choice(["card", "iban"])
    return {"kind": kind, ("cardNo" if kind == "card" else "iban"): "x"}


def _new_kind(random: Random, late: bool, age: float) -> dict[str, Any]:
    kind = "iban" if late and random.random() < 0.5 else "card"
    return {"kind": kind, ("cardNo" if kind == "card" else "iban"): "x"}


def _dropped_and_added(random: Random, late: bool, age: float) -> dict[str, Any]:
    return {"fax": "x"} if age < 0.4 else {"skype": "x"} if age > 0.7 else {}


def _new_type(random: Random, late: bool, age: float) -> dict[str, Any]:
    return {"amount": 1.5} if late else {"sum": "1.5"}


PLAIN: Mapping[str, Shape] = {
    "two kinds side by side": _two_kinds,
    "a new kind appears": _new_kind,
    "a field is added": lambda random, late, age: {"phone": "x"} if late else {},
    "a field is dropped": lambda random, late, age: {} if late else {"phone": "x"},
    "one dropped, another added later": _dropped_and_added,
    "another name and another type": _new_type,
    "rare optional fields": lambda random, late, age: {name: "x" for name in "abcdefgh" if random.random() < 0.05},
    "an experiment in between": lambda random, late, age: {"variant" if 0.4 < age < 0.6 else "standard": "x"},
    "one of two by chance": lambda random, late, age: {random.choice(["left", "right"]): "x"},
}
"""By name: shapes in which nothing was renamed."""


def documents(shape: Shape, number: int, seed: int, *, started: int = 1_600_000_000) -> list[dict[str, Any]]:
    """So many documents of a shape, one each hour, each with an e-mail address and a number besides."""
    random = Random(seed)
    return [
        {"_id": _id(random, started + place * 3600), "email": f"a{place}", "n": place}
        | shape(random, place > 0.6 * number, place / number)
        for place in range(number)
    ]


def profile_of(found: Iterable[Mapping[str, Any]], **options: Any) -> Profile:
    """The profile of these documents, all of them read."""
    collector = Collector(**options)
    for document in found:
        collector.add(bson.encode(document))
    return collector.profile("orders", collector.documents, is_whole=True)


def _id(random: Random, seconds: int) -> ObjectId:
    return ObjectId(seconds.to_bytes(4, "big") + random.randbytes(8))
