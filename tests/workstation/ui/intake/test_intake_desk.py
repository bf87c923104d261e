"""Removal, picture form, watched folder and thumbnails, on a real catalog and a real list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QWidget
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.intake import watched_folder
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.ui.intake import folder_watcher
from workstation.ui.intake.import_controls import ImportControls
from workstation.ui.intake.import_report import RefusedFilesPanel
from workstation.ui.intake.importer import Importer
from workstation.ui.intake.intake_desk import IntakeDesk
from workstation.ui.studies.removal_dialog import RemovalDialog
from workstation.ui.studies.study_list import StudyList

WriteFilm = Callable[..., Path]
PATIENCE_MS = 60_000  # of a machine with much else to do; a decoding child alone takes seconds
PIXELS = np.arange(4096, dtype=np.uint16).reshape(64, 64)


@dataclass
class OpenDesk:
    study_instance_uid: str = ""
    can_leave: bool = True

    def leave_study(self) -> bool:
        if self.can_leave:
            self.study_instance_uid = ""
        return self.can_leave


@dataclass
class Records:
    catalog: StudyCatalog
    audit: AuditLog
    user: str = "reader"


class Place:
    """The window's part that this is about, put together as the window does."""

    def __init__(self, engine: Engine) -> None:
        self.records = Records(StudyCatalog(engine), AuditLog(engine))
        self.window = QWidget()
        recorder = InstanceRecorder(self.records.catalog, self.records.audit, "reader")
        self.importer = Importer(recorder, self.window)
        self.studies = StudyList(self.window)
        self.studies.resize(330, 400)
        self.refused = RefusedFilesPanel(self.window)
        self.controls = ImportControls(self.importer, self.refused, self.window)
        self.desk = OpenDesk()
        self.intake = IntakeDesk(
            self.records, self.importer, self.studies, self.desk, None, self.window
        )
        self.intake.studies_changed.connect(self.refresh)
        self.importer.finished.connect(self.refresh)

    def refresh(self) -> None:
        self.studies.set_studies(self.records.catalog.list_studies(with_removed=True))

    def names(self) -> list[str]:
        return [row.patient_name for row in self.studies.model.rows]


@pytest.fixture
def place(qtbot, catalog_engine: Engine) -> Iterator[Place]:
    made = Place(catalog_engine)
    qtbot.addWidget(made.window)
    made.window.show()
    yield made
    assert made.importer.shutdown(PATIENCE_MS)
    made.intake.shutdown()


def bring_in(qtbot, place: Place, *paths: Path) -> None:
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS):
        place.controls.import_paths(list(paths))


def test_studies_are_removed_after_a_question_and_leave_the_desk(
    qtbot, place: Place, write_film: WriteFilm
) -> None:
    film = write_film("a.dcm", PIXELS)
    bring_in(qtbot, place, film)
    (row,) = place.studies.model.rows
    place.desk.study_instance_uid = row.study_instance_uid
    place.studies.activate_study(row.study_instance_uid)
    place.intake.remove_selected()
    dialog = place.window.findChild(RemovalDialog)
    assert not dialog.deletes_files
    assert not dialog.remove_button.isDefault()
    dialog.reject()
    assert place.names() == ["DOE, JANE"]
    place.intake.remove_selected()
    dialog = place.window.findChildren(RemovalDialog)[-1]
    with qtbot.waitSignal(place.intake.said, timeout=PATIENCE_MS) as said:
        qtbot.mouseClick(dialog.remove_button, Qt.MouseButton.LeftButton)
    assert said.args == ["1 study removed."]
    assert place.names() == []
    assert place.desk.study_instance_uid == ""
    assert film.is_file()
    assert place.records.audit.entries()[-1].event == "study-removed"


def test_a_study_that_can_not_be_saved_is_not_removed(
    qtbot, place: Place, write_film: WriteFilm
) -> None:
    bring_in(qtbot, place, write_film("a.dcm", PIXELS))
    (row,) = place.studies.model.rows
    place.desk.study_instance_uid, place.desk.can_leave = row.study_instance_uid, False
    place.studies.activate_study(row.study_instance_uid)
    place.intake.remove_selected()
    place.window.findChild(RemovalDialog).accept()
    assert len(place.records.catalog.list_studies()) == 1


def save_picture(path: Path, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 30)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_pictures_ask_for_their_patient_and_join_one_study(
    qtbot, place: Place, tmp_path: Path
) -> None:
    first = save_picture(tmp_path / "chest_PA_20260412.png", 1)
    second = save_picture(tmp_path / "chest_lateral.png", 2)
    bring_in(qtbot, place, first, second)
    form = place.intake.form
    assert form is not None
    assert form.isVisible()
    assert form.heading.text() == "chest_PA_20260412.png"
    assert (form.view_box.currentData(), form.date_field.text()) == ("PA", "2026-04-12")
    assert form.same_box.isHidden()
    form.name_field.setText("DOE^JANE")
    form.id_field.setText("P-1")
    form.birth_field.setText("1958-13-02")
    assert not form.save_button.isEnabled()
    form.birth_field.setText("1958-03-02")
    form.save_button.click()
    qtbot.waitUntil(lambda: form.heading.text() == "chest_lateral.png", timeout=PATIENCE_MS)
    assert form.name_field.text() == "DOE^JANE"
    assert form.view_box.currentData() == "LL"
    assert form.same_box.isChecked()
    with qtbot.waitSignal(place.intake.studies_changed, timeout=PATIENCE_MS):
        form.save_button.click()
    qtbot.waitUntil(lambda: place.intake.form is None, timeout=PATIENCE_MS)
    (row,) = place.studies.model.rows
    assert (row.patient_name, row.views, row.instance_count) == ("DOE, JANE", ("LL", "PA"), 2)
    assert (row.patient_birth_date, row.study_date) == ("19580302", "20260412")


def test_a_skipped_picture_stays_anonymous_and_can_be_asked_about_later(
    qtbot, place: Place, tmp_path: Path
) -> None:
    bring_in(qtbot, place, save_picture(tmp_path / "a.png", 1))
    assert place.intake.form is not None
    place.intake.form.skip_button.click()
    assert place.intake.form is None
    assert place.names() == [""]
    place.studies.activate_study(place.studies.model.rows[0].study_instance_uid)
    place.intake.describe_open_picture()
    assert place.intake.form is not None
    place.intake.form.reject()
    assert place.intake.form is None


def test_a_watched_folder_brings_films_in_and_names_the_rest_once(
    qtbot, place: Place, tmp_path: Path, write_film: WriteFilm, monkeypatch
) -> None:
    monkeypatch.setattr(folder_watcher, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(watched_folder, "SETTLED_AFTER_S", 0.01)
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / "notes.txt").write_text("hello")
    save_picture(folder / "quiet.png", 5)
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS):
        place.intake.set_watched_folder(str(folder), is_on=True)
    assert place.intake.form is None  # nobody is interrupted by what a machine brings
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS):
        write_film("incoming/a.dcm", PIXELS)
    assert sorted(place.names()) == ["", "DOE, JANE"]
    refused = [(file.path.name, file.reason) for file in place.refused.files]
    assert refused == [("notes.txt", "not a DICOM, PNG or JPEG file")]
    place.intake.set_watched_folder(str(folder), is_on=False)
    found = QSignalSpy(place.intake.watcher.files_found)
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS):
        place.intake.set_watched_folder(str(folder), is_on=True)
        write_film("incoming/b.dcm", PIXELS)
    assert found.at(0)[0] == 1


def test_a_watched_folder_that_goes_away_is_named(qtbot, place: Place, tmp_path: Path) -> None:
    with qtbot.waitSignal(
        place.intake.said, check_params_cb=lambda text: "can't be read" in text, timeout=PATIENCE_MS
    ):
        place.intake.set_watched_folder(str(tmp_path / "gone"), is_on=True)


def test_thumbnails_come_while_the_list_is_painted(
    qtbot, place: Place, write_film: WriteFilm
) -> None:
    bring_in(qtbot, place, write_film("a.dcm", PIXELS))
    (row,) = place.studies.model.rows
    before = place.studies.view.viewport().grab().toImage()
    with qtbot.waitSignal(place.intake.thumbnails.thumbnail_ready, timeout=PATIENCE_MS) as ready:
        place.intake.start()
        place.studies.view.viewport().grab()
    assert ready.args == [row.study_instance_uid]
    shown = place.intake.thumbnails.thumbnail(row)
    assert shown is not None
    assert (shown.width(), shown.height()) == (96, 96)
    assert place.studies.view.viewport().grab().toImage() != before


def test_a_stopped_import_is_resumed_from_the_status_line(
    qtbot, place: Place, tmp_path: Path, write_film: WriteFilm
) -> None:
    for number in range(30):
        write_film(f"in/{number:02}.dcm", PIXELS)
    place.importer.instance_imported.connect(place.importer.cancel)
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS) as finished:
        place.controls.import_paths([tmp_path / "in"])
    place.importer.instance_imported.disconnect(place.importer.cancel)
    added = finished.args[0]
    assert 0 < added < 30
    assert place.importer.files_left == 30 - added
    assert place.controls.stop_button.text() == "Resume import"
    assert place.controls.isVisible()
    with qtbot.waitSignal(place.importer.finished, timeout=PATIENCE_MS) as finished:
        qtbot.mouseClick(place.controls.stop_button, Qt.MouseButton.LeftButton)
    assert finished.args == [30 - added, 0, 0]
    assert not place.controls.isVisible()
    assert place.studies.model.rows[0].instance_count == 30
