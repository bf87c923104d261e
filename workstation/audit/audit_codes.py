"""What the audit log's events are called in DICOM: PS3.15 A.5.3, codes of PS3.16 CID 400 and 401.

DICOM has no event for writing a report. The text of one is part of the patient's record, so its
edits, signature and addenda are Patient Record; a draft makes use of the films, so it is DICOM
Instances Accessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActionCode = Literal["C", "R", "U", "D", "E"]  # create, read, update, delete, execute
OutcomeCode = Literal[0, 4, 8, 12]  # success, minor failure, serious failure, major failure


@dataclass(frozen=True)
class AuditCode:
    """EventID, EventTypeCode ("" for none), EventActionCode and EventOutcomeIndicator of an event;
    every code is of the coding scheme DCM."""

    value: str
    meaning: str
    action: ActionCode
    type_value: str = ""
    type_meaning: str = ""
    outcome: OutcomeCode = 0


_ACTIVITY = ("110100", "Application Activity")
_LOG_USED = ("110101", "Audit Log Used")
_ACCESSED = ("110103", "DICOM Instances Accessed")
_DELETED = ("110105", "DICOM Study Deleted")
_EXPORT = ("110106", "Export")
_IMPORT = ("110107", "Import")
_RECORD = ("110110", "Patient Record")
_QUERY = ("110112", "Query")
_ALERT = ("110113", "Security Alert")
_USER = ("110114", "User Authentication")
_SOFTWARE = ("110131", "Software Configuration")
_LOGIN = ("110122", "Login")
_LOGOUT = ("110123", "Logout")
_USER_CHANGED = ("110137", "User Security Attributes Changed")

_CODES: dict[str, AuditCode] = {
    "import": AuditCode(*_IMPORT, "C"),
    "picture-described": AuditCode(*_RECORD, "U"),
    "study-removed": AuditCode(*_DELETED, "D"),
    "files-deleted": AuditCode(*_DELETED, "D"),
    "study-opened": AuditCode(*_ACCESSED, "R"),
    "draft-started": AuditCode(*_ACCESSED, "E"),
    "draft-finished": AuditCode(*_ACCESSED, "E"),
    "draft-refused": AuditCode(*_ACCESSED, "E", outcome=4),
    "draft-cancelled": AuditCode(*_ACCESSED, "E", outcome=4),
    "draft-failed": AuditCode(*_ACCESSED, "E", outcome=8),
    "draft-revealed": AuditCode(*_ACCESSED, "R"),
    "draft-never-revealed": AuditCode(*_ACCESSED, "R"),
    "redraft-reviewed": AuditCode(*_RECORD, "U"),
    "prior-report-opened": AuditCode(*_RECORD, "R"),
    "race-started": AuditCode(*_ACCESSED, "E"),
    "race-finished": AuditCode(*_ACCESSED, "E"),
    "race-cancelled": AuditCode(*_ACCESSED, "E", outcome=4),
    "race-failed": AuditCode(*_ACCESSED, "E", outcome=8),
    "edit": AuditCode(*_RECORD, "U"),
    "check-overridden": AuditCode(*_RECORD, "U"),
    "draft-taken-over": AuditCode(*_RECORD, "C"),
    "sign-preliminary": AuditCode(*_RECORD, "U"),
    "sign": AuditCode(*_RECORD, "U"),
    "addendum": AuditCode(*_RECORD, "U"),
    "correction-started": AuditCode(*_RECORD, "U"),
    "correction-abandoned": AuditCode(*_RECORD, "U"),
    "correct": AuditCode(*_RECORD, "U"),
    "report-set-aside": AuditCode(*_RECORD, "U", outcome=4),
    "export": AuditCode(*_EXPORT, "R"),
    "login": AuditCode(*_USER, "E", *_LOGIN),
    "login-failed": AuditCode(*_USER, "E", *_LOGIN, outcome=4),
    "logout": AuditCode(*_USER, "E", *_LOGOUT),
    "locked": AuditCode(*_USER, "E", *_LOGOUT),
    "unlocked": AuditCode(*_USER, "E", *_LOGIN),
    "account-created": AuditCode(*_ALERT, "C", *_USER_CHANGED),
    "account-changed": AuditCode(*_ALERT, "U", *_USER_CHANGED),
    "settings": AuditCode(*_ALERT, "U", *_SOFTWARE),
    "query": AuditCode(*_QUERY, "E"),
    "verify": AuditCode(*_LOG_USED, "R"),
    "audit-opened": AuditCode(*_LOG_USED, "R"),
    "audit-exported": AuditCode(*_LOG_USED, "R"),
}


def audit_code(event: str) -> AuditCode:
    """The code of an event of the log; one that only a changed or newer log holds is Application
    Activity."""
    return _CODES.get(event, AuditCode(*_ACTIVITY, "E"))
