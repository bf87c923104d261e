"""Outcomes on disk: what is kept, what a kill leaves, what does not belong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.evaluation.outcomes import (
    OutcomeFile,
    RunDescription,
    StudyOutcome,
    UnusableOutcomes,
    outcome_from_json,
    outcome_to_json,
)

MakeOutcome = Callable[..., StudyOutcome]
RUN = RunDescription("tiny", "0", "a" * 64, "cpu float32", 4, "phantoms, films 64 pixels wide")


def test_outcome_survives_json(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome("Findings: No pleural effusion.", extra_passes=2, is_chest=False)
    assert outcome_from_json(outcome_to_json(outcome)) == outcome
    failed = make_outcome("", None, reference=("左侧少量胸腔积液。", ""), failure="x:3: no film")
    assert outcome_from_json(outcome_to_json(failed)) == failed


def test_text_and_sections_come_from_the_tokens(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome("Findings: No mass. Impression: Normal.")
    assert outcome.text == "Findings: No mass. Impression: Normal."
    assert outcome.sections == ("No mass.", "Normal.")
    assert not outcome.is_failure
    assert make_outcome("").is_failure
    assert not make_outcome("", refusal="a blank film").is_failure


def test_resumed_file_gives_back_what_was_added(tmp_path: Path, make_outcome: MakeOutcome) -> None:
    path = tmp_path / "outcomes.jsonl"
    first = make_outcome("Findings: a.")
    assert OutcomeFile(path).resume(RUN) == []
    OutcomeFile(path).add([first])
    again = OutcomeFile(path)
    assert again.resume(RUN) == [first]
    second = replace(first, study="phantom-2")
    again.add([second])
    assert OutcomeFile(path).read() == (RUN, [first, second])


def test_line_ends_within_a_reference_do_not_end_a_line(
    tmp_path: Path, make_outcome: MakeOutcome
) -> None:
    outcome = make_outcome("Findings: x.", None, reference=("a\u2028b\x85c", ""))
    file = OutcomeFile(tmp_path / "outcomes.jsonl")
    file.resume(RUN)
    file.add([outcome])
    assert file.read()[1] == [outcome]


def test_line_cut_by_a_kill_is_dropped(tmp_path: Path, make_outcome: MakeOutcome) -> None:
    path = tmp_path / "outcomes.jsonl"
    kept = make_outcome("Findings: a.")
    OutcomeFile(path).resume(RUN)
    OutcomeFile(path).add([kept, kept])
    path.write_bytes(path.read_bytes()[:-30])
    assert OutcomeFile(path).read() == (RUN, [kept])
    assert OutcomeFile(path).resume(RUN) == [kept]
    OutcomeFile(path).add([kept])
    assert OutcomeFile(path).read() == (RUN, [kept, kept])


@pytest.mark.parametrize("change", [{"model_sha256": "b" * 64}, {"source": "manifest x.jsonl"}])
def test_other_runs_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "outcomes.jsonl"
    OutcomeFile(path).resume(RUN)
    before = path.read_bytes()
    with pytest.raises(UnusableOutcomes, match="belongs to another run"):
        OutcomeFile(path).resume(replace(RUN, **change))
    assert path.read_bytes() == before


def test_another_device_may_go_on(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    OutcomeFile(path).resume(RUN)
    assert OutcomeFile(path).resume(replace(RUN, device="cuda:0 bfloat16")) == []


@pytest.mark.parametrize("content", ["nonsense\n", "{}\n", '{"outcomes_format": 99}\n', "\n"])
def test_what_is_no_file_of_outcomes_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(content)
    with pytest.raises(UnusableOutcomes, match=r"other\.jsonl"):
        OutcomeFile(path).read()
