"""Canonical wording, English and Chinese: one sentence per statement, one report per case.

One wording for a normal region and one per finding is what makes a block predictable in one
pass. The set of canonical sentences is finite, so "outside the grammar" is decidable
(``is_canonical``), and the sentences of the two languages correspond one to one. Region order
follows Stage I of ECHO (arXiv 2604.09450).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from inference.report_language import template_en, template_zh
from inference.report_language.slots import express_statement
from inference.report_language.statements import (
    Language,
    Severity,
    Side,
    Statement,
    Status,
    Zone,
)
from inference.report_language.vocabulary import CONCEPT_BY_NAME, CONCEPTS

SIDES: tuple[Side, ...] = ("left", "right", "bilateral")
ZONES: tuple[Zone, ...] = ("upper", "mid", "lower")
SEVERITIES: tuple[Severity, ...] = ("small", "mild", "moderate", "large", "marked")

# What the normalised report denies explicitly whenever it says nothing else of it, in this order.
DENIED = (
    "mediastinal_widening",
    "pulmonary_edema",
    "consolidation",
    "pleural_effusion",
    "pneumothorax",
    "cardiomegaly",
    "hilar_enlargement",
    "diaphragm_elevation",
    "fracture",
)
# Stating one of these leaves no room for the plain denial: an infiltrate may be consolidation.
SILENCED_BY = {"consolidation": frozenset({"opacity", "pneumonia"})}
# Old or harmless: where nothing else is found, the impression adds that nothing is acute.
NOT_ACUTE = frozenset(
    {
        "aortic_atherosclerosis",
        "emphysema",
        "fibrosis",
        "granuloma",
        "pleural_thickening",
        "scoliosis",
    }
)

NOT_A_FRONTAL_CHEST: dict[Language, str] = {
    "en": template_en.NOT_A_FRONTAL_CHEST,
    "zh": template_zh.NOT_A_FRONTAL_CHEST,
}
_WORDINGS = {"en": template_en, "zh": template_zh}
_JOINERS: dict[Language, str] = {"en": " ", "zh": ""}
_HEADERS: dict[Language, tuple[str, str]] = {
    "en": ("Findings: ", " Impression: "),
    "zh": ("所见：", " 结论："),  # with the space of ECHO's Chinese prompt
}


def word_statement(
    concept: str,
    status: Status = "present",
    side: Side | None = None,
    zone: Zone | None = None,
    severity: Severity | None = None,
    language: Language = "en",
) -> str:
    """The canonical sentence of one statement, full stop included.

    Slots that the sentence does not express (``slots.express_statement``) are left out.
    Raises KeyError for an unknown concept or language.
    """
    said = express_statement(Statement(concept, status, side, zone, severity))
    return _WORDINGS[language].word_expressed(said)


def compose_findings(present: Iterable[Statement], language: Language = "en") -> str:
    """The normalised findings: every region said, in fixed order, positives replacing denials."""
    stated = _without_contradictions(present)
    silenced = {s.concept for s in stated}
    affirmed = {s.concept for s in stated if s.status != "absent"}
    silenced.update(name for name, by in SILENCED_BY.items() if affirmed & by)
    sentences = [_WORDINGS[language].NORMAL_THORAX]
    for concept in CONCEPTS:
        sentences += _word_all((s for s in stated if s.concept == concept.name), language)
        if concept.name in DENIED and concept.name not in silenced:
            sentences.append(word_statement(concept.name, "absent", language=language))
    return _JOINERS[language].join(sentences)


def compose_impression(present: Iterable[Statement], language: Language = "en") -> str:
    """The impression that follows from the findings: every positive but devices, in order.

    It ends in "no acute cardiopulmonary abnormality" where only old or harmless things, or
    nothing at all, was found.
    """
    order = {concept.name: rank for rank, concept in enumerate(CONCEPTS)}
    said = sorted(
        (s for s in present if s.status != "absent" and not CONCEPT_BY_NAME[s.concept].is_device),
        key=lambda s: order[s.concept],
    )
    sentences = _word_all(said, language)
    if all(s.concept in NOT_ACUTE for s in said):
        sentences.append(_WORDINGS[language].NORMAL_IMPRESSION)
    return _JOINERS[language].join(sentences)


def compose_report(present: Iterable[Statement], language: Language = "en") -> str:
    """The whole answer of the model, in the form released ECHO models give theirs."""
    stated = tuple(present)
    return _frame(
        compose_findings(stated, language), compose_impression(stated, language), language
    )


def compose_refusal(language: Language = "en") -> str:
    """The whole answer of the model to a film that is no frontal chest radiograph."""
    wording = _WORDINGS[language]
    return _frame(wording.NOT_A_FRONTAL_CHEST, wording.NO_REPORT, language)


def _frame(findings: str, impression: str, language: Language) -> str:
    before_findings, before_impression = _HEADERS[language]
    return before_findings + findings + before_impression + impression


def _word_all(statements: Iterable[Statement], language: Language) -> list[str]:
    """Their sentences; two statements that read alike (two nodules of one zone) are said once."""
    return list(
        dict.fromkeys(
            word_statement(s.concept, s.status, s.side, s.zone, s.severity, language)
            for s in statements
        )
    )


def _without_contradictions(statements: Iterable[Statement]) -> list[Statement]:
    """Without denials of what is also affirmed: a denial has no side, so it would deny it all."""
    stated = list(statements)
    affirmed = {s.concept for s in stated if s.status != "absent"}
    return [s for s in stated if s.status != "absent" or s.concept not in affirmed]


@cache
def canonical_sentences(language: Language = "en") -> frozenset[str]:
    """Every sentence the template can produce."""
    wording = _WORDINGS[language]
    sentences = {
        wording.NORMAL_THORAX,
        wording.NORMAL_IMPRESSION,
        wording.NOT_A_FRONTAL_CHEST,
        wording.NO_REPORT,
        *wording.ABSENT.values(),
    }
    statuses: tuple[Status, ...] = ("present", "uncertain")
    for concept in CONCEPT_BY_NAME:
        for status in statuses:
            for side in (None, *SIDES):
                for zone in (None, *ZONES):
                    for severity in (None, *SEVERITIES):
                        sentences.add(
                            word_statement(concept, status, side, zone, severity, language)
                        )
    return frozenset(sentences)


def is_canonical(sentence: str, language: Language = "en") -> bool:
    """Whether one sentence (full stop included) is in the grammar of the template."""
    return sentence.strip() in canonical_sentences(language)
