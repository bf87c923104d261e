"""A signature: whose, when, in which sense; and what can stand in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workstation.accounts.account_store import Authentication
from workstation.reporting.checks.report_check import ReportCheck

_CHECKS_NAMED = 5

MEANING = "I have reviewed the images and approve this report."
PRELIMINARY_MEANING = "This report is preliminary; it has not been approved as final yet."
CORRECTED_MEANING = "I have reviewed the images and approve this corrected report."

SignatureKind = Literal["preliminary", "final", "corrected"]
MEANINGS: dict[SignatureKind, str] = {
    "preliminary": PRELIMINARY_MEANING,
    "final": MEANING,
    "corrected": CORRECTED_MEANING,
}


@dataclass(frozen=True)
class Signature:
    """signed_at is UTC, ISO 8601. audit_head is the chain's head with this signature's own row.

    kind: "corrected" once a correction has been signed; reason: why. role: "" without accounts.
    """

    study_instance_uid: str
    signer: str
    signed_at: str
    meaning: str
    text_sha256: str
    state_sha256: str
    audit_row: int
    audit_head: str
    kind: SignatureKind = "final"
    role: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SignRequest:
    """What a signer asks for in the sign dialog. authentication: where there are accounts; the
    name is then the account's."""

    signer: str = ""
    is_preliminary: bool = False
    authentication: Authentication | None = None


class NothingToSign(Exception):
    """There is no saved report of this study, it has no text, or a correction corrects nothing."""


class SignerMissing(ValueError):
    """A signature needs a name."""


class UnsavedEdits(Exception):
    """The saved report is not what the signer saw: save first, then sign."""


class NotSigned(Exception):
    """An addendum or a correction belongs to a signed report; a draft is edited instead."""


class CorrectionOpen(Exception):
    """A correction of this report is being written already."""


class ChecksOpen(Exception):
    """checks: the blocking ones that are neither solved nor overridden with a reason."""

    def __init__(self, checks: Sequence[ReportCheck]) -> None:
        messages = "; ".join(check.message for check in checks[:_CHECKS_NAMED])
        more = f"; and {len(checks) - _CHECKS_NAMED} more" * (len(checks) > _CHECKS_NAMED)
        super().__init__(f"Solve these or say why they don't apply: {messages}{more}")
        self.checks = tuple(checks)
