"""Below the list of statements: where the row under the pointer, or the current one, comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference import Calibration
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Sentence, SentenceOrigin
from workstation.ui.report.sentence_provenance import describe_provenance
from workstation.ui.report.signing.version_wording import format_utc
from workstation.ui.report.statements.statement_pages import StatementPages
from workstation.ui.report.statements.statement_row_painter import StatementRowPainter

DRAFTED, TOUCHED = "2026-04-12T10:00:00+00:00", datetime(2026, 4, 12, 10, 5, tzinfo=UTC)
ORIGIN = SentenceOrigin("ECHO phantom 1.1.0", "ab" * 32, DRAFTED)


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport(reader="Dr. Roe", now=lambda: TOUCHED)
    spans = [(0, 16, 0.9), (17, 37, 0.6)]
    report.set_from_draft("No pneumothorax. No pleural effusion.", "", spans, origin=ORIGIN)
    return report


@pytest.fixture
def pages(qtbot: QtBot, report: DraftReport) -> StatementPages:
    pages = StatementPages()
    qtbot.addWidget(pages)
    pages.resize(420, 500)
    report.on_edit(lambda _: pages.show_report(report))
    pages.show_report(report)
    pages.show()
    return pages


def test_line_follows_the_current_row(qtbot: QtBot, pages: StatementPages) -> None:
    line = pages.provenance_line
    assert line.text() == ""
    pages.focus_statements()
    assert line.text().startswith("AI, confidence 0.90\ndraft: ECHO phantom 1.1.0")
    qtbot.keyClick(pages.statements, Qt.Key.Key_Down)
    assert line.text().startswith("AI, confidence 0.60\n")
    assert format_utc(DRAFTED) in line.text()


def test_line_tells_model_and_reader_of_an_edited_sentence(
    pages: StatementPages, report: DraftReport
) -> None:
    pages.focus_statements()
    sentence, said = report.statements("findings")[0]
    report.flip_statement("findings", sentence.id, said)
    touched = format_utc(TOUCHED.isoformat())
    assert pages.provenance_line.text().splitlines() == [
        f"AI, then a reader · edited {touched}, Dr. Roe",
        f"draft: ECHO phantom 1.1.0, confidence 0.90, {format_utc(DRAFTED)}",
    ]
    assert "The model wrote: “No pneumothorax.”" in pages.provenance_line.toolTip()


def test_calibration_is_named_and_no_disease_is_promised(report: DraftReport) -> None:
    calibration: Calibration = ((0.0, 0.0), (1.0, 0.5))
    first, *more = describe_provenance(report.state.findings[0], calibration)
    assert first.startswith("AI, calibrated confidence 0.45")
    assert "Not a probability of disease." in first
    assert any("weights abababababab…" in line for line in more)


def test_figures_are_quiet_only_where_the_model_was_sure(qtbot: QtBot) -> None:
    painter = StatementRowPainter()
    sure, unsure = Sentence(1, "A.", "ai", 0.99), Sentence(2, "B.", "ai", 0.9)
    assert not painter.is_sure(sure)  # without a calibration no figure is shown
    painter.calibration = ((0.0, 0.0), (0.9, 0.6), (1.0, 1.0))
    assert painter.is_sure(sure)
    assert not painter.is_sure(unsure)
    assert not painter.is_sure(replace(sure, provenance="edited"))
