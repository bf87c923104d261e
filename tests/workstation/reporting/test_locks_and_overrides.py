"""Locks and overrides: what they keep, how they are stored, that they can be undone."""

from __future__ import annotations

import json

import pytest

from workstation.reporting.check_override import CheckOverride
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit, ReportSigned, state_from_json, state_to_json

OVERRIDE = CheckOverride("contradiction:1,2", "contradiction", "They disagree.", "seen on CT")


def test_a_report_without_locks_is_stored_as_it_was_before_there_were_any(
    report: DraftReport,
) -> None:
    stored = json.loads(state_to_json(report.state))
    assert set(stored) == {"findings", "impression"}
    assert set(stored["findings"][0]) == {"id", "text", "provenance", "confidence", "separator"}


def test_locks_and_overrides_survive_their_json(report: DraftReport) -> None:
    report.set_locked("findings", 2, True)
    report.add_override(OVERRIDE)
    restored = state_from_json(state_to_json(report.state))
    assert restored == report.state
    assert [each.locked for each in restored.findings] == [False, True, False]
    assert restored.overrides == (OVERRIDE,)


def test_locking_is_audited_and_can_be_undone(report: DraftReport) -> None:
    edits: list[Edit] = []
    report.on_edit(edits.append)
    report.set_locked("findings", 2, True)
    report.set_locked("findings", 2, True)  # is locked already
    report.set_locked("findings", 2, False)
    assert [each.kind for each in edits] == ["lock", "unlock"]
    assert edits[0].before == edits[0].after == "No pleural effusion."
    report.undo()
    assert report.state.findings[1].locked
    report.undo()
    assert not report.state.findings[1].locked
    report.redo()
    assert report.state.findings[1].locked


def test_the_readers_own_edits_keep_the_lock(report: DraftReport) -> None:
    report.set_locked("findings", 2, True)
    report.edit_sentence("findings", 2, "Small left pleural effusion.")
    assert report.state.findings[1].locked
    typed = report.state.findings_text.replace("Small left", "Moderate left")
    report.set_section_text("findings", typed)
    assert [each.locked for each in report.state.findings] == [False, True, False]


def test_an_override_of_the_same_check_replaces_the_one_before(report: DraftReport) -> None:
    edits: list[Edit] = []
    report.on_edit(edits.append)
    report.add_override(OVERRIDE)
    second = CheckOverride(OVERRIDE.key, OVERRIDE.rule, OVERRIDE.message, "asked the referrer")
    report.add_override(second)
    assert report.state.overrides == (second,)
    assert (edits[1].kind, edits[1].before, edits[1].after) == (
        "override", "seen on CT", "asked the referrer",
    )  # fmt: skip


def test_undoing_an_override_is_told_so_that_it_is_saved(report: DraftReport) -> None:
    report.add_override(OVERRIDE)
    edits: list[Edit] = []
    report.on_edit(edits.append)
    report.undo()
    assert report.state.overrides == ()
    assert [(each.kind, each.before, each.after) for each in edits] == [
        ("undo", OVERRIDE.reason, "")
    ]


def test_a_signed_report_takes_neither(report: DraftReport) -> None:
    report = DraftReport(report.state, signed=True)
    with pytest.raises(ReportSigned):
        report.set_locked("findings", 2, True)
    with pytest.raises(ReportSigned):
        report.add_override(OVERRIDE)


@pytest.mark.parametrize("stored", ['"yes"', "1", "null"])
def test_a_lock_that_is_no_truth_value_is_no_stored_report(stored: str) -> None:
    sentence = '{"id":1,"text":"a","provenance":"ai","confidence":null,"locked":LOCKED}'
    text = '{"findings":[SENTENCE],"impression":[]}'.replace("SENTENCE", sentence)
    with pytest.raises(ValueError, match="not a stored sentence"):
        state_from_json(text.replace("LOCKED", stored))
