"""The audit log in plain words: events, what happened in a row, when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import QCoreApplication

from workstation.audit.audit_log import AuditEntry
from workstation.audit.audit_query import StudyLabel

_translate = QCoreApplication.translate
_CONTEXT = "audit"
_SHORT = 90  # characters of a text in one line of the table
_SHORTEST_DATE = 8


def name_event(event: str) -> str:
    """An event as one says it; one that has no words here by its own name."""
    return _event_names().get(event, event.replace("-", " ").capitalize())


def _event_names() -> dict[str, str]:
    return {
        "import": _translate(_CONTEXT, "Film imported"),
        "picture-described": _translate(_CONTEXT, "Picture described"),
        "study-removed": _translate(_CONTEXT, "Study removed"),
        "files-deleted": _translate(_CONTEXT, "Files deleted"),
        "study-opened": _translate(_CONTEXT, "Study opened"),
        "draft-started": _translate(_CONTEXT, "Draft started"),
        "draft-finished": _translate(_CONTEXT, "Draft finished"),
        "draft-refused": _translate(_CONTEXT, "Draft refused by the model"),
        "draft-cancelled": _translate(_CONTEXT, "Draft stopped"),
        "draft-failed": _translate(_CONTEXT, "Draft failed"),
        "draft-taken-over": _translate(_CONTEXT, "Draft taken over"),
        "race-started": _translate(_CONTEXT, "Race started"),
        "race-finished": _translate(_CONTEXT, "Race finished"),
        "race-cancelled": _translate(_CONTEXT, "Race stopped"),
        "race-failed": _translate(_CONTEXT, "Race failed"),
        "edit": _translate(_CONTEXT, "Report edited"),
        "check-overridden": _translate(_CONTEXT, "Check set aside"),
        "draft-revealed": _translate(_CONTEXT, "Covered draft revealed"),
        "draft-never-revealed": _translate(_CONTEXT, "Covered draft never revealed"),
        "redraft-reviewed": _translate(_CONTEXT, "Redraft reviewed"),
        "prior-report-opened": _translate(_CONTEXT, "Prior report opened"),
        "sign-preliminary": _translate(_CONTEXT, "Signed, preliminary"),
        "sign": _translate(_CONTEXT, "Signed"),
        "addendum": _translate(_CONTEXT, "Addendum"),
        "correction-started": _translate(_CONTEXT, "Correction begun"),
        "correction-abandoned": _translate(_CONTEXT, "Correction given up"),
        "correct": _translate(_CONTEXT, "Corrected"),
        "report-set-aside": _translate(_CONTEXT, "Report set aside"),
        "login": _translate(_CONTEXT, "Logged in"),
        "login-failed": _translate(_CONTEXT, "Login failed"),
        "logout": _translate(_CONTEXT, "Logged out"),
        "locked": _translate(_CONTEXT, "Screen locked"),
        "unlocked": _translate(_CONTEXT, "Screen unlocked"),
        "account-created": _translate(_CONTEXT, "Account made"),
        "account-changed": _translate(_CONTEXT, "Account changed"),
        "settings": _translate(_CONTEXT, "Settings changed"),
        "query": _translate(_CONTEXT, "Server searched"),
        "export": _translate(_CONTEXT, "Report exported"),
        "verify": _translate(_CONTEXT, "Audit log checked"),
        "audit-opened": _translate(_CONTEXT, "Audit log opened"),
        "audit-exported": _translate(_CONTEXT, "Audit log exported"),
    }


def name_edit(kind: str) -> str:
    names = {
        "edit": _translate(_CONTEXT, "sentence changed"),
        "add": _translate(_CONTEXT, "sentence added"),
        "delete": _translate(_CONTEXT, "sentence deleted"),
        "flip": _translate(_CONTEXT, "statement turned"),
        "undo": _translate(_CONTEXT, "undone"),
        "redo": _translate(_CONTEXT, "redone"),
        "draft": _translate(_CONTEXT, "replaced by a draft"),
        "text": _translate(_CONTEXT, "typed"),
        "lock": _translate(_CONTEXT, "sentence locked"),
        "unlock": _translate(_CONTEXT, "sentence unlocked"),
        "override": _translate(_CONTEXT, "check set aside"),
        "redraft": _translate(_CONTEXT, "redraft taken over"),
        "language": _translate(_CONTEXT, "put into the other language"),
        "accept": _translate(_CONTEXT, "AI sentence accepted"),
        "restate": _translate(_CONTEXT, "statement reworded"),
    }
    return names.get(kind, kind.replace("-", " "))


def name_section(section: str) -> str:
    names = {
        "findings": _translate(_CONTEXT, "findings"),
        "impression": _translate(_CONTEXT, "impression"),
    }
    return names.get(section, section)


def word_time(recorded_at: object) -> str:
    """A stored time by the reader's clock; text that is none as it stands."""
    try:
        moment = datetime.fromisoformat(str(recorded_at))
    except ValueError:
        return str(recorded_at)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def word_study(uid: object, label: StudyLabel | None) -> str:
    """Patient and date; the end of the UID where the catalog doesn't know the study any more."""
    if label is None:
        text = str(uid)
        return text if len(text) <= 20 else f"…{text[-18:]}"
    date = label.study_date
    if len(date) == _SHORTEST_DATE:
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return "  ".join(part for part in (label.patient_name, label.patient_id, date) if part)


def sum_up(entry: AuditEntry) -> str:
    """What happened, in one line."""
    details = entry.details
    if "unreadable" in details:
        return _translate(_CONTEXT, "▲ unreadable: {0}").format(_short(details["unreadable"]))
    match entry.event:
        case "edit":
            return _sum_up_edit(details)
        case "sign" | "sign-preliminary" | "correct":
            return _sum_up_signature(details)
        case "verify":
            return _sum_up_check(details)
        case "addendum":
            return _quote(details.get("text", ""))
        case "check-overridden":
            reason = _quote(details.get("reason", ""))
            words = _translate(_CONTEXT, "{0} — reason: {1}")
            return words.format(_short(details.get("message", "")), reason)
    if entry.event.startswith(("draft-", "race-")):
        return _sum_up_draft(details)
    return " · ".join(f"{_plain(key)}: {_value(value)}" for key, value in details.items())


def _sum_up_edit(details: Mapping[str, Any]) -> str:
    before, after = str(details.get("before", "")), str(details.get("after", ""))
    what = f"{name_section(str(details.get('section', '')))}, {name_edit(str(details.get('kind')))}"
    if before == after:
        return f"{what}: {_quote(after)}"
    if not before:
        return f"{what}: {_quote(after)}"
    if not after:
        return f"{what}: {_quote(before)}"
    head, tail = _common_ends(before, after)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    return f"{what}: {_quote(old)} → {_quote(new)}"


def _common_ends(before: str, after: str) -> tuple[int, int]:
    """How many characters are the same at both ends, whole words only."""
    old, new = before.split(" "), after.split(" ")
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    left = min(len(old), len(new)) - same
    last = 0
    while last < left and old[-1 - last] == new[-1 - last]:
        last += 1
    head = sum(len(word) + 1 for word in old[:same])
    tail = sum(len(word) + 1 for word in old[len(old) - last :])
    return (head, tail) if head + tail <= min(len(before), len(after)) else (0, 0)


def _sum_up_signature(details: Mapping[str, Any]) -> str:
    counts = details.get("provenance")
    shares = ""
    if isinstance(counts, dict):
        shares = _translate(_CONTEXT, "{0} AI, {1} edited, {2} by hand").format(
            counts.get("ai", 0), counts.get("edited", 0), counts.get("human", 0)
        )
    parts = (str(details.get("signer", "")), str(details.get("meaning", "")), shares)
    return " · ".join(part for part in parts if part)


def _sum_up_check(details: Mapping[str, Any]) -> str:
    if details.get("ok"):
        return _translate(_CONTEXT, "✓ intact: {0} rows").format(details.get("entries", "?"))
    return _translate(_CONTEXT, "▲ broken: {0}").format(details.get("reason", ""))


def _sum_up_draft(details: Mapping[str, Any]) -> str:
    decoding = details.get("decoding")
    mode = decoding.get("mode", "") if isinstance(decoding, dict) else ""
    model = " ".join(str(details.get(key, "")) for key in ("model_name", "model_version")).strip()
    named = (model, str(mode), *(str(details.get(key, "")) for key in ("reason", "error")))
    parts = [part for part in named if part]
    return " · ".join(_short(part) for part in parts)


def _plain(key: object) -> str:
    return str(key).replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, str):
        return _short(value)
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _quote(value: object) -> str:
    return f"“{_short(value)}”"
