"""What a revision may pass to the methods of ``env``: checked, and copied, before anything is done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from asyncmig.errors import DeclarationError
from asyncmig.operations import NewCollection
from asyncmig.schema.canonical import canonical
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults
from asyncmig.schema.names import name_fault, suggestion
from asyncmig.schema.option_rules import CREATE_OPTIONS

__all__ = ["Call"]

_MAX_SECONDS: Final = 2**31 // 1000  # the server takes milliseconds as an int32


class Call:
    """One call of a method of ``env``: turns its arguments into fields of an operation.

    Every method raises DeclarationError naming the call, the argument and the fault. What it
    returns is a copy: a dict that the revision changes afterwards is not changed in the journal.
    """

    def __init__(self, method: str, subject: Any = ...) -> None:
        self._what = f"env.{method}({'...' if subject is ... else repr(subject)})"

    def collection(self, name: Any, argument: str = "name") -> str:
        """The name of a collection or view."""
        if fault := name_fault(name):
            raise self.error(argument, fault)
        return str(name)

    def text(self, value: Any, argument: str) -> str:
        """A string that is not empty."""
        if not isinstance(value, str) or not value:
            raise self.error(argument, f"is a string that is not empty, not {value!r}")
        return str(value)

    def document(self, value: Any, argument: str) -> dict[str, Any]:
        """A document: a mapping with names for keys."""
        if not isinstance(value, Mapping) or any(not isinstance(key, str) for key in value):
            raise self.error(argument, f"is a document, {{'name': value}}, not {value!r}")
        return deepcopy(dict(value))

    def collection_options(self, value: Any, argument: str = "options") -> dict[str, Any]:
        """The options of a collection that is to be created."""
        options = self.document(value, argument)
        if "viewOn" in options:
            raise self.error("viewOn", "makes a view: use env.create_view")
        self.spelled(options, CREATE_OPTIONS)
        return options

    def spelled(self, options: Mapping[str, Any], known: Sequence[str]) -> None:
        """Refuse an option that is nearly one of those that there are: else the server has the last word.

        One that a collection can be created with is no misspelt one; it is only out of place.
        """
        for option in options:
            if option not in (*known, *CREATE_OPTIONS) and (meant := suggestion(option, known)):
                raise self.error("", f"unknown option {option!r}{meant}")

    def new_collections(self, value: Any) -> tuple[NewCollection, ...]:
        """Collections to create: one at least, no name twice."""
        entries = self._list(value, "collections", "collections, [('name', {options}, [Index, ...]), ...]")
        created = tuple(self._new_collection(entry, f"collections[{place}]") for place, entry in enumerate(entries))
        if not created:
            raise self.error("collections", "is empty: there is nothing to create")
        if twice := _twice([collection.name for collection in created]):
            raise self.error("collections", f"has {twice!r} twice")
        return created

    def _new_collection(self, entry: Any, argument: str) -> NewCollection:
        if not isinstance(entry, list | tuple) or not 1 <= len(entry) <= 3:
            raise self.error(argument, f"is ('name', {{options}}, [Index, ...]), not {entry!r}")
        name, options, indexes = [*entry, {}, []][:3] if len(entry) == 1 else [*entry, []][:3]
        return NewCollection(
            self.collection(name, f"{argument}[0]"),
            self.collection_options(options, f"{argument}[1]"),
            self._indexes(indexes, f"{argument}[2]"),
        )

    def some(self, options: dict[str, Any], what: str) -> dict[str, Any]:
        """Options, of which one at least has to be given."""
        if not options:
            raise self.error("", f"nothing to change: give {what}")
        return deepcopy(options)

    def pipeline(self, value: Any) -> list[dict[str, Any]]:
        """The stages of a view; none at all is a pipeline, too."""
        return list(self._documents(value, "pipeline", "stages, [{'$match': ...}]"))

    def documents(self, value: Any) -> tuple[dict[str, Any], ...]:
        """Documents, each with an ``_id`` that no other has."""
        documents = tuple(self._documents(value, "documents", "documents, [{'_id': ...}]"))
        seen = set()
        for place, document in enumerate(documents):
            if "_id" not in document:
                raise self.error(f"documents[{place}]", "has no _id, by which it could be found again; give it one")
            if (key := canonical(document["_id"])) in seen:
                raise self.error(f"documents[{place}]", f"has the _id {document['_id']!r} of another one")
            seen.add(key)
        return documents

    def ids(self, value: Any) -> tuple[Any, ...]:
        """A list of ``_id``s."""
        return tuple(deepcopy(list(self._list(value, "ids", "_ids"))))

    def index(self, entry: Any, argument: str) -> Index:
        """An index, given as an Index, an IndexModel, a field name or a list of pairs."""
        try:
            index = deepcopy(Index.of(entry))
        except DeclarationError as error:
            raise self.error(argument, error.fault) from None
        if not index.keys:
            raise self.error(argument, "has no keys; write for example Index('uid')")
        return index

    def allowed(self, index: Index, argument: str) -> Index:
        """An index as it was given, unless an option of it is misspelt: else the server has the last word."""
        for fault in index_faults(index, "collection"):
            if "unknown option" in fault and "did you mean" in fault:
                raise self.error(argument, fault)
        return index

    def indexes(self, value: Any) -> tuple[Index, ...]:
        """Indexes to create: one at least, no name twice."""
        indexes = self._indexes(value, "indexes")
        if not indexes:
            raise self.error("indexes", "is empty: there is nothing to create")
        return indexes

    def _indexes(self, value: Any, argument: str) -> tuple[Index, ...]:
        entries = self._list(value, argument, "indexes, [Index('uid'), ...]")
        indexes = tuple(
            self.allowed(self.index(entry, f"{argument}[{place}]"), f"{argument}[{place}]")
            for place, entry in enumerate(entries)
        )
        if twice := _twice([index.name for index in indexes]):
            raise self.error(argument, f"has two of the name {twice!r}; give one of them another: Index(..., name=...)")
        return indexes

    def quorum(self, value: Any) -> Any:
        """A commit quorum: a number of members, a word, a tag; None: as it is set."""
        if value is None or (isinstance(value, str) and value):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        raise self.error(
            "commit_quorum", f"is a number of members, 'majority', 'votingMembers' or a tag, not {value!r}"
        )

    def max_time(self, value: Any) -> Any:
        """Seconds, more than none; None: as long as it takes."""
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MAX_SECONDS:
            return float(value)
        raise self.error("max_time", f"is a number of seconds, more than 0, not {value!r}")

    def error(self, argument: str, fault: str) -> DeclarationError:
        """The error for one argument of this call."""
        return DeclarationError(self._what, "", f"{argument} {fault}" if argument else fault)

    def _documents(self, value: Any, argument: str, what: str) -> Iterator[dict[str, Any]]:
        for place, document in enumerate(self._list(value, argument, what)):
            yield self.document(document, f"{argument}[{place}]")

    def _list(self, value: Any, argument: str, what: str) -> Sequence[Any]:
        if not isinstance(value, list | tuple):
            raise self.error(argument, f"is a list of {what}, not {value!r}")
        return value


def _twice(names: Sequence[str]) -> str | None:
    """A name that stands there more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
