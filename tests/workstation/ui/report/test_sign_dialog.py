"""The sign dialog: what is shown before signing, and that a name is needed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPushButton

from workstation.reporting.draft_report import ReportState, Sentence
from workstation.ui.report.sign_dialog import SignDialog

STATE = ReportState(
    findings=(
        Sentence(1, "No pneumothorax.", "ai", 0.9),
        Sentence(2, "Small left pleural effusion.", "edited"),
    ),
    impression=(Sentence(3, "Small left pleural effusion.", "human"),),
)


@pytest.fixture
def dialog(qtbot) -> SignDialog:
    dialog = SignDialog(STATE, signer="Dr Lind", edit_count=4)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_shows_the_text_and_how_much_nobody_touched(dialog) -> None:
    assert "No pneumothorax." in dialog.text_view.toPlainText()
    assert dialog.text_view.isReadOnly()
    summary = dialog.summary_label.text()
    assert "1 of 3 sentences are the model's and untouched; 1 edited, 1 by hand." in summary
    assert "Edits made: 4." in summary


def test_sign_accepts_with_the_name(qtbot, dialog) -> None:
    dialog.name_field.setText("  Dr Maya Lind ")
    qtbot.mouseClick(dialog.sign_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.signer_name == "Dr Maya Lind"


def test_no_name_no_signature(dialog) -> None:
    dialog.name_field.setText("   ")
    assert not dialog.sign_button.isEnabled()


def test_cancel_rejects(qtbot, dialog) -> None:
    qtbot.mouseClick(dialog.cancel_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Rejected


def test_there_is_no_way_to_accept_everything_at_once(dialog) -> None:
    assert {button.text() for button in dialog.findChildren(QPushButton)} == {"Sign", "Cancel"}
