"""What a reader waits for: a window/level frame, a zoom frame, a film to open; and its memory.

Frames are of a 3000 x 3000 film of 14 bits, painted, beside pyqtgraph's ImageItem with the same
film and size of window in the same run, where pyqtgraph is installed (it is no dependency). The
runs take turns, so that other work on the machine slows all alike; processor time, of all threads,
is given too.
"""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from workstation.benchmarks.written_film import write_film_file
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.voi import Window
from workstation.ui.film.film_loader import FilmLoader
from workstation.ui.theme import apply_theme
from workstation.ui.viewer.film_sampler import sampler_of
from workstation.ui.viewer.image_viewer import ImageViewer

_SIDE = 3000
_OPENED_SIDE = 3240  # 20 MB
_VIEW = 1200
_WARM_UP = 5
_ROUNDS = 3
_OPENINGS = 5

Paint = Callable[[int], None]


@dataclass(frozen=True)
class Painted:
    """One thing that is timed: number -> a frame."""

    program: str
    what: str
    paint: Paint


@dataclass(frozen=True)
class FrameTime:
    """Medians in milliseconds: on the clock, and of the processor."""

    clock_ms: float
    processor_ms: float


def run_display(frames: int) -> int:
    """Measure and print; returns the exit code."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    apply_theme(app)
    print(
        f"display: {_SIDE} x {_SIDE} film, 14 bits, in {_VIEW} x {_VIEW} pixels; medians of "
        f"{frames} frames; {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, Qt platform {app.platformName()}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write_film_file(Path(folder) / "film.dcm", _draw_film(_SIDE))
        _print_frames(app, read_film(path), frames)
        _print_opening(app, write_film_file(path, _draw_film(_OPENED_SIDE)))
    return 0


def _draw_film(side: int) -> np.ndarray:
    """[side, side] uint16 of 14 bits: a gradient with noise, no two neighbours alike."""
    rng = np.random.default_rng(0)
    down = np.linspace(2000, 14000, side)[:, None]
    return np.clip(down + rng.normal(0, 300, (side, side)), 0, 16383).astype(np.uint16)


def _print_frames(app: QApplication, film: Film, frames: int) -> None:
    viewer = ImageViewer()
    viewer.resize(_VIEW, _VIEW)
    viewer.show()
    viewer.set_film(film)
    painted = [*_frames_of_viewer(viewer), *_frames_of_pyqtgraph(film.stored)]
    times = _take_turns(app, painted, frames)
    for each in painted:
        found = times[each.program, each.what]
        print(
            f"  {each.program:36} {each.what:22} {found.clock_ms:8.2f} ms, "
            f"processor {found.processor_ms:7.2f} ms"
        )
    others = sorted({each.program for each in painted} - {"ECHO"})
    for other in others:
        for what in ("window/level", "zoom", "zoom near 1:1"):
            theirs, ours = times[other, what], times["ECHO", what]
            print(
                f"  ECHO against {other}: {what} {theirs.clock_ms / ours.clock_ms:.1f}x the frames"
                f" a second ({theirs.processor_ms / ours.processor_ms:.1f}x by processor time)"
            )
    if not others:
        print("  pyqtgraph is not installed: nothing to compare with")
    viewer.close()


def _frames_of_viewer(viewer: ImageViewer) -> Iterator[Painted]:
    middle = _VIEW / 2

    def window(number: int) -> None:
        viewer.set_window(Window(8000 + number, 12000 - number))
        viewer.repaint()

    def scale(number: int) -> None:
        picture = viewer.picture
        assert picture is not None
        factor = 1.02 if number % 2 else 1 / 1.02
        viewer.show_geometry(picture.geometry.zoomed_at(factor, middle, middle))
        viewer.repaint()

    def zoom(number: int) -> None:
        if number == 0:
            viewer.fit()
        scale(number)

    def zoom_closely(number: int) -> None:
        if number == 0:
            viewer.zoom_to_pixels()
        scale(number)

    def settle(number: int) -> None:
        zoom(number)
        viewer.settle()
        viewer.repaint()

    yield Painted("ECHO", "zoom, then exact", settle)
    yield Painted("ECHO", "zoom near 1:1", zoom_closely)
    yield Painted("ECHO", "zoom", zoom)
    yield Painted("ECHO", "window/level", window)


def _frames_of_pyqtgraph(stored: np.ndarray) -> Iterator[Painted]:
    try:
        pyqtgraph: Any = importlib.import_module("pyqtgraph")
    except ImportError:
        return
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

        def scale(number: int, box: Any = box, view: Any = view) -> None:
            factor = 1.02 if number % 2 else 1 / 1.02
            box.scaleBy((factor, factor))
            view.viewport().repaint()

        def zoom(number: int, box: Any = box, scale: Paint = scale) -> None:
            if number == 0:
                box.autoRange()
            scale(number)

        def zoom_closely(number: int, box: Any = box, scale: Paint = scale) -> None:
            if number == 0:
                ends = ((_SIDE - _VIEW) / 2, (_SIDE + _VIEW) / 2)
                box.setRange(xRange=ends, yRange=ends, padding=0)
            scale(number)

        title = f"pyqtgraph {pyqtgraph.__version__} {name}"
        yield Painted(title, "zoom near 1:1", zoom_closely)
        yield Painted(title, "zoom", zoom)
        yield Painted(title, "window/level", window)


def _take_turns(
    app: QApplication, painted: list[Painted], frames: int
) -> dict[tuple[str, str], FrameTime]:
    """Medians; in each round everybody paints a share of the frames."""
    taken: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(_ROUNDS):
        for each in painted:
            kept = taken.setdefault((each.program, each.what), [])
            kept += _time(app, each.paint, max(1, frames // _ROUNDS))
    return {
        key: FrameTime(
            statistics.median(clock for clock, _ in times),
            statistics.median(processor for _, processor in times),
        )
        for key, times in taken.items()
    }


def _time(app: QApplication, paint: Paint, frames: int) -> list[tuple[float, float]]:
    """(clock, processor) milliseconds of each frame, events of the one before handled outside."""
    taken = []
    for number in range(_WARM_UP + frames):
        app.processEvents()
        start, used = time.perf_counter(), time.process_time()
        paint(number)
        taken.append(((time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000))
    return taken[_WARM_UP:]


def _print_opening(app: QApplication, path: Path) -> None:
    """From the request that a double click makes to the painted film, and what it then holds."""
    loader, viewer = FilmLoader(), ImageViewer()
    viewer.resize(_VIEW, _VIEW)
    viewer.show()
    app.processEvents()
    taken: list[float] = []
    processor: list[float] = []
    for _ in range(_OPENINGS):
        viewer.set_film(None)
        waiting = QEventLoop()

        def show(_: str, film: Film, waiting: QEventLoop = waiting) -> None:
            viewer.set_film(film)
            viewer.repaint()
            waiting.quit()

        connection = loader.film_loaded.connect(show)
        start, used = time.perf_counter(), time.process_time()
        loader.request(path)
        waiting.exec()
        taken.append((time.perf_counter() - start) * 1000)
        processor.append((time.process_time() - used) * 1000)
        loader.film_loaded.disconnect(connection)
    film = viewer.film
    assert film is not None
    megabytes = path.stat().st_size / 2**20
    print(
        f"  opening {megabytes:.0f} MB, uncompressed: first pixel after "
        f"{statistics.median(taken):.0f} ms, processor {statistics.median(processor):.0f} ms "
        f"(medians of {_OPENINGS})"
    )
    held = film.stored.nbytes / 2**20, sampler_of(film).pyramid_bytes / 2**20
    picture = viewer.picture
    assert picture is not None
    print(
        f"  memory of the open film: pixels {held[0]:.0f} MB, pyramid {held[1]:.0f} MB, "
        f"what is on screen {picture.cached_bytes / 2**20:.0f} MB"
    )
    loader.shutdown()
    viewer.close()
