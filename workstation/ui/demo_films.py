"""Renders the demo's phantom films on a thread of its own, one DICOM file after the other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_dicom

# Held-out seeds (training starts at 1,000,000), chosen for what the films show, not for what the
# model says of them: a normal one; pneumothorax, mass and chest tube; effusion and consolidation;
# cardiomegaly, nodule, catheter and pacemaker; scoliosis, fracture and emphysema.
DEMO_SEEDS = (7, 36, 41, 33, 12)
DEMO_FILM_SIZE = 1536


class DemoRenderer(QThread):
    """film_written(path) for each film, in order; interrupt with requestInterruption()."""

    film_written = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder

    def run(self) -> None:
        for seed in DEMO_SEEDS:
            if self.isInterruptionRequested():
                return
            self.film_written.emit(
                str(write_dicom(sample_case(seed), self._folder, DEMO_FILM_SIZE))
            )
