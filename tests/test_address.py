"""Of a MongoDB URL hosts and database are shown, and nothing of one that does not come apart in one way."""

from __future__ import annotations

import pytest

from asyncmig.address import address, without_secrets

PLAIN = [
    ("mongodb://h", "mongodb://h:27017", ""),
    ("mongodb://h/", "mongodb://h:27017", ""),
    ("mongodb://h?tls=true", "mongodb://h:27017", ""),
    ("mongodb://u@h/app", "mongodb://h:27017/app", "app"),
    ("mongodb://u:@h/app", "mongodb://h:27017/app", "app"),
    ("mongodb://u:pw@h:1,i:2/app?w=1", "mongodb://h:1,i:2/app", "app"),
    ("mongodb+srv://u:pw@cluster0.ab1.mongodb.net/app?retryWrites=true&w=majority", None, "app"),
    ("mongodb://u:pw%40%2F%3F%23@h/a%20b.c", "mongodb://h:27017/a b", "a b"),
    ("mongodb://u:p^w|$&!,;=@h/app", "mongodb://h:27017/app", "app"),
    ("mongodb://[::1],[fe80::1%25eth0]:5/app", "mongodb://[::1]:27017,[fe80::1%eth0]:5/app", "app"),
    ("mongodb://%2Ftmp%2Fmongodb-27017.sock/app", "mongodb:///tmp/mongodb-27017.sock/app", "app"),
    ("mongodb://my_host-1.example.com./app", "mongodb://my_host-1.example.com.:27017/app", "app"),
    ("mongodb://h/app?appName=me@x", "mongodb://h:27017/app", "app"),
    ("mongodb://h/?readPreferenceTags=dc:ny,rack:1&readPreferenceTags=", "mongodb://h:27017", ""),
    ("mongodb://h/?tlsCAFile=/etc/ca.pem&authMechanismProperties=TOKEN_RESOURCE:api://x", "mongodb://h:27017", ""),
]

SECRET = "Sécr3t"
UNREADABLE = [
    f"mongodb://u:Pa@{SECRET}?1@host",
    f"mongodb://u:Pa@{SECRET}?w=1@host",
    f"mongodb://u:Pa@{SECRET}/1@host",
    f"mongodb://u:Pa@{SECRET}/1@host/app?w=1",
    f"mongodb://u:Pa@{SECRET}#1@host",
    f"mongodb://u:Pa@{SECRET}@host",
    f"mongodb://u:Pa@{SECRET},x@host",
    f"mongodb://u:Pa@{SECRET}:1@host",
    f"mongodb://u:1/{SECRET}@host",
    f"mongodb://u:1?{SECRET}@host",
    f"mongodb://u:1?{SECRET}=2@host/app",
    f"mongodb://u:1/{SECRET}?x=y@host",
    f"mongodb://u:/{SECRET}@host",
    f"mongodb://u:?{SECRET}@host",
    f"mongodb://u:#{SECRET}@host",
    f"mongodb://u:%{SECRET}@host",
    f"mongodb://u:[{SECRET}]@host",
    f"mongodb://u:{SECRET}",
    f"mongodb://u:{SECRET}/app",
    f"mongodb://u:a {SECRET}@host",
    f"mongodb://u:a\n{SECRET}@host",
    f"mongodb+srv://u:Pa@{SECRET}?1@host",
    f"mongodb:/u:{SECRET}@host",
    f"mongo://u:{SECRET}@host",
    f"u:{SECRET}@host",
    f" mongodb://u:{SECRET}@host",
]


@pytest.mark.parametrize(("url", "shown", "database"), PLAIN)
def test_what_is_shown(url: str, shown: str | None, database: str) -> None:
    found = address(url)
    assert (str(found), found.database) == (shown or "mongodb+srv://cluster0.ab1.mongodb.net/app", database)


@pytest.mark.parametrize("url", UNREADABLE)
def test_nothing_of_what_does_not_come_apart(url: str) -> None:
    found = address(url)
    assert found.is_hidden
    assert (found.hosts, found.name) == (("...",), "")
    assert SECRET not in str(found)


@pytest.mark.parametrize("url", [url for url in UNREADABLE if "\n" not in url])
def test_a_message_that_quotes_it(url: str) -> None:
    told = without_secrets(f"cannot use '{url}': it is wrong")
    assert SECRET not in told or "mongodb://" not in url
    assert "cannot use" in told


@pytest.mark.parametrize("name", ["admin", "config", "local", "Admin"])
def test_a_path_that_names_one_of_mongodbs_own(name: str) -> None:
    found = address(f"mongodb://u:pw@h/{name}?w=1")
    assert (str(found), found.database) == (f"mongodb://h:27017/{name}", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at mongodb://h:1/app, twice", "at mongodb://h:1/app, twice"),
        ("mongodb://h:1 is down, says me@x", "mongodb://h:1 is down, says me@x"),
        ("https://me:pw@example.com/x failed", "https://***@example.com/x failed"),
    ],
)
def test_what_holds_no_secret_stays(text: str, told: str) -> None:
    assert without_secrets(text) == told
