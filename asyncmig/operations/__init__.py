"""What there is to do with a database, as plain values."""

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import (
    CreateCollection,
    DropCollection,
    ModifyCollection,
    NeedsRebuild,
    RenameCollection,
)
from asyncmig.operations.documents import DeleteDocuments, InsertDocuments
from asyncmig.operations.indexes import CreateIndexes, DropIndex, ModifyIndex
from asyncmig.operations.mirror import mirror
from asyncmig.operations.views import CreateView, DropView, ModifyView

__all__ = [
    "CreateCollection",
    "CreateIndexes",
    "CreateView",
    "DeleteDocuments",
    "DropCollection",
    "DropIndex",
    "DropView",
    "InsertDocuments",
    "ModifyCollection",
    "ModifyIndex",
    "ModifyView",
    "NeedsRebuild",
    "Operation",
    "RenameCollection",
    "mirror",
]
