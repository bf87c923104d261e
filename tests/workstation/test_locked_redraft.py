"""Edit, lock, redraft, accept: real window, real DICOM, real SQLite, the real embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow

OWN_SENTENCE = "Small <|im_end|> effusion on the LEFT, new since Monday; Δ = 3 mm"


class Desk:
    """A window on a data folder with the embedded model."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.drafting = DraftingService()
        self.window: MainWindow = build_window(self.database, self.drafting)
        self.qtbot, self.panel = qtbot, self.window.report_panel
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=240_000):
            self.drafting.start("embedded", "cpu")

    def draft(self) -> None:
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=120_000):
            self.panel.request_draft()

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.database.dispose()


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data", qtbot)
    yield opened
    opened.close()


@pytest.mark.slow
def test_locked_sentences_survive_a_redraft_that_is_accepted_whole(
    desk: Desk, phantom_films: list[Path], qtbot: QtBot
) -> None:
    with qtbot.waitSignal(desk.window.loader.film_loaded, timeout=60_000):
        desk.window.import_paths(phantom_films[:1])
    # In one sequence: a region of which a part is locked can't be redrafted as a region, and the
    # prompt of the weights for regions would not be this one's.
    desk.window.desk.decoding = "adaptive"
    desk.draft()
    report = desk.panel.report
    assert report is not None
    findings = report.state.findings
    report.edit_sentence("findings", findings[3].id, OWN_SENTENCE)
    for sentence in (findings[1], findings[3], findings[-1]):
        report.set_locked("findings", sentence.id, True)
    locked = [each for each in report.state.findings if each.locked]
    before = report.state
    with qtbot.waitSignal(desk.drafting.prefill_done, timeout=120_000) as prefilled:
        desk.draft()
    assert prefilled.args[0].reused
    if desk.panel.state == "reviewing":
        assert report.state == before
        qtbot.keyClick(desk.panel.review_page, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert desk.panel.state == "editing"
    assert [each for each in report.state.findings if each.locked] == locked
    assert OWN_SENTENCE in report.state.findings_text
    desk.window.desk.save()
    stored = desk.records.reports.load(desk.window.desk.study_instance_uid)
    assert stored is not None
    assert stored.state == report.state
    assert desk.records.audit.verify().ok
