"""Who works at this machine, where nobody has an account."""

from __future__ import annotations

import getpass


def login_name() -> str:
    """The operating system's user, "unknown" where it has no name (some containers)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
