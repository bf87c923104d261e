"""Every change to a report: what it marks, who is told, and that a signed one refuses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import (
    Edit,
    ReportSigned,
    ReportState,
    Sentence,
    report_text,
    state_from_json,
    state_to_json,
)

FINDINGS = "The thorax is symmetric. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."


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
