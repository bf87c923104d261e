"""Contradictions are found where they are, and not where two sentences only look alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CONCEPTS, Statement
from inference.report_language.consistency import find_contradictions
from inference.report_language.statements import LANGUAGES, Language
from inference.report_language.template import (
    SEVERITIES,
    SIDES,
    ZONES,
    compose_findings,
    compose_impression,
)

ENGLISH = [
    ("Left effusion. No pleural effusion.", "", "present_and_absent"),
    ("Left effusion. The costophrenic angles are sharp.", "", "normal_beside_finding"),
    ("Left rib fracture. No osseous abnormality.", "", "present_and_absent"),
    ("Right pneumothorax.", "No pneumothorax.", "present_and_absent"),
    ("Left nodule. The lungs are clear.", "", "normal_beside_finding"),
    ("Right pneumothorax.", "Right pneumothorax. No acute disease.", "normal_beside_finding"),
    ("Left effusion.", "Right effusion.", "side_differs"),
    ("Left effusion.", "Bilateral effusions.", "side_differs"),
    ("Left effusion. Cardiomegaly.", "Left effusion.", "finding_without_impression"),
    ("No fracture.", "Left effusion.", "impression_without_finding"),
    ("No mass. Cardiomegaly. No mass.", "", "repeated_sentence"),
]
CHINESE = [
    ("左侧胸腔积液。未见胸腔积液。", "", "present_and_absent"),
    ("左侧胸腔积液。两侧肋膈角锐利。", "", "normal_beside_finding"),
    ("左侧气胸。", "右侧气胸。", "side_differs"),
    ("左侧气胸。心影增大。", "左侧气胸。", "finding_without_impression"),
    ("未见气胸。", "心影增大。", "impression_without_finding"),
    ("未见气胸。心影增大。未见气胸。", "", "repeated_sentence"),
]


@pytest.mark.parametrize(
    ("findings", "impression", "kind", "language"),
    [(*row, "en") for row in ENGLISH] + [(*row, "zh") for row in CHINESE],
)
def test_contradiction_is_found(
    findings: str, impression: str, kind: str, language: Language
) -> None:
    found = find_contradictions(findings, impression, language)
    assert kind in {contradiction.kind for contradiction in found}
    for contradiction in found:
        assert contradiction.message
        assert contradiction.first in findings + impression
        assert contradiction.second in findings + impression


@pytest.mark.parametrize(
    ("findings", "impression"),
    [
        ("No left effusion. Small right effusion.", ""),
        ("No large effusion. Small right effusion.", ""),
        ("No new nodule. Stable left nodule.", ""),
        ("No acute fracture. Old left rib fracture.", ""),
        ("Bilateral effusions.", "Left effusion. Right effusion."),
        ("Left effusion.", "Effusion."),
        ("Right lower lobe opacity.", "Pneumonia."),
        ("Endotracheal tube in place.", "No acute disease."),
        ("The lungs are clear except for a left lower lobe consolidation.", ""),
        ("The left lung is clear. Right upper lobe nodule.", ""),
        ("Left effusion.", ""),
        ("Scoliosis.", "Scoliosis. No acute cardiopulmonary abnormality."),
    ],
)
def test_sentences_that_agree_are_left_alone(findings: str, impression: str) -> None:
    assert find_contradictions(findings, impression, "en") == ()


statements = st.builds(
    Statement,
    st.sampled_from([concept.name for concept in CONCEPTS]),
    st.sampled_from(["present", "uncertain", "absent"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(statements, max_size=8), st.sampled_from(LANGUAGES))
def test_composed_reports_never_contradict_themselves(
    case: list[Statement], language: Language
) -> None:
    findings, impression = compose_findings(case, language), compose_impression(case, language)
    assert find_contradictions(findings, impression, language) == ()
