"""Sentences that were once read wrong: status first, then side and severity (all our own)."""

from __future__ import annotations

import pytest

from inference.report_language import extract_statements
from inference.report_language.statements import Language

SIGNS = {"present": "+", "absent": "-", "uncertain": "?"}


def read(text: str, language: Language = "en") -> str:
    said = extract_statements(text, language)
    return " ".join(SIGNS[s.status] + s.concept for s in said)


def read_slots(text: str, language: Language = "en") -> list[tuple[str | None, str | None]]:
    return [(s.side, s.severity) for s in extract_statements(text, language)]


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        (
            "No effusion, mediastinal widening or cardiac enlargement.",
            "-pleural_effusion -mediastinal_widening -cardiomegaly",
        ),
        (
            "No pneumothorax, hilar prominence, or pleural effusion.",
            "-pneumothorax -hilar_enlargement -pleural_effusion",
        ),
        (
            "The lungs are free of consolidation, hemidiaphragm elevation, or fracture.",
            "-consolidation -diaphragm_elevation -fracture",
        ),
        (
            "No effusion, enlarged heart, or widened mediastinum.",
            "-pleural_effusion -cardiomegaly -mediastinal_widening",
        ),
        ("Clear lungs besides a granuloma.", "-consolidation -opacity +granuloma"),
        ("No effusion, heart is enlarged.", "-pleural_effusion +cardiomegaly"),
        ("No effusion, mediastinum is widened.", "-pleural_effusion +mediastinal_widening"),
        ("No effusion, hilar enlargement is present.", "-pleural_effusion +hilar_enlargement"),
        ("No pleural or pericardial effusion.", "-pleural_effusion"),
    ],
)
def test_a_denial_reaches_to_the_end_of_its_list_and_no_further(sentence: str, stated: str) -> None:
    assert read(sentence) == stated


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("No pneumothorax, small left effusion.", "-pneumothorax +pleural_effusion"),
        ("No pneumothorax and small effusion.", "-pneumothorax +pleural_effusion"),
        ("No pneumothorax, small effusion or mass.", "-pneumothorax -pleural_effusion -mass"),
        ("No consolidation, large effusion, or mass.", "-consolidation -pleural_effusion -mass"),
        ("No effusion, endotracheal tube in place.", "-pleural_effusion +endotracheal_tube"),
        ("No effusion, cardiomegaly is present.", "-pleural_effusion +cardiomegaly"),
        ("No effusion, scoliosis or fracture.", "-pleural_effusion -scoliosis -fracture"),
    ],
)
def test_a_finding_that_follows_a_denial_is_there(sentence: str, stated: str) -> None:
    assert read(sentence) == stated


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("Suspected pneumonia in the right lower lobe.", "?pneumonia"),
        ("Small effusion suspected.", "?pleural_effusion"),
        ("Mediastinal widening is suspected.", "?mediastinal_widening"),
        ("Left basilar opacity, pneumonia suspected.", "+opacity ?pneumonia"),
        ("Pneumonia is not suspected.", "-pneumonia"),
        ("Suspicious for pneumonia.", "?pneumonia"),
        ("Concern of aspiration.", "?pneumonia"),
        ("Questionable nodule at the right apex.", "?nodule"),
        ("Effusion unlikely.", "?pleural_effusion"),
        ("No concern for pneumonia.", "-pneumonia"),
        ("No focal opacity suspicious for pneumonia.", "-opacity -pneumonia"),
        ("No effusion, findings concerning for edema.", "-pleural_effusion ?pulmonary_edema"),
        ("Rule out pneumonia.", ""),
        ("Near complete resolution of the left effusion.", "+pleural_effusion"),
        ("The pneumonia has nearly resolved.", "+pneumonia"),
        ("No longer seen is the left effusion.", "-pleural_effusion"),
    ],
)
def test_doubt_is_neither_presence_nor_denial(sentence: str, stated: str) -> None:
    assert read(sentence) == stated


@pytest.mark.parametrize(
    ("sentence", "slots"),
    [
        ("Again demonstrated is a large left effusion.", [("left", "large")]),
        ("Again noted are large left effusions.", [("left", "large")]),
        ("The right effusion is large.", [("right", "large")]),
        ("The heart is large.", [(None, None)]),
        ("Left effusion, slightly increased from prior.", [("left", None)]),
        ("Moderate left effusion, slightly decreased.", [("left", "moderate")]),
        ("Edema has improved slightly.", [(None, None)]),
        ("Mild interval worsening of pulmonary edema.", [(None, None)]),
        ("Mildly increased interstitial markings.", [(None, "mild")]),
    ],
)
def test_how_much_it_changed_is_not_how_much_there_is(
    sentence: str, slots: list[tuple[str | None, str | None]]
) -> None:
    assert read_slots(sentence) == slots


@pytest.mark.parametrize(
    ("sentence", "language", "slots"),
    [
        (
            "Bilateral effusions, moderate on the left, small on the right.",
            "en",
            [("left", "moderate"), ("right", "small")],
        ),
        (
            "Bilateral effusions (left moderate, right small).",
            "en",
            [("left", "moderate"), ("right", "small")],
        ),
        (
            "Small right and moderate left pleural effusions.",
            "en",
            [("right", "small"), ("left", "moderate")],
        ),
        ("Bilateral effusions, large on the right.", "en", [("right", "large"), ("left", None)]),
        ("Small bilateral effusions, larger on the right.", "en", [("bilateral", "small")]),
        ("Small left and right effusions.", "en", [("bilateral", "small")]),
        ("Trace left effusion, none on the right.", "en", [("left", "small")]),
        ("Right base is clear, left base opacity.", "en", [("left", None)]),
        (
            "双侧胸腔积液，左侧中量，右侧少量。",
            "zh",
            [("left", "moderate"), ("right", "small")],
        ),
        ("右侧中量、左侧少量胸腔积液。", "zh", [("right", "moderate"), ("left", "small")]),
        ("右侧胸腔积液明显增多。", "zh", [("right", None)]),
        ("左侧胸腔积液较前略有增多。", "zh", [("left", None)]),
    ],
)
def test_each_side_keeps_its_own_degree(
    sentence: str, language: Language, slots: list[tuple[str | None, str | None]]
) -> None:
    assert read_slots(sentence, language) == slots


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("心肺未见急性异常。", ""),
        ("未见胸腔积液，心影增大。", "-pleural_effusion +cardiomegaly"),
        ("未见胸腔积液、心影增大。", "-pleural_effusion -cardiomegaly"),
        ("请结合临床排除感染。", "?pneumonia"),
        ("建议CT除外肿块。", "?mass"),
        ("已除外气胸。", "-pneumothorax"),
        ("气胸已排除。", "-pneumothorax"),
        ("暂不考虑肺炎。", "-pneumonia"),
        ("肺炎可能性不大。", "?pneumonia"),
    ],
)
def test_chinese_denials_and_requests_to_exclude(sentence: str, stated: str) -> None:
    assert read(sentence, "zh") == stated


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("The right hemidiaphragm is raised.", "+diaphragm_elevation"),
        ("Both hemidiaphragms were markedly raised.", "+diaphragm_elevation"),
        ("The diaphragm is not raised.", "-diaphragm_elevation"),
        ("The question of pneumothorax is raised.", "?pneumothorax"),
        ("The possibility of a small pneumothorax was raised.", "?pneumothorax"),
        ("Opacity raises the possibility of pneumonia.", "+opacity ?pneumonia"),
        ("Blunted angles, raising concern for effusion.", "?pleural_effusion"),
        ("No suspicion of pneumonia is raised.", "-pneumonia"),
        ("No opacity to raise the possibility of pneumonia.", "-opacity -pneumonia"),
    ],
)
def test_a_diaphragm_is_raised_and_so_is_a_question(sentence: str, stated: str) -> None:
    assert read(sentence) == stated


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        (
            "No consolidation, suspicious pulmonary opacity, or pleural effusion.",
            "-consolidation -opacity -pleural_effusion",
        ),
        ("No opacity, concerning nodule or mass.", "-opacity -nodule -mass"),
        ("No effusion, suspicious nodule at the left base.", "-pleural_effusion ?nodule"),
        ("No effusion, findings suspicious for pneumonia.", "-pleural_effusion ?pneumonia"),
        ("No effusion, suspicious for pneumonia or edema.", "-pleural_effusion ?pneumonia ?"),
    ],
)
def test_a_suspicious_thing_in_a_list_of_denials_is_denied(sentence: str, stated: str) -> None:
    assert read(sentence).startswith(stated)
