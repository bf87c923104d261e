"""The words come once a report is edited; a broken list of the site's is said and left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.app import build_window
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.checks.spelling_desk import SpellingDesk
from workstation.ui.report.report_editor import ReportEditor


@pytest.fixture
def editor(qtbot: QtBot) -> ReportEditor:
    editor = ReportEditor()
    qtbot.addWidget(editor)
    return editor


def misspelt() -> DraftReport:
    report = DraftReport()
    report.set_from_draft("No effusoin. Dr. Xylander agrees.", "")
    return report


def marked(editor: ReportEditor) -> list[str]:
    return [word.word for word in editor.editors["findings"].unknown_words]


def test_words_come_with_the_first_report(
    qtbot: QtBot, editor: ReportEditor, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("Xylander\n", "utf-8")
    desk = SpellingDesk(editor, tmp_path, editor)
    editor.set_report(misspelt())
    qtbot.waitUntil(lambda: bool(marked(editor)), timeout=60_000)
    assert marked(editor) == ["effusoin"]
    desk.deleteLater()


def test_broken_list_is_said_and_the_rest_still_works(
    qtbot: QtBot, editor: ReportEditor, tmp_path: Path
) -> None:
    (tmp_path / "words.json").write_text("{", "utf-8")
    desk = SpellingDesk(editor, tmp_path, editor)
    with qtbot.waitSignal(desk.trouble, timeout=60_000) as said:
        editor.set_report(misspelt())
    assert "words.json" in said.args[0]
    qtbot.waitUntil(lambda: bool(marked(editor)))
    assert marked(editor) == ["effusoin", "Xylander"]


def test_checks_know_the_films_of_the_study_in_the_window(
    catalog_engine: Engine, qtbot: QtBot, write_film: Callable[..., Path]
) -> None:
    drafting = DraftingService()
    window = build_window(catalog_engine, drafting)
    qtbot.addWidget(window)
    window.show()
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.import_paths([write_film("a.dcm", grey)])
    window.report_panel.write_by_hand()
    report = window.report_panel.report
    assert report is not None
    report.set_section_text("findings", "Unchanged cardiomegaly.")
    rules = {check.rule for check in window.report_panel.editor.checks}
    assert "comparison_without_prior" in rules
    window.close()
    assert drafting.shutdown(10_000)
