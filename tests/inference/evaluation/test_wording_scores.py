"""Tokens, loops, four-grams, broken sentences, ROUGE-L and BLEU, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.wording_scores import (
    WordingScores,
    corpus_bleu,
    count_four_grams,
    has_loop,
    tokenise,
)
from inference.report_language import NOT_A_FRONTAL_CHEST, Language, Statement
from inference.report_language.template import compose_refusal

MakeOutcome = Callable[..., StudyOutcome]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("No PICC; 2 nodules.", "en", ["no", "picc", "2", "nodules"]),
        ("两肺清晰，PICC在位。", "zh", ["两", "肺", "清", "晰", "picc", "在", "位"]),
        ("", "en", []),
    ],
)
def test_tokens(text: str, language: str, expected: list[str]) -> None:
    assert tokenise(text, language) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abcdabcdabcd", True),
        ("xyabcdeabcdeabcdez", True),  # anywhere, of any length
        ("abcdabcdabc", False),  # not quite three times
        ("abcabcabcabc", False),  # three tokens four times, or six of them twice
        ("abcabcabc", False),  # three tokens only
        ("abcdefghijkl", False),
        ("", False),
    ],
)
def test_loop_is_four_tokens_said_three_times(text: str, expected: bool) -> None:
    assert has_loop(list(text)) is expected


def test_four_grams_by_hand() -> None:
    # abcd bcda cdab dabc abcd bcde: the fifth came before
    assert count_four_grams(list("abcdabcde")) == (6, 1)
    assert count_four_grams(list("abc")) == (0, 0)


def test_broken_sentences_of_both_sections(make_outcome: MakeOutcome) -> None:
    draft = (
        "Findings: The thorax is symmetric. A there large pleural is effusion left. "
        "Impression: Iac silhouette."
    )
    scores = WordingScores(make_outcome(draft))
    assert len(scores.sentences) == 3
    assert scores.broken == ["A there large pleural is effusion left.", "Iac silhouette."]


def test_repetition_counts_within_a_section_only(make_outcome: MakeOutcome) -> None:
    same = "Nodule in the right upper zone."
    scores = WordingScores(make_outcome(f"Findings: {same} Impression: {same}"))
    assert (scores.four_grams, scores.repeated_four_grams) == (6, 0)
    scores = WordingScores(make_outcome(f"Findings: {same} {same}"))
    assert (scores.four_grams, scores.repeated_four_grams) == (9, 3)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_refusal_has_no_sentences(make_outcome: MakeOutcome, language: Language) -> None:
    refusal = NOT_A_FRONTAL_CHEST[language]
    outcome = make_outcome(compose_refusal(language), language=language, refusal=refusal)
    scores = WordingScores(outcome)
    assert scores.sentences == scores.broken == []


def test_chinese_sentences_are_held_against_chinese_grammar(make_outcome: MakeOutcome) -> None:
    scores = WordingScores(
        make_outcome("所见：未见胸腔积液。No pleural effusion.", language="zh", reference=("", ""))
    )
    assert len(scores.sentences) == 2
    assert "No pleural effusion." in scores.broken


def test_rouge_l_by_hand(make_outcome: MakeOutcome) -> None:
    # longest common subsequence "no effusion seen" = 3; precision 3/4, recall 3/5
    outcome = make_outcome(
        "Findings: No effusion is seen.", reference=("No pleural effusion was seen.", "")
    )
    assert WordingScores(outcome).rouge_l == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))


def test_rouge_l_of_chinese_is_by_character(make_outcome: MakeOutcome) -> None:
    # 未见积液 in 未见胸腔积液: 4 of 4, 4 of 6
    outcome = make_outcome("所见：未见积液。", language="zh", reference=("未见胸腔积液。", ""))
    assert WordingScores(outcome).rouge_l == pytest.approx(2 * 1 * (4 / 6) / (1 + 4 / 6))


def test_bleu_by_hand(make_outcome: MakeOutcome) -> None:
    # "a b c d e" against "a b c d f g": matches 4 3 2 1 of 5 4 3 2, brevity exp(1 - 6/5)
    counts = WordingScores(
        make_outcome("Findings: a b c d e", reference=("a b c d f g", ""))
    ).bleu_counts
    assert counts.matches == (4, 3, 2, 1)
    assert counts.totals == (5, 4, 3, 2)
    assert (counts.length, counts.reference_length) == (5, 6)
    precision = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    expected = 100 * math.exp(1 - 6 / 5) * precision
    row = [*counts.matches, *counts.totals, counts.length, counts.reference_length]
    assert corpus_bleu(row) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("language", "heading", "tokenizer", "pairs"),
    [
        ("en", "Findings: ", "13a", [
            ("No pleural effusion. No nodule here.", "No pleural effusion. No pneumothorax."),
            ("The heart is large.", "The cardiac silhouette is mildly enlarged."),
        ]),
        ("zh", "所见：", "zh", [
            ("未见胸腔积液，右侧气胸。", "未见胸腔积液。左侧气胸。"),
            ("心影增大，PICC在位。", "心影轻度增大，两肺门影不大。"),
        ]),
    ],
)  # fmt: skip
def test_bleu_of_summed_counts_is_sacrebleu_of_the_corpus(
    make_outcome: MakeOutcome, language: Language, heading: str, tokenizer: str,
    pairs: list[tuple[str, str]],
) -> None:  # fmt: skip
    from sacrebleu.metrics import BLEU

    counts = [
        WordingScores(
            make_outcome(f"{heading}{draft}", language=language, reference=(truth, ""))
        ).bleu_counts
        for draft, truth in pairs
    ]
    rows = [(*c.matches, *c.totals, c.length, c.reference_length) for c in counts]
    summed = [sum(column) for column in zip(*rows, strict=True)]
    drafts, truths = zip(*pairs, strict=True)
    expected = BLEU(tokenize=tokenizer).corpus_score(drafts, [truths]).score
    assert corpus_bleu(summed) == pytest.approx(expected)


def test_empty_draft_scores_nothing(
    make_outcome: MakeOutcome, true_statements: tuple[Statement, Statement]
) -> None:
    scores = WordingScores(make_outcome("", true_statements))
    assert scores.rouge_l == 0.0
    assert scores.bleu_counts.totals == (0, 0, 0, 0)
    assert scores.bleu_counts.reference_length > 0
