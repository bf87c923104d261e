"""What a sentence of Chinese report prose states (every sentence here is our own)."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CONCEPTS, Concept, Language, extract_statements
from inference.report_language.lexicon_zh import PREDICATES, STRUCTURES
from inference.report_language.triggers_zh import TRIGGERS_ZH


def read(text: str) -> list[tuple[str, str]]:
    return [(s.concept, s.status) for s in extract_statements(text, "zh")]


@pytest.mark.parametrize(
    ("sentence", "concept", "status", "rule"),
    [
        # Pseudo-negation: the finding is there and has not changed.
        ("左侧胸腔积液较前无明显变化。", "pleural_effusion", "present", "pseudo-negation:较前无"),
        ("右侧胸腔积液未见明显吸收。", "pleural_effusion", "present", "pseudo-negation:未见"),
        ("右侧气胸较前片未见明显变化。", "pneumothorax", "present", "pseudo-negation"),
        ("右侧胸腔积液较前略增多。", "pleural_effusion", "present", "positive"),
        ("左下肺炎症较前好转。", "pneumonia", "present", "positive"),
        ("左侧胸腔积液明显减少。", "pleural_effusion", "present", "positive"),
        # Denials before and after the term.
        ("未见气胸。", "pneumothorax", "absent", "negation:未见"),
        ("未见明显胸腔积液。", "pleural_effusion", "absent", "negation:未见明显"),
        ("双侧胸腔未见积液征象。", "pleural_effusion", "absent", "negation:未见"),
        ("无胸水。", "pleural_effusion", "absent", "negation:无"),
        ("气胸：未见。", "pneumothorax", "absent", "post-negation:未见"),
        ("气胸已吸收。", "pneumothorax", "absent", "post-negation:已吸收"),
        ("右侧气胸，已完全吸收。", "pneumothorax", "absent", "post-negation:已完全吸收"),
        ("右侧胸腔引流管已拔除。", "chest_tube", "absent", "post-negation:已拔除"),
        ("心影未见明显增大。", "cardiomegaly", "absent", "negation:未见明显"),
        ("膈下未见游离气体。", "free_air", "absent", "negation:未见"),
        ("双侧胸膜未见增厚。", "pleural_thickening", "absent", "negation:未见"),
        ("两肺野内未见明显异常密度影。", "opacity", "absent", "negation:未见明显"),
        # Normal states are denials of what would make them abnormal.
        ("心影不大。", "cardiomegaly", "absent", "normality:heart normal"),
        ("心影大小、形态正常。", "cardiomegaly", "absent", "normality:heart normal"),
        ("纵隔及气管居中。", "mediastinal_widening", "absent", "normality"),
        ("两肺纹理清晰、走行自然。", "vascular_congestion", "absent", "normality"),
        ("双侧肋膈角锐利。", "pleural_effusion", "absent", "normality:angles normal"),
        ("两侧膈面光滑。", "diaphragm_elevation", "absent", "normality:diaphragm normal"),
        ("所见骨质未见明显异常。", "fracture", "absent", "normality:bones abnormal"),
        ("肋骨走行自然。", "fracture", "absent", "normality:bones normal"),
        # Doubt, before and after.
        ("疑似右侧少量气胸。", "pneumothorax", "uncertain", "uncertainty:疑似"),
        ("考虑左下肺炎症。", "pneumonia", "uncertain", "uncertainty:考虑"),
        ("右侧少量气胸可能。", "pneumothorax", "uncertain", "uncertainty:可能"),
        ("不除外左侧气胸。", "pneumothorax", "uncertain", "uncertainty:不除外"),
        ("左侧气胸不除外。", "pneumothorax", "uncertain", "uncertainty:不除外"),
        ("不能完全除外气胸。", "pneumothorax", "uncertain", "uncertainty:不能完全除外"),
        ("左侧气胸待排。", "pneumothorax", "uncertain", "uncertainty:待排"),
        ("左侧气胸，待排。", "pneumothorax", "uncertain", "uncertainty:待排"),
        ("肺水肿？", "pulmonary_edema", "uncertain", "uncertainty:？"),
        ("可能无气胸。", "pneumothorax", "uncertain", "uncertainty:可能"),
        ("心影稍饱满。", "cardiomegaly", "uncertain", "uncertainty:heart borderline"),
        # Assertions in other words.
        ("右侧肋膈角变钝。", "pleural_effusion", "present", "positive"),
        ("右膈抬高。", "diaphragm_elevation", "present", "positive"),
        ("气管左偏。", "mediastinal_widening", "present", "positive"),
        ("主动脉弓钙化。", "aortic_atherosclerosis", "present", "positive"),
        ("双肺透亮度增高。", "emphysema", "present", "positive"),
        ("左下肺野见斑片状模糊影。", "opacity", "present", "positive"),
        ("右肺门旁见团块影。", "mass", "present", "positive"),
        ("非钙化结节。", "nodule", "present", "positive"),
        ("右上肺纤维条索影。", "fibrosis", "present", "positive"),
        ("两肺间质纹理增多。", "interstitial_pattern", "present", "positive"),
        ("两肺纹理增多，呈网格状改变。", "interstitial_pattern", "present", "positive"),
        # 符合 states as "consistent with" does, unless it is weighed or denied.
        ("符合肺炎表现。", "pneumonia", "present", "positive"),
        ("基本符合肺水肿表现。", "pulmonary_edema", "present", "positive"),
        ("表现与肺水肿相符。", "pulmonary_edema", "present", "positive"),
        ("较符合肺炎改变。", "pneumonia", "uncertain", "uncertainty:较符合"),
        ("可符合肺水肿表现。", "pulmonary_edema", "uncertain", "uncertainty:可符合"),
        ("不符合肺炎表现。", "pneumonia", "absent", "negation:不"),
        ("与肺水肿不符。", "pulmonary_edema", "absent", "post-negation:不"),
        # 提示 suggests; 示 and 见 state; as a heading it says nothing of its own.
        ("提示右侧气胸。", "pneumothorax", "uncertain", "uncertainty:提示"),
        ("胸片提示左下肺炎。", "pneumonia", "uncertain", "uncertainty:提示"),
        ("胸片示右侧气胸。", "pneumothorax", "present", "positive"),
        ("未提示气胸。", "pneumothorax", "absent", "negation:未提示"),
        ("无肺炎提示。", "pneumonia", "absent", "negation:无"),
        ("提示：右侧气胸。", "pneumothorax", "present", "positive"),
        ("影像提示：右侧气胸。", "pneumothorax", "present", "positive"),
        # Blurred markings are a sign of congestion, among other things.
        ("两肺纹理增粗模糊。", "vascular_congestion", "uncertain", "uncertainty:markings"),
        ("两肺纹理淤血。", "vascular_congestion", "present", "positive"),
    ],
)
def test_sentence_states_one_thing(sentence: str, concept: str, status: str, rule: str) -> None:
    (statement,) = extract_statements(sentence, "zh")
    assert (statement.concept, statement.status) == (concept, status)
    assert statement.rule.startswith(rule)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (
            "未见胸腔积液及气胸。",
            [("pleural_effusion", "absent"), ("pneumothorax", "absent")],
        ),
        (
            "未见明显实变、结节或肿块影。",
            [("consolidation", "absent"), ("nodule", "absent"), ("mass", "absent")],
        ),
        (
            "未见实变，结节，肿块。",
            [("consolidation", "absent"), ("nodule", "absent"), ("mass", "absent")],
        ),
        (
            "胸腔积液、气胸均未见。",
            [("pleural_effusion", "absent"), ("pneumothorax", "absent")],
        ),
        (
            "未见气胸，右侧胸腔积液。",
            [("pneumothorax", "absent"), ("pleural_effusion", "present")],
        ),
        (
            "未见气胸但见少量胸腔积液。",
            [("pneumothorax", "absent"), ("pleural_effusion", "present")],
        ),
        (
            "未见胸腔积液，气胸不除外。",
            [("pleural_effusion", "absent"), ("pneumothorax", "uncertain")],
        ),
        (
            "左下肺斑片影，考虑炎症可能，建议复查。",
            [("opacity", "present"), ("pneumonia", "uncertain")],
        ),
        (
            "右下肺渗出性病变（炎症可能）。",
            [("opacity", "present"), ("pneumonia", "uncertain")],
        ),
        (
            "1、心影增大；2、两肺未见实变；",
            [("cardiomegaly", "present"), ("consolidation", "absent")],
        ),
        (
            "心、肺、膈未见明显异常。",
            [
                ("cardiomegaly", "absent"),
                ("consolidation", "absent"),
                ("opacity", "absent"),
                ("diaphragm_elevation", "absent"),
            ],
        ),
        (
            "两侧肋膈角及两侧膈肌尚可。",
            [("pleural_effusion", "absent"), ("diaphragm_elevation", "absent")],
        ),
        (
            "除右侧少量胸腔积液外，心影不大。",
            [("pleural_effusion", "present"), ("cardiomegaly", "absent")],
        ),
        (
            "心影增大,两肺淤血.建议复查.",
            [("cardiomegaly", "present"), ("vascular_congestion", "present")],
        ),
        (
            "气管插管在位，末端位于隆突上约4cm；右侧PICC置管术后。",
            [("endotracheal_tube", "present"), ("picc", "present")],
        ),
        (
            "未见实变，胸骨金属缝线影，未见肺水肿。",
            [
                ("consolidation", "absent"),
                ("sternal_wires", "present"),
                ("pulmonary_edema", "absent"),
            ],
        ),
        (
            "未见气管插管，胃管。",
            [("endotracheal_tube", "absent"), ("gastric_tube", "absent")],
        ),
        (
            "左肺斑片影，余肺野清晰。",
            [("opacity", "present")],
        ),
    ],
)
def test_text_states_several_things(text: str, stated: list[tuple[str, str]]) -> None:
    assert read(text) == stated


@pytest.mark.parametrize(
    "text",
    [
        "",
        "。",
        "两侧胸廓对称。",
        # More bronchovascular markings are no interstitial disease, nor is their absence stated.
        "两肺纹理增多、紊乱。",
        "双肺纹理增粗。",
        "两肺纹理未见增多。",
        "支气管血管束增粗。",
        "心肺未见急性异常。",
        "非正位胸部X光片。不予报告。",
        "与前片比较无明显变化。",
        "肺炎病史。",
        "气胸复查。",
        "明确有无骨折。",
        "心包积液。心包未见积液。",
        "皮下气肿。右侧胸壁皮下积气。",
        "纵隔未见积气。",
        "左心室增大。",
        "左侧乳头影。",
        "边缘不规则。",
        "胸部侧位片。",
        "请结合临床，建议CT检查。",
    ],
)
def test_text_that_states_nothing_about_our_concepts(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("左侧少量胸腔积液。", [("left", None, "small")]),
        ("右侧胸腔见中等量积液。", [("right", None, "moderate")]),
        ("双侧大量胸腔积液。", [("bilateral", None, "large")]),
        ("左侧及右侧胸腔积液。", [("bilateral", None, None)]),
        ("双侧胸腔积液，右侧为著。", [("bilateral", None, None)]),
        ("右侧胸腔积液，少量。", [("right", None, "small")]),
        ("胸腔积液（左侧少量）。", [("left", None, "small")]),
        ("左上肺野小结节。", [("left", "upper", "small")]),
        ("右肺中叶实变。", [("right", "mid", None)]),
        ("左肺尖胸膜增厚。", [("left", "upper", None)]),
        ("两下肺间质性改变。", [("bilateral", "lower", None)]),
        ("右肺中下野大片状密度增高影。", [("right", None, "large")]),
        ("双肺结节，较大者位于右上肺。", [("bilateral", None, None)]),
        ("心影轻度增大。", [(None, None, "mild")]),
        ("左侧膈肌明显抬高。", [("left", None, "marked")]),
        ("两枚结节。", [(None, None, None)]),
        ("纵隔向左侧移位。", [(None, None, None)]),
        (
            "左侧少量胸腔积液及右侧气胸。",
            [("left", None, "small"), ("right", None, None)],
        ),
        ("左下肺实变及不张。", [("left", "lower", None), ("left", "lower", None)]),
        ("左下肺炎。", [("left", "lower", None)]),
        ("右上肺炎症。", [("right", "upper", None)]),
        ("两下肺炎性病变。", [("bilateral", "lower", None)]),
        ("右上肺气肿。", [(None, "upper", None)]),
        ("左上肺结节，考虑炎症。", [("left", "upper", None), ("left", "upper", None)]),
        ("左侧肋膈角钝，心影增大。", [("left", None, None), (None, None, None)]),
        ("右侧未见气胸。", [("right", None, None)]),
        ("双侧未见气胸。", [(None, None, None)]),
    ],
)
def test_side_zone_and_severity_attach_to_their_finding(
    text: str, slots: list[tuple[str | None, str | None, str | None]]
) -> None:
    assert [(s.side, s.zone, s.severity) for s in extract_statements(text, "zh")] == slots


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: str(concept.name))
def test_every_term_names_its_concept_alone_on_a_side_and_denied(concept: Concept) -> None:
    assert concept.label_zh
    assert concept.terms_zh
    for term in concept.terms_zh:
        assert read(f"{term}。") == [(concept.name, "present")], term
        assert read(f"右侧{term}。") == [(concept.name, "present")], term
        assert read(f"未见{term}。") == [(concept.name, "absent")], term


def test_offsets_point_at_the_clause_and_at_the_term() -> None:
    text = "所见： 1、心影不大。 İ未见气胸，但左侧少量 胸腔积液。"
    said = extract_statements(text, "zh")
    assert [text[s.start : s.end] for s in said] == ["心影不大", "İ未见气胸", "左侧少量 胸腔积液"]
    assert [text[s.trigger_start : s.trigger_end] for s in said] == ["心影", "气胸", "胸腔积液"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_of_the_other_language_states_nothing(language: Language) -> None:
    text = "未见气胸。" if language == "en" else "No pneumothorax."
    assert extract_statements(text, language) == ()


def test_mixed_text_is_read_in_the_language_asked_for() -> None:
    text = "No pneumothorax. 未见胸腔积液。Small effusion."
    assert read(text) == [("pleural_effusion", "absent")]
    said = [(s.concept, s.status) for s in extract_statements(text, "en")]
    assert said == [("pneumothorax", "absent"), ("pleural_effusion", "present")]


PATTERNS = [
    *(p for table in (TRIGGERS_ZH, STRUCTURES, PREDICATES) for ps in table.values() for p in ps)
]
WORDS = sorted(
    {term for concept in CONCEPTS for term in concept.terms_zh}
    | {word for pattern in PATTERNS for word in re.findall(r"\w+", pattern)}
    | {
        "左侧",
        "右",
        "双",
        "下肺野",
        "少量",
        "，",
        "、",
        "；",
        "。",
        "（",
        "）",
        "及",
        " ",
        "？",
        "：",
    }
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text(max_size=80))
def test_any_text_is_read_without_error_and_with_offsets_inside_it(text: str) -> None:
    assert all(s.rule for s in extract_statements(text, "en"))
    for said in extract_statements(text, "zh"):
        assert 0 <= said.start <= said.trigger_start < said.trigger_end <= said.end <= len(text)
        assert said.rule
        assert text[said.start : said.end].strip() == text[said.start : said.end]


def test_a_text_without_full_stops_is_read_in_reasonable_time() -> None:
    started = time.process_time()
    extract_statements("未见" + "胸腔积液，心影，" * 2000, "zh")
    assert time.process_time() - started < 10  # quadratic time would take minutes
