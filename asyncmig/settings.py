"""``Settings``: what a project says about itself once, read from file, environment and flags.

Weakest first: the defaults, ``[tool.asyncmig]`` in pyproject.toml (or ``asyncmig.toml``), the
``ASYNCMIG_*`` variables, the command line's flags. ``${NAME}`` in a value is read from the
environment; ``$${NAME}`` stands for the text ``${NAME}`` itself. Relative paths start at the
folder of the file that names them, and at the working directory for variables and flags.

Each start of the command line loads this module: what only a URL or a fault needs is imported where it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from asyncmig.errors import ConfigurationError
from asyncmig.schema.levels import Level
from asyncmig.setting_values import EMBEDDED, KEYS, Given

if TYPE_CHECKING:
    from asyncmig.address import Address

__all__ = ["Settings", "load_settings", "unknown_variables"]

_PREFIX = "ASYNCMIG_"
_VARIABLE = r"\w+"
_UNCLOSED = r"(?<!\$)\$\{.*"
_ELSEWHERE = frozenset({"ON_STARTUP", "MONGOD", "TEST_URL", "DEMO_FOLDER", "EXAMPLES", "LONG", "VENV"})
"""What else begins with ASYNCMIG_ and is read by something of ours."""
_FOR_A_SERVER = ("url", "database", "context")
_REFERENCE = r"(\$?)\$\{([^}]*)\}"


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """One project's settings. Its ``repr`` shows where the database is, and never a password.

    ``root`` is the folder of the configuration file (else the working directory): it goes on
    ``sys.path`` so that ``models`` can be imported. ``lock_timeout`` and ``lock_lease`` are
    seconds. ``models``: where the models are, or several such places; ``db_alias``: which of them are
    taken where they name their database. ``strict_order`` refuses to run a revision that is older than
    an applied one. ``include`` and ``exclude`` are shell patterns for collection names; an empty ``include`` takes
    every collection in. ``fields`` says how the fields that models declare are enforced, for all
    collections but those in ``fields_by_collection``; ``field_constraints``, whether bounds are; ``removed_fields``,
    whether the removal of a field that no model declares is a suggestion, or done. ``index_names``: whether
    an index that differs by its name only is another one.
    ``context``: values that revisions find in ``env.context``.
    ``commit_quorum``: which members have to have built an index before it is there: ``majority``
    unless given. ``lint`` goes by ``max_indexes``, which a collection had better not have more of, and
    ``min_server``, the oldest server in use (its feature compatibility version). ``unset``: of ``url``,
    ``database`` and ``context``, what is said of a variable that is not set: it hinders only what needs a server.
    """

    root: Path
    file: Path | None = None
    url: str | None = None
    database: str | None = None
    directory: Path = Path("migrations")
    models: str | tuple[str, ...] | None = None
    db_alias: str | None = None
    driver: Literal["motor", "pymongo"] = "motor"
    lock_timeout: float = 60.0
    lock_lease: float = 30.0
    strict_order: bool = False
    revisions_collection: str = "asyncmig_revisions"
    lock_collection: str = "asyncmig_lock"
    undeclared_indexes: Literal["agreed", "drop", "hide", "ignore"] = "agreed"
    undeclared_options: Literal["agreed", "drop", "ignore"] = "agreed"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fields: Level = "ignore"
    fields_by_collection: Mapping[str, Level] = field(default_factory=dict)
    field_constraints: bool = False
    removed_fields: Literal["suggest", "drop"] = "suggest"
    index_names: Literal["exact", "ignore"] = "exact"
    commit_quorum: str | int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    max_indexes: int = 10
    min_server: tuple[int, int] | None = None
    unset: Mapping[str, ConfigurationError] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = {
            setting.name: getattr(self, setting.name) for setting in dataclass_fields(self) if setting.name != "unset"
        } | {"url": self.safe_url}
        shown["context"] = sorted(self.context)  # the names alone: a value may be a secret
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def embedded(self) -> bool:
        """Whether the command starts a server of its own."""
        return self.url is not None and self.url.startswith(EMBEDDED)

    @property
    def embedded_path(self) -> Path | None:
        """The folder that the embedded server keeps its data in; None for a temporary one."""
        path = self.url.removeprefix(EMBEDDED) if self.embedded and self.url else ""
        return Path(path) if path else None

    @property
    def safe_url(self) -> str | None:
        """The URL without user, password and options."""
        if self.url is None or self.embedded:
            return self.url
        return str(self._address)

    @property
    def database_name(self) -> str | None:
        """The database to work on: the setting, else the URL's path, else ``app`` on an embedded server.

        A path that names one of MongoDB's own (``/admin``) says where the user is at home, and nothing of ours.
        """
        if self.database or self.url is None:
            return self.database
        return "app" if self.embedded else self._address.database or None

    @property
    def members(self) -> int | None:
        """How many servers the URL names, where it names more than one."""
        if self.url is None or self.embedded:
            return None
        count = len(self._address.hosts)
        return count if count > 1 else None

    @property
    def _address(self) -> Address:
        """What of the URL may be shown."""
        from asyncmig.address import address

        return address(self.url or "")

    def included(self, kind: str, name: str) -> bool:
        """Whether a collection is asyncmig's business, by the patterns; ``kind`` makes no difference to them."""
        from fnmatch import fnmatchcase

        taken = not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)
        return taken and not any(fnmatchcase(name, pattern) for pattern in self.exclude)

    def needed_url(self) -> str:
        """The URL; raises ConfigurationError, with the ways to set it, where there is none."""
        self._refuse_unset("url")
        return self.url or self._missing("url", "mongodb://localhost:27017/app")

    def needed_database(self) -> str:
        """The database's name; raises ConfigurationError for one that cannot be, or with the ways to set it."""
        from asyncmig.schema.names import database_name_fault

        self._refuse_unset("database")
        name = self.database_name or self._missing("database", "app", also=self._why_not_the_path())
        if fault := database_name_fault(name):
            raise ConfigurationError(f"database: {fault}")
        return name

    def _why_not_the_path(self) -> str:
        """What the URL has to do with it that no database is known."""
        from asyncmig.address import ESCAPE

        shown = self._address
        if shown.name:
            return (
                f"the URL ends with /{shown.name}, MongoDB's own database, where users are kept; "
                f"write /NAME?authSource={shown.name} to name both"
            )
        if self.url and shown.is_hidden:
            return f"the URL cannot be taken apart, so that its path names none: {ESCAPE}"
        return "a URL that ends with /NAME names it, too"

    def needed_models(self) -> str | tuple[str, ...]:
        """What ``models`` names; raises ConfigurationError, with the ways to set it, where there is nothing."""
        return self.models or self._missing("models", "app.models:ALL_COLLECTIONS")

    def needed_context(self) -> Mapping[str, Any]:
        """The values of revisions; raises ConfigurationError where a variable that one is read from is not set."""
        self._refuse_unset("context")
        return self.context

    def _refuse_unset(self, key: str) -> None:
        if key in self.unset:
            raise self.unset[key]

    def _missing(self, key: str, example: str, *, also: str = "") -> NoReturn:
        home = f"[tool.asyncmig] of {self.root / 'pyproject.toml'}" if self.file is None else str(self.file)
        raise ConfigurationError(
            f"{key} is not set; there are three ways to set it:\n"
            f'  {key} = "{example}"   in {home}\n'
            f"  ASYNCMIG_{key.upper()}={example}   in the environment\n"
            f"  --{key} {example}   on the command line" + (f"\n({also})" if also else "")
        )


def load_settings(start: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings for a command started in ``start``.

    ``flags`` holds what the command line gave, under the settings' names, None for what it did not
    give; its ``config`` names a configuration file, which otherwise is searched for upwards from
    ``start``. Raises ConfigurationError for an unknown key, a value that does not fit, a variable
    that is not set (of ``url``, ``database`` and ``context``: when they are needed), or a file that cannot be read.
    """
    start = start.absolute()
    asked = {name: value for name, value in (flags or {}).items() if value is not None}
    config = asked.pop("config", None)
    file = _named_file(start / config) if config else _found_file(start)
    given = _from_environment(environment, start) | {
        name: Given(value, f"--{name.replace('_', '-')}", start) for name, value in asked.items()
    }
    root = file[0].parent if file else start
    given = (_from_file(*file) if file else {}) | given
    values, unset = _read_values(given, environment)
    values["directory"] = root / values.get("directory", "migrations")
    return Settings(root=root, file=file[0] if file else None, unset=unset, **values)


class _VariableNotSet(ConfigurationError):
    """Raised for a variable that a value is read from, and that is not there."""


def _read_values(
    given: Mapping[str, Given], environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, ConfigurationError]]:
    """The values; and the faults of those that need a variable that a machine that only looks at files may lack."""
    values: dict[str, Any] = {}
    unset: dict[str, ConfigurationError] = {}
    for name, value in given.items():
        try:
            values[name] = KEYS[name](_expanded(value, environment))
        except _VariableNotSet as fault:
            if name not in _FOR_A_SERVER:
                raise
            unset[name] = fault
    return values, unset


# Where values come from


def _found_file(start: Path) -> tuple[Path, Mapping[str, Any]] | None:
    for folder in (start, *start.parents):
        own, project = folder / "asyncmig.toml", folder / "pyproject.toml"
        if own.is_file():
            return _named_file(own)
        document = _read(project) if project.is_file() else {}
        if (table := document.get("tool", {}).get("asyncmig")) is not None:
            return project, table
        if "asyncmig" in document:
            raise ConfigurationError(f"{project}: the table [asyncmig] is not read there; write [tool.asyncmig]")
    return None


def _named_file(path: Path) -> tuple[Path, Mapping[str, Any]]:
    document = _read(path)
    table = document.get("tool", {}).get("asyncmig")
    if table is None and path.name == "pyproject.toml":
        raise ConfigurationError(f"{path} has no [tool.asyncmig] table; `asyncmig init` adds one")
    return path, document if table is None else table


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error


def _from_file(path: Path, table: Mapping[str, Any]) -> dict[str, Given]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{path}: [tool.asyncmig] must be a table")
    for key in table:
        if key == "asyncmig" and isinstance(table[key], Mapping):
            raise ConfigurationError(f"{path}: write [tool.asyncmig] in the place of [asyncmig], or the keys alone")
        if key not in KEYS:
            raise ConfigurationError(f"{path}: unknown key {key!r}; {_nearest(key)}")
    return {key: Given(value, f"{path}: {key}", path.parent) for key, value in table.items()}


def _from_environment(environment: Mapping[str, str], start: Path) -> dict[str, Given]:
    names = {key: f"{_PREFIX}{key.upper()}" for key in KEYS}
    return {key: Given(environment[name], name, start) for key, name in names.items() if environment.get(name)}


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A message for each variable that is named like a setting and is none, with the one that may be meant."""
    from difflib import get_close_matches

    messages = []
    for name in sorted(environment):
        key = name.removeprefix(_PREFIX)
        if key == name or key.lower() in KEYS or key in _ELSEWHERE:
            continue
        near = get_close_matches(key.lower(), KEYS, n=1, cutoff=0.7)
        meant = f"; did you mean {_PREFIX}{near[0].upper()}?" if near else ""
        messages.append(f"the environment variable {name} is no setting, and is left out of account{meant}")
    return messages


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.replace("-", "_").lower(), KEYS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(KEYS)}"


def _expanded(given: Given, environment: Mapping[str, str]) -> Given:
    names: list[str] = []

    def put(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match[0][1:]
        if not re.fullmatch(_VARIABLE, name):
            given.wrong(f"{match[0]!r} names no environment variable (write ${match[0]} for the text itself)")
        if name not in environment:
            raise _VariableNotSet(
                f"{given.where}: the environment variable {name} is not set (write $${{{name}}} for the text itself)"
            )
        names.append(name)
        return environment[name]

    def expand(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: expand(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [expand(item) for item in value]
        if not isinstance(value, str) or "$" not in value:
            return value
        if unclosed := re.search(_UNCLOSED, re.sub(_REFERENCE, "", value)):
            given.wrong(f"{unclosed[0][:20]!r} is not closed: a variable is written ${{NAME}}")
        return re.sub(_REFERENCE, put, value)

    expanded = expand(given.value)
    where = f"{given.where} (from {', '.join(f'${{{name}}}' for name in names)})" if names else given.where
    return given._replace(value=expanded, where=where)


# What a value must be
