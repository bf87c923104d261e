"""Flipping, restating and withdrawing what a sentence states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference.report_language import CannotRewrite
from workstation.reporting.draft_report import DraftReport, StatementGone


def test_statements_stand_where_they_say(report: DraftReport) -> None:
    text = report.state.findings_text
    found = [
        (sentence.text, statement.concept, text[statement.start : statement.end])
        for sentence, statement in report.statements("findings")
    ]
    assert [concept for _, concept, _ in found] == ["pleural_effusion", "pneumothorax"]
    assert all(clause.rstrip(".") in sentence for sentence, _, clause in found)


def test_flipped_statement_changes_its_sentence_only(report: DraftReport) -> None:
    before = report.state
    sentence, statement = report.statements("findings")[1]
    report.flip_statement("findings", sentence.id, statement)
    assert report.state.findings[:2] == before.findings[:2]
    flipped = report.state.findings[2]
    assert (flipped.id, flipped.provenance, flipped.confidence) == (sentence.id, "edited", None)
    (_, again) = report.statements("findings")[1]
    assert (again.concept, again.status) == ("pneumothorax", "present")
    assert report.state.impression == before.impression  # never changed behind the reader's back
    report.flip_statement("findings", sentence.id, again)
    assert report.statements("findings")[1][1].status == "absent"
    assert report.state.findings[2].provenance == "edited"
    report.undo()
    report.undo()
    assert report.state == before


def test_flip_of_a_statement_that_has_gone_is_refused(report: DraftReport) -> None:
    sentence, statement = report.statements("findings")[0]
    report.edit_sentence("findings", sentence.id, "Clear angles.")
    with pytest.raises(StatementGone, match="pleural_effusion"):
        report.flip_statement("findings", sentence.id, statement)


def test_flip_that_can_not_be_worded_leaves_the_report() -> None:
    report = DraftReport()
    report.set_from_draft("Opacity may reflect atelectasis.", "")
    before = report.state
    sentence, opacity = report.statements("findings")[0]
    with pytest.raises(CannotRewrite, match="atelectasis"):
        report.flip_statement("findings", sentence.id, opacity, "absent")
    assert report.state == before


def test_slot_is_changed_and_a_statement_withdrawn_as_one_step_each() -> None:
    report = DraftReport()
    report.set_from_draft("Small left effusion, unchanged. No mass or nodule.", "")
    sentence, effusion = report.statements("findings")[0]
    report.restate_statement("findings", sentence.id, effusion, replace(effusion, side="right"))
    assert report.state.findings_text.startswith("Small right effusion, unchanged.")
    assert report.state.findings[0].provenance == "edited"
    sentence, mass = report.statements("findings")[1]
    report.withdraw_statement("findings", sentence.id, mass)
    assert report.state.findings_text.endswith("No nodule.")
    sentence, nodule = report.statements("findings")[1]
    report.withdraw_statement("findings", sentence.id, nodule)
    assert len(report.state.findings) == 1
    for _ in range(3):
        report.undo()
    assert report.state.findings_text == "Small left effusion, unchanged. No mass or nodule."


@pytest.mark.parametrize("ask", ["flip", "restate"])
@pytest.mark.parametrize(
    "text", ["Small nodule in the left upper zone.", "Calcified granuloma, left mid zone, 14 mm."]
)
def test_sentence_flipped_back_says_again_what_it_said(text: str, ask: str) -> None:
    report = DraftReport()
    report.set_from_draft(text, "")

    def turn() -> None:
        sentence, said = report.statements("findings")[0]
        if ask == "flip":
            report.flip_statement("findings", sentence.id, said)
        else:
            other = "present" if said.status == "absent" else "absent"
            report.restate_statement("findings", sentence.id, said, replace(said, status=other))

    turn()
    denied = report.state.findings_text
    assert [said.status for _, said in report.statements("findings")] == ["absent"]
    turn()
    assert report.state.findings_text == text
    turn()
    assert report.state.findings_text == denied
    report.edit_sentence("findings", report.state.findings[0].id, "No nodule or granuloma today.")
    turned = report.statements("findings")[0]
    report.flip_statement("findings", turned[0].id, turned[1], "uncertain")
    assert text not in report.state.findings_text
