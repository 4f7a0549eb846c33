"""Documents with generated ids, inserted by a run that goes on: they keep the ids of the run before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncmig.errors import OperationRefused
from asyncmig.operations import InsertDocuments
from asyncmig.operations.generated import is_generated
from asyncmig.printable import counted
from asyncmig.schema.canonical import canonical

__all__ = ["with_known_ids"]


def with_known_ids(operation: InsertDocuments, intent: Mapping[str, Any]) -> InsertDocuments:
    """The operation whose documents have the ids that the first run has noted in ``missing``.

    Ids that are the same each time are left as they are. Of those that are generated, the first one of this
    run is the first one of that run, and so on. Raises OperationRefused where there are more or fewer of them.
    """
    noted = {canonical(entry["_id"]): entry["_id"] for entry in intent.get("missing", ())}
    now = {canonical(document["_id"]) for document in operation.documents}
    former = [key for name, key in noted.items() if name not in now and is_generated(key)]
    places = [
        place
        for place, document in enumerate(operation.documents)
        if is_generated(document["_id"]) and canonical(document["_id"]) not in noted
    ]
    if not former or not places:
        return operation
    if len(former) != len(places):
        raise OperationRefused(
            operation,
            None,
            f"it was begun with {counted(len(former), 'document')} of generated ids, and there are {len(places)} now: "
            "nobody can tell which of them are inserted",
            "give each document an `_id` that is the same whenever the revision runs",
        )
    known = dict(zip(places, former, strict=True))
    documents = tuple(
        {**document, "_id": known.get(place, document["_id"])} for place, document in enumerate(operation.documents)
    )
    return InsertDocuments(operation.collection, documents)
