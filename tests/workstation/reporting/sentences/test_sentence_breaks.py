"""Rows without a full stop: the text keeps them apart by a new line, and changes no word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.report_language import Language
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.sentences.sentence_breaks import keep_apart


def _report(*texts: str, language: Language = "en") -> DraftReport:
    report = DraftReport(ReportState(language=language))
    report.set_from_draft(" ".join(texts), "", language=language)
    return report


def _rows(report: DraftReport) -> list[str]:
    return [each.text for each in report.state.findings]


@pytest.mark.parametrize(
    ("language", "before", "typed", "after"),
    [
        ("en", "No edema. Left rib fracture.", "no edema", "no edema\nLeft rib fracture."),
        ("en", "No edema. left rib fracture.", "no edema", "no edema\n\nleft rib fracture."),
        ("en", "No edema. Left rib fracture.", "Edema!", "Edema! Left rib fracture."),
        ("zh", "未见气胸。右侧膈肌抬高。", "未见气胸", "未见气胸\n右侧膈肌抬高。"),
    ],
)
def test_a_row_that_loses_its_full_stop_gets_a_line_of_its_own(
    language: Language, before: str, typed: str, after: str
) -> None:
    report = _report(before, language=language)
    first, second = report.state.findings
    report.edit_sentence("findings", first.id, typed)
    assert report.state.findings_text == after
    assert _rows(report) == [typed, second.text]
    report.undo()
    assert report.state.findings_text == before


def test_typing_elsewhere_leaves_what_a_row_states() -> None:
    report = _report("No edema. Left rib fracture. No mass.")
    report.edit_sentence("findings", report.state.findings[0].id, "no edema")
    fracture = report.state.findings[1]
    text = report.state.findings_text
    report.set_section_text("findings", text.replace("No mass.", "No masses."))
    assert fracture in report.state.findings
    said = [(s.concept, s.status) for _, s in report.statements("findings")]
    assert ("fracture", "present") in said


def test_a_deleted_row_and_an_added_one_join_nothing() -> None:
    report = _report("Edema.")
    report.add_sentence("findings", "no mass")
    report.add_sentence("findings", "Left rib fracture.")
    report.delete_sentence("findings", report.state.findings[0].id)
    assert report.state.findings_text == "no mass\nLeft rib fracture."


def test_a_draft_below_an_own_impression_is_not_read_with_it() -> None:
    report = DraftReport()
    report.set_section_text("impression", "No edema")
    report.set_from_draft("Left rib fracture.", "Left rib fracture.")
    assert report.state.impression_text == "No edema\nLeft rib fracture."


def test_a_report_whose_text_parts_its_sentences_stays_the_same_object() -> None:
    state = _report("No edema.  Left rib fracture.\n\nNo mass.").state
    assert keep_apart(state) is state


_WORDS = st.sampled_from(
    ["No", "edema", "2.", "e.g.", "Mass.", "left", "\n", "no.", "3", "Findings:"]
)


@given(st.lists(st.lists(_WORDS, min_size=1, max_size=3).map(" ".join), max_size=5))
def test_no_word_changes_and_doing_it_twice_does_nothing_more(texts: list[str]) -> None:
    rows = [text.strip() for text in texts if text.strip()]
    state = ReportState(tuple(Sentence(i, text, "human") for i, text in enumerate(rows, 1)))
    apart = keep_apart(state)
    assert [each.text for each in apart.findings] == rows
    assert apart.findings_text.split() == state.findings_text.split()
    assert keep_apart(apart) == apart
