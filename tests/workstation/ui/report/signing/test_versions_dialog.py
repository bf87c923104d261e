"""Versions and what differs between them, told apart without colour."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from tests.workstation.ui.test_accessible_names import nameless
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.versions.report_version import DraftOrigin, ReportVersion
from workstation.ui.report.signing.versions_dialog import VersionsDialog

TIME = "2026-04-12T10:15:00+00:00"


def _state(text: str) -> ReportState:
    return ReportState(findings=(Sentence(1, text, "ai"),))


VERSIONS = [
    ReportVersion(1, "ai-draft", "ann", TIME, _state("No effusion."),
                  origin=DraftOrigin("ab", {}, "", "", "embedded")),
    ReportVersion(2, "preliminary", "Dr. Bo", TIME, _state("Left effusion <2 cm.")),
    ReportVersion(3, "final", "Dr. Roe", TIME, _state("Small left effusion.")),
]  # fmt: skip


@pytest.fixture
def dialog(qtbot: QtBot) -> VersionsDialog:
    opened = VersionsDialog(VERSIONS)
    qtbot.addWidget(opened)
    opened.show()
    return opened


def test_the_ai_draft_is_compared_with_the_signed_text_first(dialog: VersionsDialog) -> None:
    assert dialog.before_box.currentText().startswith("1 · AI draft · embedded")
    assert dialog.after_box.currentText().startswith("3 · Final · Dr. Roe")
    assert "[− No −] {+ Small left +} effusion." in dialog.view.toPlainText().replace("\xa0", " ")
    assert dialog.summary_label.text() == "Words taken out: 1 · put in: 2"
    assert nameless(dialog) == []


def test_what_was_taken_out_is_struck_through_and_what_was_put_in_underlined(
    dialog: VersionsDialog,
) -> None:
    html = dialog.view.toHtml()
    assert "line-through" in html
    assert "underline" in html


def test_any_two_versions_can_be_chosen(dialog: VersionsDialog) -> None:
    dialog.before_box.setCurrentIndex(1)
    shown = dialog.view.toPlainText()
    assert "Left" in shown
    assert "<2 cm" in shown.replace("\xa0", " ")  # no markup of the report's own gets through
    dialog.after_box.setCurrentIndex(1)
    assert dialog.summary_label.text() == "The two say the same."


def test_a_version_of_the_list_is_compared_with_the_one_before(dialog: VersionsDialog) -> None:
    dialog.before_box.setCurrentIndex(2)
    dialog.list.setCurrentRow(1)
    assert (dialog.before_box.currentIndex(), dialog.after_box.currentIndex()) == (0, 1)


def test_the_text_under_edit_is_the_newest(qtbot: QtBot) -> None:
    opened = VersionsDialog(VERSIONS[:1], _state("Small effusion."))
    qtbot.addWidget(opened)
    assert opened.after_box.currentText() == "Now, being edited"
    assert "[− No −]" in opened.view.toPlainText().replace("\xa0", " ")
