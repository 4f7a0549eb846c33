"""Which errors are a no, and that each no comes with advice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidName,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from asyncmig.drivers.refusal import is_refusal, refused
from asyncmig.errors import DeclarationError, OperationRefused
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    DropIndex,
    ModifyCollection,
    ModifyIndex,
    Operation,
)
from asyncmig.operations.advice import advice

ORACLE = json.loads((Path(__file__).parent.parent / "oracles" / "error_codes.json").read_text())
OPERATIONS: dict[str, Operation] = {
    "index_create": CreateIndexes("a", ()),
    "index_drop": DropIndex("a", "x"),
    "collMod": ModifyIndex("a", "x", {}),
    "create": CreateCollection("a"),
    "transactions": CreateCollection("a"),
}
TRANSIENT = {"112", "251"}  # the runner starts the transaction anew
CODES = [
    (operation, int(code)) for part, operation in OPERATIONS.items() for code in ORACLE[part] if code not in TRANSIENT
]

ERRORS: list[tuple[BaseException, bool]] = [
    (OperationFailure("no", 72), True),
    (OperationFailure("no", None), True),
    (ExecutionTimeout("slow", 50), True),
    (DuplicateKeyError("twice", 11000), True),
    (BulkWriteError({"writeErrors": [{"code": 121, "errmsg": "no", "index": 0}]}), True),
    (InvalidName("no"), True),
    (InvalidDocument("no"), True),
    (OverflowError("8-byte ints"), True),
    (ValueError("cannot encode native uuid.UUID"), True),
    (BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}), False),
    (BulkWriteError({"writeErrors": [{"code": 91, "errmsg": "going down", "index": 0}]}), False),
    (WriteConcernError("not enough", 64), False),
    (OperationFailure("stepping down", 189), False),
    (OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]}), False),
    (OperationFailure("gone", 251, {"errorLabels": ["TransientTransactionError"]}), False),
    (AutoReconnect("broken"), False),
    (NetworkTimeout("broken"), False),
    (NotPrimaryError("stepped down"), False),
    (ServerSelectionTimeoutError("nobody"), False),
    (OperationRefused(CreateCollection("a"), 48, "no"), False),
    (DeclarationError("A", "b", "c"), False),
    (RuntimeError("something else"), False),
]


@pytest.mark.parametrize(("operation", "code"), CODES, ids=str)
def test_each_code_that_a_server_is_known_to_answer_has_advice(operation: Operation, code: int) -> None:
    assert advice(operation, code)


def test_an_unknown_code_has_the_servers_words_alone() -> None:
    told = refused(CreateCollection("a"), OperationFailure("hm", 999_999, {"errmsg": "hm", "code": 999_999}))
    assert str(told) == "create collection a: the server refused it (code 999999): hm"


@pytest.mark.parametrize(("error", "is_no"), ERRORS, ids=lambda value: f"{type(value).__name__} {value}"[:50])
def test_what_is_a_no(error: BaseException, is_no: bool) -> None:
    assert is_refusal(error) is is_no


FACTS: list[tuple[Exception, int | None, str]] = [
    (OperationFailure("no, full error: {...}", 72, {"errmsg": "no", "code": 72}), 72, "no"),
    (BulkWriteError({"writeErrors": [{"code": 121, "errmsg": "does not fit", "index": 0}]}), 121, "does not fit"),
    (InvalidName("a bad name"), None, "a bad name"),
]


@pytest.mark.parametrize(("error", "code", "message"), FACTS, ids=lambda value: str(value)[:30])
def test_code_and_words_of_the_server_are_kept(error: Exception, code: int | None, message: str) -> None:
    told = refused(ModifyCollection("a", {}), error)
    assert (told.code, told.message) == (code, message)


def test_the_counsel_of_one_who_knows_better_comes_first() -> None:
    failure: Any = OperationFailure("no", 85)
    assert refused(CreateIndexes("a", ()), failure, "do this").advice == "do this"
    assert str(refused(CreateIndexes("a", ()), failure, "do this")).endswith("\n  do this")
