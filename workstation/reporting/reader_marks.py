"""Whose hand was on a sentence last, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from workstation.reporting.report_state import SECTIONS, ReportState, Sentence


def mark_touched(
    before: ReportState, after: ReportState, reader: str, now: datetime
) -> ReportState:
    """``after`` with the reader's name and the time on every sentence that the change from
    ``before`` wrote, changed or accepted, and on no other."""
    known = {each.id: each for name in SECTIONS for each in before.sentences(name)}
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    for section in SECTIONS:
        sentences = after.sentences(section)
        marked = tuple(_mark(each, known.get(each.id), reader, at) for each in sentences)
        if marked != sentences:
            after = after.with_section(section, marked)
    return after


def _mark(sentence: Sentence, old: Sentence | None, reader: str, at: str) -> Sentence:
    if sentence.provenance == "ai" and not sentence.accepted:
        return replace(sentence, touched_by="", touched_at="")
    same = old is not None and old.text == sentence.text and old.accepted == sentence.accepted
    if old is not None and same:
        return replace(sentence, touched_by=old.touched_by, touched_at=old.touched_at)
    return replace(sentence, touched_by=reader, touched_at=at)
