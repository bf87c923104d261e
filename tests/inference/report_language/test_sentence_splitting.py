"""Sentences are found with exact offsets, and no character is lost between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.report_language import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("  \n ", []),
        ("No effusion", ["No effusion"]),
        ("No effusion. No mass.", ["No effusion.", "No mass."]),
        ("no effusion. no mass.", ["no effusion.", "no mass."]),
        ("Heart normal.No effusion.", ["Heart normal.", "No effusion."]),
        ("A 0.5 cm nodule. No mass.", ["A 0.5 cm nodule.", "No mass."]),
        ("1. Small effusion. 2. No mass.", ["1. Small effusion.", "2. No mass."]),
        ("1.Small effusion.", ["1.Small effusion."]),
        ("Discussed with Dr. Smith today. Stable.", ["Discussed with Dr. Smith today.", "Stable."]),
        ("Edema vs. pneumonia. Stable.", ["Edema vs. pneumonia.", "Stable."]),
        ("Is it edema? Unclear.", ["Is it edema?", "Unclear."]),
        ("No effusion\nNo mass", ["No effusion", "No mass"]),
        ("No pleural\neffusion is seen.", ["No pleural\neffusion is seen."]),
        (
            "Findings: No mass. Impression: Clear.",
            ["Findings:", "No mass.", "Impression:", "Clear."],
        ),
        ("Fracture of T12. No mass.", ["Fracture of T12.", "No mass."]),
        ("心影不大。未见气胸！", ["心影不大。", "未见气胸！"]),
        ("1、心影不大；2、未见气胸", ["1、心影不大；", "2、未见气胸"]),
        ("（1）心影不大；（2）未见气胸。", ["（1）心影不大；", "（2）未见气胸。"]),
        ("①心影不大。②未见气胸。", ["①心影不大。", "②未见气胸。"]),
        ("心影不大.结节约1.2cm.未见气胸.", ["心影不大.", "结节约1.2cm.", "未见气胸."]),
        (
            "所见：心影不大。 结论：未见气胸。",
            ["所见：", "心影不大。", "结论：", "未见气胸。"],
        ),
        ("No mass. 未见气胸。Stable.", ["No mass.", "未见气胸。", "Stable."]),
        ("肺水肿？心影不大，两肺清晰。", ["肺水肿？", "心影不大，两肺清晰。"]),
        ("未见气胸\n心影不大", ["未见气胸", "心影不大"]),
    ],
)
def test_text_is_split_into_these_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@given(
    st.text(alphabet=st.sampled_from("aB1 .?!\n:;)(éİ。；心、）"), max_size=60)
    | st.text(max_size=60)
)
def test_every_visible_character_lies_in_exactly_one_sentence(text: str) -> None:
    covered: list[int] = []
    for start, end in split_sentences(text):
        assert text[start:end] == text[start:end].strip() != ""
        covered.extend(range(start, end))
    assert len(covered) == len(set(covered))
    assert covered == sorted(covered)
    assert all(text[i].isspace() for i in set(range(len(text))) - set(covered))
