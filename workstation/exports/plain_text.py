"""The report as plain text, for the clipboard and for mail."""

from __future__ import annotations

from workstation.exports.exported_report import ExportedReport
from workstation.exports.wording import (
    PROVENANCE_MARKS,
    RESEARCH_USE,
    meaning_words,
    provenance_lines,
    section_heading,
    sentence_lines,
    status_words,
    study_lines,
    word,
    word_signature,
    word_time,
)
from workstation.reporting.report_state import JOINERS, SECTIONS, Section


def write_text(report: ExportedReport) -> str:
    """UTF-8 text, lines ended by a newline; each sentence is followed by its mark."""
    language = report.language
    blocks = [_heading(report)]
    for section in SECTIONS:
        body = _marked_section(report, section)
        if body:
            blocks.append(f"{section_heading(section, language)}\n{body}")
    for addendum in report.addenda:
        who = word("added", language).format(addendum.author, word_time(addendum.added_at))
        blocks.append(f"{word('addendum', language)} ({who})\n{addendum.text}")
    if report.measurements:
        figures = "\n".join(f"- {each.text}" for each in report.measurements)
        blocks.append(f"{word('measurements', language)}\n{figures}")
    blocks.append(_signature_lines(report))
    lines = "\n".join(f"{label}: {value}" for label, value in provenance_lines(report))
    blocks.append(f"{word('provenance', language)}\n{lines}")
    each = "\n".join(f"{mark} {told}" for mark, told in sentence_lines(report))
    if each:
        blocks.append(f"{word('each_sentence', language)}\n{each}")
    blocks.append(RESEARCH_USE[language])
    return "\n\n".join(blocks) + "\n"


def _heading(report: ExportedReport) -> str:
    title = f"{word('title', report.language)} — {status_words(report)}"
    lines = [f"{label}: {value}" for label, value in study_lines(report)]
    return "\n".join([title, RESEARCH_USE[report.language], *lines])


def _marked_section(report: ExportedReport, section: Section) -> str:
    parts: list[str] = []
    for sentence in report.state.sentences(section):
        if parts:
            parts.append(sentence.separator)
        joiner = JOINERS[report.language]
        parts.append(f"{sentence.text}{joiner}[{PROVENANCE_MARKS[sentence.provenance]}]")
    return "".join(parts)


def _signature_lines(report: ExportedReport) -> str:
    lines = [word_signature(report)]
    if report.signature is not None and report.status != "draft":
        lines.append(meaning_words(report.signature.meaning, report.language))
        if report.signature.reason:
            lines.append(f"{word('reason', report.language)}: {report.signature.reason}")
    return "\n".join(lines)
