"""Whatever a real server has been asked for, and has listed, comes back from the source exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.authoring.revision_file import revision_source
from asyncmig.operations import CreateCollection, CreateIndexes, CreateView, ModifyCollection, Operation
from asyncmig.schema.normal import index_from_server, normal_index

from ..schema.index_cases import ACCEPTED, ASKED, CREATED, OPTIONS, declared
from .exact_values import exact
from .formatter import objections
from .run_source import replay


def _indexes(case: str) -> list[Operation]:
    """As asked, as listed, and both in normal form: what autogenerate writes."""
    asked, listed = [declared(spec) for spec in ASKED[case]], [index_from_server(spec) for spec in ACCEPTED[case]]
    indexes = [*asked, *map(normal_index, asked), *listed]
    return [CreateIndexes("zoo", (index,)) for index in indexes if index.name and index.keys]


def _options(name: str) -> list[Operation]:
    asked = {key: value for key, value in OPTIONS[name]["asked"].items() if key not in ("viewOn", "pipeline")}
    made: list[Operation] = [CreateCollection("zoo", asked)]
    if asked:
        made.append(ModifyCollection("zoo", asked))
    if "viewOn" in CREATED[name]["options"]:
        options = CREATED[name]["options"]
        made.append(CreateView("zoo", options["viewOn"], options.get("pipeline", [])))
    return made


CASES: list[Any] = [pytest.param(_indexes(case), id=case) for case in ACCEPTED]
CASES += [pytest.param(_options(name), id=name) for name in CREATED]


@pytest.mark.parametrize("steps", CASES)
async def test_what_a_server_knows_comes_back_exactly(steps: list[Operation]) -> None:
    assert exact(await replay(_file(steps))) == exact(steps)


def test_a_formatter_leaves_all_of_it_as_it_is(tmp_path: Path) -> None:
    assert objections([_file(case.values[0]) for case in CASES], tmp_path) == ""


def _file(steps: list[Operation]) -> str:
    return revision_source(revision="1", down_revision=None, message="zoo", upgrade=steps)
