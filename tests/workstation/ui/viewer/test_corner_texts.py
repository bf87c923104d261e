"""What is written in the film's corners, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetrics, QPainter
from pytestqt.qtbot import QtBot

from tests.workstation.ui.viewer.seen_film import ramp
from workstation.dicom.instance_reader import read_film
from workstation.reading.figure_wording import word_length
from workstation.reading.figures import ruler_of
from workstation.ui.theme import ui_font
from workstation.ui.viewer.haloed_text import HaloedLine
from workstation.ui.viewer.image_viewer import _MARK_BELOW_LINES, ImageViewer
from workstation.ui.viewer.overlay_lines import OverlayLine, fit_line, fit_lines

WriteFilm = Callable[..., Path]


def test_missing_calibration_is_told_by_the_measure_and_the_corner_not_by_a_warning(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("plain.dcm", ramp())))
    assert "▲" not in viewer.corner_text
    assert "no pixel spacing" in viewer.corner_text
    film = read_film(write_film("detector.dcm", ramp(), ImagerPixelSpacing=["0.15", "0.15"]))
    viewer.set_film(film)
    assert "▲" not in viewer.corner_text
    assert "0.150 mm at detector" in viewer.corner_text
    assert word_length(12.34, ruler_of(film.display)) == "12.3 mm at detector"


def test_corners_of_a_narrow_viewport_leave_the_letter_and_the_name_readable(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film(
        "narrow.dcm",
        ramp(),
        PatientName="PHANTOM^ROSALIND",
        StudyDescription="CHEST PA AND LATERAL, ERECT, IN INSPIRATION",
        PatientOrientation=["L", "F"],
    )
    viewer.setMinimumSize(1, 1)
    viewer.resize(360, 300)
    viewer.set_film(read_film(path))
    picture, overlay = viewer.picture, viewer._overlay
    assert picture is not None
    area = QRectF(14, 11, 332, 278)
    state = viewer._shown_state(picture)
    corners = overlay.words.corners(picture.film, state)
    name = overlay._place(corners.top_left, area, 1.0, False, False)[0]
    study = overlay._place(corners.top_right, area, 1.0, True, False)[0]
    letters = overlay._place(state.letters, area, 1.0, False, False)
    top = min(letters, key=lambda letter: letter.corner.y())
    ends = top.corner.x(), top.corner.x() + top.pixmap.width()
    assert name.corner.x() + name.pixmap.width() <= ends[0] + 2  # the halo's edge is empty
    assert study.corner.x() >= ends[1] - 2
    words = fit_line(corners.top_left[0], 332 // 2 - 14)
    assert words.text == "PHANTOM, ROSALIND"


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (OverlayLine("born 1957-01-01 · 69 y · F"), ["born 1957-01-01", "69 y · F"]),
        (OverlayLine("OUYANG, LI (Wade, X)", "strong"), ["OUYANG, LI", "(Wade, X)"]),
        (OverlayLine("MOTI-OUYANG, XIULAN", "strong"), ["MOTI-OUYANG,", "XIULAN"]),
        (OverlayLine("ID 17"), ["ID 17"]),
        (OverlayLine("W 390000000  L 2050  sigmoid", "moving"), None),
    ],
)
def test_who_the_patient_is_is_broken_over_two_lines_before_it_is_cut(
    qtbot: QtBot, line: OverlayLine, written: list[str] | None
) -> None:
    room = QFontMetrics(ui_font(9.0, bold=line.style == "strong")).horizontalAdvance(
        "MOTI-OUYANG, X" if line.style == "strong" else "born 1957-01-01 ·"
    )
    fitted = fit_lines(line, room)
    if written is None:  # would jump while a hand windows
        assert len(fitted) == 1
        return
    assert [each.text for each in fitted] == written
    assert all(each.metrics().horizontalAdvance(each.text) <= room for each in fitted)


def test_the_word_prior_stands_below_the_corners(
    viewer: ImageViewer, write_film: WriteFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(
        "long.dcm",
        ramp(),
        PatientName="OUYANG-SCHMIDT^MAXIMILIANA THEODORA",
        PatientID="PH-0123456789-0123456789",
        PatientBirthDate="19570101",
        StudyDate="20260622",
        StudyDescription="CHEST PA AND LATERAL, ERECT, IN INSPIRATION",
    )
    viewer.setMinimumSize(1, 1)
    viewer.resize(200, 300)
    viewer.set_film(read_film(path))
    viewer.set_mark("PRIOR")
    drawn: list[float] = []
    draw = viewer._mark_painter.draw

    def record(painter: QPainter, baseline: QPointF, line: HaloedLine) -> None:
        drawn.append(baseline.y() - line.metrics().ascent())
        draw(painter, baseline, line)

    monkeypatch.setattr(viewer._mark_painter, "draw", record)
    viewer.grab()
    usual = _MARK_BELOW_LINES * QFontMetrics(ui_font()).height()
    assert viewer._overlay.upper_end > usual
    assert drawn[-1] >= viewer._overlay.upper_end - 1
