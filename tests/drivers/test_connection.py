"""Opening a client by URL: quick to fail, clear about it, and never a word of the password."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from asyncmig.drivers import connection
from asyncmig.drivers.connection import close, connect, hosts
from asyncmig.drivers.url_options import unknown_options
from asyncmig.errors import AsyncmigError, ConfigurationError, DriverError, ServerUnreachable

from ..clients import CLIENTS, DRIVERS

CLOSED = "127.0.0.1:1"
QUICK = "serverSelectionTimeoutMS=200"
NASTY = [f"zq7{character}xj4{character}" for character in "@:/?#%&= ü[],;+$"]
SHAPES = [
    "mongodb://user:{}@{}/?{}",
    "mongodb://user:{}@{},127.0.0.1:2/db?{}",
    "mongodb://user:{}@{}:port/?{}",
    "mongodb://user:{}",
    "mongodb:/user:{}@{}",
    "mongo://user:{}@{}",
    "user:{}@{}",
]


async def test_a_server_that_answers(server_url: str, driver_name: str) -> None:
    client = await connect(server_url, driver=driver_name)
    assert isinstance(client, CLIENTS[driver_name])
    assert client.options.server_selection_timeout == 5.0
    assert client.options.pool_options.connect_timeout == 5.0
    assert client.options.pool_options.appname == "asyncmig"
    assert (await client.admin.command("ping"))["ok"] == 1
    await close(client)


@pytest.mark.parametrize(
    ("query", "seconds", "name"),
    [
        ("serverSelectionTimeoutMS=700&appName=mine", 0.7, "mine"),
        ("SERVERSELECTIONTIMEOUTMS=700&appname=mine", 0.7, "mine"),
        ("maxPoolSize=5", 9.0, "tool"),
    ],
)
async def test_the_url_has_the_last_word(
    server_url: str, driver_name: str, query: str, seconds: float, name: str
) -> None:
    url = server_url + ("&" if "?" in server_url else "?") + query
    client = await connect(url, driver=driver_name, timeout=9.0, app_name="tool")
    assert client.options.server_selection_timeout == seconds
    assert client.options.pool_options.appname == name
    await close(client)


async def test_nobody_answers(driver_name: str) -> None:
    with pytest.raises(ServerUnreachable) as error:
        await connect(f"mongodb://{CLOSED}", driver=driver_name, timeout=0.5)
    assert error.value.hosts == (CLOSED,)
    assert error.value.seconds == 0.5
    told = str(error.value)
    assert told.startswith(f"no MongoDB server answered at {CLOSED} within 0.5 s ({CLOSED}: [Errno ")
    assert told.endswith("is it running, and is the address right?")
    assert "Topology" not in told
    assert "configured timeouts" not in told


UNREACHABLE: list[tuple[str, tuple[str, ...], str]] = [
    (f"mongodb://{CLOSED},127.0.0.1:2/?replicaSet=rs&{QUICK}", (CLOSED, "127.0.0.1:2"), ""),
    (f"mongodb://nosuch.invalid/?{QUICK}", ("nosuch.invalid:27017",), ""),
    ("mongodb+srv://no.such.invalid/", ("no.such.invalid",), "DNS"),
    (f"mongodb://[::1]:1/?{QUICK}", ("[::1]:1",), ""),
    (f"mongodb://%2Ftmp%2Fnosuch.sock/?{QUICK}", ("/tmp/nosuch.sock",), "No such file"),
]


@pytest.mark.parametrize(("url", "named", "reason"), UNREACHABLE)
async def test_who_did_not_answer(driver_name: str, url: str, named: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ServerUnreachable) as error:
        await connect(url, driver=driver_name, timeout=20.0 if "+srv" in url else 1.0)
    assert error.value.hosts == named
    assert ", ".join(named) in str(error.value)
    assert reason in str(error.value)


async def test_a_server_of_another_replica_set(server_url: str, driver_name: str) -> None:
    where = urlsplit(server_url).netloc
    with pytest.raises(ServerUnreachable, match="another_set"):
        await connect(f"mongodb://{where}/?replicaSet=another_set&{QUICK}", driver=driver_name)


def _without_password(told: str, password: str) -> bool:
    pieces = {password, quote_plus(password), "zq7", "xj4"}
    return not any(piece in told for piece in pieces)


@pytest.mark.parametrize("password", NASTY)
async def test_a_wrong_password_is_not_told(server_url: str, driver_name: str, password: str) -> None:
    where = urlsplit(server_url).netloc
    with pytest.raises(DriverError, match=r"refused the user name or the password.*authSource") as error:
        await connect(f"mongodb://user:{quote_plus(password)}@{where}/?directConnection=true", driver=driver_name)
    assert where in str(error.value)
    assert _without_password(str(error.value), password)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("password", NASTY)
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_password_that_is_not_escaped_is_not_told(shape: str, password: str) -> None:
    with pytest.raises(AsyncmigError) as error:
        await connect(shape.format(password, CLOSED, "serverSelectionTimeoutMS=1"), driver=DRIVERS[-1], timeout=0.001)
    assert _without_password(str(error.value), password)
    assert error.value.__cause__ is None


IN_OPTIONS = [
    "tls=true&tlsCertificateKeyFilePassword=hunter2&tlsCertificateKeyFile=/nowhere",
    "authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
    "authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:hunter2,NONSENSE",
]


@pytest.mark.parametrize("query", IN_OPTIONS)
async def test_a_password_among_the_options_is_not_told(driver_name: str, query: str) -> None:
    with pytest.raises(AsyncmigError) as error:
        await connect(f"mongodb://{CLOSED}/?{query}&{QUICK}", driver=driver_name)
    assert "hunter2" not in str(error.value)


FAULTS: list[tuple[str, str]] = [
    ("", "must begin with mongodb://"),
    ("localhost:27017", "must begin with mongodb://"),
    ("mongodb://", "one hostname"),
    ("mongodb://h:99999", "Port must be an integer"),
    ("mongodb://u:pa/ss@h/db", "must be percent-encoded"),
    ("mongodb://h/?nonsense", "key=value pairs"),
    ("mongodb://h1,h2/?directConnection=true", "multiple hosts"),
    ("mongodb+srv://h1,h2/", "only one"),
    ("mongodb://u@h/?authMechanism=SCRAM-SHA-256", "password is required"),
    ("mongodb://h/?tls=maybe", "tls must be 'true' or 'false'"),
    ("mongodb://h/?connectTimeoutMS=soon", "connecttimeoutms must be"),
    ("mongodb://h/?tlsCAFile=/nowhere/ca.pem&tls=true", "/nowhere/ca.pem"),
]


@pytest.mark.parametrize(("url", "told"), FAULTS)
async def test_a_url_that_cannot_be_used(driver_name: str, url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        await connect(url, driver=driver_name, timeout=0.2)


async def test_an_option_of_another_driver_is_a_warning(server_url: str, driver_name: str) -> None:
    url = server_url + ("&" if "?" in server_url else "?") + "useUnifiedTopology=true"
    with pytest.warns(UserWarning, match="useunifiedtopology") as caught:
        await close(await connect(url, driver=driver_name))
    assert [one.category for one in caught if "useunifiedtopology" in str(one.message)] == [UserWarning]


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("retryWrits", "; did you mean retryWrites?"),
        ("RetryWrits", "; did you mean retryWrites?"),
        ("maxPoolSise", "; did you mean maxPoolSize?"),
        ("serverSelectionTimeout", "; did you mean serverSelectionTimeoutMS?"),
        ("tls_ca_file", "; did you mean tlsCAFile?"),
        ("zzz", ""),
        ("retrywrites", None),
        ("tz_aware", None),
    ],
)
def test_an_unknown_option_is_named(option: str, meant: str | None) -> None:
    told = unknown_options(f"mongodb://u:secret@h/app?w=1&{option}=1")
    assert told == (
        [] if meant is None else [f"Unknown option: {option.lower()}. The URL's {option} is left out of account{meant}"]
    )


async def test_a_driver_that_nobody_knows(server_url: str) -> None:
    with pytest.raises(ConfigurationError, match="driver 'mongoengine' is not known; choose motor or pymongo"):
        await connect(server_url, driver="mongoengine")


HOSTS: list[tuple[str, tuple[str, ...]]] = [
    ("mongodb://localhost", ("localhost:27017",)),
    ("mongodb://u:p%40ss@a,b:5/db?x=y", ("a:27017", "b:5")),
    ("mongodb+srv://u:p@cluster.example.net/db", ("cluster.example.net",)),
    ("mongodb://[::1],[fe80::1]:5/", ("[::1]:27017", "[fe80::1]:5")),
    ("mongodb://%2Ftmp%2Fm.sock/?a=b", ("/tmp/m.sock",)),
    ("mongodb://u:p@h?tls=true", ("h:27017",)),
]


@pytest.mark.parametrize(("url", "named"), HOSTS)
def test_hosts_of_a_url(url: str, named: tuple[str, ...]) -> None:
    assert hosts(url) == named


async def test_no_client_is_left_behind_when_it_fails(driver_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []

    async def closing(client: Any) -> None:
        closed.append(type(client))
        await close(client)

    monkeypatch.setattr(connection, "close", closing)
    with pytest.raises(ServerUnreachable):
        await connect(f"mongodb://{CLOSED}/?{QUICK}", driver=driver_name)
    assert closed == [CLIENTS[driver_name]]
