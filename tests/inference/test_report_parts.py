"""A report into the parts that are drafted at the same time, and back."""

from __future__ import annotations

import pytest

from inference import BlockCommitted, in_report_order
from inference.phantom import sample_case
from inference.report_language import LANGUAGES, REGIONS, Language, compose_refusal
from inference.report_parts import IMPRESSION, PARTS, join_parts, split_report


@pytest.mark.parametrize("language", LANGUAGES)
def test_canonical_reports_come_apart_and_together_unchanged(language: Language) -> None:
    reports = {sample_case(seed).report(language) for seed in range(60)}
    reports.add(compose_refusal(language))
    for report in reports:
        parts = split_report(report, language)
        assert tuple(parts) == PARTS
        assert join_parts(parts, language) == report


def test_sentences_go_to_the_region_of_their_first_concept() -> None:
    report = (
        "Findings: Comparison to 2020. Enlarged heart. Stable since. No pleural effusion. "
        "Consolidation in the left lower zone. Impression: Pneumonia likely."
    )
    parts = split_report(report, "en")
    assert parts["thorax"] == " Comparison to 2020."
    assert parts["heart"] == " Enlarged heart. Stable since."
    assert parts["pleura"] == " No pleural effusion."
    assert parts["lungs"] == " Consolidation in the left lower zone."
    assert parts[IMPRESSION] == " Pneumonia likely."
    assert parts["bones"] == ""


def _block(index: int, text: str, confidence: float, region: str = "") -> BlockCommitted:
    return BlockCommitted(
        "r", index, (5,), (text,), (confidence,), passes=1, elapsed_ms=1.0, region=region
    )


def test_blocks_are_put_into_the_report_s_order() -> None:
    blocks = [
        _block(0, " Normal", 0.9, "thorax"),
        _block(1, " Effusion.", 0.8, "pleura"),
        _block(2, " shape.", 0.7, "thorax"),
        _block(3, " Effusion.", 0.6, IMPRESSION),
    ]
    assert in_report_order(blocks, "en") == (
        ("Findings:", 1.0), (" Normal", 0.9), (" shape.", 0.7), (" Effusion.", 0.8),
        (" Impression:", 1.0), (" Effusion.", 0.6),
    )  # fmt: skip
    assert "".join(text for text, _ in in_report_order(blocks, "zh")).startswith("所见： Normal")


def test_blocks_of_a_report_in_one_sequence_stay_in_order() -> None:
    blocks = [_block(0, "Findings:", 0.9), _block(1, " Clear.", 0.8)]
    assert in_report_order(blocks, "en") == (("Findings:", 0.9), (" Clear.", 0.8))


def test_every_region_is_a_part_and_the_impression_is_last() -> None:
    assert (*REGIONS, "impression") == PARTS
