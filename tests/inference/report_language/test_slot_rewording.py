"""Another side, zone or degree changes its word, and nothing else the text says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.report_language import (
    CannotRewrite,
    Statement,
    compose_report,
    extract_statements,
)
from inference.report_language.rewriting import restate_statement, withdraw_statement
from inference.report_language.slots import MEASURES, express_statement
from inference.report_language.statements import LANGUAGES, Language
from inference.report_language.template import SEVERITIES, SIDES, ZONES
from inference.report_language.vocabulary import CONCEPT_BY_NAME

SMALL_LEFT = "Small left pleural effusion, unchanged since May."


def restate(text: str, language: Language = "en", number: int = 0, **slot: Any) -> str:
    said = extract_statements(text, language)[number]
    return restate_statement(text, said, replace(said, **slot), language)


@pytest.mark.parametrize(
    ("before", "slot", "after"),
    [
        (SMALL_LEFT, {"side": "right"}, "Small right pleural effusion, unchanged since May."),
        (SMALL_LEFT, {"side": "bilateral"},
         "Small bilateral pleural effusion, unchanged since May."),
        (SMALL_LEFT, {"side": None}, "Small pleural effusion, unchanged since May."),
        (SMALL_LEFT, {"severity": "large"}, "Large left pleural effusion, unchanged since May."),
        (SMALL_LEFT, {"severity": None}, "Left pleural effusion, unchanged since May."),
        ("There is an opacity in the right lower lobe.", {"severity": "small"},
         "There is a small opacity in the right lower lobe."),
        ("There is a small opacity.", {"severity": None}, "There is an opacity."),
        ("There is an opacity in the right lower lobe.", {"zone": "upper"},
         "There is an opacity in the right upper lobe."),
        ("There is an opacity in the right lower lobe.", {"zone": "mid"},
         "Opacity in the right mid zone."),
        ("Opacity in the right middle lobe.", {"side": "left"}, "Opacity in the left mid zone."),
        ("Left pleural effusion.", {"side": "bilateral"}, "Bilateral pleural effusions."),
        ("The heart is mildly enlarged.", {"severity": "marked"},
         "The heart is markedly enlarged."),
        ("The cardiac silhouette is enlarged.", {"severity": "mild"},
         "The cardiac silhouette is mildly enlarged."),
        ("Right PICC with its tip in the cava.", {"side": "left"},
         "Left PICC with its tip in the cava."),
    ],
)  # fmt: skip
def test_slot_changes_its_word(before: str, slot: dict[str, Any], after: str) -> None:
    assert restate(before, **slot) == after


@pytest.mark.parametrize(
    ("before", "slot", "after"),
    [
        ("左侧少量胸腔积液，较前增多。", {"side": "right"}, "右侧少量胸腔积液，较前增多。"),
        ("左侧少量胸腔积液，较前增多。", {"severity": "large"}, "左侧大量胸腔积液，较前增多。"),
        ("左侧少量胸腔积液，较前增多。", {"severity": None}, "左侧胸腔积液，较前增多。"),
        ("左下肺野小结节。", {"zone": "upper"}, "左上肺野小结节。"),
        ("左侧胸腔积液。", {"severity": "small"}, "左侧少量胸腔积液。"),
    ],
)
def test_chinese_slot_changes_its_word(before: str, slot: dict[str, Any], after: str) -> None:
    assert restate(before, "zh", **slot) == after


def test_neighbour_in_the_sentence_keeps_its_side() -> None:
    text = "Small left pleural effusion and left lower lobe atelectasis."
    assert restate(text, number=0, side="right") == text.replace("left pleural", "right pleural")
    assert restate(text, number=1, side="right") == text.replace("left lower", "right lower")


def test_what_reports_do_not_say_is_refused() -> None:
    with pytest.raises(CannotRewrite) as refused:
        restate("The heart is mildly enlarged.", side="left")
    assert refused.value.code == "unsaid"
    assert refused.value.concepts == ("cardiomegaly",)


statements = st.builds(
    Statement,
    st.sampled_from([name for name in CONCEPT_BY_NAME]),
    st.sampled_from(["present", "uncertain"]),
    st.sampled_from([None, *SIDES]),
    st.sampled_from([None, *ZONES]),
    st.sampled_from([None, *SEVERITIES]),
)
SLOTS = {"side": SIDES, "zone": ZONES, "severity": SEVERITIES}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(statements, min_size=1, max_size=4), st.data(), st.sampled_from(LANGUAGES))
def test_no_other_statement_changes(
    case: list[Statement], data: st.DataObject, language: Language
) -> None:
    text = compose_report(case, language)
    said = extract_statements(text, language)
    statement = data.draw(st.sampled_from([s for s in said if s.status != "absent"] or said))
    slot = data.draw(st.sampled_from(sorted(SLOTS)))
    slots: dict[str, Any] = {slot: data.draw(st.sampled_from((None, *SLOTS[slot])))}
    wanted = replace(statement, **slots)
    try:
        after = extract_statements(restate_statement(text, statement, wanted, language), language)
    except CannotRewrite:
        return
    changed = Counter(map(_key, said)) - Counter(map(_key, after))
    became = Counter(map(_key, after)) - Counter(map(_key, said))
    assert sum(changed.values()) == sum(became.values()) <= 1
    if became:
        assert set(became) <= {_key(wanted), _key(express_statement(wanted))}
        assert slot != "severity" or statement.concept in MEASURES


def _key(statement: Statement) -> tuple[str | None, ...]:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


@pytest.mark.parametrize(
    ("text", "number", "rest"),
    [
        ("No pneumothorax.", 0, ""),
        ("No effusion, pneumothorax, or consolidation.", 1, "No effusion or consolidation."),
        ("Small left effusion; no pneumothorax.", 1, "Small left effusion."),
        ("No mass. Stable.", 0, "Stable."),
    ],
)
def test_withdrawn_statement_leaves_the_others(text: str, number: int, rest: str) -> None:
    assert withdraw_statement(text, extract_statements(text)[number]) == rest


def test_statement_that_shares_its_words_is_not_withdrawn() -> None:
    text = "Worsening opacity may be pneumonia."
    with pytest.raises(CannotRewrite) as refused:
        withdraw_statement(text, extract_statements(text)[1])
    assert refused.value.code == "entangled"


def test_normality_withdrawn_in_part_leaves_its_other_denials() -> None:
    text = "The lungs are clear."
    said = extract_statements(text)
    assert {s.concept for s in said} == {"consolidation", "opacity"}
    assert withdraw_statement(text, said[0]) == "No focal opacity."
