"""What of a statement can be held and turned: its status, side, zone and degree, with choices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from PySide6.QtCore import QCoreApplication

from inference.report_language import CONCEPT_BY_NAME, Severity, Side, Statement, Zone
from inference.report_language.slots import MEASURES, SIDED, ZONED

Slot = Literal["status", "side", "zone", "severity"]
_CONTEXT = "StatementChips"
_DEGREES: tuple[Severity, ...] = ("mild", "moderate", "marked")
_AMOUNTS: tuple[Severity, ...] = ("small", "moderate", "large")


@dataclass(frozen=True)
class Choice:
    """One thing a statement can be made to say. wanted None: nothing at all (not stated)."""

    text: str
    wanted: Statement | None
    is_current: bool


@dataclass(frozen=True)
class Chip:
    """One slot of a statement. text: what it says, or its name in brackets where it says
    nothing."""

    slot: Slot
    text: str
    is_set: bool


def word_value(value: str) -> str:
    """A status, side, zone or degree in the reader's language."""
    words = {
        "present": QCoreApplication.translate(_CONTEXT, "present"),
        "absent": QCoreApplication.translate(_CONTEXT, "absent"),
        "uncertain": QCoreApplication.translate(_CONTEXT, "uncertain"),
        "left": QCoreApplication.translate(_CONTEXT, "left"),
        "right": QCoreApplication.translate(_CONTEXT, "right"),
        "bilateral": QCoreApplication.translate(_CONTEXT, "bilateral"),
        "upper": QCoreApplication.translate(_CONTEXT, "upper zone"),
        "mid": QCoreApplication.translate(_CONTEXT, "mid zone"),
        "lower": QCoreApplication.translate(_CONTEXT, "lower zone"),
        "small": QCoreApplication.translate(_CONTEXT, "small"),
        "mild": QCoreApplication.translate(_CONTEXT, "mild"),
        "moderate": QCoreApplication.translate(_CONTEXT, "moderate"),
        "large": QCoreApplication.translate(_CONTEXT, "large"),
        "marked": QCoreApplication.translate(_CONTEXT, "marked"),
    }
    return words[value]


def name_slot(slot: Slot) -> str:
    """The slot in the reader's language."""
    return {
        "status": QCoreApplication.translate(_CONTEXT, "status"),
        "side": QCoreApplication.translate(_CONTEXT, "side"),
        "zone": QCoreApplication.translate(_CONTEXT, "zone"),
        "severity": QCoreApplication.translate(_CONTEXT, "degree"),
    }[slot]


def slots_of(statement: Statement) -> tuple[Slot, ...]:
    """The slots beside the status that a report says of this concept; none of what is denied."""
    if statement.status == "absent":
        return ()
    concept = statement.concept
    offered: list[Slot] = []
    if concept in SIDED:
        offered.append("side")
    if concept in ZONED:
        offered.append("zone")
    if concept in MEASURES:
        offered.append("severity")
    return tuple(offered)


def list_chips(statement: Statement) -> tuple[Chip, ...]:
    """The chips beside the status."""
    chips = []
    for slot in slots_of(statement):
        value: str | None = getattr(statement, slot)
        text = word_value(value) if value else f"+ {name_slot(slot)}"
        chips.append(Chip(slot, text, value is not None))
    return tuple(chips)


def list_choices(statement: Statement, slot: Slot) -> tuple[Choice, ...]:
    """What one slot can be made to say; the last one takes it away."""
    if slot == "status":
        choices = [
            Choice(word_value(value), replace(statement, status=value), value == statement.status)
            for value in ("present", "absent", "uncertain")
        ]
        not_stated = QCoreApplication.translate(_CONTEXT, "not stated")
        return (*choices, Choice(not_stated, None, False))
    values: tuple[str, ...] = get_args({"side": Side, "zone": Zone, "severity": Severity}[slot])
    if slot == "side" and statement.concept == "diaphragm_elevation":
        values = ("left", "right")
    elif slot == "severity":
        values = _DEGREES if MEASURES[statement.concept] == "degree" else _AMOUNTS
    now: str | None = getattr(statement, slot)
    choices = [
        Choice(word_value(value), replace(statement, **{slot: value}), value == now)  # type: ignore[arg-type]
        for value in values
    ]
    unsaid = QCoreApplication.translate(_CONTEXT, "not said")
    return (*choices, Choice(unsaid, replace(statement, **{slot: None}), now is None))  # type: ignore[arg-type]


def explain(statement: Statement, trigger: str) -> str:
    """Which words made the statement, and by which rule."""
    said = [statement.status, statement.side, statement.zone, statement.severity]
    label = CONCEPT_BY_NAME[statement.concept].label
    lines = [f"{label}: " + ", ".join(word_value(each) for each in said if each)]
    if trigger:
        words = QCoreApplication.translate(_CONTEXT, "read from: “{0}”")
        lines.append(words.format(trigger))
    if statement.rule:
        rule = QCoreApplication.translate(_CONTEXT, "rule: {0}")
        lines.append(rule.format(statement.rule))
    return "\n".join(lines)
