"""Which policy counts: the code's, unless the environment has one."""

from __future__ import annotations

import pytest

from asyncmig.application.policy import POLICIES, chosen
from asyncmig.errors import ConfigurationError


@pytest.mark.parametrize(
    ("policy", "variable", "counts"),
    [
        ("check", None, "check"),
        ("check", "", "check"),
        ("check", "  ", "check"),
        ("check", "upgrade", "upgrade"),
        ("upgrade", "off", "off"),
        ("off", "check", "check"),
        ("check", " Warn ", "warn"),
        ("nonsense", "wait", "wait"),
    ],
)
def test_the_environment_overrides(policy: str, variable: str | None, counts: str) -> None:
    assert chosen(policy, {} if variable is None else {"ASYNCMIG_ON_STARTUP": variable}) == counts


@pytest.mark.parametrize(("policy", "variable"), [("sometimes", ""), ("check", "yes"), ("", "")])
def test_a_policy_that_there_is_not(policy: str, variable: str) -> None:
    where = "ASYNCMIG_ON_STARTUP" if variable else "policy"
    with pytest.raises(ConfigurationError, match=f"{where} must be one of {', '.join(POLICIES)}, not '{variable}"):
        chosen(policy, {"ASYNCMIG_ON_STARTUP": variable})
