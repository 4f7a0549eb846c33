"""What an application does at start-up about revisions that are pending."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast, get_args

from asyncmig.errors import ConfigurationError

__all__ = ["POLICIES", "VARIABLE", "StartupPolicy", "checked", "chosen"]

StartupPolicy = Literal["upgrade", "check", "wait", "warn", "off"]
"""
``upgrade``: run what is pending, under the lock; of several processes one does, the others wait for it.
``check``: refuse to start. ``wait``: until another process has upgraded. ``warn``: say so and start.
``off``: do not even ask.
"""

POLICIES: tuple[str, ...] = get_args(StartupPolicy)
VARIABLE = "ASYNCMIG_ON_STARTUP"
"""The environment variable that overrides the policy of the code: one image for a job, a pod and a laptop."""


def checked(policy: str, where: str = "policy") -> StartupPolicy:
    """The policy of that name. Raises ConfigurationError where there is none."""
    if policy not in POLICIES:
        raise ConfigurationError(f"{where} must be one of {', '.join(POLICIES)}, not {policy!r}")
    return cast("StartupPolicy", policy)


def chosen(policy: str, environment: Mapping[str, str]) -> StartupPolicy:
    """The policy that counts: the environment's where it has one, else ``policy``. Raises ConfigurationError."""
    override = environment.get(VARIABLE, "").strip().lower()
    return checked(override, VARIABLE) if override else checked(policy)
