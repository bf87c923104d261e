"""Toggling one statement changes its clause and nothing else the report says."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import (
    CannotRewrite,
    RefusalCode,
    Statement,
    Status,
    compose_report,
    extract_statements,
    rewrite_statement,
)
from inference.report_language.slots import express_statement
from inference.report_language.template import SIDES, ZONES
from inference.report_language.vocabulary import CONCEPT_BY_NAME

SEVERITIES = (None, "small", "mild", "moderate", "large", "marked")


def key(statement: Statement) -> tuple[str, str, str | None, str | None, str | None]:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


def toggle(text: str, concept: str, status: Status) -> str:
    (statement,) = (s for s in extract_statements(text) if s.concept == concept)
    return rewrite_statement(text, statement, status)


@pytest.mark.parametrize(
    ("before", "concept", "status", "after"),
    [
        ("No pleural effusion.", "pleural_effusion", "present", "Pleural effusion."),
        ("No left effusion.", "pleural_effusion", "present", "Left pleural effusion."),
        ("Small left effusion.", "pleural_effusion", "absent", "No pleural effusion."),
        (
            "Small left effusion.",
            "pleural_effusion",
            "uncertain",
            "Possible small left pleural effusion.",
        ),
        (
            "Heart size is normal. No mass.",
            "cardiomegaly",
            "present",
            "The cardiac silhouette is enlarged. No mass.",
        ),
        (
            "No effusion, pneumothorax, or consolidation.",
            "pneumothorax",
            "present",
            "No effusion or consolidation. Pneumothorax.",
        ),
        (
            "No effusion, pneumothorax, mass, or consolidation.",
            "consolidation",
            "present",
            "No effusion, pneumothorax, or mass. Consolidation.",
        ),
        (
            "1. No effusion or mass. 2. Stable.",
            "mass",
            "present",
            "1. No effusion. Mass. 2. Stable.",
        ),
        (
            "There are effusions and edema.",
            "pulmonary_edema",
            "absent",
            "There are effusions. No pulmonary edema.",
        ),
        (
            "No mass, but a small effusion.",
            "pleural_effusion",
            "absent",
            "No mass. No pleural effusion.",
        ),
        ("No mass, but a small effusion.", "mass", "present", "Mass. A small effusion."),
        (
            "No abnormality other than rib fractures.",
            "fracture",
            "absent",
            "No abnormality. No displaced fracture.",
        ),
        (
            "The lungs are clear of opacity, effusion, or pneumothorax.",
            "opacity",
            "present",
            "The lungs are clear of effusion or pneumothorax. Opacity.",
        ),
        (
            "The heart is normal and the lungs are clear.",
            "opacity",
            "present",
            "The heart is normal. Opacity. No focal consolidation.",
        ),
        (
            "No nodules or masses are seen.",
            "mass",
            "present",
            "No nodules are seen. Mass.",
        ),
        ("No edema or mass are seen.", "mass", "present", "No edema is seen. Mass."),
        (
            "No consolidation to suggest pneumonia.",
            "consolidation",
            "present",
            "Consolidation. No pneumonia.",
        ),
        (
            "The right lung is clear.",
            "opacity",
            "uncertain",
            "Possible right opacity. No focal consolidation on the right.",
        ),
        (
            "The left lung base is clear.",
            "consolidation",
            "present",
            "Consolidation in the left lower zone. No focal opacity in the left lower zone.",
        ),
        (
            "Atelectasis and consolidation in the left lower lobe.",
            "consolidation",
            "absent",
            "Atelectasis in the left lower lobe. No focal consolidation.",
        ),
        (
            "The lungs are clear without effusion.",
            "pleural_effusion",
            "present",
            "The lungs are clear. Pleural effusion.",
        ),
        (
            "Findings: No PICC. Impression: No mass.",
            "picc",
            "present",
            "Findings: PICC in place. Impression: No mass.",
        ),
    ],
)
def test_toggle_rewrites_the_clause(before: str, concept: str, status: Status, after: str) -> None:
    assert toggle(before, concept, status) == after


def test_toggle_to_the_same_status_leaves_the_text_alone() -> None:
    assert toggle("No  effusion .", "pleural_effusion", "absent") == "No  effusion ."


def test_toggle_of_entangled_findings_is_refused_with_the_reason() -> None:
    with pytest.raises(CannotRewrite, match="atelectasis") as refused:
        toggle("Opacity may reflect atelectasis.", "opacity", "absent")
    assert refused.value.reason == str(refused.value)
    assert (refused.value.code, refused.value.concepts) == ("entangled", ("atelectasis",))


def test_toggle_of_a_statement_the_text_no_longer_makes_is_refused() -> None:
    (statement,) = extract_statements("No effusion.")
    with pytest.raises(CannotRewrite, match="no longer") as refused:
        rewrite_statement("No mass.", statement, "present")
    assert (refused.value.code, refused.value.concepts) == ("gone", ())


@pytest.mark.parametrize("code", get_args(RefusalCode))
def test_every_refusal_is_explained_in_the_language_asked_for(code: RefusalCode) -> None:
    refusal = CannotRewrite(code=code, concepts=("pneumonia", "mass"))
    english, chinese = refusal.explain("en"), refusal.explain("zh")
    assert str(refusal) == refusal.reason == english
    assert english.isascii()
    assert not re.search("[A-Za-z{}]", chinese)
    named = code in ("entangled", "unsaid")
    assert ("pneumonia, mass" in english) == ("肺炎、肿块" in chinese) == named


statements = st.builds(
    Statement,
    st.sampled_from(sorted(CONCEPT_BY_NAME)),
    st.sampled_from(["present", "uncertain"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from(SEVERITIES),
)
toggles = st.tuples(st.integers(0, 1000), st.sampled_from(["present", "absent", "uncertain"]))


def apply_toggles(present: list[Statement], steps: list[tuple[int, Status]]) -> None:
    text = compose_report(present)
    for choice, status in steps:
        before = extract_statements(text)
        statement = before[choice % len(before)]
        text = rewrite_statement(text, statement, status)
        if status == statement.status:
            wanted = statement
        else:
            wanted = express_statement(replace(statement, status=status))
        expected = Counter(key(s) for s in before)
        expected[key(statement)] -= 1
        expected[key(wanted)] += 1
        assert Counter(key(s) for s in extract_statements(text)) == +expected


# Ten thousand toggles in a row, of reports as they are written: evaluation/test_measure_rewriting.
@settings(max_examples=150, deadline=None)
@given(st.lists(statements, max_size=6), st.lists(toggles, min_size=5, max_size=5))
def test_toggles_of_canonical_reports_have_no_side_effect(
    present: list[Statement], steps: list[tuple[int, Status]]
) -> None:
    apply_toggles(present, steps)
