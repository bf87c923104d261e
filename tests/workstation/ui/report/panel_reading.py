"""What the report column shows, and a row of it flipped as a reader does."""

from __future__ import annotations

from PySide6.QtCore import Qt

from workstation.ui.report.report_panel import ReportPanel


def row_number(panel: ReportPanel, text: str) -> int:
    return [row.text for row in panel.editor.statement_list.table.rows].index(text)


def row_of(panel: ReportPanel, text: str):
    return panel.editor.statement_list.table.rows[row_number(panel, text)]


def findings_shown(panel: ReportPanel) -> str:
    return panel.editor.editors["findings"].toPlainText()


def flip(qtbot, panel: ReportPanel, text: str) -> None:
    rows = panel.editor.statement_list
    rows.select_row(row_number(panel, text))
    qtbot.keyClick(rows, Qt.Key.Key_Space)
