"""Settings: where values come from, what they must be, and that no password is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncmig.errors import ConfigurationError
from asyncmig.settings import Settings, load_settings, unknown_variables


def project(folder: Path, table: str, name: str = "pyproject.toml") -> Path:
    header = "[tool.asyncmig]\n" if name == "pyproject.toml" else ""
    (folder / name).write_text(header + table, encoding="utf-8")
    return folder


class TestLayers:
    def test_defaults(self, tmp_path: Path) -> None:
        assert load_settings(tmp_path, {}) == Settings(root=tmp_path, directory=tmp_path / "migrations")

    @pytest.mark.parametrize(
        ("environment", "flags", "expected"),
        [
            ({}, {}, "file"),
            ({"ASYNCMIG_DATABASE": "variable"}, {}, "variable"),
            ({"ASYNCMIG_DATABASE": ""}, {}, "file"),
            ({}, {"database": "flag"}, "flag"),
            ({"ASYNCMIG_DATABASE": "variable"}, {"database": "flag"}, "flag"),
            ({"ASYNCMIG_DATABASE": "variable"}, {"database": None}, "variable"),
        ],
    )
    def test_the_stronger_wins(self, tmp_path: Path, environment, flags, expected) -> None:
        project(tmp_path, 'database = "file"')
        assert load_settings(tmp_path, environment, flags).database == expected

    @pytest.mark.parametrize(
        ("include", "exclude", "name", "is_included"),
        [
            ((), (), "a", True),
            ((), ("b", "a*"), "a1", False),
            ((), ("a",), "a1", True),  # the whole name, not a part of it
            ((), ("a",), "A", True),
            (("a*", "b"), (), "a1", True),
            (("a*", "b"), (), "c", False),
            (("a*",), ("a1",), "a1", False),  # what is excluded stays so, whatever includes it
            (("a*",), ("a1",), "a2", True),
            ((), ("[xy]?",), "y1", False),
        ],
    )
    def test_patterns(self, tmp_path: Path, include, exclude, name: str, is_included: bool) -> None:
        settings = Settings(root=tmp_path, directory=tmp_path, include=include, exclude=exclude)
        assert settings.included("collection", name) is is_included

    def test_every_key_from_a_variable(self, tmp_path: Path) -> None:
        environment = {
            "ASYNCMIG_URL": "mongodb://h/d",
            "ASYNCMIG_DATABASE": "app",
            "ASYNCMIG_DIRECTORY": "history",
            "ASYNCMIG_MODELS": "app:ALL",
            "ASYNCMIG_DRIVER": "pymongo",
            "ASYNCMIG_LOCK_TIMEOUT": "0",
            "ASYNCMIG_LOCK_LEASE": "2.5",
            "ASYNCMIG_REVISIONS_COLLECTION": "r",
            "ASYNCMIG_LOCK_COLLECTION": "l",
            "ASYNCMIG_UNDECLARED_INDEXES": "hide",
            "ASYNCMIG_STRICT_ORDER": "yes",
            "ASYNCMIG_INCLUDE": "a_*, b_*",
            "ASYNCMIG_EXCLUDE": "c",
        }
        assert load_settings(tmp_path, environment) == Settings(
            root=tmp_path,
            url="mongodb://h/d",
            database="app",
            directory=tmp_path / "history",
            models="app:ALL",
            driver="pymongo",
            lock_timeout=0.0,
            lock_lease=2.5,
            revisions_collection="r",
            lock_collection="l",
            strict_order=True,
            undeclared_indexes="hide",
            include=("a_*", "b_*"),
            exclude=("c",),
        )

    def test_variables_of_other_parts_are_left_alone(self, tmp_path: Path) -> None:
        assert load_settings(tmp_path, {"ASYNCMIG_MONGOD": "/usr/bin/mongod"}).url is None

    def test_an_overridden_value_need_not_be_complete(self, tmp_path: Path) -> None:
        project(tmp_path, 'url = "${NOT_SET}"')
        assert load_settings(tmp_path, {}, {"url": "mongodb://h/d"}).url == "mongodb://h/d"


class TestFiles:
    def test_found_upwards_and_paths_start_there(self, tmp_path: Path) -> None:
        inner = tmp_path / "src" / "deep"
        inner.mkdir(parents=True)
        (tmp_path / "src" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
        project(tmp_path, 'directory = "db/history"\nurl = "embedded:./data"')
        found = load_settings(inner, {})
        assert (found.root, found.file) == (tmp_path, tmp_path / "pyproject.toml")
        assert (found.directory, found.embedded_path) == (tmp_path / "db" / "history", tmp_path / "data")

    def test_flags_and_variables_start_at_the_working_directory(self, tmp_path: Path) -> None:
        inner = tmp_path / "src"
        inner.mkdir()
        project(tmp_path, "")
        found = load_settings(inner, {"ASYNCMIG_DIRECTORY": "d"}, {"url": "embedded:e"})
        assert (found.directory, found.embedded_path) == (inner / "d", inner / "e")

    @pytest.mark.parametrize("table", ['database = "own"', '[tool.asyncmig]\ndatabase = "own"'])
    def test_its_own_file_comes_first(self, tmp_path: Path, table: str) -> None:
        project(tmp_path, 'database = "project"')
        assert load_settings(project(tmp_path, table, "asyncmig.toml"), {}).database == "own"

    def test_named_by_a_flag(self, tmp_path: Path) -> None:
        project(tmp_path, 'database = "other"', "other.toml")
        assert load_settings(tmp_path, {}, {"config": "other.toml"}).database == "other"

    @pytest.mark.parametrize(
        ("name", "text", "fault"),
        [
            (
                "pyproject.toml",
                "[tool.asyncmig]\nurls = 'x'",
                "pyproject.toml: unknown key 'urls'; did you mean 'url'?",
            ),
            ("pyproject.toml", "[tool.asyncmig]\nlock-lease = 1", "did you mean 'lock_lease'?"),
            ("asyncmig.toml", "zzz = 1", "asyncmig.toml: unknown key 'zzz'; known keys: url, database,"),
            ("pyproject.toml", "[tool]\nasyncmig = 3", "[tool.asyncmig] must be a table"),
            ("asyncmig.toml", "url = ", "asyncmig.toml is not valid TOML"),
            ("asyncmig.toml", "url = 5", "asyncmig.toml: url: must be a string, not a number"),
            ("asyncmig.toml", "models = [5]", "models: must be a string, or a list of strings such as"),
            ("asyncmig.toml", "models = []", "models: must be a string, or a list of strings such as"),
            ("asyncmig.toml", "models = 'app.models,'", "models: must not be empty"),
            ("asyncmig.toml", "database = ' '", "database: must not be empty"),
            ("asyncmig.toml", "lock_lease = 0", "lock_lease: must be a number of seconds, more than 0, not 0"),
            ("asyncmig.toml", "lock_timeout = -1", "lock_timeout: must be a number of seconds, 0 or more, not -1"),
            ("asyncmig.toml", "lock_timeout = true", "must be a number of seconds"),
            ("asyncmig.toml", "lock_timeout = inf", "must be a number of seconds"),
            ("asyncmig.toml", "driver = 'pymong'", "driver: must be one of motor, pymongo, not 'pymong'"),
            ("asyncmig.toml", "strict_order = 'maybe'", "strict_order: must be true or false, not 'maybe'"),
            ("asyncmig.toml", "strict_order = 2", "strict_order: must be true or false, not 2"),
            ("asyncmig.toml", "include = 3", 'include: must be a list of patterns such as ["app_*"], not 3'),
            ("asyncmig.toml", "exclude = [3]", 'exclude: must be a list of patterns such as ["app_*"], not [3]'),
        ],
    )
    def test_faults(self, tmp_path: Path, name: str, text: str, fault: str) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path, {})
        assert fault in str(caught.value)

    def test_a_named_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"nowhere\.toml cannot be read: No such file"):
            load_settings(tmp_path, {}, {"config": "nowhere.toml"})

    def test_a_named_project_without_the_table(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text("[project]\n")
        with pytest.raises(ConfigurationError, match="`asyncmig init` adds one"):
            load_settings(tmp_path, {}, {"config": "pyproject.toml"})


class TestReferences:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("${A}", "one"),
            ("x-${A}-${B}", "x-one-two"),
            ("$A $$ $", "$A $$ $"),
            ("$${A}", "${A}"),
        ],
    )
    def test_in_a_file(self, tmp_path: Path, value: str, expected: str) -> None:
        project(tmp_path, f'database = "{value}"')
        assert load_settings(tmp_path, {"A": "one", "B": "two"}).database == expected

    def test_in_a_list_a_variable_and_a_flag(self, tmp_path: Path) -> None:
        project(tmp_path, 'include = ["${A}_*"]')
        found = load_settings(tmp_path, {"A": "one", "ASYNCMIG_DATABASE": "${A}"}, {"models": "${A}:ALL"})
        assert (found.include, found.database, found.models) == (("one_*",), "one", "one:ALL")

    def test_a_variable_that_is_not_set(self, tmp_path: Path) -> None:
        project(tmp_path, 'url = "mongodb://u:${SECRET}@h"')
        settings = load_settings(tmp_path, {})  # what reads files alone goes on
        with pytest.raises(ConfigurationError) as caught:
            settings.needed_url()
        assert "pyproject.toml: url: the environment variable SECRET is not set" in str(caught.value)
        settings = load_settings(tmp_path, {"ASYNCMIG_DATABASE": "${NAME}", "ASYNCMIG_CONTEXT": "KEY=${KEY}"})
        with pytest.raises(ConfigurationError, match="ASYNCMIG_DATABASE: the environment variable NAME is not set"):
            settings.needed_database()
        with pytest.raises(ConfigurationError, match="ASYNCMIG_CONTEXT: the environment variable KEY is not set"):
            settings.needed_context()
        with pytest.raises(ConfigurationError, match="ASYNCMIG_DRIVER: the environment variable D is not set"):
            load_settings(tmp_path, {"ASYNCMIG_DRIVER": "${D}"})


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "safe", "database"),
        [
            ("mongodb://h", "mongodb://h:27017", None),
            ("mongodb://h/", "mongodb://h:27017", None),
            ("mongodb://u:secret@h:1,i:2/app?x=1", "mongodb://h:1,i:2/app", "app"),
            ("mongodb+srv://u:secret@cluster.example/app", "mongodb+srv://cluster.example/app", "app"),
            ("mongodb://u:secret%40%2F@h/a%20b.c", "mongodb://h:27017/a b", "a b"),
            ("mongodb://[::1]/app", "mongodb://[::1]:27017/app", "app"),
            ("mongodb://h/app?x=a@b", "mongodb://h:27017/app", "app"),
            ("mongodb://u:sec/ret@h/app", "mongodb://...", None),
            ("mongodb://u:sec?ret/@h/app", "mongodb://...", None),
            ("embedded:", "embedded:", "app"),
        ],
    )
    def test_shown_without_secrets(self, url: str, safe: str, database: str | None) -> None:
        settings = Settings(root=Path("/p"), url=url)
        assert (settings.safe_url, settings.database_name) == (safe, database)
        assert "sec" not in repr(settings)

    @pytest.mark.parametrize("name", ["admin", "config", "local", "Admin"])
    def test_the_path_is_where_the_user_is_at_home(self, name: str) -> None:
        settings = Settings(root=Path("/p"), url=f"mongodb://u:secret@h/{name}")
        with pytest.raises(ConfigurationError) as caught:
            settings.needed_database()
        assert f"the URL ends with /{name}, MongoDB's own database" in str(caught.value)
        assert f"/NAME?authSource={name}" in str(caught.value)
        assert Settings(root=Path("/p"), url=settings.url, database="app").needed_database() == "app"
        with pytest.raises(ConfigurationError, match="is MongoDB's own"):
            Settings(root=Path("/p"), url=settings.url, database=name).needed_database()

    def test_a_url_that_does_not_come_apart_names_no_database(self) -> None:
        with pytest.raises(ConfigurationError, match="must be percent-encoded"):
            Settings(root=Path("/p"), url="mongodb://u:Pa@Secret?1@h/app").needed_database()

    def test_the_setting_beats_the_path(self) -> None:
        assert Settings(root=Path("/p"), url="mongodb://h/one", database="two").database_name == "two"

    @pytest.mark.parametrize(
        ("name", "fault"),
        [
            ("a.b", "database: 'a.b' has '.' in it, which no database's name can have"),
            ("a b", "has ' ' in it"),
            ("a$", "has '$' in it"),
            ("é" * 32, "database: a name of 64 bytes, and a database's has 63 at most"),
        ],
    )
    def test_a_name_that_no_database_can_have(self, name: str, fault: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            Settings(root=Path("/p"), url="mongodb://h", database=name).needed_database()
        assert fault in str(caught.value)

    def test_another_scheme_is_refused_unshown(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path, {"ASYNCMIG_URL": "postgres://u:secret@h"})
        assert str(caught.value) == "ASYNCMIG_URL: must start with mongodb://, mongodb+srv:// or embedded:"

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (Settings.needed_url, ["url is not set", "url = ", "ASYNCMIG_URL=", "--url "]),
            (Settings.needed_database, ["database is not set", "ASYNCMIG_DATABASE=", "a URL that ends with /NAME"]),
            (Settings.needed_models, ["models is not set", "models = ", "ASYNCMIG_MODELS=", "--models "]),
        ],
    )
    def test_missing_ones_name_the_ways_to_set_them(self, call, words: list[str]) -> None:
        with pytest.raises(ConfigurationError) as caught:
            call(Settings(root=Path("/p")))
        assert all(word in str(caught.value) for word in [*words, "[tool.asyncmig] of /p/pyproject.toml"])


class TestMessages:
    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            ({"ASYNCMIG_URL": "localhost:27017"}, "; write mongodb://localhost:27017"),
            ({"ASYNCMIG_URL": "localhost"}, "; write mongodb://localhost"),
            ({"ASYNCMIG_URL": "db.example.com/app"}, "; write mongodb://db.example.com/app"),
            ({"ASYNCMIG_URL": "mongo:27017"}, "; write mongodb://mongo:27017"),
            ({"ASYNCMIG_URL": "${HOST}", "HOST": "nonsense secret"}, "ASYNCMIG_URL (from ${HOST}): must start with"),
            ({"ASYNCMIG_URL": "${HOST}", "HOST": ""}, "ASYNCMIG_URL (from ${HOST}): must not be empty"),
            ({"ASYNCMIG_URL": "${HOST}"}, "the environment variable HOST is not set"),
            ({"ASYNCMIG_URL": "${MONGO-URL}"}, "'${MONGO-URL}' names no environment variable"),
            ({"ASYNCMIG_URL": "${}"}, "'${}' names no environment variable"),
            ({"ASYNCMIG_URL": "mongodb://${HOST/app"}, "'${HOST/app' is not closed"),
            (
                {"ASYNCMIG_LOCK_LEASE": "${LEASE}", "LEASE": "soon"},
                "ASYNCMIG_LOCK_LEASE (from ${LEASE}): must be a number",
            ),
        ],
    )
    def test_what_may_have_been_meant(self, tmp_path: Path, environment: dict[str, str], said: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path, environment).needed_url()
        assert said in str(caught.value)

    @pytest.mark.parametrize("url", ["user:secret", "u:secret@host", "secret", "postgres://u:secret@h", "secret:x/y"])
    def test_what_may_hold_a_password_is_not_shown(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path, {"ASYNCMIG_URL": url})
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("name", ["pyproject.toml", "asyncmig.toml"])
    def test_the_table_by_its_short_name(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text('[asyncmig]\ndatabase = "app"\n')
        with pytest.raises(ConfigurationError, match=r"write \[tool.asyncmig\]"):
            load_settings(tmp_path, {})

    def test_variables_that_are_none(self) -> None:
        environment = dict.fromkeys(
            ["ASYNCMIG_URL", "ASYNCMIG_ON_STARTUP", "ASYNCMIG_LOCK_TIMOUT", "ASYNCMIG_X", "X"], ""
        )
        assert unknown_variables(environment) == [
            "the environment variable ASYNCMIG_LOCK_TIMOUT is no setting, and is left out of account; "
            "did you mean ASYNCMIG_LOCK_TIMEOUT?",
            "the environment variable ASYNCMIG_X is no setting, and is left out of account",
        ]
