"""Undo and redo: by bursts of typing, and all the way."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CannotRewrite
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import (
    Edit,
    ReportState,
)

FINDINGS = "The thorax is symmetric. No pleural effusion. No pneumothorax."


IMPRESSION = "No acute cardiopulmonary abnormality."


def test_typing_is_undone_by_bursts() -> None:
    report = DraftReport()
    for typed in ("N", "No", "No mass."):
        report.set_section_text("findings", typed, merge=True)
    report.set_section_text("findings", "No mass. Clips.")
    report.undo()
    assert report.state.findings_text == "No mass."
    report.undo()
    assert report.state == ReportState()
    assert not report.can_undo
    report.redo()
    assert report.state.findings_text == "No mass."


_SENTENCES = st.sampled_from(
    ["No mass.", "No pleural effusion.", "The heart is enlarged.", "Clips. Wires.", "x"]
)


_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "add", "delete", "text", "merge", "draft", "flip"]),
        st.sampled_from(["findings", "impression"]),
        st.integers(0, 9),
        st.lists(_SENTENCES, max_size=4).map(" ".join),
    ),
    max_size=12,
)


def _act(report: DraftReport, kind: str, section: str, at: int, text: str) -> None:
    sentences = report.state.sentences(section)  # type: ignore[arg-type]
    chosen = sentences[at % len(sentences)].id if sentences else None
    match kind:
        case "edit" if chosen is not None:
            report.edit_sentence(section, chosen, text)  # type: ignore[arg-type]
        case "delete" if chosen is not None:
            report.delete_sentence(section, chosen)  # type: ignore[arg-type]
        case "add" if text:
            report.add_sentence(section, text, at % (len(sentences) + 1))  # type: ignore[arg-type]
        case "text" | "merge":
            report.set_section_text(section, text, merge=kind == "merge")  # type: ignore[arg-type]
        case "draft":
            report.set_from_draft(text, "Normal.")
        case "flip":
            statements = report.statements(section)  # type: ignore[arg-type]
            if statements:
                sentence, statement = statements[at % len(statements)]
                with suppress(CannotRewrite):
                    report.flip_statement(section, sentence.id, statement)  # type: ignore[arg-type]


@given(_ACTIONS)
@settings(max_examples=60, deadline=None)
def test_undo_all_is_the_beginning_and_redo_all_the_end(actions: list[tuple]) -> None:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    start = DraftReport(report.state)
    initial = start.state
    heard: list[Edit] = []
    start.on_edit(heard.append)
    for action in actions:
        _act(start, *action)
        sentences = (*start.state.findings, *start.state.impression)
        assert len({sentence.id for sentence in sentences}) == len(sentences)
        assert all(sentence.text == sentence.text.strip() for sentence in sentences)
    final = start.state
    assert bool(heard) or final == initial
    while start.can_undo:
        start.undo()
    assert start.state == initial
    while start.can_redo:
        start.redo()
    assert start.state == final
