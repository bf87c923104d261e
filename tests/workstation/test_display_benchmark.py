from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from workstation.benchmarks.bench_display import run_display


@pytest.mark.slow
def test_display_benchmark_prints_both_frames(
    qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_display(frames=3) == 0
    told = capsys.readouterr().out
    assert "window/level" in told
    assert "first pixel after" in told
    assert "memory of the open film" in told
    assert "zoom" in told
