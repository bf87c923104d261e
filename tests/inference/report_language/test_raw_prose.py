"""Raw prose says all of a case at least once, denies nothing that is there, and varies."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CONCEPTS, Statement
from inference.report_language.consistency import find_contradictions
from inference.report_language.raw_prose import write_raw_report
from inference.report_language.raw_reading import read_raw_report
from inference.report_language.raw_sections import split_raw_sections
from inference.report_language.statements import LANGUAGES, Language
from inference.report_language.template import SEVERITIES, SIDES, ZONES

CASE = (
    Statement("pleural_effusion", "present", "left", None, "small"),
    Statement("nodule", "uncertain", "right", "upper", None),
    Statement("endotracheal_tube", "present"),
)
_NEVER = {"present_and_absent", "normal_beside_finding", "side_differs"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_is_a_function_of_statements_and_seed(language: Language) -> None:
    texts = [write_raw_report(CASE, language, random.Random(seed)) for seed in range(60)]
    again = [write_raw_report(CASE, language, random.Random(seed)) for seed in range(60)]
    assert texts == again
    assert len(set(texts)) > 55


def test_a_numpy_generator_is_a_source_too() -> None:
    texts = {write_raw_report(CASE, "en", np.random.default_rng(seed)) for seed in (1, 1, 2)}
    assert len(texts) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_normals_are_mostly_left_out(language: Language) -> None:
    denials = [
        sum(s.status == "absent" for s in read_raw_report(text, language).statements)
        for text in (write_raw_report(CASE, language, random.Random(n)) for n in range(100))
    ]
    assert denials.count(0) > 20
    assert max(denials) > 4


statements = st.builds(
    Statement,
    st.sampled_from([concept.name for concept in CONCEPTS]),
    st.sampled_from(["present", "uncertain", "absent"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(statements, max_size=6, unique_by=lambda s: s.concept),
    st.sampled_from(LANGUAGES),
    st.integers(0, 10**9),
)
def test_no_finding_is_denied(case: list[Statement], language: Language, seed: int) -> None:
    raw = write_raw_report(case, language, random.Random(seed))
    reading = read_raw_report(raw, language)
    there = {s.concept for s in case if s.status != "absent"}
    denied = {s.concept for s in reading.statements if s.status == "absent"}
    assert not there & denied - {"consolidation", "opacity"}, raw
    sections = split_raw_sections(reading.text, language)  # the indication asks, it states nothing
    body = "\n".join(reading.text[a:b] for name, a, b in sections if name != "other")
    found = find_contradictions(body, "", language)
    assert not [c for c in found if c.kind in _NEVER], raw
