"""How documents become BSON and back, whatever the user's client is set to.

What asyncmig reads for itself (the catalogue, its own collections, keys, stored documents) is read
with :data:`EXACT` or :data:`RAW`: no value is refused, and each can be written back as it was. What
a user has written (a filter, a validator, a document) is encoded with :func:`encoder`, as the
user's own client would do it. Only functions of the user see documents as that client decodes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

__all__ = ["EXACT", "RAW", "decoded", "encoded", "encoder", "same_whole", "stored_bytes"]

EXACT: CodecOptions[Any] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.UNSPECIFIED,  # a Binary keeps its subtype, and one of any length is read
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a date beyond Python's years becomes a DatetimeMS
)
"""Dictionaries of values that can all be encoded again to the same bytes."""

RAW: CodecOptions[Any] = EXACT.with_options(document_class=RawBSONDocument)
"""The same, of documents that are decoded as far as they are looked into."""


def encoder(codec: CodecOptions[Any]) -> CodecOptions[Any]:
    """The options of a user's client, for encoding: a UUID is standard where the client leaves that open."""
    if codec.uuid_representation != UuidRepresentation.UNSPECIFIED:
        return codec
    return codec.with_options(uuid_representation=UuidRepresentation.STANDARD)


def encoded(command: Mapping[str, Any], codec: CodecOptions[Any]) -> Mapping[str, Any]:
    """A command whose values are in BSON already, encoded as a client with the options ``codec`` would do it.

    Its reply can then be decoded with other options. Raises what encoding raises.
    """
    open_values = {name: None if _is_encoded(value) else value for name, value in command.items()}
    values = RawBSONDocument(bson.encode(open_values, codec_options=encoder(codec)), RAW)
    return {name: value if _is_encoded(value) else values[name] for name, value in command.items()}


def _is_encoded(value: Any) -> bool:
    """Whether it is a list of statements, of which there may be megabytes, in BSON already."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], RawBSONDocument)


def decoded(document: Any) -> dict[str, Any]:
    """A plain document of BSON, or of a RawBSONDocument; one that is plain already (the mock's) as it is."""
    if isinstance(document, RawBSONDocument):
        document = document.raw
    return bson.decode(document, EXACT) if isinstance(document, bytes | memoryview) else document


def same_whole(document: bytes) -> dict[str, Any]:
    """The condition that a document is this one, whatever is stored in it.

    ``$cmp``, for MongoDB 4.4 fails on ``$eq`` with ``$$ROOT``: "FieldPath::tail() called on single element path".
    """
    return {"$expr": {"$eq": [{"$cmp": ["$$ROOT", {"$literal": RawBSONDocument(document, RAW)}]}, 0]}}


def stored_bytes(document: RawBSONDocument) -> bytes:
    """The bytes of a document; from PyMongo 4.18 on ``raw`` is a memoryview for large ones, within a larger buffer."""
    return bytes(document.raw)
