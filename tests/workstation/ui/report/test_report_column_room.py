"""In a low or narrow report column: whose report it is, its state, and the whole impression."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.patient_line import ReportPatient
from workstation.ui.report.report_panel import ReportPanel

FINDINGS = (
    "The thorax is symmetric. The mediastinum is not widened. No pulmonary edema. No focal "
    "consolidation. Moderate bilateral pleural effusions. No pneumothorax. The cardiac silhouette "
    "is mildly enlarged. The hila are not enlarged. No displaced fracture."
)
IMPRESSION = "Moderate bilateral pleural effusions. The cardiac silhouette is mildly enlarged."
LOWEST = (358, 622)  # of a window of 1280 x 720


@pytest.fixture
def panel(qtbot) -> ReportPanel:
    panel = ReportPanel()
    qtbot.addWidget(panel)
    panel.resize(*LOWEST)
    panel.show()
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    panel.show_report(report)
    return panel


def is_seen_whole(editor: QTextEdit) -> bool:
    return editor.document().size().height() <= editor.viewport().height()


def test_the_whole_impression_is_seen(panel: ReportPanel) -> None:
    assert is_seen_whole(panel.editor.editors["impression"])


def test_an_impression_that_grows_gets_its_room(panel: ReportPanel) -> None:
    impression = panel.editor.editors["impression"]
    impression.setPlainText(IMPRESSION + " Small left apical pneumothorax.")
    assert is_seen_whole(impression)


def test_all_of_a_report_is_seen_where_there_is_room(panel: ReportPanel) -> None:
    panel.resize(540, 1300)
    assert all(is_seen_whole(editor) for editor in panel.editor.editors.values())
    assert panel.editor.statement_list.verticalScrollBar().maximum() == 0


def test_heights_the_reader_chose_stay(panel: ReportPanel) -> None:
    splitter = panel.editor.splitter
    splitter.moveSplitter(splitter.sizes()[0] + 40, 1)
    chosen = splitter.sizes()
    panel.editor.editors["impression"].setPlainText(IMPRESSION * 3)
    assert splitter.sizes() == chosen


def test_the_state_is_told_whole_and_the_patient_as_far_as_there_is_room(
    panel: ReportPanel,
) -> None:
    head = panel.head
    head.show_patient(ReportPatient("AVERYLONGNAME, MAXIMILIANA THEODORA", "ID 17 · 76 y · F"))
    assert head.state_label.text() == "draft · 11 AI"
    state = head.state_label
    assert state.width() >= state.fontMetrics().horizontalAdvance(state.text())
    assert head.patient_label.text().startswith("AVERY")
    assert head.patient_label.toolTip().endswith("ID 17 · 76 y · F")
    head.show_patient(None)
    assert head.patient_label.text() == "Report"


def test_the_counts_give_way_to_a_name_that_fits_without_them(panel: ReportPanel) -> None:
    head = panel.head
    for length in range(1, 80):
        name = "i" * length
        head.show_patient(ReportPatient(name, "ID 17"))
        if head.state_label.text() != "draft · 11 AI":
            break
        assert head.patient_label.text() == name
    assert head.state_label.text() == "draft"
    assert head.state_label.toolTip() == "draft · 11 AI"
    assert head.patient_label.text() == name


def test_open_checks_and_the_picker_leave_the_column_as_it_is(
    qtbot: QtBot, panel: ReportPanel
) -> None:
    impression = panel.report.state.impression
    panel.report.edit_sentence("impression", impression[0].id, "Moderate right pleural effusion.")
    panel.report.delete_sentence("impression", impression[1].id)
    editor, bar = panel.editor, panel.editor.check_bar
    panel.show_notice("Signed off as preliminary.")
    bar.show_next()
    assert (panel.width(), panel.height()) == LOWEST
    assert panel.minimumSizeHint().width() <= LOWEST[0]
    assert panel.minimumSizeHint().height() <= LOWEST[1]
    assert len(bar.lines) == 2
    viewport = bar.list_area.viewport()
    qtbot.waitUntil(lambda: all(line.width() <= viewport.width() for line in bar.lines))
    for line in bar.lines:
        for part in (line.message_label, line.fix_button, line.override_button):
            assert part.geometry().right() <= line.width()
    assert bar.list_area.horizontalScrollBar().maximum() == 0
    assert bar.lines[0].fix_button.text() == "Make the impression say bilateral"
    assert bar.lines[1].fix_button.text().endswith("…")
    assert "cardiac silhouette is mildly enlarged" in bar.lines[1].fix_button.toolTip()
    editor.open_finding_picker()
    assert not bar.is_open
    assert panel.minimumSizeHint().width() <= LOWEST[0]
    assert panel.minimumSizeHint().height() <= LOWEST[1]


def test_in_a_low_column_the_line_about_a_sentence_gives_way_to_open_checks(
    panel: ReportPanel,
) -> None:
    impression, bar = panel.editor.editors["impression"], panel.editor.check_bar
    impression.setPlainText(IMPRESSION + " Small left apical pneumothorax.")  # denied above
    panel.editor.flush_typing()
    line = panel.editor.listing.provenance_line
    assert bar.open_count > 0
    assert line.height() > 0
    bar.chip.click()
    assert line.height() == 0
    bar.chip.click()
    assert line.height() > 0
