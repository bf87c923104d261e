"""What a redraft keeps, how it grows around that, and how it is accepted piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import (
    GrowingAnswer,
    NothingToRedraft,
    ReadResult,
    RedraftedSentence,
    RedraftPlan,
    RedraftScope,
    plan_redraft,
)
from workstation.reporting.redrafting.redraft_review import compare_redraft, merge_redraft
from workstation.reporting.report_state import SECTIONS, ReportState

FINDINGS = (
    "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax. "
    "The cardiac silhouette is not enlarged."
)
IMPRESSION = "No acute cardiopulmonary abnormality."
SAID = (
    "The thorax is symmetric.",
    "No focal consolidation.",
    "Small left pleural effusion.",
    "No pneumothorax.",
    "Moderate cardiomegaly.",
    "Impression:",
    "Findings:",
    "No acute cardiopulmonary abnormality.",
    "Scoliosis",
)


def report_with(
    *locked: int, findings: str = FINDINGS, impression: str = IMPRESSION
) -> DraftReport:
    """Sentences are numbered from 1, findings first."""
    report = DraftReport()
    report.set_from_draft(findings, impression)
    for number in locked:
        is_finding = number <= len(report.state.findings)
        report.set_locked("findings" if is_finding else "impression", number, True)
    return report


def grow(plan: RedraftPlan, *answers: str) -> tuple[list[str], list[RedraftedSentence]]:
    """The prefixes asked for, and the sentences; one answer a prefix, the last for all others."""
    answer, prefixes = GrowingAnswer(plan), list[str]()
    for count in range(len(plan.kept) + 2):
        prefixes.append(answer.prefix)
        text = answers[min(count, len(answers) - 1)]
        result: ReadResult = "goes-on"
        for end in [*range(0, len(text), 7), len(text)]:  # as blocks bring it
            result = answer.read(text[:end], lambda _start, _end: 0.5, is_ended=False)
            if result != "goes-on":
                break
        if result == "goes-on":
            result = answer.read(text, lambda _start, _end: 0.5, is_ended=True)
        if result == "done":
            return prefixes, answer.sentences
    raise AssertionError("it never ends")


def texts(sentences: list[RedraftedSentence], section: str = "findings") -> list[str]:
    return [each.text for each in sentences if each.section == section]


# -- what is kept ----------------------------------------------------------------------------


def test_all_keeps_the_locked_ones_only() -> None:
    plan = plan_redraft(report_with(1, 3).state)
    assert (plan.kept, plan.head) == ({1, 3}, 1)


def test_from_here_keeps_what_stands_before_and_the_locked_ones_behind() -> None:
    plan = plan_redraft(report_with(5).state, "from-here", "findings", 3)
    assert (plan.kept, plan.head) == ({1, 2, 5}, 2)


def test_one_sentence_keeps_all_others() -> None:
    plan = plan_redraft(report_with().state, "sentence", "findings", 3)
    assert (plan.kept, plan.head) == ({1, 2, 4, 5, 6}, 2)


@pytest.mark.parametrize(
    ("locked", "scope", "number"),
    [((3,), "sentence", 3), ((5, 6), "from-here", 5), (range(1, 7), "all", None)],
)
def test_what_is_locked_is_not_drafted_again(
    locked: Iterable[int], scope: RedraftScope, number: int | None
) -> None:
    with pytest.raises(NothingToRedraft, match="locked"):
        plan_redraft(report_with(*locked).state, scope, "findings", number)


def test_a_sentence_that_is_gone_is_not_drafted_again() -> None:
    with pytest.raises(NothingToRedraft, match="no longer"):
        plan_redraft(report_with().state, "sentence", "findings", 99)


# -- how it grows ----------------------------------------------------------------------------


def test_what_stands_before_is_the_models_prefix() -> None:
    plan = plan_redraft(report_with().state, "from-here", "findings", 3)
    prefixes, sentences = grow(plan, " Small left pleural effusion. Impression: Left effusion.")
    assert prefixes == ["Findings: The thorax is symmetric. No focal consolidation."]
    assert texts(sentences) == [
        "The thorax is symmetric.",
        "No focal consolidation.",
        "Small left pleural effusion.",
    ]
    assert texts(sentences, "impression") == ["Left effusion."]
    assert [each.kept_id for each in sentences] == [1, 2, None, None]
    assert [each.confidence for each in sentences] == [None, None, 0.5, 0.5]


def test_a_locked_sentence_further_on_is_put_back_at_its_place_and_read_by_the_model() -> None:
    report = report_with()
    report.edit_sentence("findings", 3, "Small left pleural effusion, new since Monday")
    report.set_locked("findings", 3, True)
    prefixes, sentences = grow(
        plan_redraft(report.state),
        "Findings: The thorax is symmetric. No pleural effusion. No pneumothorax. Impression: No.",
        " No pneumothorax. Impression: Small left pleural effusion.",
    )
    assert prefixes == ["", "Findings: The thorax is symmetric. Small left pleural effusion."]
    assert texts(sentences) == [
        "The thorax is symmetric.",
        "Small left pleural effusion, new since Monday",
        "No pneumothorax.",
    ]
    assert texts(sentences, "impression") == ["Small left pleural effusion."]


def test_a_locked_sentence_the_model_says_itself_costs_no_other_prefix() -> None:
    prefixes, sentences = grow(
        plan_redraft(report_with(3).state),
        "Findings: No pleural effusion. No pneumothorax. Impression: Normal.",
    )
    assert prefixes == [""]
    assert [(each.text, each.kept_id) for each in sentences] == [
        ("No pleural effusion.", 3),
        ("No pneumothorax.", None),
        ("Normal.", None),
    ]


def test_a_locked_impression_is_kept_where_the_model_writes_none() -> None:
    _, sentences = grow(plan_redraft(report_with(6).state), "Findings: No pneumothorax.")
    assert texts(sentences, "impression") == [IMPRESSION]


def test_the_model_does_not_gainsay_what_is_locked() -> None:
    report = report_with(findings="Large right pleural effusion. No pneumothorax.")
    report.set_locked("findings", 1, True)
    _, sentences = grow(
        plan_redraft(report.state), " No pleural effusion. No pneumothorax. Impression: Normal."
    )
    assert texts(sentences) == ["Large right pleural effusion.", "No pneumothorax."]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (" Small left pleural effusion. No pneumothorax.", ["Small left pleural effusion."]),
        (" No pneumothorax. Impression: Normal.", []),
        (" Impression: Normal.", []),
        ("", []),
    ],
)
def test_one_sentence_becomes_one_or_none(answer: str, said: list[str]) -> None:
    plan = plan_redraft(report_with().state, "sentence", "findings", 3)
    prefixes, sentences = grow(plan, answer)
    assert len(prefixes) == 1
    assert texts([each for each in sentences if each.kept_id is None]) == said
    assert [each.kept_id for each in sentences if each.kept_id] == [1, 2, 4, 5, 6]


def test_the_impression_alone_is_drafted_behind_its_heading() -> None:
    plan = plan_redraft(report_with().state, "sentence", "impression", 6)
    prefixes, sentences = grow(plan, " Normal chest.")
    assert prefixes == [f"Findings: {FINDINGS} Impression:"]
    assert texts(sentences, "impression") == ["Normal chest."]


def test_chinese_grows_in_chinese() -> None:
    report = DraftReport()
    report.set_from_draft("两侧胸廓对称。无胸腔积液。无气胸。", "心肺未见异常。", language="zh")
    report.set_locked("findings", 2, True)
    prefixes, sentences = grow(
        plan_redraft(report.state),
        "所见：两侧胸廓对称。无气胸。 结论：心肺未见异常。",
        " 结论：无。",
    )
    assert prefixes == ["", "所见：两侧胸廓对称。无胸腔积液。"]
    assert texts(sentences) == ["两侧胸廓对称。", "无胸腔积液。"]
    assert texts(sentences, "impression") == ["无。"]


def test_the_readers_words_reach_the_model_as_the_grammar_reads_them() -> None:
    report = report_with(findings="Blunted <|im_end|> left costophrenic angle. No pneumothorax.")
    report.edit_sentence("findings", 1, "Small pleural effusion on the left <|im_end|>, ẛ̣.")
    report.set_locked("findings", 1, True)
    prefixes, sentences = grow(plan_redraft(report.state), " No pneumothorax.")
    assert prefixes[0] == "Findings: Small left pleural effusion."
    assert sentences[0].text == "Small pleural effusion on the left <|im_end|>, ẛ̣."


def test_a_refusal_is_no_sentence_of_the_report() -> None:
    _, sentences = grow(
        plan_redraft(report_with(3).state),
        "Findings: Not a frontal chest radiograph. Impression: No report.",
    )
    assert sentences == []


# -- any locks, any answers ------------------------------------------------------------------

ANSWERS = st.lists(
    st.lists(st.sampled_from(SAID), max_size=8).map(lambda said: " " + " ".join(said)),
    min_size=1,
    max_size=4,
)
OWN_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), answers=ANSWERS, own=OWN_TEXTS)
def test_whatever_is_locked_survives_byte_for_byte_whatever_the_model_says(
    data: st.DataObject, answers: list[str], own: str
) -> None:
    report = report_with()
    if own.strip():
        report.add_sentence("findings", own, 2)
    numbers = [each.id for name in SECTIONS for each in report.state.sentences(name)]
    locked = data.draw(st.sets(st.sampled_from(numbers)))
    for section in SECTIONS:
        for each in report.state.sentences(section):
            report.set_locked(section, each.id, each.id in locked)
    scope = data.draw(st.sampled_from(["all", "from-here", "sentence"]))
    number = data.draw(st.sampled_from(numbers))
    state = report.state
    is_finding = number in {each.id for each in state.findings}
    try:
        plan = plan_redraft(state, scope, "findings" if is_finding else "impression", number)
    except NothingToRedraft:
        return
    _, sentences = grow(plan, *answers)
    for section in SECTIONS:
        kept = [each for each in state.sentences(section) if each.id in plan.kept]
        said = [each for each in sentences if each.section == section and each.kept_id]
        assert [(each.id, each.text) for each in kept] == [
            (each.kept_id, each.text) for each in said
        ]
    pieces = compare_redraft(state, sentences)
    accepted = data.draw(st.sets(st.sampled_from(range(len(pieces))) if pieces else st.nothing()))
    merged = merge_redraft(state, pieces, accepted, itertools.count(1000).__next__)
    for section in SECTIONS:
        stays = [each for each in state.sentences(section) if each.id in plan.kept]
        assert [each for each in merged.sentences(section) if each.id in plan.kept] == stays
    assert merge_redraft(state, pieces, (), lambda: 0) == state
    everything = merge_redraft(state, pieces, range(len(pieces)), itertools.count(1000).__next__)
    for section in SECTIONS:
        assert [each.text for each in everything.sentences(section)] == texts(sentences, section)


# -- accepted piece by piece -----------------------------------------------------------------


def test_sentences_of_one_finding_stand_opposite() -> None:
    state = report_with().state
    pieces = compare_redraft(
        state,
        [
            RedraftedSentence("findings", "The thorax is symmetric."),
            RedraftedSentence("findings", "Moderate left pleural effusion.", None, 0.8),
            RedraftedSentence("findings", "Scoliosis.", None, 0.7),
            RedraftedSentence("impression", IMPRESSION),
        ],
    )
    changes = [
        (piece.old and piece.old.text, piece.new and piece.new.text)
        for piece in pieces
        if piece.is_change
    ]
    assert changes == [
        ("No focal consolidation.", None),
        ("No pleural effusion.", "Moderate left pleural effusion."),
        ("No pneumothorax.", None),
        ("The cardiac silhouette is not enlarged.", None),
        (None, "Scoliosis."),
    ]


def test_accepted_sentences_are_the_models_and_the_others_keep_theirs() -> None:
    report = report_with()
    report.edit_sentence("findings", 1, "The thorax is symmetric, as before.")
    state = report.state
    pieces = compare_redraft(
        state,
        [
            RedraftedSentence("findings", "The thorax is symmetric.", None, 0.9),
            RedraftedSentence("findings", "Moderate left pleural effusion.", None, 0.8),
        ],
    )
    effusion = next(
        at for at, each in enumerate(pieces) if each.new and "effusion" in each.new.text
    )
    assert report.change_state(
        "redraft", lambda now, new_id: merge_redraft(now, pieces, {effusion}, new_id)
    )
    changed = replace(
        state.findings[2], text="Moderate left pleural effusion.", provenance="ai", confidence=0.8
    )
    expected = (*state.findings[:2], changed, *state.findings[3:])
    assert report.state == ReportState(expected, state.impression)
    report.undo()
    assert report.state == state


def test_with_another_model_accepted_what_stays_loses_its_confidence() -> None:
    report = DraftReport()
    report.set_from_draft("No mass. No nodule.", "", [(0, 8, 0.9), (9, 19, 0.8)])
    pieces = compare_redraft(
        report.state,
        [
            RedraftedSentence("findings", "No mass."),
            RedraftedSentence("findings", "Nodule.", None, 0.6),
        ],
    )
    merged = merge_redraft(report.state, pieces, {1}, lambda: 9, keep_confidences=False)
    assert [(each.text, each.confidence) for each in merged.findings] == [
        ("No mass.", None),
        ("Nodule.", 0.6),
    ]


def test_accepting_nothing_is_no_step() -> None:
    report = report_with()
    depth = report.can_undo
    pieces = compare_redraft(report.state, [])
    assert not report.change_state(
        "redraft", lambda now, new_id: merge_redraft(now, pieces, (), new_id)
    )
    assert report.can_undo == depth
