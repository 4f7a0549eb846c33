"""The rules, as a table of functions: each is given a revision and says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from asyncmig.lint.finding import Finding
from asyncmig.lint.rules import builds, code, documents, indexes, undo, validators
from asyncmig.lint.subject import Subject

__all__ = ["RULES"]

RULES: Final[tuple[Callable[[Subject], Iterator[Finding]], ...]] = (
    indexes.unique_on_documents,
    indexes.expiry_on_documents,
    indexes.dropped_before_replacement,
    indexes.wildcard_change,
    indexes.dropped_unhidden,
    indexes.included_in_another,
    indexes.many_indexes,
    indexes.few_values,
    builds.refused,
    builds.waits_for_every_member,
    builds.newer_than_server,
    builds.schema_in_transaction,
    validators.stricter,
    validators.required_unfilled,
    documents.taken_away,
    documents.contract_with_expand,
    documents.renamed_while_running,
    documents.all_at_once,
    documents.not_repeatable,
    undo.not_undone,
    code.blocking,
    code.client_clock,
    code.live_models,
    code.secrets,
)
