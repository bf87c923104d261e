"""Every canonical sentence is read back exactly as it was meant."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import (
    CONCEPT_BY_NAME,
    CONCEPTS,
    LANGUAGES,
    NOT_A_FRONTAL_CHEST,
    Language,
    Statement,
    Status,
    canonical_sentences,
    compose_findings,
    compose_impression,
    compose_refusal,
    compose_report,
    extract_statements,
    is_canonical,
    split_sentences,
    word_statement,
)
from inference.report_language.slots import express_statement
from inference.report_language.template import DENIED, SEVERITIES, SIDES, ZONES

STATUSES: tuple[Status, ...] = ("present", "absent", "uncertain")
SLOTS = tuple(product(STATUSES, (None, *SIDES), (None, *ZONES), (None, *SEVERITIES)))


def key(statement: Statement) -> tuple[str, str, str | None, str | None, str | None]:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


@pytest.mark.parametrize("concept", [concept.name for concept in CONCEPTS])
def test_every_canonical_sentence_is_read_back_exactly_in_both_languages(concept: str) -> None:
    meant_by: dict[str, str] = {}
    for status, side, zone, severity in SLOTS:
        meant = Statement(concept, status, side, zone, severity)
        english, chinese = (
            word_statement(concept, status, side, zone, severity, language)
            for language in LANGUAGES
        )
        assert meant_by.setdefault(english, chinese) == chinese
        expected = [key(express_statement(meant))]
        assert [key(s) for s in extract_statements(english)] == expected, english
        assert [key(s) for s in extract_statements(chinese, "zh")] == expected, chinese
    assert len(set(meant_by.values())) == len(meant_by)


def test_sentences_of_the_two_languages_correspond_one_to_one() -> None:
    assert len(canonical_sentences("en")) == len(canonical_sentences("zh"))
    assert not canonical_sentences("en") & canonical_sentences("zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_canonical_sentence_is_one_sentence(language: Language) -> None:
    for sentence in canonical_sentences(language):
        assert split_sentences(sentence) == ((0, len(sentence)),)
        assert is_canonical(sentence, language)
    assert all(" " not in sentence for sentence in canonical_sentences("zh"))


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("The thorax is symmetric.", "en"),
        ("No acute cardiopulmonary abnormality.", "en"),
        ("No report.", "en"),
        ("两侧胸廓对称。", "zh"),
        ("心肺未见急性异常。", "zh"),
        ("不予报告。", "zh"),
        (NOT_A_FRONTAL_CHEST["en"], "en"),
        (NOT_A_FRONTAL_CHEST["zh"], "zh"),
    ],
)
def test_sentences_about_no_concept_state_nothing(sentence: str, language: Language) -> None:
    assert is_canonical(sentence, language)
    assert extract_statements(sentence, language) == ()


def test_refusal_is_a_report_of_its_own() -> None:
    assert compose_refusal() == ("Findings: Not a frontal chest radiograph. Impression: No report.")
    assert compose_refusal("zh") == "所见：非正位胸部X光片。 结论：不予报告。"


@pytest.mark.parametrize(
    ("present", "english", "chinese"),
    [
        ([], "No acute cardiopulmonary abnormality.", "心肺未见急性异常。"),
        (
            [Statement("picc", "present")],
            "No acute cardiopulmonary abnormality.",
            "心肺未见急性异常。",
        ),
        (
            [Statement("scoliosis", "present")],
            "Scoliosis. No acute cardiopulmonary abnormality.",
            "脊柱侧弯。心肺未见急性异常。",
        ),
        (
            [Statement("fracture", "present", "left"), Statement("mass", "uncertain", "right")],
            "Possible right mass. Left rib fracture.",
            "疑似右肺肿块。左侧肋骨骨折。",
        ),
    ],
)
def test_impression_follows_from_the_findings(
    present: list[Statement], english: str, chinese: str
) -> None:
    assert compose_impression(present) == english
    assert compose_impression(present, "zh") == chinese


@pytest.mark.parametrize("language", LANGUAGES)
def test_findings_neither_contradict_nor_repeat_themselves(language: Language) -> None:
    nodule = Statement("nodule", "present", "left", "upper")
    denied = Statement("pleural_effusion", "absent", "left")
    effusion = Statement("pleural_effusion", "present", "right")
    text = compose_findings([nodule, denied, effusion, nodule], language)
    said = [key(s) for s in extract_statements(text, language)]
    assert said.count(key(nodule)) == 1
    assert [slots for slots in said if slots[0] == "pleural_effusion"] == [key(effusion)]


statements = st.builds(
    Statement,
    st.sampled_from(sorted(CONCEPT_BY_NAME)),
    st.sampled_from(["present", "uncertain"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(statements, max_size=8), st.sampled_from(LANGUAGES))
def test_composed_report_is_read_back_in_full(present: list[Statement], language: Language) -> None:
    said = {s.concept for s in present}
    findings = {key(express_statement(s)) for s in present}
    expected = Counter(findings)
    expected.update(slots for slots in findings if not CONCEPT_BY_NAME[slots[0]].is_device)
    denied = set(DENIED) - said
    if said & {"opacity", "pneumonia"}:
        denied -= {"consolidation"}
    expected.update((name, "absent", None, None, None) for name in denied)
    report = compose_report(present, language)
    assert Counter(key(s) for s in extract_statements(report, language)) == expected
