"""Extraction against the Open-i labels, and the command that measures it."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.evaluation.measure_extraction import LABELS, main, measure_extraction, read_reports


def report(findings: str, **labels: str) -> dict[str, str]:
    return {
        "uid": "1",
        "findings": findings,
        "impression": "",
        **dict.fromkeys(LABELS, "0"),
        **labels,
    }


def test_counts_and_f1_of_a_small_table() -> None:
    reports = [
        report("Small effusion.", Effusion="1"),
        report("No effusion. Atelectasis."),
        report("Normal.", Edema="1"),
    ]
    micro = measure_extraction(reports).micro
    assert (micro.true_positives, micro.false_positives, micro.false_negatives) == (1, 1, 1)
    assert micro.f1 == 0.5


def test_command_names_a_file_that_is_no_label_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("a\tb\n1\t2\n", encoding="utf-8")
    assert main([str(wrong)]) == 2
    assert main([str(tmp_path / "missing.tsv")]) == 2
    assert capsys.readouterr().err.count("wrong.tsv") == 1


def test_extraction_reaches_its_aims_on_real_reports(shared_data: Path) -> None:
    score = measure_extraction(read_reports(shared_data / "text" / "openi_development.tsv"))
    assert score.reports > 3000
    assert score.micro.f1 >= 0.90
    assert score.p99_ms < 20
