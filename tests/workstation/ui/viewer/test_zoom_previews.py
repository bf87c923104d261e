"""Previews while a hand zooms or pans, and the exact picture after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.workstation.ui.viewer.seen_film import grey_of, painted, ramp
from workstation.dicom.instance_reader import read_film
from workstation.ui.viewer.image_viewer import ImageViewer

WriteFilm = Callable[..., Path]


def test_a_wheel_zoom_is_previewed_and_then_exact(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("big.dcm", ramp(1600, 1600))))
    event = QWheelEvent(
        QPointF(300, 200), QPointF(300, 200), QPoint(), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewer, event)
    assert viewer.is_preview
    previewed = grey_of(painted(viewer))
    qtbot.waitUntil(lambda: not viewer.is_preview)
    exact = grey_of(painted(viewer))
    assert not np.array_equal(previewed, exact)
    # The same film in the same place: a smooth ramp differs by a few levels at most.
    assert np.abs(previewed.astype(int) - exact)[8:-8, 110:-110].max() < 12


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_previews_lie_where_the_exact_picture_does(
    viewer: ImageViewer, write_film: WriteFilm, turns: int, mirrored: bool
) -> None:
    viewer.set_film(read_film(write_film("film.dcm", ramp(1200, 1400))))
    if mirrored:
        viewer.flip_horizontally()
    for _ in range(turns):
        viewer.rotate_right()
    for factor in (1.0, 2.9, 4.0):
        assert viewer.picture is not None
        viewer.show_geometry(viewer.picture.geometry.zoomed_at(factor, 250, 180))
        previewed = grey_of(painted(viewer))
        viewer.settle()
        exact = grey_of(painted(viewer))
        seen = (exact > 8) & (previewed > 8)
        assert np.abs(previewed.astype(int) - exact)[seen].max() < 14


def test_a_pan_near_1_to_1_keeps_its_coloured_part_until_it_leaves_it(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("film.dcm", ramp(1600, 2000))))
    viewer.zoom_to_pixels()
    picture = viewer.picture
    assert picture is not None
    coloured = []
    for dx in (0, 20, 400):
        viewer.show_geometry(picture.geometry.panned(-dx, -dx / 4))
        preview = picture.preview()
        assert preview is not None
        coloured.append(preview.rgb)
        previewed = grey_of(painted(viewer))
        viewer.settle()
        assert np.abs(previewed.astype(int) - grey_of(painted(viewer))).max() < 8
    assert coloured[0] is coloured[1]
    assert coloured[1] is not coloured[2]
    viewer.invert()
    preview = picture.preview()
    assert preview is not None
    assert preview.rgb is not coloured[2]
