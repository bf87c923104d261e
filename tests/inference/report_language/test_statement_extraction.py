"""What a sentence of report prose states, and by which rule (every sentence here is our own)."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import extract_statements
from inference.report_language.triggers import TRIGGERS
from inference.report_language.vocabulary import CONCEPTS


def read(text: str) -> list[tuple[str, str]]:
    return [(s.concept, s.status) for s in extract_statements(text)]


@pytest.mark.parametrize(
    ("sentence", "concept", "status", "rule"),
    [
        # The traps other engines fall into.
        ("No change in the small effusion.", "pleural_effusion", "present", "pseudo-negation"),
        ("No significant interval change in cardiomegaly.", "cardiomegaly", "present", "pseudo"),
        ("This may reflect atelectasis.", "atelectasis", "uncertain", "uncertainty:may reflect"),
        ("A pneumothorax cannot be excluded.", "pneumothorax", "uncertain", "uncertainty:cannot"),
        ("Cannot entirely exclude pneumonia.", "pneumonia", "uncertain", "uncertainty:cannot"),
        ("No abnormality other than rib fractures.", "fracture", "present", "positive"),
        ("No acute disease except for a small nodule.", "nodule", "present", "positive"),
        ("Probably no effusion.", "pleural_effusion", "uncertain", "uncertainty:probably"),
        # Denials before and after the term.
        ("No evidence of pneumothorax.", "pneumothorax", "absent", "negation:no evidence of"),
        ("Negative for pneumonia.", "pneumonia", "absent", "negation:negative for"),
        ("The lungs are free of consolidation.", "consolidation", "absent", "negation:free of"),
        ("No findings to suggest edema.", "pulmonary_edema", "absent", "negation:no findings"),
        ("Pleural effusion is not seen.", "pleural_effusion", "absent", "post-negation:not seen"),
        ("The edema has resolved.", "pulmonary_edema", "absent", "post-negation:has resolved"),
        ("Resolved pulmonary edema.", "pulmonary_edema", "absent", "negation:resolved"),
        ("The chest tube has been removed.", "chest_tube", "absent", "post-negation:has been"),
        ("The heart is not enlarged.", "cardiomegaly", "absent", "negation:not"),
        ("No enlargement of the cardiac silhouette.", "cardiomegaly", "absent", "negation:no"),
        # Normal states are denials of what would make them abnormal.
        ("Heart size is normal.", "cardiomegaly", "absent", "normality:heart normal"),
        ("The cardiac silhouette is within normal limits.", "cardiomegaly", "absent", "normality"),
        ("Costophrenic angles are sharp.", "pleural_effusion", "absent", "normality:angles"),
        ("The trachea is midline.", "mediastinal_widening", "absent", "normality:trachea"),
        ("The hila are unremarkable.", "hilar_enlargement", "absent", "normality:hila"),
        ("No acute osseous abnormality.", "fracture", "absent", "negation:no"),
        ("Pulmonary vasculature is normal.", "vascular_congestion", "absent", "normality:vessels"),
        # Doubt.
        ("Possible left lower lobe pneumonia.", "pneumonia", "uncertain", "uncertainty:possible"),
        ("Findings suspicious for pneumonia.", "pneumonia", "uncertain", "uncertainty:suspicious"),
        ("This may be compatible with edema.", "pulmonary_edema", "uncertain", "uncertainty:may"),
        ("Heart size is at the upper limits of normal.", "cardiomegaly", "uncertain", "uncertain"),
        ("The nodule is not well seen.", "nodule", "uncertain", "uncertainty:not well seen"),
        # Assertions in other words.
        ("A nodule, not seen on the prior study.", "nodule", "present", "positive"),
        ("2. Small effusion.", "pleural_effusion", "present", "positive"),
        ("The heart is mildly enlarged.", "cardiomegaly", "present", "positive"),
        ("Blunting of the left costophrenic angle.", "pleural_effusion", "present", "positive"),
        ("Elevated right hemidiaphragm.", "diaphragm_elevation", "present", "positive"),
        ("The thoracic aorta is tortuous.", "aortic_atherosclerosis", "present", "positive"),
        ("Interstitial markings are increased.", "interstitial_pattern", "present", "positive"),
    ],
)
def test_sentence_states_one_thing(sentence: str, concept: str, status: str, rule: str) -> None:
    (statement,) = extract_statements(sentence)
    assert (statement.concept, statement.status) == (concept, status)
    assert statement.rule.startswith(rule)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (
            "No effusion, pneumothorax, or consolidation.",
            [
                ("pleural_effusion", "absent"),
                ("pneumothorax", "absent"),
                ("consolidation", "absent"),
            ],
        ),
        (
            "No pneumothorax, but small effusion.",
            [("pneumothorax", "absent"), ("pleural_effusion", "present")],
        ),
        (
            "No pneumothorax; cardiomegaly.",
            [("pneumothorax", "absent"), ("cardiomegaly", "present")],
        ),
        (
            "No pneumothorax, and the heart is enlarged.",
            [("pneumothorax", "absent"), ("cardiomegaly", "present")],
        ),
        (
            "No effusion, pneumothorax cannot be excluded.",
            [("pleural_effusion", "absent"), ("pneumothorax", "uncertain")],
        ),
        (
            "Opacity in the right base may represent atelectasis or pneumonia.",
            [("opacity", "present"), ("atelectasis", "uncertain"), ("pneumonia", "uncertain")],
        ),
        (
            "The heart is normal in size and the lungs are clear.",
            [("cardiomegaly", "absent"), ("consolidation", "absent"), ("opacity", "absent")],
        ),
        (
            "Heart and mediastinum are normal.",
            [("cardiomegaly", "absent"), ("mediastinal_widening", "absent")],
        ),
        (
            "Cardiomegaly without edema.",
            [("cardiomegaly", "present"), ("pulmonary_edema", "absent")],
        ),
        (
            "The lungs are hyperinflated, consistent with emphysema.",
            [("emphysema", "present")],
        ),
    ],
)
def test_sentence_states_several_things(text: str, stated: list[tuple[str, str]]) -> None:
    assert read(text) == stated


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The thorax is symmetric.",
        "No acute cardiopulmonary abnormality.",
        "History of pneumonia.",
        "Evaluation for pneumothorax is limited.",
        "The heart size is not normal.",
        "Subcutaneous emphysema.",
        "Pericardial effusion.",
        "Low lung volumes.",
        "Normal lung volumes.",
        "Interstitial markings.",
        "An osseous abnormality.",
    ],
)
def test_text_that_states_nothing_about_our_concepts(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("Small left pleural effusion.", [("left", None, "small")]),
        ("Opacity in the right lower lobe.", [("right", "lower", None)]),
        ("Bibasilar atelectasis.", [("bilateral", "lower", None)]),
        ("Right middle lobe consolidation.", [("right", "mid", None)]),
        ("Nodule in the left mid-lung.", [("left", "mid", None)]),
        ("Severe pulmonary edema.", [(None, None, "marked")]),
        ("The heart is moderately enlarged.", [(None, None, "moderate")]),
        ("Effusions, right greater than left.", [("bilateral", None, None)]),
        (
            "Small left effusion and right basilar atelectasis.",
            [("left", None, "small"), ("right", "lower", None)],
        ),
        (
            "Atelectasis and consolidation in the left lower lobe.",
            [("left", "lower", None), ("left", "lower", None)],
        ),
        ("No left pleural effusion.", [("left", None, None)]),
        ("Both lungs are clear.", [(None, None, None), (None, None, None)]),
    ],
)
def test_side_zone_and_severity_attach_to_their_finding(
    text: str, slots: list[tuple[str | None, str | None, str | None]]
) -> None:
    assert [(s.side, s.zone, s.severity) for s in extract_statements(text)] == slots


def test_offsets_point_at_the_clause_and_at_the_term() -> None:
    text = "1. Heart normal. No İ pneumothorax, but small EFFUSION on the left."
    said = extract_statements(text)
    assert [text[s.start : s.end] for s in said] == [
        "Heart normal",
        "No İ pneumothorax",
        "small EFFUSION on the left",
    ]
    assert [text[s.trigger_start : s.trigger_end] for s in said] == [
        "Heart",
        "pneumothorax",
        "EFFUSION",
    ]


def test_a_language_without_rules_is_refused() -> None:
    with pytest.raises(ValueError, match="'xx'"):
        extract_statements("No effusion.", language="xx")


WORDS = sorted(
    {word for concept in CONCEPTS for term in concept.terms for word in term.split()}
    | {word for patterns in TRIGGERS.values() for p in patterns for word in re.findall(r"\w+", p)}
    | {"left", "right", "lower", "small", "heart", "normal", ",", ";", ".", "/", "and", "or", "in"}
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_is_read_without_error_and_with_offsets_inside_it(text: str) -> None:
    for said in extract_statements(text):
        assert 0 <= said.start <= said.trigger_start < said.trigger_end <= said.end <= len(text)
        assert said.rule
        assert text[said.start : said.end].strip() == text[said.start : said.end]


def test_a_text_without_full_stops_is_read_in_reasonable_time() -> None:
    sentence = "no " + "effusion, and the heart " * 2000 + "."
    started = time.process_time()
    extract_statements(sentence)
    assert time.process_time() - started < 10  # quadratic time would take minutes
