"""Every canonical sentence is read back exactly as it was meant."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import (
    CONCEPT_BY_NAME,
    CONCEPTS,
    Statement,
    compose_report,
    extract_statements,
    split_sentences,
    word_statement,
)
from inference.report_language.slots import express_statement
from inference.report_language.template import DENIED, SIDES, ZONES, canonical_sentences

SEVERITIES = (None, "small", "mild", "moderate", "large", "marked")
STATUSES = ("present", "absent", "uncertain")


def key(statement: Statement) -> tuple[str, str, str | None, str | None, str | None]:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


@pytest.mark.parametrize("concept", [concept.name for concept in CONCEPTS])
def test_every_canonical_sentence_is_read_back_exactly(concept: str) -> None:
    for status in STATUSES:
        for side in (None, *SIDES):
            for zone in (None, *ZONES):
                for severity in SEVERITIES:
                    meant = Statement(concept, status, side, zone, severity)
                    sentence = word_statement(concept, status, side, zone, severity)
                    read = [key(s) for s in extract_statements(sentence)]
                    assert read == [key(express_statement(meant))], sentence


def test_every_canonical_sentence_is_one_sentence() -> None:
    for sentence in canonical_sentences():
        assert split_sentences(sentence) == ((0, len(sentence)),)


@pytest.mark.parametrize(
    "sentence", ["The thorax is symmetric.", "No acute cardiopulmonary abnormality."]
)
def test_sentences_about_no_concept_state_nothing(sentence: str) -> None:
    assert extract_statements(sentence) == ()


statements = st.builds(
    Statement,
    st.sampled_from(sorted(CONCEPT_BY_NAME)),
    st.sampled_from(["present", "uncertain"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from(SEVERITIES),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(statements, max_size=8))
def test_composed_report_is_read_back_in_full(present: list[Statement]) -> None:
    said = {s.concept for s in present}
    findings = {key(express_statement(s)) for s in present}
    expected = Counter(findings)
    expected.update(slots for slots in findings if not CONCEPT_BY_NAME[slots[0]].is_device)
    denied = set(DENIED) - said
    if said & {"opacity", "pneumonia"}:
        denied -= {"consolidation"}
    expected.update((name, "absent", None, None, None) for name in denied)
    assert Counter(key(s) for s in extract_statements(compose_report(present))) == expected
