"""What every coded form says of where a report came from: code and value, in English."""

from __future__ import annotations

from workstation.exports.coded_concepts import (
    CORRECTION_REASON,
    PROVENANCE_DETAILS,
    REPORT_STATUS,
    RESEARCH,
    SENTENCE_DETAILS,
    SIGNATURE_MEANING,
    CodedConcept,
)
from workstation.exports.exported_report import ExportedReport
from workstation.exports.wording import RESEARCH_USE, word_decoding
from workstation.reporting.report_state import Sentence


def provenance_values(report: ExportedReport) -> list[tuple[CodedConcept, str]]:
    """Research-use line, status, signature's meaning, hashes; those without a value left out."""
    signature, named = report.signature, PROVENANCE_DETAILS
    values = [
        (RESEARCH, RESEARCH_USE[report.language]),
        (REPORT_STATUS, report.status),
        (named["model"], report.model_name if report.model_sha256 else ""),
        (named["weights"], report.model_sha256),
        (named["decoding"], word_decoding(report) if report.model_sha256 else ""),
        (named["images"], " ".join(report.image_sha256)),
        (named["audit"], report.audit_head),
    ]
    if signature is not None and report.status != "draft":
        values += [
            (SIGNATURE_MEANING, signature.meaning),
            (CORRECTION_REASON, signature.reason),
            (named["text"], signature.text_sha256),
            (named["state"], signature.state_sha256),
        ]
    return [(code, value) for code, value in values if value]


def model_of(report: ExportedReport, sentence: Sentence) -> tuple[str, str]:
    """Name and SHA-256 of the model that drafted the sentence; ("", "") where none did."""
    if sentence.provenance == "human":
        return "", ""
    if sentence.origin is not None:
        return sentence.origin.model_name, sentence.origin.model_sha256
    return report.model_name, report.model_sha256


def sentence_values(sentence: Sentence) -> list[tuple[CodedConcept, str]]:
    """Which draft the sentence came from, with its confidence and time, and whose hand was on it
    last; what isn't kept left out."""
    origin, named = sentence.origin, SENTENCE_DETAILS
    values: list[tuple[CodedConcept, str]] = []
    if origin is not None:
        confidence = "" if origin.confidence is None else f"{origin.confidence:.4f}"
        values += [
            (named["model"], origin.model_name),
            (named["weights"], origin.model_sha256),
            (named["drafted"], origin.drafted_at),
            (named["confidence"], confidence),
            (named["words"], origin.text),
        ]
    values += [(named["hand"], sentence.touched_by), (named["touched"], sentence.touched_at)]
    return [(code, value) for code, value in values if value]
