"""Sampled cases: one true description each, worded so that it reads back as the same case."""

from __future__ import annotations

import pytest

from inference.phantom import PhantomCase, sample_case
from inference.phantom.case import DEVICE_WEIGHTS, FINDING_WEIGHTS
from inference.report_language import extract_statements, is_canonical, split_sentences
from inference.report_language.slots import express_statement
from inference.report_language.statements import Statement
from inference.report_language.template import compose_findings, compose_impression

Slots = tuple[str, str, str | None, str | None, str | None]
_IN_LUNG = ("consolidation", "mass", "nodule", "atelectasis")


@pytest.fixture(scope="module")
def cases() -> list[PhantomCase]:
    return [sample_case(seed, normal=False) for seed in range(400)]


def _slots(statement: Statement) -> Slots:
    said = express_statement(statement)
    return said.concept, said.status, said.side, said.zone, said.severity


def _sides(statement: Statement | None) -> set[str]:
    if statement is None:
        return set()
    return {"left", "right"} if statement.side == "bilateral" else {str(statement.side)}


def test_same_seed_gives_the_same_case_and_another_seed_another() -> None:
    assert sample_case(11) == sample_case(11)
    assert sample_case(11).patient != sample_case(12).patient


def test_normal_decides_whether_anything_is_present(cases: list[PhantomCase]) -> None:
    assert all(case.statements for case in cases)
    assert not any(sample_case(seed, normal=True).statements for seed in range(20))


def test_about_one_film_in_six_is_normal() -> None:
    normal = sum(not sample_case(seed).statements for seed in range(400))
    assert 0.10 < normal / 400 < 0.24


def test_every_finding_and_device_is_drawn(cases: list[PhantomCase]) -> None:
    drawn = {statement.concept for case in cases for statement in case.statements}
    assert drawn == {*FINDING_WEIGHTS, *DEVICE_WEIGHTS}


def test_no_case_states_a_concept_twice(cases: list[PhantomCase]) -> None:
    for case in cases:
        concepts = [statement.concept for statement in case.statements]
        assert len(concepts) == len(set(concepts)), case.seed


@pytest.mark.parametrize("other", ["diaphragm_elevation", "cardiomegaly"])
def test_emphysema_is_never_drawn_with_what_contradicts_it(
    cases: list[PhantomCase], other: str
) -> None:
    assert not [c.seed for c in cases if c.find("emphysema") and c.find(other)]


_HIDDEN_ZONES = {
    ("pleural_effusion", "small"): {"lower"},
    ("pleural_effusion", "moderate"): {"lower", "mid"},
    ("pleural_effusion", "large"): {"lower", "mid", "upper"},
    ("pneumothorax", "small"): {"upper"},
    ("pneumothorax", "large"): {"lower", "mid", "upper"},
}


@pytest.mark.parametrize("hiding", ["pleural_effusion", "pneumothorax"])
def test_no_lung_finding_is_hidden_by_fluid_or_air(cases: list[PhantomCase], hiding: str) -> None:
    for case in cases:
        cause = case.find(hiding)
        if cause is None:
            continue
        zones = _HIDDEN_ZONES[hiding, str(cause.severity)]
        for concept in _IN_LUNG:
            found = case.find(concept)
            if found is not None and _sides(cause) & _sides(found):
                assert found.zone not in zones, (case.seed, concept)


def test_no_elevated_diaphragm_is_hidden_by_fluid(cases: list[PhantomCase]) -> None:
    for case in cases:
        effusion, raised = case.find("pleural_effusion"), case.find("diaphragm_elevation")
        assert not _sides(effusion) & _sides(raised), case.seed


def test_every_sentence_of_a_report_is_canonical(cases: list[PhantomCase]) -> None:
    for case in cases:
        for section in (compose_findings(case.statements), compose_impression(case.statements)):
            sentences = [section[start:end] for start, end in split_sentences(section)]
            assert " ".join(sentences) == section
            assert [s for s in sentences if not is_canonical(s)] == [], case.seed


def test_findings_read_back_as_exactly_the_statements_of_the_case(
    cases: list[PhantomCase],
) -> None:
    for case in cases:
        read = extract_statements(compose_findings(case.statements))
        present = sorted(_slots(s) for s in read if s.status == "present")
        assert present == sorted(_slots(s) for s in case.statements), case.seed
        denied = {s.concept for s in read if s.status == "absent"}
        assert not denied & {s.concept for s in case.statements}, case.seed
        assert not [s for s in read if s.status == "uncertain"], case.seed


def test_heart_hila_and_spine_leave_a_gap_between_normal_and_abnormal(
    cases: list[PhantomCase],
) -> None:
    for case in cases:
        patient, heart = case.patient, case.find("cardiomegaly")
        ratio = patient.cardiothoracic_ratio
        if heart is None:
            assert ratio < 0.47, case.seed
        else:
            assert (0.52 < ratio < 0.59) if heart.severity == "mild" else ratio > 0.62, case.seed
        enlarged = _sides(case.find("hilar_enlargement"))
        assert (patient.hilum_scale_left > 1.7) == ("left" in enlarged), case.seed
        assert (patient.hilum_scale_right > 1.7) == ("right" in enlarged), case.seed
        assert (abs(patient.spine_bow_mm) > 25) == (case.find("scoliosis") is not None), case.seed
        widened = case.find("mediastinal_widening") is not None
        assert (patient.mediastinum_half_width_mm > 40) == widened, case.seed
