"""Stage I: a free-text report as the canonical one, every region explicit (arXiv 2604.09450).

What the report leaves unsaid is implied normal ("reporting by exception"); what it says of one
concept in several places becomes one account (``statement_merging``), so that the result cannot
contradict itself. Interpretation (pneumonia) goes to the impression only.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.report_language.normalization_check import check_normalization
from inference.report_language.raw_reading import RawReading, read_raw_report
from inference.report_language.raw_sections import split_raw_sections
from inference.report_language.sentences import split_sentences
from inference.report_language.statement_merging import merge_statements
from inference.report_language.statements import Language, Statement
from inference.report_language.template import (
    DENIED,
    compose_findings,
    compose_impression,
    compose_refusal,
    compose_report,
    word_statement,
)

__all__ = ["NormalizedReport", "NothingStated", "check_normalization", "normalize_report"]

# Concluded from the film and the patient, not seen on the film.
INTERPRETATIONS = frozenset({"pneumonia"})


class NothingStated(ValueError):
    """A report that says nothing of the chest: nothing can be implied normal either."""


@dataclass(frozen=True)
class NormalizedReport:
    """A canonical report and what became of the raw one.

    report: both sections with their headings, as the model is trained to answer.
    statements: what the raw report states, merged and as the canonical sentences express it.
    implied: denials added because the raw report does not mention them.
    overruled: statements that gave way to a contradicting one of the same report.
    not_carried: raw sentences that state nothing the canonical wording has a place for.
    """

    language: Language
    findings: str
    impression: str
    report: str
    statements: tuple[Statement, ...]
    implied: tuple[Statement, ...]
    overruled: tuple[Statement, ...]
    not_carried: tuple[str, ...]


def normalize_report(raw: str, language: Language) -> NormalizedReport:
    """The canonical report of a free-text one.

    Raises NothingStated if no sentence states a concept or calls the chest normal, and
    ValueError for a language without rules.
    """
    reading = read_raw_report(raw, language)
    if reading.is_refusal:
        return _refuse(reading, language)
    if not (reading.statements or reading.calls_normal or reading.unassessed):
        raise NothingStated("the report says nothing of the chest")
    merged = merge_statements(reading.findings, reading.impression)
    kept = merged.kept
    stated = {statement.concept for statement in kept}
    full_findings = compose_findings(kept, language)
    left_out = _sentences_left_out(kept, reading.unassessed - stated, language)
    sentences = [full_findings[a:b] for a, b in split_sentences(full_findings)]
    joiner = "" if language == "zh" else " "
    findings = joiner.join(sentence for sentence in sentences if sentence not in left_out)
    denials = {name: word_statement(name, "absent", language=language) for name in DENIED}
    return NormalizedReport(
        language,
        findings,
        compose_impression(kept, language),
        compose_report(kept, language).replace(full_findings, findings, 1),
        kept,
        tuple(
            Statement(name, "absent", rule="implied")
            for name, denial in denials.items()
            if name not in stated and denial in sentences and denial not in left_out
        ),
        merged.overruled,
        reading.silent,
    )


def _refuse(reading: RawReading, language: Language) -> NormalizedReport:
    report = compose_refusal(language)
    bodies = {
        section: report[start:end].strip()
        for section, start, end in split_raw_sections(report, language)
    }
    return NormalizedReport(
        language, bodies["findings"], bodies["impression"], report, (), (),
        reading.statements, reading.silent,
    )  # fmt: skip


def _sentences_left_out(
    kept: tuple[Statement, ...], unassessed: frozenset[str], language: Language
) -> set[str]:
    """Sentences of the template's findings that the raw report gives no right to."""
    interpreted = {
        word_statement(s.concept, s.status, s.side, s.zone, s.severity, language)
        for s in kept
        if s.concept in INTERPRETATIONS and s.status != "absent"
    }
    return interpreted | {word_statement(name, "absent", language=language) for name in unassessed}
