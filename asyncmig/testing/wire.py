"""One command to a MongoDB server over a plain socket: no client, no threads, no monitors to wait for."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

__all__ = ["command"]

_HEADER = struct.Struct("<iiiiiB")
_OP_MSG = 2013


def command(port: int, document: Mapping[str, Any], *, timeout: float = 5.0) -> dict[str, Any]:
    """Send one command to ``admin`` on 127.0.0.1 and return the reply, whether ``ok`` or not.

    ``timeout`` is in seconds, for each step on the socket. Raises OSError where nobody answers.
    https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg
    """
    import bson

    body = bson.encode({**document, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(_HEADER.pack(_HEADER.size + len(body), 1, 0, _OP_MSG, 0, 0) + body)
        length = struct.unpack("<i", _read(connection, 4))[0]
        rest = _read(connection, length - 4)
    reply: dict[str, Any] = bson.decode(rest[_HEADER.size - 4 :])
    return reply


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    return data
