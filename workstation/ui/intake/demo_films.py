"""Renders the demo's phantom films on a thread of its own, one DICOM file after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from inference.phantom.demo_cases import DEMO_STUDIES, DemoStudy
from inference.phantom.dicom_writer import projections_of, write_film

DEMO_FILM_SIZE = 1536


def write_demo_films(
    folder: Path,
    size: int = DEMO_FILM_SIZE,
    studies: tuple[DemoStudy, ...] = DEMO_STUDIES,
) -> Iterator[Path]:
    """Write the films one by one, priors before follow-ups; yields each path when it is there."""
    for study in studies:
        for case in study.cases():
            for projection in projections_of(case):
                yield write_film(case, folder, size, projection, labelled_as=study.labelled_as)


class DemoRenderer(QThread):
    """film_written(path) for each film, in order; interrupt with requestInterruption()."""

    film_written = Signal(str)

    def __init__(
        self, folder: Path, parent: QObject | None = None, size: int = DEMO_FILM_SIZE
    ) -> None:
        super().__init__(parent)
        self._folder, self._size = folder, size

    def run(self) -> None:
        for path in write_demo_films(self._folder, self._size):
            self.film_written.emit(str(path))
            if self.isInterruptionRequested():
                return
