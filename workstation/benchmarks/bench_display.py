"""One window/level frame and one zoom frame of a 3000 x 3000 film of 14 bits, painted.

The same film and size of window in pyqtgraph's ImageItem, in the same run, where pyqtgraph is
installed (it is no dependency), with and without its downsampling.
"""

from __future__ import annotations

import importlib
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtWidgets import QApplication

from workstation.dicom.display_pipeline import DisplayAttributes, Window
from workstation.dicom.instance_reader import Film, InstanceHeader
from workstation.ui.theme import apply_theme
from workstation.ui.viewer.image_viewer import ImageViewer

_SIDE = 3000
_VIEW = 1200
_WARM_UP = 5


@dataclass(frozen=True)
class FrameTimes:
    """Medians in milliseconds."""

    name: str
    window_ms: float
    zoom_ms: float


def run_display(frames: int) -> int:
    """Measure and print; returns the exit code."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    apply_theme(app)
    stored = _draw_film()
    measured = [_measure_viewer(app, stored, frames), *_measure_pyqtgraph(app, stored, frames)]
    print(
        f"display: {_SIDE} x {_SIDE} film, 14 bits, in {_VIEW} x {_VIEW} pixels; medians of "
        f"{frames} frames; {platform.machine()}, Python {platform.python_version()}, "
        f"Qt platform {app.platformName()}"
    )
    for each in measured:
        print(f"  {each.name:34} W/L {each.window_ms:7.2f} ms   zoom {each.zoom_ms:7.2f} ms")
    if len(measured) == 1:
        print("  pyqtgraph is not installed: nothing to compare with")
    for other in measured[1:]:
        print(
            f"  ECHO against {other.name}: W/L {other.window_ms / measured[0].window_ms:.1f}x, "
            f"zoom {other.zoom_ms / measured[0].zoom_ms:.1f}x the frames a second"
        )
    return 0


def _draw_film() -> np.ndarray:
    """[3000, 3000] uint16 of 14 bits: a gradient with noise, no two neighbours alike."""
    rng = np.random.default_rng(0)
    down = np.linspace(2000, 14000, _SIDE)[:, None]
    return np.clip(down + rng.normal(0, 300, (_SIDE, _SIDE)), 0, 16383).astype(np.uint16)


def _measure_viewer(app: QApplication, stored: np.ndarray, frames: int) -> FrameTimes:
    blank = dict.fromkeys(InstanceHeader.__dataclass_fields__, "")
    header = InstanceHeader(
        **{  # type: ignore[arg-type]
            **blank,
            "patient_orientation": ("L", "F"),
            "rows": _SIDE,
            "columns": _SIDE,
            "source_format": "DICOM",
        }
    )
    stored.setflags(write=False)
    display = DisplayAttributes(bits_stored=14, windows=(Window(8000, 12000),))
    viewer = ImageViewer()
    viewer.resize(_VIEW, _VIEW)
    viewer.show()
    viewer.set_film(Film(header, Path("bench.dcm"), stored, display, ""))
    middle = _VIEW / 2

    def window(number: int) -> None:
        viewer.set_window(Window(8000 + number, 12000 - number))
        viewer.repaint()

    def zoom(number: int) -> None:
        picture = viewer.picture
        assert picture is not None
        factor = 1.02 if number % 2 else 1 / 1.02
        viewer._set_geometry(picture.geometry.zoomed_at(factor, middle, middle))
        viewer.repaint()

    times = FrameTimes("ECHO", _time(app, window, frames), _time(app, zoom, frames))
    viewer.close()
    return times


def _measure_pyqtgraph(app: QApplication, stored: np.ndarray, frames: int) -> list[FrameTimes]:
    try:
        pyqtgraph: Any = importlib.import_module("pyqtgraph")
    except ImportError:
        return []
    found = []
    for name, is_downsampling in (("ImageItem", False), ("ImageItem, autoDownsample", True)):
        view = pyqtgraph.GraphicsView()
        box = pyqtgraph.ViewBox(lockAspect=True)
        view.setCentralItem(box)
        item = pyqtgraph.ImageItem(stored, levels=(2000, 14000), autoDownsample=is_downsampling)
        box.addItem(item)
        view.resize(_VIEW, _VIEW)
        view.show()
        box.autoRange()

        def window(number: int, item: Any = item, view: Any = view) -> None:
            item.setLevels((2000 + number, 14000 - number))
            view.viewport().repaint()

        def zoom(number: int, box: Any = box, view: Any = view) -> None:
            factor = 1.02 if number % 2 else 1 / 1.02
            box.scaleBy((factor, factor))
            view.viewport().repaint()

        title = f"pyqtgraph {pyqtgraph.__version__} {name}"
        found.append(FrameTimes(title, _time(app, window, frames), _time(app, zoom, frames)))
        view.close()
    return found


def _time(app: QApplication, paint: Callable[[int], None], frames: int) -> float:
    """Median milliseconds of a frame, events of the one before handled outside the clock."""
    taken = []
    for number in range(_WARM_UP + frames):
        app.processEvents()
        start = time.perf_counter()
        paint(number)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken[_WARM_UP:])
