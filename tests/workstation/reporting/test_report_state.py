"""What a report is on disk, and its edits in the audit log."""

from __future__ import annotations

import json

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import (
    Edit,
    coalesce_edits,
    state_from_json,
    state_to_json,
)


def test_english_reports_keep_the_bytes_they_had_before_there_were_languages() -> None:
    report = DraftReport()
    report.set_from_draft("No pneumothorax.", "Normal.")
    text = state_to_json(report.state)
    assert set(json.loads(text)) == {"findings", "impression"}
    assert state_from_json(text).language == "en"


def test_state_survives_its_json(report: DraftReport) -> None:
    report.set_section_text("findings", "第一。\n\nNo mass.")
    assert state_from_json(state_to_json(report.state)) == report.state


@pytest.mark.parametrize(
    "damage",
    [
        {"id": "1"},
        {"id": None},
        {"separator": 3},
        {"separator": None},
        {"confidence": "0.9"},
        {"touched_by": 7},
        {"locked": "yes"},
        {"provenance": "nobody"},
        {"text": None},
    ],
)
def test_a_sentence_of_other_types_is_refused_when_it_is_read(damage: dict[str, object]) -> None:
    """Not only when it is painted, with the report already on the desk."""
    sound = {"id": 1, "text": "No mass.", "provenance": "human", "confidence": None}
    sound["separator"] = " "
    state_from_json(json.dumps({"findings": [sound], "impression": []}))
    with pytest.raises(ValueError, match="not a stored sentence"):
        state_from_json(json.dumps({"findings": [sound | damage], "impression": []}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings":[{}],"impression":[]}', "null"])
def test_damaged_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        state_from_json(text)


def test_typing_is_coalesced_between_other_edits() -> None:
    edits = [
        Edit("text", "findings", "", "N"),
        Edit("text", "findings", "N", "No"),
        Edit("text", "impression", "", "x"),
        Edit("text", "findings", "No", "No."),
        Edit("add", "findings", "", "Clips."),
        Edit("text", "findings", "No. Clips.", "No."),
    ]
    joined = coalesce_edits(edits)
    assert joined == (Edit("text", "findings", "", "No"), *edits[2:])


def test_unmarked_sentences_keep_the_bytes_they_had_before_there_were_marks() -> None:
    report = DraftReport()
    report.set_from_draft("No mass.", "")
    assert "accepted" not in state_to_json(report.state)
