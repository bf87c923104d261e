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
    assert "W/L" in told
    assert "zoom" in told
