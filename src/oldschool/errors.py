"""Errors that a user can cause: one clear line, a non-zero exit code, no traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right; the message is one line that says what and how.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 1


class ConfigError(UserError):
    """A setting is unknown, of the wrong type or out of range."""

    exit_code = 2


class DataError(UserError):
    """A data file or a results file is missing, damaged or not what it should be."""


class UnavailableError(DataError):
    """A data set cannot be had here; what needs it is not run, everything else is.

    Attributes:
        reason: what cannot be had, the same on every machine, for reports.
    """

    def __init__(self, reason: str, details: str = "") -> None:
        """``details``: what was tried on this machine and what to do; for the user only."""
        super().__init__(reason + details)
        self.reason = reason


class StorageError(UserError):
    """A file could not be written: disk full, folder read-only."""


def require(holds: bool, key: str, value: object, allowed: str) -> None:
    """Raise a :class:`ConfigError` that names the setting unless ``holds``.

    Args:
        holds: whether the value is in range.
        key: full name of the setting, such as ``"monks.alpha"``.
        value: its value.
        allowed: what is allowed, such as ``"must be above 0"``.
    """
    if not holds:
        raise ConfigError(f"{key}={value}: {allowed}")
