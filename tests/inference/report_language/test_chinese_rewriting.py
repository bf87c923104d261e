"""Toggling one statement of a Chinese report changes its clause and nothing else it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import (
    CannotRewrite,
    Statement,
    Status,
    compose_report,
    extract_statements,
    rewrite_statement,
)
from inference.report_language.slots import express_statement
from inference.report_language.template import SEVERITIES, SIDES, ZONES
from inference.report_language.vocabulary import CONCEPT_BY_NAME


def key(statement: Statement) -> tuple[str, str, str | None, str | None, str | None]:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


def toggle(text: str, concept: str, status: Status) -> str:
    (statement,) = (s for s in extract_statements(text, "zh") if s.concept == concept)
    return rewrite_statement(text, statement, status, "zh")


@pytest.mark.parametrize(
    ("before", "concept", "status", "after"),
    [
        ("未见胸腔积液。", "pleural_effusion", "present", "胸腔积液。"),
        ("左侧少量胸腔积液。", "pleural_effusion", "absent", "未见胸腔积液。"),
        ("左侧少量胸腔积液。", "pleural_effusion", "uncertain", "疑似左侧少量胸腔积液。"),
        ("心影不大。未见肿块。", "cardiomegaly", "present", "心影增大。未见肿块。"),
        (
            "未见胸腔积液、气胸及实变。",
            "pneumothorax",
            "present",
            "未见胸腔积液及实变。气胸。",
        ),
        (
            "未见明显实变、结节或肿块影。",
            "mass",
            "uncertain",
            "未见明显实变及结节。疑似肺部肿块。",
        ),
        ("左下肺实变及不张。", "consolidation", "absent", "左下肺不张。未见实变。"),
        ("左侧少量胸腔积液及右侧气胸。", "pneumothorax", "absent", "左侧少量胸腔积液。未见气胸。"),
        ("右侧少量胸腔积液，心影不大。", "pleural_effusion", "absent", "未见胸腔积液。心影不大。"),
        ("未见气胸但见少量胸腔积液。", "pleural_effusion", "absent", "未见气胸。未见胸腔积液。"),
        (
            "1、心影不大；2、两肺未见实变。",
            "cardiomegaly",
            "present",
            "1、心影增大。2、两肺未见实变。",
        ),
        ("右肺结节，边缘清晰，心影不大。", "nodule", "absent", "未见结节。心影不大。"),
        ("右下肺斑片影（炎症可能）。", "pneumonia", "absent", "右下肺斑片影。未见炎症。"),
        ("右下肺斑片影（炎症可能）。", "opacity", "absent", "未见密度增高影。炎症可能。"),
        (
            "心肺膈未见异常。",
            "opacity",
            "present",
            "肺部密度增高影。心影不大。未见实变。膈肌未见抬高。",
        ),
        ("两肺未见实变提示肺炎。", "consolidation", "present", "肺部实变。未见炎症。"),
        ("右肺清晰。", "opacity", "present", "右肺密度增高影。右侧未见实变。"),
        (
            "左肺尖部肺野清晰。",
            "consolidation",
            "uncertain",
            "疑似左上肺野实变。左上肺野未见密度增高影。",
        ),
        (
            "两侧肋膈角及两侧膈肌尚可。",
            "diaphragm_elevation",
            "present",
            "两侧肋膈角尚可。膈肌抬高。",
        ),
        (
            "所见：未见PICC。 结论：未见肿块。",
            "picc",
            "present",
            "所见：PICC在位。 结论：未见肿块。",
        ),
    ],
)
def test_toggle_rewrites_the_clause(before: str, concept: str, status: Status, after: str) -> None:
    assert toggle(before, concept, status) == after


def test_toggle_to_the_same_status_leaves_the_text_alone() -> None:
    assert toggle("未见 气胸 。", "pneumothorax", "absent") == "未见 气胸 。"


def test_toggle_of_entangled_findings_is_refused_with_the_reason() -> None:
    with pytest.raises(CannotRewrite, match="pneumonia") as refused:
        toggle("左下肺斑片影，考虑炎症。", "opacity", "absent")
    assert refused.value.reason == str(refused.value)
    assert refused.value.code == "entangled"
    assert refused.value.explain("zh") == "同一句中还涉及肺炎"


def test_toggle_of_a_statement_the_text_no_longer_makes_is_refused() -> None:
    (statement,) = extract_statements("未见气胸。", "zh")
    with pytest.raises(CannotRewrite, match="no longer"):
        rewrite_statement("未见肿块。", statement, "present", "zh")


statements = st.builds(
    Statement,
    st.sampled_from(sorted(CONCEPT_BY_NAME)),
    st.sampled_from(["present", "uncertain"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)
toggles = st.tuples(st.integers(0, 1000), st.sampled_from(["present", "absent", "uncertain"]))


def apply_toggles(text: str, steps: list[tuple[int, Status]], *, may_refuse: bool) -> None:
    for choice, status in steps:
        before = extract_statements(text, "zh")
        if not before:
            return
        statement = before[choice % len(before)]
        try:
            text = rewrite_statement(text, statement, status, "zh")
        except CannotRewrite:
            assert may_refuse
            continue
        wanted = statement
        if status != statement.status:
            wanted = express_statement(replace(statement, status=status))
        expected = Counter(key(s) for s in before)
        expected[key(statement)] -= 1
        expected[key(wanted)] += 1
        assert Counter(key(s) for s in extract_statements(text, "zh")) == +expected


# Ten thousand toggles in a row, of reports as they are written: evaluation/test_measure_rewriting.
@settings(max_examples=150, deadline=None)
@given(st.lists(statements, max_size=6), st.lists(toggles, min_size=5, max_size=5))
def test_toggles_of_canonical_reports_have_no_side_effect(
    present: list[Statement], steps: list[tuple[int, Status]]
) -> None:
    apply_toggles(compose_report(present, "zh"), steps, may_refuse=False)


CLAUSES = (
    "左下肺野见斑片状模糊影",
    "考虑炎症可能",
    "未见胸腔积液、气胸及肿块",
    "心影轻度增大",
    "两肺纹理清晰",
    "双侧肋膈角锐利",
    "边缘不清",
    "右侧少量气胸不除外",
    "左侧胸腔积液较前无明显变化",
    "心肺膈未见异常",
    "气管插管在位",
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(CLAUSES), st.sampled_from("，；。、")), max_size=6),
    st.lists(toggles, min_size=3, max_size=3),
)
def test_toggles_of_prose_have_no_side_effect_or_are_refused(
    prose: list[tuple[str, str]], steps: list[tuple[int, Status]]
) -> None:
    apply_toggles("".join(clause + mark for clause, mark in prose), steps, may_refuse=True)
