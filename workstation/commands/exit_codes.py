"""How the commands end: exit codes that mean the same in all of them, and the reason on stderr."""

from __future__ import annotations

import sys

FAILED = 1
"""Something that was asked for could not be done."""
UNUSABLE = 2
"""Nothing could be begun: the catalog, the settings or the model can't be used."""
NOT_LOGGED_IN = 4
"""The catalog has accounts and nobody was let in."""
INTERRUPTED = 130
"""Ended by Ctrl+C, as a shell has it (128 + SIGINT)."""


def tell_failure(reason: object) -> None:
    """One line on stderr."""
    print(f"echo-workstation: {reason}", file=sys.stderr, flush=True)
