"""What there is to do with a database, as plain values."""

from asyncmig.operations.base import Operation
from asyncmig.operations.between import Deduplicate, MergeInto, MoveDocuments
from asyncmig.operations.collections import (
    CreateCollection,
    DropCollection,
    ModifyCollection,
    NeedsRebuild,
    RenameCollection,
)
from asyncmig.operations.data import DataOperation, Delete, Pace, TransformBatches, TransformDocuments, UpdateInBatches
from asyncmig.operations.documents import DeleteDocuments, InsertDocuments
from asyncmig.operations.fields import ConvertField, RemoveField, RenameField
from asyncmig.operations.indexes import CreateIndexes, DropIndex, ModifyIndex
from asyncmig.operations.reversal import reverse
from asyncmig.operations.several import CreateCollections, NewCollection
from asyncmig.operations.suggestion import Suggestion
from asyncmig.operations.tally import Tally
from asyncmig.operations.views import CreateView, DropView, ModifyView

__all__ = [
    "ConvertField",
    "CreateCollection",
    "CreateCollections",
    "CreateIndexes",
    "CreateView",
    "DataOperation",
    "Deduplicate",
    "Delete",
    "DeleteDocuments",
    "DropCollection",
    "DropIndex",
    "DropView",
    "InsertDocuments",
    "MergeInto",
    "ModifyCollection",
    "ModifyIndex",
    "ModifyView",
    "MoveDocuments",
    "NeedsRebuild",
    "NewCollection",
    "Operation",
    "Pace",
    "RemoveField",
    "RenameCollection",
    "RenameField",
    "Suggestion",
    "Tally",
    "TransformBatches",
    "TransformDocuments",
    "UpdateInBatches",
    "reverse",
]
