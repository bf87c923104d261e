from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.ui.intake.import_report import RefusedFilesPanel


@pytest.fixture
def panel(qtbot) -> RefusedFilesPanel:
    outside = QWidget()
    qtbot.addWidget(outside)
    outside.resize(360, 400)
    made = RefusedFilesPanel()
    QVBoxLayout(outside).addWidget(made)
    outside.show()
    made._outside = outside  # keeps the parent alive as long as the panel
    return made


def test_the_panel_appears_with_the_first_refused_file(panel: RefusedFilesPanel) -> None:
    assert not panel.isVisible()
    panel.add("/films/notes.txt", "not a DICOM, PNG or JPEG file")
    assert panel.isVisible()
    assert panel.title.text() == "▲ 1 file was not imported"
    panel.add("/films/clip.dcm", "12 frames")
    assert panel.title.text() == "▲ 2 files were not imported"


def test_the_list_opens_and_closes(qtbot, panel: RefusedFilesPanel) -> None:
    panel.add("/films/notes.txt", "not a DICOM, PNG or JPEG file")
    assert not panel.view.isVisible()
    qtbot.mouseClick(panel.toggle, Qt.MouseButton.LeftButton)
    assert panel.view.isVisible()
    panel.grab()
    index = panel.view.model().index(0, 0)
    assert index.data() == "notes.txt: not a DICOM, PNG or JPEG file"
    assert "/films/notes.txt" in index.data(Qt.ItemDataRole.ToolTipRole)
    qtbot.mouseClick(panel.toggle, Qt.MouseButton.LeftButton)
    assert not panel.view.isVisible()


def test_copy_gives_every_path_and_reason(qtbot, panel: RefusedFilesPanel) -> None:
    panel.add("/films/a", "one")
    panel.add("/films/b", "two")
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "/films/a\tone\n/films/b\ttwo"


def test_dismissing_forgets_the_files(qtbot, panel: RefusedFilesPanel) -> None:
    panel.add("/films/a", "one")
    panel.toggle.setChecked(True)
    with qtbot.waitSignal(panel.dismissed):
        qtbot.mouseClick(panel.dismiss_button, Qt.MouseButton.LeftButton)
    assert not panel.isVisible()
    assert panel.files == ()
    panel.add("/films/b", "two")
    assert panel.title.text() == "▲ 1 file was not imported"
    assert not panel.view.isVisible()
