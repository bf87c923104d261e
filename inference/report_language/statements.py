"""What a report says, as objects: one statement per asserted or denied concept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["present", "absent", "uncertain"]
STATUSES: tuple[Status, ...] = ("present", "absent", "uncertain")
Side = Literal["left", "right", "bilateral"]
Zone = Literal["upper", "mid", "lower"]
Severity = Literal["small", "mild", "moderate", "large", "marked"]
Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Statement:
    """One concept with its status, and where in the text it stands.

    start, end: character offsets of the clause in the text it was extracted from.
    trigger_start, trigger_end: offsets of the term that named the concept.
    rule: id of the extraction rule that set the status; shown to the user as explanation.
    A concept without a statement is *not stated*, never "absent".
    """

    concept: str
    status: Status
    side: Side | None = None
    zone: Zone | None = None
    severity: Severity | None = None
    start: int = 0
    end: int = 0
    trigger_start: int = 0
    trigger_end: int = 0
    rule: str = ""
