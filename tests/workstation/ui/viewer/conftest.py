"""One viewer, shown."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from workstation.ui.viewer.image_viewer import ImageViewer


@pytest.fixture
def viewer(qtbot: QtBot) -> ImageViewer:
    viewer = ImageViewer()
    qtbot.addWidget(viewer)
    viewer.resize(612, 412)
    viewer.show()
    qtbot.waitExposed(viewer)
    return viewer
