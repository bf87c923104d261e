from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.report_language import CannotRewrite
from workstation.reporting.draft_report import DraftReport, StatementGone
from workstation.reporting.report_state import (
    Edit,
    ReportSigned,
    ReportState,
    Sentence,
    coalesce_edits,
    report_text,
    state_from_json,
    state_to_json,
)
from workstation.reporting.token_confidences import locate_confidences

FINDINGS = "The thorax is symmetric. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    return report


def _marks(report: DraftReport) -> list[tuple[str, str]]:
    return [(sentence.provenance, sentence.text) for sentence in report.state.findings]


def _ids(report: DraftReport) -> list[int]:
    return [sentence.id for sentence in report.state.findings]


def test_draft_is_ai_in_every_sentence(report: DraftReport) -> None:
    assert report.state.findings_text == FINDINGS
    assert report.state.impression_text == IMPRESSION
    sentences = (*report.state.findings, *report.state.impression)
    assert {sentence.provenance for sentence in sentences} == {"ai"}
    assert len({sentence.id for sentence in sentences}) == len(sentences)


def test_sentence_confidence_is_the_mean_of_its_tokens() -> None:
    report = DraftReport()
    tokens = ["No", " mass", ".", " No", " nodule", "."]
    raw = "".join(tokens)
    spans = locate_confidences(raw, raw, tokens, [0.9, 0.6, 0.9, 1.0, 1.0, 0.7])
    report.set_from_draft(raw, "Normal.", spans)
    confidences = [sentence.confidence for sentence in report.state.findings]
    assert confidences == pytest.approx([0.8, 0.9])
    assert report.state.impression[0].confidence is None


def test_token_confidences_are_found_in_their_section() -> None:
    tokens = ["Findings:", " No", " mass.", " Impression:", " No", " mass.", ""]
    raw = "".join(tokens)
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    findings = locate_confidences(raw, "No mass.", tokens, values)
    impression = locate_confidences(raw, "No mass.", tokens, values, last=True)
    assert findings == ((0, 2, 0.2), (2, 8, 0.3))
    assert impression == ((0, 2, 0.5), (2, 8, 0.6))
    assert locate_confidences(raw, "elsewhere", tokens, values) == ()
    assert locate_confidences(raw, "", tokens, values) == ()


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        (
            lambda r: r.edit_sentence("findings", _ids(r)[1], "Small left effusion."),
            [("ai", 0), ("edited", "Small left effusion."), ("ai", 2)],
        ),
        (
            lambda r: r.edit_sentence("findings", _ids(r)[1], "Osteophytes."),
            [("ai", 0), ("edited", "Osteophytes."), ("ai", 2)],
        ),
        (
            lambda r: r.edit_sentence("findings", _ids(r)[1], "No pleural effusion. Clips."),
            [("ai", 0), ("ai", 1), ("human", "Clips."), ("ai", 2)],
        ),
        (lambda r: r.edit_sentence("findings", _ids(r)[1], "  "), [("ai", 0), ("ai", 2)]),
        (lambda r: r.delete_sentence("findings", _ids(r)[0]), [("ai", 1), ("ai", 2)]),
        (
            lambda r: r.add_sentence("findings", "Scoliosis.", 0),
            [("human", "Scoliosis."), ("ai", 0), ("ai", 1), ("ai", 2)],
        ),
        (
            lambda r: r.add_sentence("findings", "Scoliosis."),
            [("ai", 0), ("ai", 1), ("ai", 2), ("human", "Scoliosis.")],
        ),
        (
            lambda r: r.set_section_text("findings", FINDINGS.replace("No pleural", "Left")),
            [("ai", 0), ("edited", "Left effusion."), ("ai", 2)],
        ),
    ],
)
def test_change_marks_its_sentence_and_no_other(
    report: DraftReport,
    change: Callable[[DraftReport], None],
    marks: list[tuple[str, int | str]],
) -> None:
    before = report.state
    drafted = [sentence.text for sentence in before.findings]
    change(report)
    expected = [(mark, drafted[t] if isinstance(t, int) else t) for mark, t in marks]
    assert _marks(report) == expected
    assert report.state.impression == before.impression
    after = report.state
    report.undo()
    assert report.state == before
    report.redo()
    assert report.state == after


def test_edited_human_sentence_stays_human(report: DraftReport) -> None:
    identity = report.add_sentence("impression", "Follow up.")
    report.edit_sentence("impression", identity, "Follow up in a week.")
    last = report.state.impression[-1]
    assert (last.id, last.provenance, last.text) == (identity, "human", "Follow up in a week.")


def test_statements_stand_where_they_say(report: DraftReport) -> None:
    text = report.state.findings_text
    found = [
        (sentence.text, statement.concept, text[statement.start : statement.end])
        for sentence, statement in report.statements("findings")
    ]
    assert [concept for _, concept, _ in found] == ["pleural_effusion", "pneumothorax"]
    assert all(clause.rstrip(".") in sentence for sentence, _, clause in found)


def test_flipped_statement_changes_its_sentence_only(report: DraftReport) -> None:
    before = report.state
    sentence, statement = report.statements("findings")[1]
    report.flip_statement("findings", sentence.id, statement)
    assert report.state.findings[:2] == before.findings[:2]
    flipped = report.state.findings[2]
    assert (flipped.id, flipped.provenance, flipped.confidence) == (sentence.id, "edited", None)
    (_, again) = report.statements("findings")[1]
    assert (again.concept, again.status) == ("pneumothorax", "present")
    assert report.state.impression == before.impression  # never changed behind the reader's back
    report.flip_statement("findings", sentence.id, again)
    assert report.statements("findings")[1][1].status == "absent"
    assert report.state.findings[2].provenance == "edited"
    report.undo()
    report.undo()
    assert report.state == before


def test_flip_of_a_statement_that_has_gone_is_refused(report: DraftReport) -> None:
    sentence, statement = report.statements("findings")[0]
    report.edit_sentence("findings", sentence.id, "Clear angles.")
    with pytest.raises(StatementGone, match="pleural_effusion"):
        report.flip_statement("findings", sentence.id, statement)


def test_flip_that_can_not_be_worded_leaves_the_report(
    report: DraftReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise CannotRewrite("another statement would change")

    monkeypatch.setattr("workstation.reporting.statement_flips.rewrite_statement", refuse)
    before = report.state
    sentence, statement = report.statements("findings")[0]
    with pytest.raises(CannotRewrite):
        report.flip_statement("findings", sentence.id, statement)
    assert report.state == before


def test_observers_hear_every_edit_after_it_happened(report: DraftReport) -> None:
    heard: list[tuple[Edit, str]] = []
    stop = report.on_edit(lambda edit: heard.append((edit, report.state.findings_text)))
    identity = _ids(report)[2]
    report.edit_sentence("findings", identity, "Pneumothorax.")
    report.undo()
    changed = FINDINGS.replace("No pneumothorax.", "Pneumothorax.")
    assert heard == [
        (Edit("edit", "findings", "No pneumothorax.", "Pneumothorax."), changed),
        (Edit("undo", "findings", changed, FINDINGS), FINDINGS),
    ]
    stop()
    report.redo()
    assert len(heard) == 2


def test_redraft_replaces_everything_and_can_be_undone(report: DraftReport) -> None:
    report.add_sentence("findings", "Mine.")
    before = report.state
    heard: list[Edit] = []
    report.on_edit(heard.append)
    report.set_from_draft("No mass.", "Normal.")
    assert [(edit.kind, edit.section) for edit in heard] == [
        ("draft", "findings"),
        ("draft", "impression"),
    ]
    report.undo()
    assert report.state == before


def test_a_draft_leaves_the_impression_the_reader_had_written_before() -> None:
    report = DraftReport()
    report.set_section_text("impression", "Left effusion. Normal heart.")
    before = report.state
    report.set_from_draft("Small left pleural effusion.", "Normal heart. Scoliosis.")
    assert [(each.provenance, each.text) for each in report.state.impression] == [
        ("human", "Left effusion."),
        ("human", "Normal heart."),
        ("ai", "Scoliosis."),
    ]
    report.undo()
    assert report.state == before


def test_typing_is_undone_by_bursts() -> None:
    report = DraftReport()
    for typed in ("N", "No", "No mass."):
        report.set_section_text("findings", typed, merge=True)
    report.set_section_text("findings", "No mass. Clips.")
    report.undo()
    assert report.state.findings_text == "No mass."
    report.undo()
    assert report.state == ReportState()
    assert not report.can_undo
    report.redo()
    assert report.state.findings_text == "No mass."


def test_no_change_is_no_edit(report: DraftReport) -> None:
    heard: list[Edit] = []
    report.on_edit(heard.append)
    report.set_section_text("findings", FINDINGS + " ")
    report.edit_sentence("findings", _ids(report)[0], "The thorax is symmetric.")
    assert heard == []


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.set_from_draft("a.", "b."),
        lambda r: r.edit_sentence("findings", _ids(r)[0], "x."),
        lambda r: r.edit_sentence("findings", _ids(r)[0], ""),
        lambda r: r.add_sentence("findings", "x."),
        lambda r: r.delete_sentence("findings", _ids(r)[0]),
        lambda r: r.flip_statement("findings", *_first_statement(r)),
        lambda r: r.set_section_text("findings", "x."),
        lambda r: r.undo(),
        lambda r: r.redo(),
    ],
)
def test_signed_report_rejects_edits(
    report: DraftReport, change: Callable[[DraftReport], None]
) -> None:
    before = report.state
    report = DraftReport(before, signed=True)
    with pytest.raises(ReportSigned):
        change(report)
    assert report.state == before
    assert not report.can_undo


def _first_statement(report: DraftReport) -> tuple:
    sentence, statement = report.statements("findings")[0]
    return sentence.id, statement


def test_unknown_section_and_sentence_are_refused(report: DraftReport) -> None:
    with pytest.raises(ValueError, match="unknown report section 'history'"):
        report.set_section_text("history", "x")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="no sentence 999"):
        report.edit_sentence("findings", 999, "x.")
    with pytest.raises(ValueError, match="needs a text"):
        report.add_sentence("findings", " \n")


def test_ids_go_on_after_a_restart() -> None:
    report = DraftReport(ReportState(findings=(Sentence(41, "No mass.", "ai"),)))
    assert report.add_sentence("impression", "Normal.") == 42


def test_english_reports_keep_the_bytes_they_had_before_there_were_languages() -> None:
    report = DraftReport()
    report.set_from_draft("No pneumothorax.", "Normal.")
    text = state_to_json(report.state)
    assert set(json.loads(text)) == {"findings", "impression"}
    assert state_from_json(text).language == "en"


def test_chinese_report_is_edited_in_chinese() -> None:
    report = DraftReport()
    report.set_from_draft(
        "未见胸腔积液。未见气胸。", "未见异常。", [(0, 7, 0.9), (7, 12, 0.5)], language="zh"
    )
    assert [sentence.confidence for sentence in report.state.findings] == [0.9, 0.5]
    sentence, statement = report.statements("findings")[1]
    assert report.state.findings_text[statement.trigger_start : statement.trigger_end] == "气胸"
    report.flip_statement("findings", sentence.id, statement)
    report.add_sentence("findings", "心影增大。", 0)
    report.add_sentence("impression", "建议复查。")
    first, *_, last = report.state.findings_text.split("。")[:-1]
    assert (first, report.state.impression_text) == ("心影增大", "未见异常。建议复查。")
    assert "气胸" in last
    assert "未见" not in last
    assert report_text(report.state) == (
        f"所见：{report.state.findings_text}\n结论：未见异常。建议复查。"
    )
    assert state_from_json(state_to_json(report.state)) == report.state
    for _ in range(4):
        report.undo()
    assert report.state.is_blank


def test_only_a_blank_report_takes_another_language() -> None:
    report = DraftReport()
    report.choose_language("zh")
    assert report.language == "zh"
    report.set_section_text("findings", "未见气胸。")
    report.choose_language("en")
    assert report.language == "zh"


def test_state_survives_its_json(report: DraftReport) -> None:
    report.set_section_text("findings", "第一。\n\nNo mass.")
    assert state_from_json(state_to_json(report.state)) == report.state


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings":[{}],"impression":[]}', "null"])
def test_damaged_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        state_from_json(text)


def test_typing_is_coalesced_between_other_edits() -> None:
    edits = [
        Edit("text", "findings", "", "N"),
        Edit("text", "findings", "N", "No"),
        Edit("text", "impression", "", "x"),
        Edit("text", "findings", "No", "No."),
        Edit("add", "findings", "", "Clips."),
        Edit("text", "findings", "No. Clips.", "No."),
    ]
    joined = coalesce_edits(edits)
    assert joined == (Edit("text", "findings", "", "No"), *edits[2:])


_SENTENCES = st.sampled_from(
    ["No mass.", "No pleural effusion.", "The heart is enlarged.", "Clips. Wires.", "x"]
)
_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "add", "delete", "text", "merge", "draft", "flip"]),
        st.sampled_from(["findings", "impression"]),
        st.integers(0, 9),
        st.lists(_SENTENCES, max_size=4).map(" ".join),
    ),
    max_size=12,
)


def _act(report: DraftReport, kind: str, section: str, at: int, text: str) -> None:
    sentences = report.state.sentences(section)  # type: ignore[arg-type]
    chosen = sentences[at % len(sentences)].id if sentences else None
    match kind:
        case "edit" if chosen is not None:
            report.edit_sentence(section, chosen, text)  # type: ignore[arg-type]
        case "delete" if chosen is not None:
            report.delete_sentence(section, chosen)  # type: ignore[arg-type]
        case "add" if text:
            report.add_sentence(section, text, at % (len(sentences) + 1))  # type: ignore[arg-type]
        case "text" | "merge":
            report.set_section_text(section, text, merge=kind == "merge")  # type: ignore[arg-type]
        case "draft":
            report.set_from_draft(text, "Normal.")
        case "flip":
            statements = report.statements(section)  # type: ignore[arg-type]
            if statements:
                sentence, statement = statements[at % len(statements)]
                with suppress(CannotRewrite):
                    report.flip_statement(section, sentence.id, statement)  # type: ignore[arg-type]


@given(_ACTIONS)
@settings(max_examples=60, deadline=None)
def test_undo_all_is_the_beginning_and_redo_all_the_end(actions: list[tuple]) -> None:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    start = DraftReport(report.state)
    initial = start.state
    heard: list[Edit] = []
    start.on_edit(heard.append)
    for action in actions:
        _act(start, *action)
        sentences = (*start.state.findings, *start.state.impression)
        assert len({sentence.id for sentence in sentences}) == len(sentences)
        assert all(sentence.text == sentence.text.strip() for sentence in sentences)
    final = start.state
    assert bool(heard) or final == initial
    while start.can_undo:
        start.undo()
    assert start.state == initial
    while start.can_redo:
        start.redo()
    assert start.state == final


def test_accepted_sentence_stays_the_model_s_until_it_is_edited() -> None:
    report = DraftReport()
    report.set_from_draft("No pneumothorax. No mass.", "")
    first = report.state.findings[0]
    told: list[Edit] = []
    report.on_edit(told.append)
    report.accept_sentence("findings", first.id)
    report.accept_sentence("findings", first.id)
    assert [edit.kind for edit in told] == ["accept"]
    accepted = report.state.findings[0]
    assert accepted.touched_at
    assert accepted == replace(first, accepted=True, touched_at=accepted.touched_at)
    assert state_from_json(state_to_json(report.state)) == report.state
    report.edit_sentence("findings", first.id, "No large pneumothorax.")
    assert not report.state.findings[0].accepted
    report.undo()
    report.undo()
    assert report.state.findings[0] == first


def test_unmarked_sentences_keep_the_bytes_they_had_before_there_were_marks() -> None:
    report = DraftReport()
    report.set_from_draft("No mass.", "")
    assert "accepted" not in state_to_json(report.state)


def test_slot_is_changed_and_a_statement_withdrawn_as_one_step_each() -> None:
    report = DraftReport()
    report.set_from_draft("Small left effusion, unchanged. No mass or nodule.", "")
    sentence, effusion = report.statements("findings")[0]
    report.restate_statement("findings", sentence.id, effusion, replace(effusion, side="right"))
    assert report.state.findings_text.startswith("Small right effusion, unchanged.")
    assert report.state.findings[0].provenance == "edited"
    sentence, mass = report.statements("findings")[1]
    report.withdraw_statement("findings", sentence.id, mass)
    assert report.state.findings_text.endswith("No nodule.")
    sentence, nodule = report.statements("findings")[1]
    report.withdraw_statement("findings", sentence.id, nodule)
    assert len(report.state.findings) == 1
    for _ in range(3):
        report.undo()
    assert report.state.findings_text == "Small left effusion, unchanged. No mass or nodule."


@pytest.mark.parametrize("ask", ["flip", "restate"])
@pytest.mark.parametrize(
    "text", ["Small nodule in the left upper zone.", "Calcified granuloma, left mid zone, 14 mm."]
)
def test_sentence_flipped_back_says_again_what_it_said(text: str, ask: str) -> None:
    report = DraftReport()
    report.set_from_draft(text, "")

    def turn() -> None:
        sentence, said = report.statements("findings")[0]
        if ask == "flip":
            report.flip_statement("findings", sentence.id, said)
        else:
            other = "present" if said.status == "absent" else "absent"
            report.restate_statement("findings", sentence.id, said, replace(said, status=other))

    turn()
    denied = report.state.findings_text
    assert [said.status for _, said in report.statements("findings")] == ["absent"]
    turn()
    assert report.state.findings_text == text
    turn()
    assert report.state.findings_text == denied
    report.edit_sentence("findings", report.state.findings[0].id, "No nodule or granuloma today.")
    turned = report.statements("findings")[0]
    report.flip_statement("findings", turned[0].id, turned[1], "uncertain")
    assert text not in report.state.findings_text
