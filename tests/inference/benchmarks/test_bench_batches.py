"""The benchmark of batches: every size against drafting one by one, on the same films."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.benchmarks.__main__ import main


def test_every_size_drafts_the_same_texts(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["batches", "--checkpoint", str(tiny_folder), "--device", "cpu", "--rounds", "1"]
    assert main([*arguments, "--sizes", "1", "2", "--modes", "autoregressive", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["at_once"], row["same"], row["studies"]) for row in rows] == [(1, 2, 2), (2, 2, 2)]
    assert all(row["ms_per_study"] > 0 and row["ratio"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(["--sizes", "0"], "at least 1"), (["--modes", "sideways", "--sizes", "1"], "sideways")],
)
def test_what_cannot_be_measured_is_named(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], reason: str
) -> None:
    assert main(["batches", "--checkpoint", str(tiny_folder), *wrong]) == 2
    assert reason in capsys.readouterr().err
