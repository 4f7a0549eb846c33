"""Opening and closing a client by URL: for the command line, which has no client of the user's own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, unquote_plus

import anyio
import pymongo
from pymongo import errors

from asyncmig.address import ESCAPE, address
from asyncmig.drivers.exit import leave_quickly
from asyncmig.drivers.explain import no_primary
from asyncmig.drivers.real import maybe
from asyncmig.drivers.url_options import spelled_options, unknown_options
from asyncmig.errors import AsyncmigError, ConfigurationError, DriverError, ServerUnreachable, reason

__all__ = ["client_class", "close", "connect", "hosts"]

_AUTHENTICATION_FAILED = 18
_GRACE_SECONDS = 1.0  # past the driver's own limit, after which even one that hangs (in DNS, say) is given up


async def connect(
    url: str,
    *,
    driver: str = "motor",
    timeout: float = 5.0,  # noqa: ASYNC109  # a setting of the driver, not a deadline for the caller to set
    app_name: str = "asyncmig",
) -> Any:
    """A client of that driver (``motor`` or ``pymongo``) whose server has answered a ping.

    ``timeout``, in seconds, bounds the search for a server and each connection attempt. Whatever
    the URL itself says wins over ``timeout`` and ``app_name``.

    Raises ConfigurationError for a URL or a driver's name that cannot be used, ServerUnreachable
    when nobody answers, DriverError when the server refuses us. No message holds the password.
    https://www.mongodb.com/docs/manual/reference/connection-string/
    """
    client = _open(url, client_class(driver), timeout, app_name)
    try:
        await _ping(client, url)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await close(client)
        raise
    return client


async def close(client: Any) -> None:
    """Close a client that :func:`connect` has opened, and let the process leave without lingering."""
    await maybe(client.close())
    leave_quickly()


def hosts(url: str) -> tuple[str, ...]:
    """The ``host:port`` pairs of a URL, or the one name of a ``mongodb+srv`` one; never more of it."""
    return address(url).hosts


def client_class(driver: str) -> Callable[..., Any]:
    """The client class of ``motor`` or ``pymongo``.

    Raises ConfigurationError for any other name, and where the PyMongo that is installed has no async client.
    """
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient

        return AsyncIOMotorClient
    if driver != "pymongo":
        raise ConfigurationError(f"driver {driver!r} is not known; choose motor or pymongo")
    try:
        from pymongo import AsyncMongoClient
    except ImportError:
        raise ConfigurationError(
            f"the driver pymongo needs PyMongo 4.9 or later, and {pymongo.version} is installed; "
            "install a newer one, or choose the driver motor"
        ) from None
    return AsyncMongoClient


def _open(url: str, client_class: Callable[..., Any], timeout: float, app_name: str) -> Any:
    milliseconds = int(timeout * 1000)
    wanted = {
        "appname": app_name,
        "connectTimeoutMS": milliseconds,
        "serverSelectionTimeoutMS": milliseconds,
        "uuidRepresentation": "standard",
    }
    if not re.match(r"mongodb(\+srv)?://", url):
        raise ConfigurationError("the MongoDB URL must begin with mongodb:// or mongodb+srv://")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            client = client_class(url, **{key: value for key, value in wanted.items() if not _says(url, key)})
    except (errors.PyMongoError, OSError, ValueError, TypeError) as error:
        raise _explained(error, url, timeout) if _is_of_dns(error) else _unusable(error, url) from None
    for warning in {str(warning.message): warning for warning in caught}.values():
        _heed(warning.message, url)
    for message in unknown_options(url):
        warnings.warn(message, UserWarning, stacklevel=3)
    return client


def _heed(warning: Warning | str, url: str) -> None:
    """Pass on what PyMongo warns of; but an option that it leaves out of account (``tls=maybe``) is an error.

    An option that it does not know may be another driver's: that one is told by its name. In a URL that
    does not come apart it may be half a password.
    """
    is_unknown = str(warning).startswith("Unknown option")
    if isinstance(warning, UserWarning) and (not is_unknown or _without_secrets(warning, url) != str(warning)):
        raise _unusable(warning, url)
    if not is_unknown:
        warnings.warn(warning, stacklevel=4)


def _unusable(error: Exception, url: str) -> ConfigurationError:
    return ConfigurationError(f"the MongoDB URL cannot be used: {_without_secrets(error, url)}")


def _says(url: str, option: str) -> bool:
    return re.search(rf"[?&;]{option}=", url, re.IGNORECASE) is not None


async def _ping(client: Any, url: str) -> None:
    seconds = float(client.options.server_selection_timeout)
    try:
        with anyio.fail_after(seconds + _GRACE_SECONDS):
            await client.admin.command("ping")
    except (errors.PyMongoError, OSError) as error:
        if cause := no_primary(error, client):
            raise DriverError(f"connecting to {', '.join(hosts(url))}: {cause}") from None
        raise _explained(error, url, seconds) from None


def _explained(error: Exception, url: str, seconds: float) -> AsyncmigError:
    where = hosts(url)
    if isinstance(error, errors.OperationFailure):
        return DriverError(_refusal(error, ", ".join(where)))
    if isinstance(error, errors.ConfigurationError) and not _is_of_dns(error):
        return _unusable(error, url)
    return ServerUnreachable(where, seconds, reason(_without_secrets(error, url)))


def _is_of_dns(error: BaseException) -> bool:
    """Whether the host of a ``mongodb+srv`` URL could not be looked up; newer PyMongos do it when first asked."""
    return type(error.__context__).__module__.partition(".")[0] == "dns"


def _refusal(error: errors.OperationFailure, where: str) -> str:
    if error.code == _AUTHENTICATION_FAILED:
        return (
            f"the server at {where} refused the user name or the password; "
            "check both, and that authSource in the URL names the database where the user was created"
        )
    said = (error.details or {}).get("errmsg", "no reason given")
    return f"the server at {where} refused the connection (code {error.code}): {said}"


def _without_secrets(error: Exception, url: str) -> str:
    """What the driver says, unless a piece of the password stands in it.

    PyMongo quotes parts of a URL that it could not take apart, and one that has a ``/`` in its
    password comes apart within the password.
    """
    text = str(error) + _named_file(error, url)
    if "@" in url and address(url).is_hidden:
        return ESCAPE
    readings = (str, unquote, unquote_plus)  # drivers have read a URL in each of these ways
    return ESCAPE if any(read(piece) in text for piece in _secrets(url) for read in readings) else text


def _named_file(error: Exception, url: str) -> str:
    """The file that an option of the URL names, where the error is about that option and does not say which file."""
    said = str(error).lower()
    files = (
        value for name, value in spelled_options(url).items() if name.lower().endswith("file") and name.lower() in said
    )
    return next((f": {file}" for file in files if isinstance(error, OSError) and file.lower() not in said), "")


def _secrets(url: str) -> list[str]:
    body = url.partition("://")[2]
    before, at, _ = body.rpartition("@")
    password = before.partition(":")[2] if at else _misplaced(body)
    options = url.partition("?")[2]
    in_options = re.findall(r"(?:password|passphrase|token|secret)[^=&]*[=:]([^&]+)", options, re.IGNORECASE)
    return [piece for piece in [*re.split(r"[:/?#@&=,]", password), *in_options] if piece]


def _misplaced(body: str) -> str:
    """``hunter2`` of ``user:hunter2``, where the host was forgotten; a port is no secret."""
    port = re.match(r"[^:/?\[]*:([^/?,]*)(.*)", body)
    return port[1] + port[2] if port and not port[1].isdigit() else ""
