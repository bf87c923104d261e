"""Where several texts agree on a finding, and which of them stands alone."""

from __future__ import annotations

from inference import DraftFinished
from workstation.reporting.sentences.statement_comparison import (
    Assertion,
    ComparedFinding,
    compare_statements,
)
from workstation.ui.race.race_wording import word_assertions


def ending(findings: str, impression: str = "", refusal: str = "") -> DraftFinished:
    return DraftFinished(
        "r", findings, findings, impression, "stop", 1, 1, 1.0, 1.0, refusal=refusal
    )


def compare(*texts: str) -> dict[str, ComparedFinding]:
    found = compare_statements([ending(text) for text in texts], "en")
    return {each.concept.name: each for each in found}


def test_same_words_agree() -> None:
    found = compare("No pleural effusion.", "There is no pleural effusion.")
    assert found["pleural_effusion"].is_agreed


def test_side_and_size_count_as_differences() -> None:
    finding = compare("Small left pleural effusion.", "Small right pleural effusion.")
    said = finding["pleural_effusion"].said
    assert said == (
        frozenset({Assertion("present", "small", "left")}),
        frozenset({Assertion("present", "small", "right")}),
    )
    assert not finding["pleural_effusion"].is_agreed


def test_what_is_not_stated_is_not_what_is_absent() -> None:
    found = compare("No pleural effusion.", "The thorax is symmetric.")["pleural_effusion"]
    assert not found.is_agreed
    assert word_assertions(found.said[1]) == "not stated"


def test_the_odd_one_out_is_marked_where_there_is_a_majority() -> None:
    text, other = "No pleural effusion.", "Small left pleural effusion."
    found = compare(text, other, text)["pleural_effusion"]
    assert [found.is_alone(rank) for rank in range(3)] == [False, True, False]


def test_without_a_majority_all_are_marked() -> None:
    found = compare("No pleural effusion.", "Small left pleural effusion.")["pleural_effusion"]
    assert [found.is_alone(rank) for rank in range(2)] == [True, True]


def test_findings_and_impression_are_read_together() -> None:
    found = compare_statements(
        [ending("Large left pneumothorax.", "Small left pneumothorax.")], "en"
    )
    assert word_assertions(found[0].said[0]) == "present: large left · small left"


def test_findings_come_in_report_order_and_refusals_state_nothing() -> None:
    found = compare_statements(
        [ending("No displaced fracture. No pleural effusion."), ending("x", refusal="no chest")],
        "en",
    )
    names = [each.concept.name for each in found]
    assert names.index("pleural_effusion") < len(names) - 1
    assert all(each.said[1] == frozenset() for each in found)
