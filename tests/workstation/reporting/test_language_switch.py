"""A report in the other language: the same statements, and what is not understood is left."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from inference.report_language import (
    CONCEPTS,
    Statement,
    compose_findings,
    compose_impression,
    extract_statements,
)
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.language_switch import switch_language, switch_with
from workstation.reporting.report_state import SECTIONS, Edit, ReportState

EFFUSION = Statement("pleural_effusion", "present", "left", None, "small")


def drafted(findings: str, impression: str = "", language: str = "en") -> DraftReport:
    report = DraftReport()
    report.set_from_draft(findings, impression, language=language)  # type: ignore[arg-type]
    return report


def meaning(state: ReportState) -> Counter[tuple[object, ...]]:
    return Counter(
        (section, each.concept, each.status, each.side, each.zone, each.severity)
        for section in SECTIONS
        for sentence in state.sentences(section)
        for each in extract_statements(sentence.text, state.language)
    )


@pytest.mark.parametrize("seed", range(12))
def test_any_templated_report_goes_over_whole_and_back_to_the_letter(seed: int) -> None:
    dice = random.Random(seed)
    said = [
        Statement(
            each.name,
            dice.choice(["present", "uncertain"]),  # type: ignore[arg-type]
            dice.choice([None, "left", "right"]),  # type: ignore[arg-type]
            dice.choice([None, "upper", "lower"]),  # type: ignore[arg-type]
            dice.choice([None, "small", "moderate"]),  # type: ignore[arg-type]
        )
        for each in dice.sample(CONCEPTS, 4)
    ]
    state = drafted(compose_findings(said), compose_impression(said)).state
    over = switch_language(state, "zh")
    assert over.left == ()
    assert meaning(over.state) == meaning(state)
    assert over.state.findings_text == compose_findings(said, "zh")
    back = switch_language(over.state, "en").state
    assert (back.findings_text, back.impression_text) == (
        state.findings_text, state.impression_text,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "switched"),
    [
        ("There is a small left pleural effusion.", "左侧少量胸腔积液。"),
        ("Small left pleural effusion, new since Monday.", None),
        ("Small left pleural effusion of 3 mm.", None),
        ("No change in the small left pleural effusion.", None),
        ("Please correlate clinically.", None),
    ],
)
def test_only_what_is_understood_whole_is_rewritten(text: str, switched: str | None) -> None:
    over = switch_language(drafted(text).state, "zh")
    assert over.state.findings_text == (switched or text)
    assert [each.text for each in over.left] == ([] if switched else [text])


def test_locked_sentences_are_left_byte_for_byte_and_named() -> None:
    report = drafted(compose_findings([EFFUSION]))
    report.set_locked("findings", 2, True)
    locked = report.state.findings[1]
    over = switch_language(report.state, "zh")
    assert over.left == (locked,)
    assert over.state.findings[1] == locked


def test_it_is_one_undo_step_and_audited_with_the_old_text() -> None:
    report = drafted(compose_findings([EFFUSION]), compose_impression([EFFUSION]))
    before = report.state
    edits: list[Edit] = []
    report.on_edit(edits.append)
    report.change_state("language", switch_with("zh"))
    assert report.language == "zh"
    assert {each.provenance for each in report.state.findings} == {"edited"}
    assert [(each.kind, each.section) for each in edits] == [
        ("language", "findings"),
        ("language", "impression"),
    ]
    assert edits[0].before == before.findings_text
    report.undo()
    assert report.state == before
