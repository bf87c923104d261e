"""The keys of the report column, once: for its lists, their tooltips and the cheat sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication, Qt

Wish = Literal[
    "next", "previous", "flip", "present", "absent", "uncertain", "withdraw",
    "side", "zone", "severity", "accept", "lock", "edit", "delete",
]  # fmt: skip
STATEMENTS_KEY, CHECKLIST_KEY, FINDINGS_KEY, IMPRESSION_KEY = "Alt+1", "Alt+2", "Alt+3", "Alt+4"
CHECKS_KEY, ADD_KEY = "F4", "Alt+5"
_CONTEXT = "ReportKeys"


def _T(text: str) -> str:
    return QCoreApplication.translate(_CONTEXT, text)


@dataclass(frozen=True)
class ReportKey:
    """One key press and what it asks for."""

    wish: Wish
    keys: tuple[Qt.Key, ...]
    shown: str
    text: str


def report_keys() -> tuple[ReportKey, ...]:
    """Keys of the statement list and the checklist, in the reader's language."""
    key = Qt.Key
    return (
        ReportKey("next", (key.Key_Down, key.Key_J), "↓ J", _T("Next statement")),
        ReportKey("previous", (key.Key_Up, key.Key_K), "↑ K", _T("Previous statement")),
        ReportKey("accept", (key.Key_A,), "A", _T("Accept the AI sentence as it is, and go on")),
        ReportKey("flip", (key.Key_Space,), "Space", _T("Present ↔ absent")),
        ReportKey("present", (key.Key_P,), "P", _T("State as present")),
        ReportKey("absent", (key.Key_N,), "N", _T("State as absent")),
        ReportKey("uncertain", (key.Key_U,), "U", _T("State as uncertain")),
        ReportKey("withdraw", (key.Key_X,), "X", _T("Do not state")),
        ReportKey("side", (key.Key_S,), "S", _T("Choose the side")),
        ReportKey("zone", (key.Key_Z,), "Z", _T("Choose the zone")),
        ReportKey("severity", (key.Key_G,), "G", _T("Choose the degree")),
        ReportKey("lock", (key.Key_L,), "L", _T("Lock or unlock against redrafts")),
        ReportKey(
            "edit",
            (key.Key_Return, key.Key_Enter, key.Key_F2),
            "Enter F2",
            _T("Edit the sentence"),
        ),
        ReportKey("delete", (key.Key_Delete, key.Key_Backspace), "Del", _T("Delete the sentence")),
    )


def find_wish(key: int) -> Wish | None:
    """What a key asks for, None for nothing."""
    return next((each.wish for each in report_keys() if key in each.keys), None)


def column_keys() -> tuple[tuple[str, str], ...]:
    """Keys that work in the whole report column while it is edited, and their words."""
    return (
        (STATEMENTS_KEY, _T("Statements: the keyboard to the list")),
        (CHECKLIST_KEY, _T("Checklist: the keyboard to what is not stated")),
        (FINDINGS_KEY, _T("The keyboard to the findings")),
        (IMPRESSION_KEY, _T("The keyboard to the impression")),
        (CHECKS_KEY, _T("Open the checks, and go to the next one")),
        (ADD_KEY, _T("Add a finding")),
    )


def all_report_keys() -> tuple[tuple[str, str], ...]:
    """Every key of the report column as shown, and its words."""
    return (*column_keys(), *((each.shown, each.text) for each in report_keys()))
