"""The further frames of a film, by slider and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pytestqt.qtbot import QtBot

from tests.workstation.ui.viewer.seen_film import ramp
from workstation.dicom.instance_reader import read_film
from workstation.dicom.voi import Window
from workstation.ui.viewer.image_viewer import ImageViewer

WriteFilm = Callable[..., Path]


def test_frames_come_by_slider_and_key_and_keep_the_window(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    frames = np.stack([ramp(), 4095 - ramp(), ramp() // 2])
    path = write_film("frames.dcm", frames[0])
    _with_frames(path, frames)
    viewer.set_film(read_film(path))
    assert viewer._frame_bar.isVisible()
    viewer.set_window(Window(1500, 800))
    with qtbot.waitSignal(viewer._frames.frame_loaded):
        assert viewer.perform("frame.1")
    assert viewer.film is not None
    assert viewer.film.frame_index == 1
    assert np.array_equal(viewer.film.stored, frames[1])
    assert viewer.picture is not None
    assert viewer.picture.window == Window(1500, 800)
    with qtbot.waitSignal(viewer._frames.frame_loaded):
        viewer._frame_bar._slider.setValue(2)
    assert viewer.film.frame_index == 2
    viewer.set_film(read_film(write_film("single.dcm", ramp())))
    assert not viewer._frame_bar.isVisible()
    assert not viewer.perform("frame.1")


def _with_frames(path: Path, frames: np.ndarray) -> None:
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = frames.astype("<u2").tobytes()
    dataset.save_as(path)


def test_a_frame_that_cannot_be_read_leaves_the_one_shown(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("frames.dcm", ramp())
    _with_frames(path, np.stack([ramp(), ramp()]))
    viewer.set_film(read_film(path))
    path.unlink()
    with qtbot.waitSignal(viewer.frame_failed) as failed:
        viewer.perform("frame.1")
    assert failed.args is not None
    assert failed.args[0]
    assert viewer.film is not None
    assert viewer.film.frame_index == viewer._frame_bar.index == 0
