"""What a history does to a database, in plain Python: operations that make a difference when they are done twice."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

__all__ = ["KINDS", "Change", "Contents", "beginning"]

Contents = dict[str, dict[Any, dict[str, Any]]]
"""By collection, its documents by ``_id``."""


def beginning() -> Contents:
    """What is there before the first revision."""
    return {
        "d": {number: {"n": number, "tags": ["x", "x", "x"]} for number in range(5)},
        "t": {1: {"old": True}},
        "p": {1: {"of": "p"}},
    }


@dataclass(frozen=True, slots=True)
class Change:
    """An operation of ``kind`` with a number of its own, as code and as what it does."""

    kind: str
    number: int

    @property
    def up(self) -> str:
        """The call in ``upgrade``."""
        return KINDS[self.kind].up.format(number=self.number)

    @property
    def down(self) -> str:
        """What takes it back."""
        return KINDS[self.kind].down.format(number=self.number)

    def applied(self, contents: Contents) -> Contents:
        """What is there when it was done once."""
        return self._done(contents, KINDS[self.kind].apply)

    def reverted(self, contents: Contents) -> Contents:
        """What is there when it was taken back once."""
        return self._done(contents, KINDS[self.kind].revert)

    def _done(self, contents: Contents, what: Callable[[Contents, int], None]) -> Contents:
        copy = deepcopy(contents)
        what(copy, self.number)
        return copy


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of operation: the code of both directions, and what each does."""

    up: str
    down: str
    apply: Callable[[Contents, int], None]
    revert: Callable[[Contents, int], None]


def _each(change: Callable[[dict[str, Any], int], None]) -> Callable[[Contents, int], None]:
    def work(contents: Contents, number: int) -> None:
        for document in contents["d"].values():
            change(document, number)

    return work


def _increase(document: dict[str, Any], number: int) -> None:
    document["n"] += number


def _decrease(document: dict[str, Any], number: int) -> None:
    document["n"] -= number


def _push(document: dict[str, Any], number: int) -> None:
    document["tags"].append(number)


def _pop(document: dict[str, Any], number: int) -> None:
    document["tags"] = document["tags"][:-1]


def _mark(document: dict[str, Any], number: int) -> None:
    _replace_first(document["tags"], "x", "y")


def _unmark(document: dict[str, Any], number: int) -> None:
    _replace_first(document["tags"], "y", "x")


def _replace_first(tags: list[Any], old: str, new: str) -> None:
    if old in tags:
        tags[tags.index(old)] = new


def _triple(document: dict[str, Any], number: int) -> None:
    document["n"] = 3 * document["n"] + number


def _third(document: dict[str, Any], number: int) -> None:
    document["n"] = (document["n"] - number) // 3


def _insert(contents: Contents, number: int) -> None:
    contents["d"][f"new {number}"] = {"n": 0, "tags": ["x"]}


def _delete(contents: Contents, number: int) -> None:
    contents["d"].pop(f"new {number}", None)


def _remake(contents: Contents, number: int) -> None:
    contents["t"] = {}


def _nothing(contents: Contents, number: int) -> None: ...


def _move(contents: Contents, number: int) -> None:
    contents[f"q{number}"], contents["p"] = contents["p"], {}


def _move_back(contents: Contents, number: int) -> None:
    contents["p"] = contents.pop(f"q{number}")


KINDS = {
    "inc": Kind(
        "await env.update_in_batches('d', {{}}, {{'$inc': {{'n': {number}}}}}, batch_size=2)",
        "await env.update_in_batches('d', {{}}, {{'$inc': {{'n': -{number}}}}}, batch_size=2)",
        _each(_increase),
        _each(_decrease),
    ),
    "push": Kind(
        "await env.update_in_batches('d', {{}}, {{'$push': {{'tags': {number}}}}}, batch_size=3)",
        "await env.update_in_batches('d', {{}}, {{'$pop': {{'tags': 1}}}}, batch_size=3)  # {number}",
        _each(_push),
        _each(_pop),
    ),
    "positional": Kind(
        "await env.update_in_batches('d', {{'tags': 'x'}}, {{'$set': {{'tags.$': 'y'}}}}, batch_size=2)  # {number}",
        "await env.update_in_batches('d', {{'tags': 'y'}}, {{'$set': {{'tags.$': 'x'}}}}, batch_size=2)  # {number}",
        _each(_mark),
        _each(_unmark),
    ),
    "transform": Kind(
        "await env.transform_documents('d', {{}}, lambda one: one | {{'n': 3 * one['n'] + {number}}}, batch_size=2)",
        "await env.transform_documents('d', {{}}, lambda one: one | {{'n': (one['n'] - {number}) // 3}}, batch_size=2)",
        _each(_triple),
        _each(_third),
    ),
    "insert": Kind(
        "await env.insert_documents('d', [{{'_id': 'new {number}', 'n': 0, 'tags': ['x']}}])",
        "await env.delete_documents('d', ['new {number}'])",
        _insert,
        _delete,
    ),
    "remake": Kind(
        "await env.drop_collection('t')\nawait env.create_collection('t')  # {number}",
        "env.collections  # {number}; an empty one would be no way back",
        _remake,
        _nothing,
    ),
    "move": Kind(
        "await env.rename_collection('p', 'q{number}')\nawait env.create_collection('p')",
        "await env.drop_collection('p')\nawait env.rename_collection('q{number}', 'p')",
        _move,
        _move_back,
    ),
}
