"""The report column on a real DraftReport."""

from __future__ import annotations

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.report_panel import ReportPanel

FINDINGS = "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."


@pytest.fixture
def panel(qtbot) -> ReportPanel:
    panel = ReportPanel()
    qtbot.addWidget(panel)
    panel.resize(560, 900)
    panel.show()
    panel.activateWindow()
    return panel


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    return report


@pytest.fixture
def editing(panel, report) -> ReportPanel:
    panel.show_report(report)
    return panel
