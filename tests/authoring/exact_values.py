"""Compare values as MongoDB would store them, and as Python has them: the type of every number included."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from bson import CodecOptions, encode
from bson.binary import UuidRepresentation

from asyncmig.operations import NewCollection, Operation
from asyncmig.schema.index import Index

OPTIONS: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


def exact(value: Any) -> Any:
    """What two values have in common only if they are one and the same to MongoDB, and to Python but for the
    class of a document; NaN equals NaN."""
    if isinstance(value, Operation | NewCollection):
        compared = [field.name for field in fields(value) if field.compare]
        return type(value), {name: exact(getattr(value, name)) for name in compared}
    if isinstance(value, Index):
        return Index, exact(value.keys), {key: exact(held) for key, held in value.options.items()}
    if isinstance(value, Mapping):
        return "document", tuple((key, exact(held)) for key, held in value.items())
    if isinstance(value, list | tuple):
        return "array", tuple(exact(item) for item in value)
    if isinstance(value, datetime):
        return datetime, value.replace(tzinfo=None), value.utcoffset()
    if type(value) is float:
        return float, struct.pack("<d", value)
    return encode({"": value}, codec_options=OPTIONS)
