"""How the commands end: exit codes that mean the same in all of them, and the reason on stderr."""

from __future__ import annotations

import sys
import unicodedata

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
    print(f"echo-workstation: {one_line(reason)}", file=sys.stderr, flush=True)


def one_line(told: object) -> str:
    """Its text with control characters escaped: the name of a file on somebody's disc, or of a
    caller, steers no terminal and forges no line of a log."""
    return "".join(
        each.encode("unicode_escape").decode()
        if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")
        else each
        for each in str(told)
    )
