"""The main job, as a reader does it: real window, real DICOM files, real SQLite, real model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.commands.audit import run_audit_verify
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog

LOAD_TIMEOUT_MS = 120_000  # the first engine of a process imports torch


class Desk:
    """A window on a data folder, as the app builds it."""

    def __init__(self, folder: Path, qtbot: QtBot, *, with_model: bool = True) -> None:
        self.engine = open_database(folder)
        self.records = build_records(self.engine)
        self.drafting = DraftingService()
        self.window: MainWindow = build_window(self.engine, self.drafting)
        qtbot.addWidget(self.window)
        self.qtbot = qtbot
        self.window.show()
        if with_model:
            with qtbot.waitSignal(self.drafting.engine_ready, timeout=LOAD_TIMEOUT_MS):
                self.drafting.start("embedded", "cpu")

    def open(self, paths: list[Path]) -> None:
        with self.qtbot.waitSignal(self.window.importer.finished, timeout=30_000):
            self.window.import_paths(paths)
        self.qtbot.waitUntil(lambda: self.window.viewer.film is not None, timeout=30_000)

    def activate(self, row: int) -> str:
        uid = self.records.catalog.list_studies()[row].study_instance_uid
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.study_list.activate_study(uid)
        return uid

    def draft(self) -> None:
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=60_000):
            self.window.report_panel.request_draft()

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.engine.dispose()

    def events(self) -> list[str]:
        return [entry.event for entry in self.records.audit.entries()]


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data", qtbot)
    yield opened
    opened.close()


@pytest.fixture
def modelless_desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data", qtbot, with_model=False)
    yield opened
    opened.close()


def accept_dialog(dialog: SignDialog) -> int:
    dialog.name_field.setText("Dr. Ada Reader")
    return QDialog.DialogCode.Accepted


def test_open_draft_edit_sign_and_find_it_after_a_restart(
    desk: Desk,
    phantom_films: list[Path],
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk.open(phantom_films[:1])
    panel = desk.window.report_panel
    assert panel.state == "not-drafted"

    desk.draft()
    assert panel.state == "editing"
    report = panel.report
    assert report is not None
    assert report.state.findings_text.startswith("The thorax is symmetric.")
    assert all(sentence.provenance == "ai" for sentence in report.state.findings)

    sentence, statement = next(
        (sentence, statement)
        for sentence, statement in report.statements("findings")
        if statement.concept == "fracture"
    )
    report.flip_statement("findings", sentence.id, statement)
    report.set_section_text("impression", "Please compare with the prior film.")
    desk.window.desk.save()
    flipped = report.state.findings_text
    uid = desk.window.desk.study_instance_uid
    assert desk.records.catalog.study(uid).status == "draft"

    monkeypatch.setattr(SignDialog, "exec", accept_dialog)
    desk.window.sign()
    assert panel.state == "signed"
    assert desk.records.catalog.study(uid).status == "signed"
    panel.signed_page.addendum_written.emit("Prior film seen: unchanged.")
    desk.close()

    again = Desk(tmp_path / "data", qtbot, with_model=False)
    try:
        stored = again.records.reports.load(uid)
        assert stored is not None
        assert stored.status == "signed"
        assert stored.signed_by == "Dr. Ada Reader"
        assert stored.state.findings_text == flipped
        assert stored.state.impression[-1].provenance == "human"
        assert [addendum.text for addendum in stored.addenda] == ["Prior film seen: unchanged."]
        assert len(stored.model_sha256) == 64
        events = again.events()
        for expected in (
            "import", "study-opened", "draft-started", "draft-finished", "edit", "sign", "addendum",
        ):  # fmt: skip
            assert expected in events
    finally:
        again.close()
    assert run_audit_verify(tmp_path / "data") == 0


def test_a_study_opened_mid_draft_never_gets_the_other_ones_text(
    desk: Desk, phantom_films: list[Path], qtbot: QtBot
) -> None:
    desk.open(phantom_films)
    desk.activate(0)
    panel = desk.window.report_panel
    with qtbot.waitSignal(desk.drafting.block_committed, timeout=60_000):
        panel.request_draft()
    second = desk.activate(1)
    assert panel.state == "not-drafted"
    assert desk.records.reports.load(second) is None
    qtbot.waitUntil(lambda: "draft-cancelled" in desk.events() or "draft-finished" in desk.events())
    assert panel.state == "not-drafted"
    assert panel.report is not None
    assert panel.report.state.is_blank

    desk.draft()
    assert desk.records.reports.load(second) is not None


def test_stop_leaves_the_report_as_it_was(
    desk: Desk, phantom_films: list[Path], qtbot: QtBot
) -> None:
    desk.open(phantom_films[:1])
    panel = desk.window.report_panel
    desk.window.desk.decoding = "multi-step"
    panel.request_draft()
    with qtbot.waitSignal(desk.drafting.draft_cancelled, timeout=60_000):
        panel.stop_button.click()
    assert panel.state == "not-drafted"
    assert desk.events()[-1] == "draft-cancelled"


def test_every_decoding_mode_drafts(desk: Desk, phantom_films: list[Path]) -> None:
    desk.open(phantom_films[:1])
    for mode in ("one-step", "adaptive", "multi-step", "autoregressive"):
        desk.window.desk.decoding = mode
        desk.draft()
        finished = desk.records.audit.entries()
        details = next(e.details for e in reversed(finished) if e.event == "draft-finished")
        assert details["decoding"]["mode"] == mode
        assert details["stop_reason"] == "stop"
        if desk.window.report_panel.state == "reviewing":
            desk.window.report_panel.review_page.keep_all()


def test_unreadable_files_are_listed_and_the_rest_opens(
    modelless_desk: Desk, phantom_films: list[Path], tmp_path: Path
) -> None:
    desk = modelless_desk
    folder = tmp_path / "mixed"
    folder.mkdir()
    whole = phantom_films[0].read_bytes()
    (folder / "good.dcm").write_bytes(whole)
    (folder / "truncated.dcm").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("no film")
    desk.open([folder])
    refused = {Path(each.path).name for each in desk.window.refused_panel.files}
    assert refused == {"truncated.dcm", "notes.txt"}
    assert len(desk.records.catalog.list_studies()) == 1
    assert desk.window.viewer.film is not None


def test_dropped_films_are_imported_and_opened(
    modelless_desk: Desk, phantom_films: list[Path], qtbot: QtBot
) -> None:
    window = modelless_desk.window
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(phantom_films[0]))])
    action, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(5, 5), action, dropped, buttons, Qt.KeyboardModifier.NoModifier)
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.dropEvent(event)
    assert window.viewer.film is not None
    assert modelless_desk.events() == ["import", "study-opened"]


def test_a_model_that_cannot_be_loaded_leaves_writing_by_hand(
    tmp_path: Path, qtbot: QtBot, phantom_films: list[Path]
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"\x80\x04")
    opened = Desk(tmp_path / "data", qtbot, with_model=False)
    try:
        with qtbot.waitSignal(opened.drafting.engine_failed, timeout=LOAD_TIMEOUT_MS) as failed:
            opened.drafting.start(str(tmp_path / "model"), "cpu")
        assert "pytorch_model.bin" in failed.args[0]
        opened.open(phantom_films[:1])
        panel = opened.window.report_panel
        assert not panel.start_page.draft_button.isEnabled()
        panel.write_by_hand()
        assert panel.report is not None
        panel.report.set_section_text("findings", "Normal film.")
        assert opened.window.desk.save()
        assert opened.records.catalog.list_studies()[0].status == "draft"
    finally:
        opened.close()


def test_typing_is_in_the_database_within_two_seconds(
    modelless_desk: Desk, qtbot: QtBot, phantom_films: list[Path]
) -> None:
    desk = modelless_desk
    desk.open(phantom_films[:1])
    panel = desk.window.report_panel
    panel.write_by_hand()
    qtbot.keyClicks(panel.editor.editors["findings"], "Lungs clear.")
    uid = desk.window.desk.study_instance_uid

    def is_saved() -> bool:
        stored = desk.records.reports.load(uid)
        return stored is not None and stored.state.findings_text == "Lungs clear."

    qtbot.waitUntil(is_saved, timeout=2000)  # nothing else is asked of the window
