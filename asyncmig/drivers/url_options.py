"""The options of a MongoDB URL by their names, which PyMongo's newer messages leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import unquote_plus

from pymongo import common

from asyncmig.address import address

__all__ = ["spelled_options", "unknown_options"]

_SPELLINGS = tuple(
    re.findall(
        r"\w+",
        """
        appName authMechanism authMechanismProperties authSource compressors connectTimeoutMS
        directConnection heartbeatFrequencyMS journal loadBalanced localThresholdMS maxConnecting
        maxIdleTimeMS maxPoolSize maxStalenessSeconds minPoolSize readConcernLevel readPreference
        readPreferenceTags replicaSet retryReads retryWrites serverMonitoringMode serverSelectionTimeoutMS
        socketTimeoutMS srvMaxHosts srvServiceName ssl timeoutMS tls tlsAllowInvalidCertificates
        tlsAllowInvalidHostnames tlsCAFile tlsCRLFile tlsCertificateKeyFile tlsCertificateKeyFilePassword
        tlsDisableOCSPEndpointCheck tlsInsecure uuidRepresentation w waitQueueTimeoutMS wtimeoutMS
        zlibCompressionLevel
        """,
    )
)
"""As the manual spells them: https://www.mongodb.com/docs/manual/reference/connection-string-options/"""


def spelled_options(url: str) -> Mapping[str, str]:
    """The options as the URL spells them, and their values; none of a URL that does not come apart."""
    if address(url).is_hidden:
        return {}
    pairs = (option.partition("=") for option in url.partition("?")[2].replace(";", "&").split("&") if option)
    return {name: unquote_plus(value) for name, _, value in pairs}


def unknown_options(url: str) -> list[str]:
    """One message for each option that PyMongo leaves out of account, with the name that may have been meant."""
    known = {name.lower() for name in (*common.URI_OPTIONS_VALIDATOR_MAP, *_SPELLINGS)}
    return [
        f"Unknown option: {name.lower()}. The URL's {name} is left out of account{_meant(name)}"
        for name in spelled_options(url)
        if name.lower() not in known
    ]


def _meant(name: str) -> str:
    spellings = {spelling.lower(): spelling for spelling in _SPELLINGS}
    near = get_close_matches(name.lower(), spellings, n=1, cutoff=0.75)
    return f"; did you mean {spellings[near[0]]}?" if near else ""
