"""One check of a report: what it says, where, the edit that would mend it; what it goes by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from inference.report_language import Language, Side
from workstation.reporting.checks.check_wording import word_fix, word_message
from workstation.reporting.report_state import Section

CheckRule = Literal[
    "present_and_absent",
    "normal_beside_finding",
    "side_differs",
    "side_left_out",
    "placeholder",
    "finding_without_impression",
    "impression_without_finding",
    "not_stated",
    "repeated_sentence",
    "section_empty",
    "comparison_without_prior",
    "view_not_taken",
]
BLOCKING: frozenset[CheckRule] = frozenset(
    {"present_and_absent", "normal_beside_finding", "side_differs", "placeholder"}
)
REQUIRED = ("pleural_effusion", "pneumothorax")
"""Concepts a report has to affirm or deny, unless a site says otherwise."""
FixKind = Literal["take_side", "conclude", "replace", "state", "deny", "delete", "delete_second"]


@dataclass(frozen=True)
class ReportContext:
    """What is known beside the text. None: not known, and not checked.

    required: concepts the site wants affirmed or denied. must_settle: checks that block a signature
    here beside those that always do (`site_rules`).
    """

    has_prior: bool | None = None
    has_lateral: bool | None = None
    required: tuple[str, ...] = REQUIRED
    must_settle: frozenset[CheckRule] = frozenset()


@dataclass(frozen=True)
class Fix:
    """One edit that mends a check, and its words on a button.

    sentence_id: the sentence that becomes ``text`` ("" deletes it); None adds ``text`` as a
    sentence of its own at its place in the section.
    """

    label: str
    section: Section
    sentence_id: int | None
    text: str


@dataclass(frozen=True)
class ReportCheck:
    """One thing to look at. key stays the same while the sentences concerned stay as they are.

    is_blocking: the report cannot be signed with it unless it is overridden with a reason.
    section: where to look first. sentence_ids: of both sections, where to look first before the
    others; empty where something is missing. message: in the language that was asked for.
    """

    key: str
    rule: CheckRule
    is_blocking: bool
    section: Section
    sentence_ids: tuple[int, ...]
    message: str
    fix: Fix | None = None
    concept: str = ""


def make_check(
    rule: CheckRule,
    section: Section,
    sentence_ids: tuple[int, ...],
    texts: tuple[str, ...],
    words: Language,
    *,
    concept: str = "",
    sides: tuple[Side, Side] | None = None,
    quoted: str = "",
    fix: Fix | None = None,
) -> ReportCheck:
    """A check with its key and message. texts: of the sentences concerned; they make the key."""
    digest = hashlib.sha256("\n".join((section, *texts)).encode()).hexdigest()[:12]
    key = ":".join(part for part in (rule, concept, digest) if part)
    message = word_message(rule, words, concept, section, sides, quoted, texts)
    return ReportCheck(key, rule, rule in BLOCKING, section, sentence_ids, message, fix, concept)


def make_fix(
    kind: FixKind,
    section: Section,
    sentence_id: int | None,
    text: str,
    words: Language,
    *,
    side: Side | None = None,
    quoted: str = "",
) -> Fix:
    """A fix with its label. quoted: the sentence that goes, where one does."""
    return Fix(word_fix(kind, words, text or quoted, side), section, sentence_id, text)
