from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_display_benchmark_prints_both_frames() -> None:
    """In a process of its own: behind pyqtgraph's widgets the next main window of the same process
    crashed in its constructor (PySide6 6.11.3)."""
    code = "from workstation.benchmarks.bench_display import run_display; run_display(frames=3)"
    before = "from PySide6.QtWidgets import QApplication; app = QApplication([]); "
    told = subprocess.run(
        [sys.executable, "-c", before + code], capture_output=True, text=True, timeout=120
    )
    assert "window/level" in told.stdout, told.stderr
    assert "first pixel after" in told.stdout
    assert "memory of the open film" in told.stdout
    assert "zoom" in told.stdout
