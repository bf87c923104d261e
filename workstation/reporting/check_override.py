"""A reader's word that a check of the report does not apply."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckOverride:
    """Why a check was set aside.

    key: that of the check; it holds no longer once a sentence the check names has changed.
    message: what the check said then. reason: the reader's, never blank.
    """

    key: str
    rule: str
    message: str
    reason: str
