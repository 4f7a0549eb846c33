"""Libraries that change indexes by themselves: found in the sources, told at start-up and by ``adopt``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mongoengine
import mongoengine.base.common
import pytest

from asyncmig.application import startup as startup_module
from asyncmig.sources.masters import masters_in_files, masters_in_process

MAKES = "Beanie makes indexes at start-up; pass skip_indexes=True"
DROPS = "Beanie makes indexes at start-up and drops those that none of its models has; pass skip_indexes=True"

CALLS: list[tuple[str, str | None]] = [
    ("init_beanie(database=db, document_models=[])", MAKES),
    ("await_(beanie.init_beanie(db, skip_indexes=False))", MAKES),
    ("init_beanie(db, allow_index_dropping=True)", DROPS),
    ("init_beanie(db, allow_index_dropping=settings.drop)", DROPS),
    ("init_beanie(db, skip_indexes=True)", None),
    ("init_bunnet(db)", "Bunnet makes indexes at start-up; it has no setting"),
    ("init_beanie(db, skip_indexes=True, allow_index_dropping=True)", None),
    ("init_beanie(db, skip_indexes=settings.skip)", None),
    ("init_beanie(**options)", None),
    ("engine.configure_database([A])", "ODMantic makes indexes; take the call"),
    ("engine.configure_database([A], update_existing_indexes=True)", "ODMantic makes indexes and drops those that"),
    ("'init_beanie()'", None),
    ("init_beanie", None),
]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """MongoEngine's register of classes without those of other tests."""
    own: dict[str, Any] = {}
    monkeypatch.setattr(mongoengine.base.common, "_document_registry", own)
    return own


@pytest.mark.parametrize(("call", "said"), CALLS)
def test_calls(call: str, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(f"import beanie\n\nasync def start():\n    {call}\n")
    found = [str(one) for one in masters_in_files(tmp_path)]
    assert len(found) == (said is not None)
    if said:
        assert found[0].startswith(f"app/main.py, line 4: {said}")


def test_what_is_not_of_the_project(tmp_path: Path) -> None:
    for folder in (".venv/lib", "env/lib", "node_modules/x", "a/site-packages/beanie"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "m.py").write_text("init_beanie()")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "broken.py").write_text("init_beanie(")
    (tmp_path / "binary.py").write_bytes(b"init_beanie\xff\x00")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert masters_in_files(tmp_path) == ()


def test_mongoengine_says_it_by_its_classes(registry: dict[str, Any], tmp_path: Path) -> None:
    class Page(mongoengine.Document):
        title = mongoengine.StringField(unique=True)

    class Child(mongoengine.Document):
        meta = {"allow_inheritance": True}

    class Quiet(mongoengine.Document):
        meta = {"auto_create_index": False, "indexes": ["a"]}
        a = mongoengine.IntField()

    class Bare(mongoengine.Document):
        pass

    class Base(mongoengine.Document):
        meta = {"abstract": True, "indexes": ["b"]}

    classes = (Page, Child, Quiet, Bare, Base)
    registry.clear()
    registry.update({cls.__name__: cls for cls in classes})
    (found,) = masters_in_files(tmp_path)
    assert "(Page and 1 more): MongoEngine makes indexes at a class's first use" in str(found)
    assert '"auto_create_index": False' in str(found)
    registry.clear()
    registry.update({"Quiet": Quiet})
    assert masters_in_files(tmp_path) == ()


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of an application that sets Beanie up in a function."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, module in list(sys.modules.items()):  # this process is no application: its tests are full of calls
        if isinstance(module, ModuleType) and ".tests." in f".{name}.":
            monkeypatch.delitem(sys.modules, name)
    (tmp_path / "served_here.py").write_text(
        "import beanie\n\ndef start():\n    from beanie import init_beanie\n    init_beanie(None)\n"
    )
    __import__("served_here")
    yield
    del sys.modules["served_here"]


@pytest.mark.pymongo_async  # so is Beanie 2
@pytest.mark.usefixtures("application")
async def test_start_up_says_it(database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    with caplog.at_level(logging.WARNING, "asyncmig"):
        await startup_module.startup(database, "check")
    said = [message for message in caplog.messages if "two masters: served_here.py, line 5: " + MAKES in message]
    assert len(said) == 1


def test_nothing_is_looked_at_without_such_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("beanie", "bunnet", "mongoengine", "odmantic"):
        monkeypatch.delitem(sys.modules, library, raising=False)
    monkeypatch.setattr("asyncmig.sources.masters._own_files", None)
    assert masters_in_process() == ()


@pytest.mark.pymongo_async
def test_adopt_says_it(run_cli: Callable[..., Any], tmp_path: Path, server_url: str) -> None:
    (tmp_path / "shop.py").write_text(
        "from beanie import Document, init_beanie\nfrom mongoengine import Document as Engine, IntField\n"
        "class A(Document):\n    class Settings:\n        indexes = ['x']\n\n"
        "class B(Engine):\n    n = IntField(unique=True)\n\n"
        "async def start(db):\n    await init_beanie(database=db, document_models=[A])\n"
    )
    done = run_cli("--models", "shop", "--url", server_url, "--database", "two_masters", "adopt", "--plan")
    assert f"two masters: shop.py, line 11: {MAKES}" in done.stderr
    assert "two masters: shop.py, line 7 (B): MongoEngine makes indexes at a class's first use" in done.stderr
