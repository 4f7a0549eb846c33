"""Models named by a string, and what is said where there are none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from asyncmig.errors import ConfigurationError, DeclarationError
from asyncmig.sources import load_models
from asyncmig.sources.portable.finding import find_models

HEAD = "from asyncmig import Collection, View\n"
WALLET = 'class Wallet(Collection):\n    __collection_name__ = "wallet"\n'
ACTIVE = 'class Active(View):\n    __collection_name__ = "active"\n    __view_on__ = "wallet"\n    __pipeline__ = []\n'

FILES: Mapping[str, str] = {
    "shop/__init__.py": "",
    "shop/models.py": f"{HEAD}{WALLET}{ACTIVE}class Plain: pass\nALL_COLLECTIONS = (Wallet,)\nONE = Wallet\n"
    "NUMBER = 5\nMIXED = [Wallet, Plain]\nclass Space: tables = [Active]\n",
    "shop/loose.py": f"{HEAD}class Base(Collection):\n    __indexes__ = ['a']\n"
    f"{WALLET.replace('Collection', 'Base')}{ACTIVE}from shop.models import Wallet as Other\n",
    "shop/forgotten.py": f"{HEAD}class Wallet(Collection):\n    __indexes__ = ['a']\n",
    "shop/empty.py": "x = 1\nNOTHING = []\n",
    "shop/calls.py": "from pymongo import IndexModel\nfrom shop.models import Wallet, Active\n"
    "CALLS = {'a': [('x', {}), (['y'], {'unique': True})], 'b': []}\nMORE = {'c': [IndexModel('x')]}\nSAME = CALLS\n"
    "OTHER = [{'a': 1}, {}, {'a': []}, {'a': ['x']}, {'a': [('x', {'color': 1})]}, {5: [('x', {})]}]\n"
    "A, B, C, D, E, F = OTHER\nNESTED = [CALLS, [Wallet, ['shop.models.Active']]]\n",
    "shop/unnamed.py": "import json\nfrom pydantic import BaseModel\nfrom pymongo import IndexModel\n"
    "BARE = [{'keys': [('a', 1)], 'unique': True}]\nKEYS = [{'keys': [('a', 1)]}]\nMODELS = [IndexModel('x')]\n"
    "async def create(db): pass\ndef gather(): return []\nONE = {'a': IndexModel('x')}\n"
    "class Customer(BaseModel): pass\n",
    "shop/faulty.py": f"{HEAD}{WALLET}    __indexes__ = ['a', 'a']\n",
    "shop/broken.py": "x = (\n",
    "shop/dependent.py": "import not_installed_anywhere\n",
    "shop/circular.py": "from shop.models import Nothing\n",
    "shop/failing.py": "1 / 0\n",
    "shop/library.py": "import json\ndef read():\n    # a setting, say\n    json.loads('')\nread()\n",
    "shop/leaving.py": "raise SystemExit(3)\n",
    "shop/parts/__init__.py": "from shop.parts.wallet import Wallet\nfrom shop.models import Active\n",
    "shop/parts/wallet.py": f"{HEAD}{WALLET}",
}


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, source in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


FOUND = [
    ("shop.calls", ["CALLS", "MORE"]),
    ("shop.calls:NESTED", ["CALLS", "Wallet", "Active"]),
    ("shop.models:ALL_COLLECTIONS", ["Wallet"]),
    ("shop.models", ["Wallet"]),
    ("shop.models:ONE", ["Wallet"]),
    ("shop.models:Space.tables", ["Active"]),
    ("shop.loose", ["Wallet", "Active"]),
    ("shop.forgotten", ["Wallet"]),  # without a name: for declared_state to complain of
    ("shop.parts", ["Wallet"]),
]


@pytest.mark.parametrize(("where", "names"), FOUND)
def test_found(where: str, names: list[str]) -> None:
    path = list(sys.path)
    found = find_models(where)
    models = [value for value, _, _ in found]
    assert [getattr(model, "__name__", None) or _name(model, module) for model, module, _ in found] == names
    assert sys.path == path
    if where.startswith("shop.loose"):
        assert models[0].__module__ == "shop.loose"


def _name(value: object, module: str) -> str:
    return next(name for name, known in vars(sys.modules[module]).items() if known is value)


MISSING = [
    ("", "names no models; write 'package.module:ALL_COLLECTIONS'"),
    (":ALL", "names no models"),
    ("shop.models:", "names no models"),
    (".models", "names no models"),
    ("shop/models.py", "names a file; write the module's name, 'shop.models'"),
    ("./shop/models.py:ONE", "names a file; write the module's name, 'shop.models:ONE'"),
    ("shop\\models.py", "names a file; write the module's name, 'shop.models'"),
    ("shop/__init__.py", "names a file; write the module's name, 'shop'"),
    ("shop/", "names a file; write the module's name, 'shop'"),
    ("models:ONE", "no module 'models' (from 'models:ONE'); did you mean 'shop.models:ONE'?"),
    ("shop.modles:ONE", "no module 'shop.modles' (from 'shop.modles:ONE'); did you mean 'shop.models:ONE'?"),
    ("shop.wallets", "no module 'shop.wallets' (from 'shop.wallets'); 'shop' has "),
    ("shop:ALL_COLLECTIONS", "no 'ALL_COLLECTIONS' in 'shop'; it has no models, but modules: "),
    ("shop.modles", "no module 'shop.modles' (from 'shop.modles'); did you mean 'shop.models'?"),
    ("shop.modles.x:ALL", "no module 'shop.modles' (from 'shop.modles.x:ALL'); did you mean 'shop.models'?"),
    ("shpo", "no module 'shpo' (from 'shpo'); did you mean 'shop'?"),
    ("zzzzzz:X", "no module 'zzzzzz' (from 'zzzzzz:X'); start asyncmig where it can be imported"),
    ("shop.models.ALL_COLLECTIONS", "did you mean 'shop.models:ALL_COLLECTIONS'?"),
    (
        "shop.models.nothing",
        "no module 'shop.models.nothing' (from 'shop.models.nothing'); 'shop.models' is a module, and no package",
    ),
    ("shop.models:ALL_COLECTIONS", "no 'ALL_COLECTIONS' in 'shop.models'; did you mean 'ALL_COLLECTIONS'?"),
    ("shop.models:NOPE", "no 'NOPE' in 'shop.models'; of models it has Wallet, Active, ALL_COLLECTIONS, ONE, MIXED"),
    ("shop.empty:NOPE", "no 'NOPE' in 'shop.empty'; it has no models; known are"),
    ("shop.empty:NOTHING", "there is no model at 'shop.empty:NOTHING': it is empty"),
    ("shop.models:NUMBER", "'shop.models:NUMBER' is to be a list of models, and is no model: 5"),
    ("shop.models:MIXED", "entry 1 of 'shop.models:MIXED' is no model: <class 'shop.models.Plain'>"),
    ("shop.models:Plain", "entry 0 of"),
    ("shop.empty", "defines no model, and has no ALL_COLLECTIONS; known are Collections and Views of asyncmig"),
    ("shop.broken", "'shop.broken' does not parse: '(' was never closed"),
    ("shop.dependent", "as it imports 'not_installed_anywhere', which is not installed"),
    ("shop.unnamed:BARE", "entry 0 of 'shop.unnamed:BARE' is an index that does not say of which collection; write {"),
    ("shop.unnamed:KEYS", "entry 0 of 'shop.unnamed:KEYS' is an index that does not say of which collection"),
    ("shop.unnamed:MODELS", "entry 0 of 'shop.unnamed:MODELS' is an index that does not say of which collection"),
    ("shop.unnamed:create", "is a coroutine function; write what it creates as {'collection': [(keys, options), ...]}"),
    ("shop.unnamed:gather", "is a function; call it in that module, and name what it returns"),
    ("shop.unnamed:json", "is a module; write 'json'"),
    ("shop.unnamed:Customer", "a Pydantic model, which has no collection; write a Collection with"),
    ("shop.unnamed:ONE", "; write a list of indexes"),
    ("shop.circular", "importing 'shop.circular' failed: cannot import name 'Nothing'"),
]


@pytest.mark.parametrize(("where", "said"), MISSING)
def test_not_found(where: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_models(where)
    assert said in str(error.value)
    assert error.value.exit_code == 2


def test_a_faulty_model_is_told_as_one() -> None:
    with pytest.raises(DeclarationError, match=r"Wallet.__indexes__: two indexes have the name 'a_1'"):
        load_models("shop.faulty")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("failing", r"ZeroDivisionError: division by zero \(.*failing.py, line 1\)"),
        ("library", r"JSONDecodeError: .* \(.*library.py, line 4\)"),  # where the user calls, not where json fails
        ("leaving", r"SystemExit: 3 \(.*line 1"),
    ],
)
def test_what_goes_wrong_in_the_users_code_is_told_with_its_place(module: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"importing 'shop.{module}' failed: {said}") as error:
        load_models(f"shop.{module}")
    assert error.value.__cause__ is not None
