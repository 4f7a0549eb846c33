"""Calls that stop the event loop: which they are, and where a file makes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from asyncmig.lint.values import full_name

__all__ = ["blocking_calls"]

_CALLS: Final = frozenset(
    {
        *("time.sleep", "os.system", "os.popen", "os.wait", "os.waitpid", "asyncio.run", "anyio.run"),
        *("socket.create_connection", "urllib.request.urlopen", "urllib.request.urlretrieve"),
        *("pymongo.MongoClient", "pymongo.mongo_client.MongoClient", "httpx.Client", "redis.Redis", "redis.from_url"),
        *("redis.StrictRedis", "http.client.HTTPConnection", "http.client.HTTPSConnection", "smtplib.SMTP"),
        *("smtplib.SMTP_SSL", "ftplib.FTP", "psycopg2.connect", "psycopg.connect", "sqlite3.connect"),
        *("mysql.connector.connect", "pymysql.connect", "mongoengine.connect", "boto3.client", "boto3.resource"),
        *("urllib3.PoolManager", "urllib3.request", "requests.Session", "getpass.getpass"),
    }
)
_VERBS: Final = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "request", "stream"})
_PROCESSES: Final = frozenset({"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"})
_BUILTINS: Final = frozenset({"input"})


def blocking_calls(tree: ast.AST, names: Mapping[str, str]) -> Iterator[tuple[ast.Call, str]]:
    """Each call in ``tree`` that blocks, with its full name; ``names`` is what the imports bring in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _blocks(node.func, names)):
            yield node, name


def _blocks(function: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(function, ast.Name) and function.id in _BUILTINS and function.id not in names:
        return function.id
    name = full_name(function, names)
    module, _, last = name.rpartition(".")
    is_blocking = (
        name in _CALLS
        or (module in ("requests", "httpx", "requests.api") and last in _VERBS)
        or (module == "subprocess" and last in _PROCESSES)
    )
    return name if is_blocking else ""
