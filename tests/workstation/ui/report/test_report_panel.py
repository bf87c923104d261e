"""The report column in all its states but drafting, on a real DraftReport."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Qt

from tests.workstation.ui.report.panel_reading import row_of
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.versions.stored_report import Addendum, StoredReport

FINDINGS = "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."


def test_without_a_study_nothing_can_be_asked(qtbot, panel) -> None:
    assert panel.state == "no-study"
    with qtbot.assertNotEmitted(panel.draft_requested):
        qtbot.keyClick(panel, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert not panel.start_page.draft_button.isVisible()


@pytest.mark.parametrize("by", ["button", "key"])
def test_blank_report_offers_a_draft(qtbot, panel, by) -> None:
    panel.show_report(DraftReport())
    assert panel.state == "not-drafted"
    with qtbot.waitSignal(panel.draft_requested):
        if by == "button":
            qtbot.mouseClick(panel.start_page.draft_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(panel, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)


def test_without_a_model_the_reason_is_said_and_the_hand_can_write(qtbot, panel) -> None:
    panel.set_can_draft(False, "model.safetensors: missing key lm_head.weight")
    panel.show_report(DraftReport())
    assert not panel.start_page.draft_button.isEnabled()
    assert "lm_head" in panel.start_page.text_label.text()
    qtbot.mouseClick(panel.start_page.write_button, Qt.MouseButton.LeftButton)
    assert panel.state == "editing"
    qtbot.keyClicks(panel.editor.editors["findings"], "Small left pleural effusion.")
    panel.flush_typing()
    assert row_of(panel, "Small left pleural effusion.").sentence.provenance == "human"


def test_unseen_line_tells_what_the_model_did_not_see(editing) -> None:
    editing.set_unseen("The model saw one frontal film; not: lateral, priors, indication")
    assert editing.unseen_label.isVisible()
    editing.set_unseen("")
    assert not editing.unseen_label.isVisible()


def stored(report: DraftReport, *addenda: Addendum) -> StoredReport:
    return StoredReport(
        "1.2.3",
        report.state,
        "signed",
        signed_by="Dr Maya Lind",
        signed_at="2026-11-21T00:10:00+00:00",
        addenda=addenda,
    )


def test_signed_report_is_read_only_and_names_its_signer(qtbot, panel, report) -> None:
    panel.show_signed(stored(report))
    page = panel.signed_page
    assert panel.state == "signed"
    assert "Dr Maya Lind" in page.signature_label.text()
    assert "2026-11-2" in page.signature_label.text()
    editor = page.editors["findings"]
    with qtbot.assertNotEmitted(panel.edits_made, wait=0):
        qtbot.keyClicks(editor, "Tampered.")
    assert editor.toPlainText() == FINDINGS
    for button in (panel.sign_button, panel.redraft_button, panel.undo_button):
        assert not button.isVisible()


def test_addendum_is_asked_for_and_listed(qtbot, panel, report) -> None:
    panel.show_signed(stored(report))
    page = panel.signed_page
    qtbot.mouseClick(page.addendum_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.addendum_field, "The effusion has grown.")
    with qtbot.waitSignal(panel.addendum_requested) as asked:
        qtbot.mouseClick(page.save_addendum_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["The effusion has grown."]
    assert page.addendum_field.toPlainText() == "The effusion has grown."  # kept until saved
    panel.show_signed(
        stored(report, Addendum("Dr Lind", "2026-11-21T01:00:00+00:00", asked.args[0]))
    )
    texts = [label.text() for label in page.findChildren(QObject, "addendum_text")]
    assert "The effusion has grown." in texts
    assert not page.addendum_field.isVisible()


def test_sign_is_asked_with_all_typing_handed_over(qtbot, editing, report) -> None:
    qtbot.keyClicks(editing.editor.editors["findings"], "Typed. ")
    with qtbot.waitSignal(editing.sign_requested):
        qtbot.mouseClick(editing.sign_button, Qt.MouseButton.LeftButton)
    assert report.state.findings_text.startswith("Typed.")


def test_blank_report_cannot_be_signed(qtbot, panel) -> None:
    panel.show_report(DraftReport())
    panel.write_by_hand()
    assert not panel.sign_button.isEnabled()
