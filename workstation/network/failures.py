"""What may go wrong on the way to another machine, in words for the person at the screen."""

from __future__ import annotations


class NetworkFailure(Exception):
    """A server can't be reached, refuses, or answers with something else than it should."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(f"{peer}: {reason}")
        self.peer = peer
        self.reason = reason


class LoginRefused(NetworkFailure):
    """The password or token is missing or wrong."""


class Stopped(Exception):
    """The user stopped it; what had arrived by then stays."""


class StoreUnavailable(Exception):
    """A film can't be stored now: full disk, locked catalog. The same film may come again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidSettings(ValueError):
    """A setting that can't work. field: its name in the settings; reason: what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
