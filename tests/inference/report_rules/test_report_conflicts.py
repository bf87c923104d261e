"""Sentences judged one at a time, as the consistency check judges the whole report."""

from __future__ import annotations

from random import Random

import pytest

from inference.report_language import Language, canonical_sentences, word_statement
from inference.report_language.consistency import find_contradictions
from inference.report_rules.report_conflicts import ReportSoFar, is_conflicting, is_unfounded
from inference.report_rules.report_grammar import find_conflicting_runs

KINDS = {"present_and_absent", "normal_beside_finding", "side_differs", "repeated_sentence"}
JOINERS = {"en": " ", "zh": ""}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_conflicts_where_the_whole_report_contradicts_itself(language: Language) -> None:
    """Random sentences, half of them about two concepts only, so that they do meet."""
    random = Random(4)
    every = sorted(canonical_sentences(language))
    concepts = ("pleural_effusion", "nodule", "hilar_enlargement", "pneumonia")
    near = [
        word_statement(concept, status, side, language=language)
        for concept in concepts
        for status in ("present", "absent", "uncertain")
        for side in (None, "left", "right", "bilateral")
        if concept != "hilar_enlargement" or side is not None or status == "absent"
    ]
    seen = {True: 0, False: 0}
    for _ in range(400):
        said, impression = ReportSoFar(), random.random() < 0.7
        for number in range(6):
            if impression and number == 4:
                said = said.with_heading()
            sentence = random.choice(near if random.random() < 0.6 else every)
            expected = _has_contradiction(said.with_sentence(sentence), language)
            assert is_conflicting(said, sentence, language) == expected, (said, sentence)
            seen[expected] += 1
            said = said if expected else said.with_sentence(sentence)
    assert min(seen.values()) > 150


def _has_contradiction(report: ReportSoFar, language: Language) -> bool:
    sections = (JOINERS[language].join(part) for part in (report.findings, report.impression or ()))
    return any(c.kind in KINDS for c in find_contradictions(*sections, language))


@pytest.mark.parametrize(
    ("sentence", "unfounded"),
    [
        ("Left pleural effusion.", False),
        ("Right pleural effusion.", False),
        ("Nodule in the left upper zone.", True),
        ("Left PICC in place.", True),
        ("No acute cardiopulmonary abnormality.", False),
        ("No nodule.", False),
    ],
)
def test_a_conclusion_needs_a_finding(sentence: str, unfounded: bool) -> None:
    said = ReportSoFar(("Left pleural effusion.", "Left PICC in place."))
    assert not is_unfounded(said, sentence, "en")
    assert is_unfounded(said.with_heading(), sentence, "en") == unfounded


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Left pleural effusion. Impression: Right pleural effusion.", "Right pleural effusion."),
        ("Left pleural effusion. Impression: Right pleural", "Right pleural"),
        ("Left pleural effusion. Impression: Right", "Right"),
        ("Left pleural effusion. Impression: Left", ""),
        ("Left pleural effusion. Right pleural effusion. Impression: Right", ""),
        ("Left pleural effusion. Impression: Nodule in", ""),  # unfounded, but at odds with nothing
        ("No pleural effusion. Impression: Small right pleural", "Small right pleural"),
        ("No pleural effusion. Small", ""),
        ("No pleural effusion. No pleural effusion.", "No pleural effusion."),
        ("Pneumonia. Impression: No acute", "No acute"),
    ],
)
def test_conflicts_show_as_soon_as_no_ending_avoids_them(written: str, expected: str) -> None:
    text = f"Findings: {written}"
    found = find_conflicting_runs(text, "en", 0, is_open=True)
    assert [text[start:end] for start, end in found] == [expected] * bool(expected)


def test_what_was_written_before_is_left_alone() -> None:
    text = "所见：左侧胸腔积液。 结论：右侧胸腔积液。"
    assert find_conflicting_runs(text, "zh", len(text), is_open=False) == []
    assert len(find_conflicting_runs(text, "zh", len(text) - 1, is_open=False)) == 1
