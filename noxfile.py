"""Every check of the project, each in an environment of its own: ``nox -l`` lists them.

``scripts/test`` and ``.ci/run`` call these sessions; on a machine without nox they install it first.
What they install is locked in ``requirements/constraints.txt``, which ``nox -s relock`` renews.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
CONSTRAINTS = "requirements/constraints.txt"
LOCKED = ("--constraint", str(ROOT / CONSTRAINTS))
LOCK_HEADER = """\
# Exact versions of everything that the project's own environments install, for Python 3.11 and later.
# Made by `nox -s relock` from pyproject.toml; see CONTRIBUTING.md.
"""
EVERYTHING = ("tests", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
BENCHMARKS = ("cli", "introspect", "startup", "fixtures", "graph", "data", "renames", "preflight")

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.download_python = "never"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint", "typing"]


def _offer_pyenv() -> None:
    """Let pyenv's shims run every version that it has; else only the one chosen answers."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [path.name for version in SUPPORTED for path in sorted(versions.glob(f"{version}.*"))]
    if found:
        os.environ.setdefault("PYENV_VERSION", ":".join(found))


def _runs(version: str) -> bool:
    program = shutil.which(f"python{version}")
    return program is not None and subprocess.run([program, "-c", ""], capture_output=True).returncode == 0


_offer_pyenv()
FOUND = [version for version in SUPPORTED if version == RUNNING or _runs(version)]


def _install_wheel(session: nox.Session, *groups: str, pins: Sequence[str] = LOCKED) -> Path:
    """Build the wheel, install it and the groups; the wheel anew even where its version is the same.

    ``pins``: what decides on the versions, as options of the installer.
    """
    place = Path(session.virtualenv.location).resolve() / "wheel"
    shutil.rmtree(place, ignore_errors=True)
    session.log("installing the wheel and %s; the first time this downloads a lot", ", ".join(groups) or "nothing else")
    session.env["UV_COMPILE_BYTECODE"] = "1"  # as pip does
    _build_wheel(session, place)
    (wheel,) = place.glob("*.whl")
    session.install(*pins, str(wheel), *nox.project.dependency_groups(PYPROJECT, *groups))
    session.install("--no-deps", "--force-reinstall", str(wheel))
    return wheel


def _build_wheel(session: nox.Session, place: Path) -> None:
    """With the locked build tools. pip takes their constraints as a path without spaces, thus a relative one."""
    if session.venv_backend == "uv":
        session.run_install(
            *("uv", "build", "--wheel", "--quiet", "--out-dir", str(place)),
            *("--build-constraint", str(ROOT / CONSTRAINTS), str(ROOT)),
            external=True,
        )
    else:
        with session.chdir(ROOT):
            session.run_install(
                *("python", "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(place), "."),
                env={"PIP_CONSTRAINT": CONSTRAINTS, "PIP_BUILD_CONSTRAINT": CONSTRAINTS},
            )


def _installed(wheel: Path) -> dict[str, str | None]:
    """The environment in which the installed wheel is tested, and nothing else can be imported."""
    return {
        "ASYNCMIG_EXPECT_INSTALLED": "1",
        "ASYNCMIG_TEST_WHEEL": str(wheel),
        "PYTHONPATH": None,
        "PYTHONDONTWRITEBYTECODE": None,  # the tests start hundreds of processes: each would compile all it imports
    }


def _pytest(session: nox.Session, wheel: Path, *arguments: str) -> None:
    """Run pytest from a folder where neither the source tree nor its settings are in sight."""
    places = [str(ROOT / part) if (ROOT / part.split("::")[0]).exists() else part for part in arguments]
    command = ["pytest", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as outside, session.chdir(outside):
        session.run(*command, *places, env=_installed(wheel))


@nox.session(python=FOUND)
def tests(session: nox.Session) -> None:
    """The test suite against the installed wheel, on a real server. Arguments go to pytest.

    Without arguments everything runs, a file at a time on each core, each core with a server of its own.
    """
    _pytest(session, _install_wheel(session, "tests"), *(session.posargs or EVERYTHING))


@nox.session(python=FOUND)
def newest(session: nox.Session) -> None:
    """The test suite with the newest of everything that pyproject.toml allows, whatever is locked."""
    _pytest(session, _install_wheel(session, "tests", pins=["--upgrade"]), *(session.posargs or EVERYTHING))


@nox.session(python=FOUND[0], venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The test suite with the lowest of everything that pyproject.toml allows.

    That PyMongo has no async client, so these are the tests of Motor; Beanie 2 needs a newer one, and is left out.
    """
    wheel = _install_wheel(session, pins=["--no-deps"])
    wanted = [*PYPROJECT["project"]["dependencies"], *nox.project.dependency_groups(PYPROJECT, "tests")]
    session.install("--resolution", "lowest-direct", *(one for one in wanted if not one.startswith("beanie")))
    _pytest(session, wheel, *(session.posargs or EVERYTHING))


@nox.session(python=RUNNING)
def chaos(session: nox.Session) -> None:
    """The tests that kill and race processes, in large numbers. The argument: how many rounds, 1 unless given."""
    wheel = _install_wheel(session, "tests")
    session.env["ASYNCMIG_CHAOS"] = "1"
    for _ in range(int(session.posargs[0]) if session.posargs else 1):
        _pytest(session, wheel, "tests", "-m", "chaos", "-x", "-q")


@nox.session(python=RUNNING)
def doors(session: nox.Session) -> None:
    """Start-up and fixtures in full: every server, framework, recipe and plugin mode. Arguments go to pytest."""
    wheel = _install_wheel(session, "tests")
    session.env["ASYNCMIG_LONG"] = "1"
    _pytest(session, wheel, *(session.posargs or ("tests/doors", "tests/plugin")))


SERVERS = ("4.4.2", "5.0.4", "6.0.27", "6.0.5 as 5.0", "three members")


@nox.session(python=RUNNING)
def servers(session: nox.Session) -> None:
    """What depends on the server, on five others: older and newer ones, and a set of three members.

    The arguments: which of them (`nox -s servers -- 4.4.2`), all unless named; what else there is goes to pytest.
    """
    wheel = _install_wheel(session, "tests", "nox")
    folder = ROOT / ".cache" / "servers"
    session.run("python", str(ROOT / "scripts" / "fetch_servers.py"), str(folder))
    session.env["ASYNCMIG_TEST_SERVERS"] = str(folder)
    options = [word for word in session.posargs if word not in SERVERS]
    failed = []
    for name in [word for word in session.posargs if word in SERVERS] or SERVERS:
        session.env["ASYNCMIG_TEST_SERVER"] = name
        try:
            _pytest(session, wheel, *(options or EVERYTHING))
        except CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"failed on: {', '.join(failed)}")


@nox.session(python=RUNNING)
def histories(session: nox.Session) -> None:
    """Other migration tools, run for real: what they would run next is what `adopt --history` says. Needs npm."""
    wheel = _install_wheel(session, "tests")
    place = Path(session.create_tmp()).resolve()
    tools, node = place / "tools", place / "node"
    session.run("python", "-m", "venv", "--clear", str(tools))
    named = ("beanie>=2", "mongodb-migrations==1.3.1", "mongomig==0.4.2", "pymongo-migrate==1.0.0")
    session.run(str(tools / "bin" / "pip"), "install", "--quiet", *named, external=True)
    node.mkdir(exist_ok=True)
    packages = ("migrate-mongo@14", "mongodb@6")
    session.run("npm", "install", "--silent", "--no-fund", "--prefix", str(node), *packages, external=True)
    session.env.update({"ASYNCMIG_LONG": "1", "ASYNCMIG_TOOLS": str(tools), "ASYNCMIG_NODE_TOOLS": str(node)})
    _pytest(session, wheel, *(session.posargs or ("tests/adopting/test_foreign_tools.py", "-v")))


OLD_LIBRARIES = {
    "beanie-1.11": ("3.8", "old_beanie:MODELS", ["beanie==1.11.0", "pydantic<2", "pymongo<4"]),
    "beanie-1.18": ("3.8", "old_beanie:MODELS", ["beanie==1.18.0", "pydantic<2", "motor==3.1.2", "pymongo==4.3.3"]),
    "beanie-1.25": ("3.8", "old_beanie:MODELS", ["beanie==1.25.0", "pydantic<2", "motor==3.3.2", "pymongo==4.6.3"]),
    "beanie-1.30": (RUNNING, "old_beanie:MODELS", ["beanie==1.30.0", "motor==3.7.1"]),
    "bunnet-1.3": (RUNNING, "old_beanie:MODELS", ["bunnet==1.3.0"]),
    "mongoengine-0.20": ("3.8", "clearml:MODELS", ["mongoengine==0.20.0", "pymongo<4"]),
}
"""By name: Python, the models that are read with it, and what is installed there."""


@nox.session(python=RUNNING)
def old_libraries(session: nox.Session) -> None:
    """Models of libraries that cannot live beside asyncmig, read in their own Python, and held to the law."""
    wheel = _install_wheel(session, "tests")
    session.install(*LOCKED, "uv")
    pythons = []
    for name, (version, models, wanted) in OLD_LIBRARIES.items():
        folder = Path(session.virtualenv.location).resolve() / "old" / name
        python = folder / "bin" / "python"
        if not python.exists():
            session.run(
                "uv", "venv", "--quiet", "--no-python-downloads", "--python", _interpreter(version), str(folder)
            )
        session.run("uv", "pip", "install", "-q", "--python", str(python), *wanted)
        pythons.append(f"{models}={python}")
    session.env["ASYNCMIG_OLD_PYTHONS"] = ";".join(pythons)
    _pytest(session, wheel, *(session.posargs or ("tests/sources/old_libraries.py", "-v")))


def _interpreter(version: str) -> str:
    """pyenv's newest of that version, else the one on the path."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(versions.glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else version


@nox.session(python=RUNNING)
def example(session: nox.Session) -> None:
    """The service of ``examples/``, copied as a user would, with what it asks for: its tests, real requests."""
    wheel = _install_wheel(session)
    wanted = nox.project.load_toml(ROOT / "examples" / "wallet_api" / "pyproject.toml")
    needed = [*wanted["project"]["dependencies"], *nox.project.dependency_groups(wanted, "tests")]
    session.install(*LOCKED, *needed, "pytest-timeout")  # a setting of our own tests asks for the last one
    _pytest(session, wheel, *(session.posargs or ("tests/example/test_wallet_api.py", "-v")))


MUTATED = {
    "schema": ["tests/schema", "tests/test_values.py", "--deselect", "tests/schema/test_real_indexes.py"],
    "operations": [
        *("tests/operations", "tests/data/test_repeatability.py", "tests/running/test_refusal.py"),
        *(f"tests/authoring/test_{name}.py" for name in ("data", "diff", "render", "summary")),
        *("tests/test_values.py", "-k", "not formatter"),
    ],
    "history": ["tests/history", "tests/test_values.py", "-k", "not time_grows"],
    "running/ledger/transitions.py": ["tests/running/test_transitions.py", "tests/test_values.py"],
    "authoring/diff.py": [
        *(f"tests/authoring/test_{name}.py" for name in ("diff", "diff_indexes", "field_diff", "undeclared", "data")),
        *("tests/authoring/test_rebuild.py", "tests/authoring/test_server_knows.py"),
    ],
}
"""By room or file of asyncmig, what is to notice a change in it; without what looks at the time, or runs a linter."""


@nox.session(python=RUNNING)
def mutants(session: nox.Session) -> None:
    """Mutation testing of the pure rooms: 300 changes of each, drawn by a seed; to kill: 90 %. Takes an hour.

    The arguments: rooms, all unless named, and how many of each, or the numbers of some, `7,12,`. Look at each
    survivor: a test is missing, or the change changes nothing (`<=` between the two words of a direction, `is`
    between two bools, `>=` with the last of the kinds by the alphabet, a class that could do with slots).

    No whole sample of 300 has been run: it takes hours where the machine is shared. Seen of the sample with seed 1,
    with the survivors looked at one by one, and a test for each that changes something, held against it:

    - `history`: the first 150; 146 killed, the other 4 change nothing.
    - `operations`: the first 123; 122 killed, the other one changes nothing.
    - `schema`: the first 110; 106 killed, the other 4 change nothing.
    - `authoring/diff.py`: the first 79; 69 killed, the other 10 change nothing.
    - `running/ledger/transitions.py`: all 165, once; 149 killed, the other 16 change nothing.
      The first 40 again: 34 and 6.
    """
    session.install(*LOCKED, "--editable", str(ROOT), *nox.project.dependency_groups(PYPROJECT, "tests", "mutants"))
    sample = next((word for word in session.posargs if word.replace(",", "").isdigit()), "300")
    for room in [word for word in session.posargs if word in MUTATED] or MUTATED:
        command = ("python", str(ROOT / "scripts" / "mutants.py"), room, sample, "1", *MUTATED[room])
        session.run("python", "-m", "asyncmig.testing", "--", *command)  # beside one server for all


@nox.session(python=RUNNING)
def properties(session: nox.Session) -> None:
    """Random schemas, one after the other on a real server. The argument: how many, 5,000 unless given; an hour."""
    wheel = _install_wheel(session, "tests")
    session.env["ASYNCMIG_EXAMPLES"] = session.posargs[0] if session.posargs else "5000"
    places = [f"tests/authoring/test_{name}_random.py" for name in ("convergence", "squash")]
    _pytest(session, wheel, *places, "-n", "2", "--dist", "loadfile", "-q")


@nox.session(python=RUNNING)
def field_law(session: nox.Session) -> None:
    """Random pairs of models by the engine, and a Beanie model on many documents, killed. How many pairs: 3,000."""
    wheel = _install_wheel(session, "tests")
    number = int(session.posargs[0]) if session.posargs else 3_000
    session.env.update({"ASYNCMIG_LONG": "1", "ASYNCMIG_PAIRS": str(number // 2)})
    _pytest(session, wheel, "tests/fields/test_law.py", "tests/fields/test_beanie_killed.py", "-m", "long", "-q")


@nox.session(python=RUNNING)
def profile_oracle(session: nox.Session) -> None:
    """What a scan counts, held to npm's mongodb-schema, which is installed for it: needs node and npm."""
    wheel = _install_wheel(session, "tests")
    folder = Path(session.virtualenv.location).resolve() / "npm"
    folder.mkdir(exist_ok=True)
    with session.chdir(folder):
        session.run("npm", "install", "--no-audit", "--no-fund", "--silent", "mongodb-schema@12.7.0", external=True)
    session.env.update({"ASYNCMIG_LONG": "1", "ASYNCMIG_NODE_MODULES": str(folder / "node_modules")})
    _pytest(session, wheel, "tests/profiling/test_oracle.py", "-q")


@nox.session(python=RUNNING)
def lint(session: nox.Session) -> None:
    """The rules of ruff, its format, which room may import which, and the language of pages and docstrings."""
    session.install(*LOCKED, *nox.project.dependency_groups(PYPROJECT, "lint", "prose"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("python", str(ROOT / "scripts" / "prose.py"))


@nox.session(python=RUNNING)
def lint_tools(session: nox.Session) -> None:
    """What `asyncmig lint` writes, read by other programs; the GitHub Action's steps; the hooks, by pre-commit."""
    wheel = _install_wheel(session, "tests")
    session.install("sarif-tools", "sarif-pydantic", "check-jsonschema", "pip", "pre-commit", "pyyaml")
    session.env["ASYNCMIG_LONG"] = "1"
    _pytest(session, wheel, *(session.posargs or ("tests/lint/test_outside.py",)))


@nox.session(python=RUNNING)
def report(session: nox.Session) -> None:
    """The report in a real browser: it fits, it can be read, it asks for nothing. Pictures go to .cache/pictures.

    The browser: ASYNCMIG_CHROMIUM, else the system's Chromium, else one that Playwright fetches.
    """
    wheel = _install_wheel(session, "tests")
    session.install("playwright")
    browser = os.environ.get("ASYNCMIG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        session.run("playwright", "install", "--with-deps", "chromium")
    session.env.update({"ASYNCMIG_LONG": "1", "ASYNCMIG_PICTURES": str(ROOT / ".cache" / "pictures")})
    session.env.update({"ASYNCMIG_CHROMIUM": browser} if browser else {})
    _pytest(session, wheel, *(session.posargs or ("tests/report", "-v")))


@nox.session(python=RUNNING)
def typing(session: nox.Session) -> None:
    """mypy --strict and pyright: the package, and what a user of either driver writes."""
    _install_wheel(session, "typing")
    session.run("mypy", env={"PYTHONPATH": None})
    session.run("pyright", env={"PYTHONPATH": None})


@nox.session(python=RUNNING)
def demo(session: nox.Session) -> None:
    """The main job, on screen, with the installed wheel."""
    _install_wheel(session, "server")
    environment = {"ASYNCMIG_VENV": str(Path(session.virtualenv.location).resolve())}
    session.run("bash", str(ROOT / "scripts" / "demo"), env=environment, external=True)


@nox.session(python=RUNNING)
def bench(session: nox.Session) -> None:
    """Times of asyncmig beside its peers. Arguments: which of the benchmarks, all unless named, and their options."""
    _install_wheel(session, "bench")
    options = [word for word in session.posargs if word not in BENCHMARKS]
    for name in [word for word in session.posargs if word in BENCHMARKS] or BENCHMARKS:
        session.run("python", str(ROOT / "benchmarks" / f"{name}.py"), *options, env={"PYTHONPATH": None})


@nox.session(python=RUNNING)
def docs(session: nox.Session) -> None:
    """The documentation, into docs/_build; then its pages are run on a real server. A warning is an error, a lie too.

    The arguments: pages, all unless named; ``--write`` puts into them what was printed.
    """
    _install_wheel(session, "docs", "doors", "server", "sources")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "docs", "docs/_build", env={"PYTHONPATH": None})
    environment = {"PYTHONPATH": str(ROOT / "scripts"), "PYTHONDONTWRITEBYTECODE": None}
    if session.posargs == ["--write"]:
        session.run("python", str(ROOT / "scripts" / "picture.py"), env=environment)
    session.run("python", "-m", "pages", *session.posargs, env=environment)


@nox.session(venv_backend="none")
def relock(session: nox.Session) -> None:
    """Renew requirements/constraints.txt: the newest versions of everything that pyproject.toml allows.

    With ``-- --keep``, what is locked stays as it is, and only what is missing is added.
    """
    place = ROOT / CONSTRAINTS
    kept = [] if "--keep" in session.posargs else ["--upgrade"]
    groups = [word for group in PYPROJECT["dependency-groups"] for word in ("--group", group)]
    settings = ("--universal", "--python-version", "3.11", "--no-emit-index-url", "--no-header", "--no-annotate")
    compiling = (sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "-o", CONSTRAINTS)
    with session.chdir(ROOT):
        session.run(*compiling, *groups, *settings, *kept)
    pins = [line for line in place.read_text().splitlines() if line and not line.startswith("#")]
    place.write_text(LOCK_HEADER + "\n".join(pins) + "\n")
    session.log("%d packages are locked in %s", len(pins), CONSTRAINTS)
