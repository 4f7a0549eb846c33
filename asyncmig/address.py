"""``Address``: what of a MongoDB URL may be shown: the hosts and the database's name, never user, password or options.

A URL is shown only where it comes apart in one way. A password with a raw ``@``, ``/``, ``?`` or ``#``
in it makes the rest of the URL ambiguous: a piece of the password could be taken for a host. Of such a
URL nothing is shown, not even what looks harmless.

https://www.mongodb.com/docs/manual/reference/connection-string/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

__all__ = ["ESCAPE", "HIDDEN", "RESERVED", "Address", "address", "without_secrets"]

HIDDEN = "..."
"""What stands in the place of hosts that may not be shown."""
ESCAPE = "special characters in the user name and the password must be percent-encoded (urllib.parse.quote_plus)"
RESERVED = frozenset({"admin", "config", "local"})
"""Databases that belong to MongoDB: a URL's path often names one of them, as the home of the user."""

# Patterns stand as text: a start that shows no URL does not compile them.
_ENCODED = r"(?:[^@:/?#\[\]%\s]|%[0-9A-Fa-f]{2})*"
_USER = rf"{_ENCODED}(?::{_ENCODED})?@"
_NAME = r"\w(?:[\w.-]*\w)?\.?"
_IPV6 = r"\[[0-9A-Fa-f:.]+(?:%[\w.%-]+)?\]"
_HOST = rf"(?:(?:{_NAME}|{_IPV6})(?::\d{{1,5}})?|%2[Ff](?:[\w.-]|%[0-9A-Fa-f]{{2}})+)"
_OPTION = r"\w+=[^&;#]*"
_URL = (
    rf"(?P<scheme>mongodb(?:\+srv)?)://(?:{_USER})?(?P<hosts>{_HOST}(?:,{_HOST})*)"
    rf"(?:/(?P<name>[^@:/?#]*))?(?:\?(?:{_OPTION}(?:[&;]{_OPTION})*[&;]?)?)?"
)
_USER_IN_TEXT = r"([A-Za-z][A-Za-z0-9+.-]*://)\S*@"
_UNREADABLE = r"(?P<url>mongodb(?:\+srv)?://(?!\*\*\*@)\S*)(?P<after>[^\n]*)"
_DEFAULT_PORT = 27017


@dataclass(frozen=True, slots=True)
class Address:
    """``hosts``: ``host:port`` each, or HIDDEN; ``name``: the database of the path, or an empty string."""

    scheme: str
    hosts: tuple[str, ...] = (HIDDEN,)
    name: str = ""

    @property
    def is_hidden(self) -> bool:
        """Whether the URL does not come apart in one way, so that nothing of it is shown."""
        return self.hosts == (HIDDEN,)

    @property
    def database(self) -> str:
        """The database of the path; empty where there is none, or it is one of MongoDB's own."""
        return "" if self.name.lower() in RESERVED else self.name

    def __str__(self) -> str:
        return f"{self.scheme}://{','.join(self.hosts)}/{self.name}".rstrip("/")


def address(url: str) -> Address:
    """What may be shown of a MongoDB URL."""
    scheme = url.partition("://")[0] if url.startswith(("mongodb://", "mongodb+srv://")) else HIDDEN
    match = re.fullmatch(_URL, url)
    if match is None or _may_hide_a_password(url, match.end("hosts")):
        return Address(scheme)
    hosts = tuple(match["hosts"].split(","))
    if scheme == "mongodb":
        hosts = tuple(_with_port(unquote(host)) for host in hosts)
    return Address(scheme, hosts, unquote(match["name"] or "").partition(".")[0])


def _may_hide_a_password(url: str, end: int) -> bool:
    """Whether an ``@`` behind the hosts could be the one that ends a password: then a colon stands before it."""
    before, at, _ = url.partition("://")[2].rpartition("@")
    return bool(at) and "@" in url[end:] and ":" in before


def without_secrets(text: str) -> str:
    """A message whose URLs have ``***`` in the place of user and password."""
    return re.sub(_UNREADABLE, _hidden, re.sub(_USER_IN_TEXT, r"\1***@", text))


def _hidden(match: re.Match[str]) -> str:
    """A URL without user as it is; one that does not come apart hides all up to the last ``@`` of its line."""
    readable = match["url"].rstrip("'\"`),.;:!")
    if not address(readable).is_hidden:
        return match[0]
    after = match["after"].rpartition("@")[2]
    return f"{match['url'].partition('://')[0]}://{HIDDEN}{after}"


def _with_port(host: str) -> str:
    bare = host.rpartition("]")[2] if "]" in host else host
    return host if host.startswith("/") or re.search(r":\d+$", bare) else f"{host}:{_DEFAULT_PORT}"
