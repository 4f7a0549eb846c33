"""The digest of a document: whether it is, byte for byte and type for type, what asyncmig has inserted."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

__all__ = ["digest"]


def digest(document: Mapping[str, Any] | bytes) -> str:
    """SHA-256 over the BSON of a document, in hexadecimal; a document in Python is encoded with ``_id`` first."""
    return sha256(document if isinstance(document, bytes) else _encoded(document)).hexdigest()


def _encoded(document: Mapping[str, Any]) -> bytes:
    import bson
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions

    options: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    ordered = {"_id": document["_id"], **document} if "_id" in document else dict(document)
    return bson.encode(ordered, codec_options=options)
