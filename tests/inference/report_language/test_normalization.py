"""Stage I: free text becomes canonical, loses nothing, invents nothing, contradicts nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CONCEPTS, Statement, compose_report, is_canonical
from inference.report_language.consistency import find_contradictions
from inference.report_language.normalization import (
    NothingStated,
    check_normalization,
    normalize_report,
)
from inference.report_language.raw_prose import write_raw_report
from inference.report_language.sentences import split_sentences
from inference.report_language.slots import express_statement
from inference.report_language.statements import LANGUAGES, Language
from inference.report_language.template import (
    DENIED,
    SEVERITIES,
    SIDES,
    ZONES,
    compose_refusal,
    word_statement,
)

# raw -> what the findings must say, and must not.
ENGLISH = [
    ("Small left effusion.", ["Small left pleural effusion."], ["No pleural effusion."]),
    ("No acute disease.", ["No pneumothorax.", "No displaced fracture."], []),
    ("RLZ opacity, L PTX, ETT in place.",
     ["Opacity in the right lower zone.", "Left pneumothorax.", "Endotracheal tube in place."],
     ["No pneumothorax."]),
    ("Mod b/l effs w/o PTX.", ["Moderate bilateral pleural effusions.", "No pneumothorax."], []),
    ("Suspected LUL nodule.", ["Possible nodule in the left upper zone."], ["Nodule in"]),
    ("No change in the small left effusion.", ["Small left pleural effusion."], []),
    ("Left effuson. Cardiomegally.",
     ["Left pleural effusion.", "The cardiac silhouette is enlarged."], []),
    ("Bilateral effusions. Large left effusion.",
     ["Large left pleural effusion. Right pleural effusion."], ["bilateral"]),
    ("FINDINGS: Left effusion. IMPRESSION: Right effusion.",
     ["Left pleural effusion."], ["Right pleural effusion", "bilateral"]),
    ("FINDINGS: Effusion. IMPRESSION: Small right effusion.",
     ["Small right pleural effusion."], []),
    ("FINDINGS: The lungs are clear. IMPRESSION: Right lower lobe consolidation.",
     ["Consolidation in the right lower zone."], ["No focal consolidation."]),
    ("INDICATION: Rule out pneumothorax. FINDINGS: Heart size is normal.",
     ["No pneumothorax.", "The cardiac silhouette is not enlarged."], ["Pneumothorax."]),
    ("No large effusion. Small right effusion.", ["Small right pleural effusion."], ["No pleural"]),
    ("The heart size cannot be assessed. Left effusion.",
     ["Left pleural effusion."], ["cardiac silhouette"]),
    ("Degenerative changes of the spine. Old clavicle fracture.",
     ["No pleural effusion."], ["Scoliosis", "Rib fracture", "No displaced fracture."]),
    ("Right lower lobe pneumonia.", ["No pleural effusion."], ["pneumonia", "No focal consol"]),
    ("There is a linggular infiltrate.", ["Opacity in the left mid zone."], ["Opacity."]),
]  # fmt: skip
CHINESE = [
    ("左侧少量胸腔积液。", ["左侧少量胸腔积液。"], ["未见胸腔积液。"]),
    ("心肺膈未见明显异常。", ["未见气胸。", "未见胸腔积液。"], []),
    ("右下肺野见结节影，左侧气胸，气管插管在位。",
     ["右下肺野结节。", "左侧气胸。", "气管插管在位。"], ["未见气胸。"]),
    ("左侧肋隔角变钝。纵膈增宽。", ["左侧胸腔积液。", "纵隔增宽。"], ["纵隔未见增宽。"]),
    ("病史：气胸？所见：心影增大。印象：心影增大。", ["心影增大。", "未见气胸。"], ["心影不大。"]),
    ("所见：左侧胸腔积液。结论：右侧胸腔积液。", ["左侧胸腔积液。"], ["右侧"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said", "unsaid", "language"),
    [(*row, "en") for row in ENGLISH] + [(*row, "zh") for row in CHINESE],
)
def test_free_text_becomes_canonical(
    raw: str, said: list[str], unsaid: list[str], language: Language
) -> None:
    normalized = normalize_report(raw, language)
    for words in said:
        assert words in normalized.findings
    for words in unsaid:
        assert words not in normalized.findings
    for start, end in split_sentences(normalized.findings):
        assert is_canonical(normalized.findings[start:end], language)
    assert check_normalization(raw, normalized.report, language) == ()


def test_interpretation_goes_to_the_impression_only() -> None:
    normalized = normalize_report("Left lower lobe opacity, may represent pneumonia.", "en")
    assert "neumonia" not in normalized.findings
    assert normalized.impression == "Opacity in the left lower zone. Possible pneumonia."


def test_account_names_what_was_implied_overruled_and_left_out() -> None:
    normalized = normalize_report(
        "FINDINGS: Left effusion. Follow-up in two weeks. IMPRESSION: Right effusion.", "en"
    )
    assert {s.concept for s in normalized.implied} == set(DENIED) - {"pleural_effusion"}
    assert [(s.concept, s.side) for s in normalized.overruled] == [("pleural_effusion", "right")]
    assert normalized.not_carried == ("Follow-up in two weeks.",)


def test_more_markings_are_left_out_and_named() -> None:
    normalized = normalize_report("两肺纹理增多、紊乱。心影增大。", "zh")
    assert [s.concept for s in normalized.statements] == ["cardiomegaly"]
    assert normalized.not_carried == ("两肺纹理增多、紊乱。",)


def test_a_suggestion_as_heading_opens_the_impression() -> None:
    normalized = normalize_report("右肺斑片影。影像提示：右肺结节。", "zh")
    assert {s.concept: s.status for s in normalized.statements} == {
        "opacity": "present",
        "nodule": "present",
    }


@pytest.mark.parametrize("raw", ["", "See CT.", "INDICATION: Pneumothorax?"])
def test_report_that_says_nothing_is_refused(raw: str) -> None:
    with pytest.raises(NothingStated):
        normalize_report(raw, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_stays_a_refusal(language: Language) -> None:
    refusal = compose_refusal(language)
    normalized = normalize_report(refusal, language)
    assert normalized.report == refusal
    assert normalized.statements == normalized.implied == ()
    assert check_normalization("No effusion.", refusal, "en") != () or language == "zh"


seen = [c.name for c in CONCEPTS if c.name != "pneumonia"]  # an interpretation is moved
statements = st.builds(
    lambda *slots: express_statement(Statement(*slots)),
    st.sampled_from(seen),
    st.sampled_from(["present", "uncertain", "absent"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)
cases = st.lists(statements, max_size=7, unique_by=lambda s: s.concept)
languages = st.sampled_from(LANGUAGES)


@settings(max_examples=150, deadline=None)
@given(cases, languages)
def test_canonical_reports_are_left_as_they_are(case: list[Statement], language: Language) -> None:
    report = compose_report(case, language)
    normalized = normalize_report(report, language)
    assert normalized.report == report
    assert normalized.implied == normalized.overruled == ()


@settings(max_examples=150, deadline=None)
@given(st.lists(statements, max_size=7), languages, st.integers(0, 10**9))
def test_normalised_prose_never_contradicts_itself(
    case: list[Statement], language: Language, seed: int
) -> None:
    raw = write_raw_report(case, language, random.Random(seed))
    try:
        normalized = normalize_report(raw, language)
    except NothingStated:
        assert not case
        return
    assert find_contradictions(normalized.findings, normalized.impression, language) == ()
    assert normalize_report(normalized.report, language).report == normalized.report


@settings(max_examples=100, deadline=None)
@given(
    st.lists(statements.filter(lambda s: s.status != "absent"), min_size=1, max_size=5,
             unique_by=lambda s: s.concept),
    languages,
    st.data(),
)  # fmt: skip
def test_check_finds_a_planted_error(
    case: list[Statement], language: Language, data: st.DataObject
) -> None:
    raw = compose_report(case, language)
    assert check_normalization(raw, raw, language) == ()
    rest = list(case)
    victim = rest.pop(data.draw(st.integers(0, len(case) - 1)))
    free = [name for name in seen if name not in {s.concept for s in case}]
    assert check_normalization(raw, compose_report(rest, language), language) != ()
    invented = Statement(data.draw(st.sampled_from(free)), "present")
    assert check_normalization(raw, compose_report([*case, invented], language), language) != ()
    flipped = replace(victim, side="right" if victim.side == "left" else "left")
    if victim.side is not None and express_statement(flipped) == flipped:
        wrong = compose_report([*rest, flipped], language)
        problems = check_normalization(raw, wrong, language)
        assert any("side" in problem for problem in problems)


def test_check_asks_for_every_region() -> None:
    raw = "Small left effusion."
    report = normalize_report(raw, "en").report
    denial = word_statement("pneumothorax", "absent")
    assert check_normalization(raw, report.replace(f"{denial} ", ""), "en") == (
        "not explicit: pneumothorax",
    )
