"""``asyncmig init``: the folder for revisions and the table for settings, neither ever overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.errors import ConfigurationError

_TABLE = """\
[tool.asyncmig]
# ${NAME} in a value is read from the environment; keep passwords there. Each key can also be given
# as a variable (ASYNCMIG_URL, ASYNCMIG_MODELS, ...) or as an option (--url, --models, ...).

# The models: a module, and in it a list of Collection and View classes. This folder is on sys.path.
models
# The server, and the database on it. "embedded:./data" starts a server of its own on that folder.
url
database
# The folder of the revision files.
directory
# The driver: "motor" or "pymongo" (its own async one).
driver
"""
_EXAMPLES = {
    "models": "app.models:ALL_COLLECTIONS",
    "url": "${MONGODB_URL}",
    "database": "app",
    "directory": "migrations",
    "driver": "motor",
}


@command("init", examples=["asyncmig init", "asyncmig init --models app.models:ALL_COLLECTIONS --url embedded:./data"])
@pass_app
async def init(app: App) -> None:
    """Make the folder of the revisions and, where there is none, a [tool.asyncmig] table in pyproject.toml.

    What the shared options give (--models, --url, ...) is written into the table. Nothing that is
    there already is changed.
    """
    try:
        created = list(_make(app))
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be made or written: {error.strerror}") from error
    settings = app.settings
    document = {
        "directory": app.shown(settings.directory),
        "settings": app.shown(settings.file or settings.root / "pyproject.toml"),
        "created": [app.shown(path) for path in created],
    }
    emit(app, document, ())
    _tell_next_steps(app)


def _make(app: App) -> Iterator[Path]:
    """Make what is missing; the paths of what was made, or changed."""
    settings = app.settings
    versions = settings.directory / "versions"
    if versions.is_dir():
        app.console.say(f"{app.shown(versions)}/ is there already")
    else:
        versions.mkdir(parents=True)
        app.console.say(f"Created {app.shown(versions)}/", "good")
        yield versions
    if not any(versions.iterdir()):
        keeping = versions / ".gitkeep"
        keeping.touch()  # git keeps no empty folder
        yield keeping
    if settings.file is None:
        path = settings.root / "pyproject.toml"
        _add_table(app, path)
        yield path
    else:
        app.console.say(f"{app.shown(settings.file)} has the settings already")


def _add_table(app: App, path: Path) -> None:
    import tomllib

    before = path.read_bytes().decode() if path.exists() else ""
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    text = before + gap + _table(app)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = f"a [tool.asyncmig] table cannot be added ({error}); add it by hand"
        raise ConfigurationError(f"{path}: {fault}") from error
    path.write_bytes(text.encode())  # as bytes: the line ends of what is there stay as they are
    app.console.say(f"{'Added [tool.asyncmig] to' if before else 'Created'} {app.shown(path)}", "good")


def _table(app: App) -> str:
    """The commented table; keys that the options gave stand in it for real, the others as comments."""
    return "\n".join(_key(line, app.flags.get(line)) if line in _EXAMPLES else line for line in _TABLE.split("\n"))


def _key(name: str, given: str | None) -> str:
    import json

    if given is None or (name == "url" and _is_secret(given)):
        return f'# {name} = "{_EXAMPLES[name]}"'
    return f"{name} = {json.dumps(given, ensure_ascii=False)}"  # a JSON string is a TOML string


def _is_secret(url: str | None) -> bool:
    """Whether it stays unwritten: one with a user's name may hold a password, too."""
    return url is not None and "@" in url


def _tell_next_steps(app: App) -> None:
    settings = app.settings
    has_url = settings.url and not _is_secret(app.flags.get("url"))
    steps = [
        "" if settings.models else f'name the models: models = "{_EXAMPLES["models"]}" in pyproject.toml',
        "" if has_url else "name the server: url in pyproject.toml or ASYNCMIG_URL (for a try: embedded:./data)",
        'asyncmig revision -m "first" --autogenerate',
        "asyncmig upgrade",
    ]
    app.console.say("\nNext:")
    for number, step in enumerate(filter(None, steps), 1):
        app.console.say(f"  {number}. {step}")
