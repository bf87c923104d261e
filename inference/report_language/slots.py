"""Which slots a canonical sentence expresses: what remains of a statement once it is worded."""

from __future__ import annotations

from dataclasses import replace

from inference.report_language.statements import Severity, Side, Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_WITHOUT_SLOTS = {"mediastinal_widening", "emphysema"}
_ZONED = {"consolidation", "opacity", "nodule", "mass", "granuloma", "atelectasis"}
_SIDE_ONLY = {"fracture"}
# "mildly", "moderately", "markedly" are all the degrees the cardiac sentence has.
_CARDIAC_DEGREE: dict[Severity | None, Severity | None] = {
    None: None,
    "small": "mild",
    "mild": "mild",
    "moderate": "moderate",
    "large": "marked",
    "marked": "marked",
}


def express_statement(statement: Statement) -> Statement:
    """The statement as its canonical sentence says it: unexpressed slots None, adverbs as read.

    ``extract_statements(word_statement(...))`` gives back exactly this (offsets and rule apart).
    Denials express no slot; "Both hila are enlarged" says bilateral; the elevated diaphragm
    has no bilateral wording, so there bilateral becomes None.
    """
    concept, side, zone, severity = (
        statement.concept,
        statement.side,
        statement.zone,
        statement.severity,
    )
    if statement.status == "absent" or concept in _WITHOUT_SLOTS:
        return replace(statement, side=None, zone=None, severity=None)
    if concept == "cardiomegaly":
        return replace(statement, side=None, zone=None, severity=_CARDIAC_DEGREE[severity])
    if concept == "hilar_enlargement":
        return replace(statement, side=side or "bilateral", zone=None, severity=None)
    if concept == "diaphragm_elevation":
        one_side: Side | None = None if side == "bilateral" else side
        return replace(statement, side=one_side, zone=None, severity=None)
    if concept in _SIDE_ONLY or CONCEPT_BY_NAME[concept].is_device:
        return replace(statement, zone=None, severity=None)
    return replace(statement, zone=zone if concept in _ZONED else None)
