"""Somebody at the real window: drops files, presses keys, looks.

HAND_TEST_PICTURES=FOLDER keeps a picture of the window after each step, to be looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.dicom.film import Film
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.theme import apply_theme
from workstation.ui.viewer.image_viewer import ImageViewer

PICTURES = os.environ.get("HAND_TEST_PICTURES", "")


class Reader:
    """Somebody at the window: drops files, presses keys, looks."""

    def __init__(self, folder: Path, qtbot: QtBot, name: str) -> None:
        self.qtbot, self._name, self._pictures = qtbot, name, 0
        if PICTURES:
            apply_theme(QApplication.instance())  # type: ignore[arg-type]
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.drafting = DraftingService()
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.resize(1500, 950)
        self.window.show()

    @property
    def viewer(self) -> ImageViewer:
        return self.window.viewer

    def drop(self, *paths: Path) -> None:
        """On the window, as from a file manager."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        nothing = Qt.KeyboardModifier.NoModifier
        event = QDropEvent(
            QPointF(700, 500), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, nothing
        )
        with self.qtbot.waitSignal(self.window.importer.finished, timeout=60_000):
            self.window.dropEvent(event)
        self.settle()

    def settle(self) -> None:
        shown = self.window.grid.shown_viewers
        self.qtbot.waitUntil(
            lambda: not any("Opening" in viewer.message for viewer in shown()), timeout=60_000
        )
        QApplication.processEvents()

    def open_film(self, sop_instance_uid: str) -> Film:
        """By a click on its tab, after its study was chosen in the list."""
        study = next(
            row.study_instance_uid
            for row in self.records.catalog.list_studies()
            for film in self.records.catalog.instances(row.study_instance_uid)
            if film.sop_instance_uid == sop_instance_uid
        )
        self.window.study_list.activate_study(study)
        self.settle()
        films = self.records.catalog.instances(study)
        at = [film.sop_instance_uid for film in films].index(sop_instance_uid)
        if self.viewer.film is None or self.viewer.film.header.sop_instance_uid != sop_instance_uid:
            self.window.film_tabs.tabBarClicked.emit(at)
            self.settle()
        film = self.viewer.film
        assert film is not None, self.viewer.message
        assert film.header.sop_instance_uid == sop_instance_uid
        return film

    def press(
        self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        QTest.keyClick(self.viewer, key, held)

    def look(self, step: str) -> None:
        """Keep a picture, where one is wanted."""
        QApplication.processEvents()
        if PICTURES:
            self._pictures += 1
            self.window.grab().save(f"{PICTURES}/{self._name}-{self._pictures}-{step}.png")

    def seen(self) -> np.ndarray:
        """[height, width, 3] uint8: the film as painted, its texts left out."""
        self.viewer.set_overlay_visible(False)
        self.viewer.clearFocus()
        image = self.viewer.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        self.viewer.set_overlay_visible(True)
        raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def words(self) -> str:
        """What is written over the film."""
        return self.viewer.corner_text

    def refused(self) -> dict[str, str]:
        """The list of refused files, by name."""
        model = self.window.refused_panel._model
        return {file.path.name: file.reason for file in model.files}

    def listed(self) -> set[str]:
        """Of every film in the catalog."""
        catalog = self.records.catalog
        return {
            film.sop_instance_uid
            for row in catalog.list_studies()
            for film in catalog.instances(row.study_instance_uid)
        }

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.database.dispose()
