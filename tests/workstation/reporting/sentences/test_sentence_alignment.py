from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.reporting.report_state import Sentence
from workstation.reporting.sentences.sentence_alignment import (
    align_sentences,
    join_pieces,
    split_pieces,
)

OLD = (
    Sentence(1, "The thorax is symmetric.", "ai", 0.9),
    Sentence(2, "No pleural effusion.", "ai", 0.8),
    Sentence(3, "Heart size as before.", "human"),
)
A, B, C = (sentence.text for sentence in OLD)


def _align(text: str) -> list[tuple[int, str, str]]:
    new_ids = itertools.count(100)
    aligned = align_sentences(OLD, split_pieces(text), lambda: next(new_ids))
    return [(sentence.id, sentence.provenance, sentence.text) for sentence in aligned]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{A} {B} {C}", [(1, "ai", A), (2, "ai", B), (3, "human", C)]),
        (f"{A} {C}", [(1, "ai", A), (3, "human", C)]),
        ("", []),
        (f"{C} {B} {A}", [(3, "human", C), (2, "ai", B), (1, "ai", A)]),  # moved
        (
            f"{A} Small left pleural effusion. {C}",
            [(1, "ai", A), (2, "edited", "Small left pleural effusion."), (3, "human", C)],
        ),
        (
            f"{A} No pleural effuson. {C}",
            [(1, "ai", A), (2, "edited", "No pleural effuson."), (3, "human", C)],
        ),
        (
            f"{A} {B} Heart size larger than before.",
            [(1, "ai", A), (2, "ai", B), (3, "human", "Heart size larger than before.")],
        ),
        (
            f"{A} {B} {C} Surgical clips.",
            [(1, "ai", A), (2, "ai", B), (3, "human", C), (100, "human", "Surgical clips.")],
        ),
        (
            f"{A} Rib fracture on the right. {B} {C}",
            [
                (1, "ai", A),
                (100, "human", "Rib fracture on the right."),
                (2, "ai", B),
                (3, "human", C),
            ],
        ),
        (
            f"{A} Degenerative spine with osteophytes. {C}",  # nothing of the old sentence is left
            [
                (1, "ai", A),
                (100, "human", "Degenerative spine with osteophytes."),
                (3, "human", C),
            ],
        ),
        (
            f"{A} No pleural. Effusion. {C}",  # split: both halves are the model's words
            [(1, "ai", A), (2, "edited", "No pleural."), (100, "edited", "Effusion."),
             (3, "human", C)],
        ),
        (
            f"{A} No pleural effusion, heart size as before.",  # joined: not human any more
            [(1, "ai", A), (2, "edited", "No pleural effusion, heart size as before.")],
        ),
    ],
)  # fmt: skip
def test_sentences_keep_who_they_are(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert _align(text) == expected


def test_ai_sentence_keeps_its_confidence_only_while_untouched() -> None:
    changed = "No large pleural effusion."
    aligned = align_sentences(OLD, split_pieces(f"{A} {changed}"), lambda: 100)
    assert [sentence.confidence for sentence in aligned] == [0.9, None]


def test_paragraphs_survive() -> None:
    text = f"{A}\n\n{B}\n{C}"
    pieces = split_pieces(text)
    assert [piece.separator for piece in pieces] == [" ", "\n\n", "\n"]
    assert join_pieces(pieces) == text


@given(st.text(alphabet="Ab 1.\n\t,-:()é中。", max_size=60))
def test_no_letter_of_a_text_is_lost(text: str) -> None:
    assert join_pieces(split_pieces(text)) == text.strip()


@given(st.lists(st.sampled_from([A, B, C, "No mass.", "No nodule.", "A. B."]), max_size=8))
def test_aligned_ids_are_unique_and_the_text_is_the_typed_one(parts: list[str]) -> None:
    text = " ".join(parts)
    aligned = _align(text)
    ids = [identity for identity, _, _ in aligned]
    assert len(set(ids)) == len(ids)
    assert " ".join(part for _, _, part in aligned) == text


def test_a_whole_new_report_is_aligned_quickly() -> None:
    old = [Sentence(number, f"Old sentence {number}.", "ai") for number in range(300)]
    pieces = split_pieces(" ".join(f"Other words {number}." for number in range(300)))
    aligned = align_sentences(old, pieces, lambda: 1000)
    assert {sentence.provenance for sentence in aligned} == {"edited"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("胸廓对称。左侧少量胸腔积液。", [(1, "ai"), (2, "edited")]),
        ("胸廓对称。未见气胸。未见胸腔积液。", [(1, "ai"), (100, "human"), (2, "ai")]),
        ("胸廓对称。脊柱侧弯。", [(1, "ai"), (100, "human")]),
        ("未见胸腔积液。胸廓对称。", [(2, "ai"), (1, "ai")]),
        ("胸廓对称。未见胸腔积液", [(1, "ai"), (2, "edited")]),
    ],
)
def test_chinese_sentences_keep_who_wrote_them(text: str, expected: list[tuple[int, str]]) -> None:
    old = (
        Sentence(1, "胸廓对称。", "ai", 0.9, ""),
        Sentence(2, "未见胸腔积液。", "ai", 0.8, ""),
    )
    pieces = split_pieces(text, joiner="")
    aligned = align_sentences(old, pieces, itertools.count(100).__next__)
    assert [(sentence.id, sentence.provenance) for sentence in aligned] == expected
    assert join_pieces(pieces) == text
    assert {piece.separator for piece in pieces} == {""}
