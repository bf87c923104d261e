"""The site's rules in their dialog and in force; the head of the column names every stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.ui.test_accessible_names import nameless
from workstation.app import build_window
from workstation.audit.audit_log import AuditLog
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.checks.site_rules import (
    DEFAULT_RULES,
    RULES_NAME,
    load_rules,
    make_rules,
)
from workstation.reporting.signing.signature import SignRequest
from workstation.ui.main_window import MainWindow
from workstation.ui.report.checks.rules_dialog import RulesDialog

TEXT = "No pneumothorax. No pleural effusion."


@pytest.fixture
def window(catalog_engine: Engine, qtbot: QtBot, write_film: Callable[..., Path]) -> MainWindow:
    """On one study with a report written by hand."""
    window = build_window(catalog_engine, DraftingService(), None)
    qtbot.addWidget(window)
    window.show()
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.import_paths([write_film("a.dcm", grey)])
    window.report_panel.write_by_hand()
    write(window, TEXT)
    return window


def write(window: MainWindow, text: str) -> None:
    report = window.report_panel.report
    assert report is not None
    report.set_section_text("findings", text)
    report.set_section_text("impression", "No acute abnormality.")
    assert window.desk.save()


def sign(window: MainWindow, *, is_preliminary: bool) -> None:
    window.desk.sign(lambda report: SignRequest("Dr. Roe", is_preliminary))


def test_rules_chosen_in_the_dialog_are_kept_in_force_and_audited(
    window: MainWindow, catalog_engine: Engine, qtbot: QtBot
) -> None:
    editor, folder = window.report_panel.editor, AuditLog(catalog_engine).data_folder
    assert editor.checks == ()
    [action] = [each for each in window.menus.actions() if "equired of a" in each.text()]
    action.trigger()
    dialog = window.findChild(RulesDialog)
    assert dialog is not None
    assert nameless(dialog) == []
    assert dialog.rules == DEFAULT_RULES
    dialog.concept_boxes["free_air"].setFocus()
    qtbot.keyClick(dialog.concept_boxes["free_air"], Qt.Key.Key_Space)
    qtbot.keyClick(dialog.rule_boxes["not_stated"], Qt.Key.Key_Space)
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    wanted = make_rules([*DEFAULT_RULES.required, "free_air"], ["not_stated"])
    assert load_rules(folder) == wanted
    [check] = editor.checks
    assert (check.concept, check.is_blocking) == ("free_air", True)
    assert any(
        line.concept is not None and line.concept.name == "free_air" and line.is_pertinent
        for line in editor.checklist.table.lines
    )
    entry = AuditLog(catalog_engine).entries()[-1]
    assert entry.event == "settings"
    assert "free_air" in entry.details["report_rules"]["after"]["required"]
    assert "free_air" not in entry.details["report_rules"]["before"]["required"]
    sign(window, is_preliminary=False)
    assert window.report_panel.state == "editing"  # refused: it is not settled
    write(window, TEXT + " No free air under the diaphragm.")
    assert editor.checks == ()
    sign(window, is_preliminary=False)
    assert window.report_panel.state == "signed"


def test_rules_can_be_looked_at_by_everybody(qtbot: QtBot) -> None:
    dialog = RulesDialog(DEFAULT_RULES, may_change=False)
    qtbot.addWidget(dialog)
    assert not dialog.concept_boxes["free_air"].isEnabled()
    assert dialog.save_button.isHidden()


def test_broken_rules_are_named_and_the_window_goes_on(
    window: MainWindow, catalog_engine: Engine
) -> None:
    (AuditLog(catalog_engine).data_folder / RULES_NAME).write_text("[]")
    window.report_rules.load()
    assert RULES_NAME in window.statusBar().currentMessage()
    assert window.report_panel.editor.context.required == DEFAULT_RULES.required


def test_head_of_the_column_names_each_stage(window: MainWindow) -> None:
    window.resize(2560, 1080)  # the counts have room beside the name
    label, line = window.report_panel.state_label, window.desk.signing.stage_line
    assert label.text().startswith("draft · ")
    sign(window, is_preliminary=True)
    assert label.text().startswith("preliminary · ")
    write(window, TEXT + " Clips.")
    assert label.text().startswith("preliminary, edited since · ")
    assert "edited since" in line.label.text()
    window.report_panel.editor.undo()
    assert label.text().startswith("preliminary · ")
    assert "edited since" not in line.label.text()
    sign(window, is_preliminary=False)
    assert label.text() == "✓ final"
    window.report_panel.addendum_requested.emit("Compared: unchanged.")
    assert label.text() == "✓ final, with addendum"
    window.desk.signing.correct("wrong side")
    assert label.text().startswith("correction, not signed · ")
    write(window, TEXT + " Sternal wires.")
    sign(window, is_preliminary=False)
    assert label.text() == "✓✓ corrected, with addendum"
