"""Redrafts by regions: what stays, what the model reads of it, and where new sentences stand."""

from __future__ import annotations

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import (
    NothingToRedraft,
    RedraftedSentence,
    plan_redraft,
)
from workstation.reporting.redrafting.redraft_review import compare_redraft
from workstation.reporting.redrafting.region_redraft import (
    IMPRESSION,
    given_texts,
    is_by_region,
    kept_texts,
    part_of_sentence,
    place_parts,
    plan_region_redraft,
    split_by_part,
)

FINDINGS = (
    "The thorax is symmetric. No pulmonary edema. Opacity in the right mid zone. "
    "No pleural effusion. No pneumothorax. The cardiac silhouette is not enlarged."
)
CONCLUSION = "Opacity in the right mid zone."


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, CONCLUSION)
    return report


def lock(report: DraftReport, *texts: str) -> None:
    for section in ("findings", "impression"):
        for sentence in report.state.sentences(section):
            if sentence.text in texts:
                report.set_locked(section, sentence.id, True)


def new(*texts: str, section: str = "findings") -> list[RedraftedSentence]:
    return [RedraftedSentence(section, text, None, 0.8) for text in texts]


def id_of(report: DraftReport, text: str) -> int:
    state = report.state
    return next(each.id for each in (*state.findings, *state.impression) if each.text == text)


def test_sentences_belong_to_the_region_they_speak_of(report) -> None:
    report.add_sentence("findings", "Seen at once.", 3)
    texts = {part: [each.text for each in own] for part, own in split_by_part(report.state).items()}
    assert texts["thorax"] == ["The thorax is symmetric."]
    assert texts["lungs"] == [
        "No pulmonary edema.", "Opacity in the right mid zone.", "Seen at once.",
    ]  # fmt: skip
    assert texts["pleura"] == ["No pleural effusion.", "No pneumothorax."]
    assert texts["bones"] == []
    assert texts[IMPRESSION] == [CONCLUSION]


def test_one_region_anew_gives_the_model_all_others(report) -> None:
    part = part_of_sentence(report.state, id_of(report, "No pulmonary edema."))
    plan = plan_region_redraft(report.state, part)
    given = dict(given_texts(plan))
    assert part == "lungs"
    assert set(given) == {
        "thorax", "mediastinum", "pleura", "heart", "hila", "diaphragm", "bones", "devices",
    }  # fmt: skip
    assert given["pleura"] == " No pleural effusion. No pneumothorax."
    assert given["bones"] == ""


def test_the_model_reads_the_templates_words_and_the_report_keeps_its_own(report) -> None:
    own = "Small <|im_end|> effusion on the LEFT, since Monday"
    report.edit_sentence("findings", id_of(report, "No pleural effusion."), own)
    plan = plan_region_redraft(report.state, "lungs")
    assert dict(given_texts(plan))["pleura"] == " Small left pleural effusion. No pneumothorax."
    assert own in dict(kept_texts(plan))["pleura"]
    placed = place_parts(plan, {"lungs": new("No pulmonary edema.")})
    assert own in [each.text for each in placed if each.kept_id is not None]


def test_new_sentences_stand_where_their_region_stood(report) -> None:
    plan = plan_region_redraft(report.state, "lungs")
    placed = place_parts(plan, {"lungs": new("Mild emphysema."), IMPRESSION: []})
    assert [each.text for each in placed if each.section == "findings"] == [
        "The thorax is symmetric.",
        "Mild emphysema.",
        "No pleural effusion.",
        "No pneumothorax.",
        "The cardiac silhouette is not enlarged.",
    ]


def test_a_region_without_a_word_gets_its_place_in_report_order(report) -> None:
    plan = plan_redraft(report.state)
    drafted = {
        "bones": new("No displaced fracture."), "heart": new("Heart large."),
        "mediastinum": new("The mediastinum is not widened."), "thorax": new("Symmetric."),
    }  # fmt: skip
    placed = [each.text for each in place_parts(plan, drafted) if each.section == "findings"]
    assert placed == [
        "Symmetric.", "The mediastinum is not widened.", "Heart large.", "No displaced fracture.",
    ]  # fmt: skip


def test_the_impression_stays_where_the_region_states_the_same(report) -> None:
    plan = plan_region_redraft(report.state, "lungs")
    same = new("Opacity in the right mid zone.", "No pulmonary edema.")
    other = new("Small opacity in the left upper zone.", section="impression")
    placed = place_parts(plan, {"lungs": same, IMPRESSION: other})
    (impression,) = [each for each in placed if each.section == "impression"]
    assert (impression.text, impression.kept_id) == (CONCLUSION, report.state.impression[0].id)
    changed = new("No pulmonary edema.", "Small opacity in the left upper zone.")
    placed = place_parts(plan, {"lungs": changed, IMPRESSION: other})
    assert placed[-1] == other[0]


def test_the_impression_alone_is_written_from_all_findings(report) -> None:
    plan = plan_region_redraft(report.state, IMPRESSION)
    assert len(given_texts(plan)) == 9
    placed = place_parts(plan, {IMPRESSION: new("Right opacity.", section="impression")})
    assert [each.kept_id for each in placed if each.section == "findings"] == [
        each.id for each in report.state.findings
    ]
    pieces = [piece for piece in compare_redraft(report.state, placed) if piece.is_change]
    assert [(piece.section, piece.new.text) for piece in pieces if piece.new] == [
        ("impression", "Right opacity.")
    ]


def test_locked_sentences_of_the_impression_stay_beside_the_new_ones(report) -> None:
    report.add_sentence("impression", "Compare with the prior film.")
    lock(report, "Compare with the prior film.")
    plan = plan_region_redraft(report.state, IMPRESSION)
    said = new("Right opacity.", "Compare with the prior film.", section="impression")
    placed = [each for each in place_parts(plan, {IMPRESSION: said}) if each.section != "findings"]
    assert [each.text for each in placed] == ["Right opacity.", "Compare with the prior film."]
    assert placed[1].kept_id == id_of(report, "Compare with the prior film.")


@pytest.mark.parametrize(
    ("locked", "part", "reason"),
    [
        (("No pulmonary edema.",), "lungs", "locked"),
        ((CONCLUSION,), IMPRESSION, "locked"),
    ],
)
def test_what_is_locked_is_not_redrafted(report, locked, part, reason) -> None:
    lock(report, *locked)
    if part == IMPRESSION:  # the same sentence stands in the findings too
        report.set_locked("findings", report.state.findings[2].id, False)
    with pytest.raises(NothingToRedraft, match=reason):
        plan_region_redraft(report.state, part)


def test_no_impression_from_nothing() -> None:
    with pytest.raises(NothingToRedraft, match="no findings"):
        plan_region_redraft(DraftReport().state, IMPRESSION)


def test_locks_are_a_matter_of_regions_only_where_they_are_whole(report) -> None:
    lock(report, "No pleural effusion.")
    assert not is_by_region(plan_redraft(report.state))
    lock(report, "No pneumothorax.")
    plan = plan_redraft(report.state)
    assert is_by_region(plan)
    assert given_texts(plan) == (("pleura", " No pleural effusion. No pneumothorax."),)
    one = plan_redraft(report.state, "sentence", "findings", report.state.findings[0].id)
    assert not is_by_region(one)
