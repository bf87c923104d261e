"""Broken runs of an unfinished answer, in both languages, and the tokens they are made of."""

from __future__ import annotations

import pytest

from inference.engine import ReportEngine
from inference.report_language import Language, compose_refusal, compose_report
from inference.report_rules.report_grammar import BrokenRuns, find_broken_runs


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_beginning_of_a_canonical_answer_is_broken(language: Language) -> None:
    for text in (compose_report((), language), compose_refusal(language)):
        for length in range(len(text) + 1):
            assert find_broken_runs(text[:length], language, is_open=True) == []
        assert find_broken_runs(text, language, is_open=False) == []


@pytest.mark.parametrize(
    ("text", "language", "is_open", "broken"),
    [
        ("Findings: No pleural fracture. No", "en", True, ["No pleural fracture."]),
        ("Findings: No pleural fracture", "en", True, ["No pleural fracture"]),
        ("Findings: No pleural", "en", True, []),
        ("Findings: No pleural", "en", False, ["No pleural"]),
        ("Findings: No pleural Impression: No", "en", True, ["No pleural Impression: No"]),
        ("Findings. No pneumothorax.", "en", True, ["Findings."]),
        ("所见：未见气胸。未未见气胸。", "zh", True, ["未未见气胸。"]),
        ("所见：未见气胸", "zh", False, ["未见气胸"]),
        ("", "en", False, []),
    ],
)
def test_broken_runs_are_found(
    text: str, language: Language, is_open: bool, broken: list[str]
) -> None:
    runs = find_broken_runs(text, language, is_open=is_open)
    assert [text[start:end] for start, end in runs] == broken


@pytest.mark.parametrize(
    ("answer", "block", "is_end", "broken"),
    [
        ("Findings: No pneumothorax.", " No pleural fracture. No", False, " No pleural fracture."),
        ("Findings: No pleural", " fracture. No nodule.", False, " fracture."),
        ("Findings: No pneumothorax.", " No pleural", False, ""),
        ("Findings: No pneumothorax.", " No pleural", True, " No pleural<stop>"),
        ("Findings: No pneumothorax", "", True, "<stop>"),
    ],
)
def test_positions_are_the_tokens_of_the_run(
    tiny_engine: ReportEngine, answer: str, block: str, is_end: bool, broken: str
) -> None:
    tokenizer = tiny_engine._checkpoint.tokenizer
    find_broken = BrokenRuns(tokenizer, "en")
    before, tokens = (tokenizer.encode(text, add_special_tokens=False) for text in (answer, block))
    texts = [*(tokenizer.decode([token_id]) for token_id in tokens.ids), "<stop>"]
    positions = find_broken(before.ids, tokens.ids, is_end)
    assert "".join(texts[position] for position in positions).strip() == broken.strip()


def test_a_character_split_between_answer_and_block_is_whole(tiny_engine: ReportEngine) -> None:
    """Block after block as decoding goes, at every place where a block may end."""
    tokenizer = tiny_engine._checkpoint.tokenizer
    ids = tokenizer.encode("所见：未见气胸。无此句。", add_special_tokens=False).ids
    wrong = len(tokenizer.encode("所见：未见气胸。", add_special_tokens=False).ids)
    for length in (1, 2, 3, 5, 8):
        find_broken = BrokenRuns(tokenizer, "zh")
        found = [
            start + position
            for start in range(0, len(ids), length)
            for position in find_broken(ids[:start], ids[start : start + length], False)
        ]
        assert found
        assert min(found) >= wrong
        assert len(ids) - 1 in found
