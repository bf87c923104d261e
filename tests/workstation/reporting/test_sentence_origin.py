"""Which draft a sentence came from, and whose hand was on it last, through every rewrite."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from inference.report_language import CannotRewrite
from workstation.reporting.draft_report import DraftReport, StatementGone
from workstation.reporting.language_switch import switch_with
from workstation.reporting.redrafting.redraft import RedraftedSentence
from workstation.reporting.redrafting.redraft_review import compare_redraft, merge_redraft
from workstation.reporting.report_state import (
    SECTIONS,
    ReportState,
    Sentence,
    SentenceOrigin,
    state_from_json,
    state_to_json,
)

DRAFT = SentenceOrigin("ECHO phantom 1.1.0", "ab" * 32, "2026-04-12T10:00:00+00:00")
FINDINGS = "The thorax is symmetric bilaterally. Small left pleural effusion. No pneumothorax."
SPANS = [(0, 36, 0.9), (37, 65, 0.6), (66, 82, 0.8)]


class Clock:
    """A minute later at every look."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 12, 11, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time


def drafted() -> DraftReport:
    report = DraftReport(reader="Dr. Roe", now=Clock())
    report.set_from_draft(FINDINGS, "Small left pleural effusion.", SPANS, origin=DRAFT)
    return report


def test_sentence_knows_its_draft_and_how_sure_the_model_was() -> None:
    report = drafted()
    effusion = report.state.findings[1]
    assert effusion.origin == replace(DRAFT, confidence=0.6)
    assert (effusion.touched_by, effusion.touched_at) == ("", "")


def test_flipped_sentence_keeps_model_confidence_time_and_the_model_s_words() -> None:
    report = drafted()
    sentence, said = report.statements("findings")[0]
    report.flip_statement("findings", sentence.id, said)
    flipped = report.state.findings[1]
    assert flipped.provenance == "edited"
    assert flipped.origin == replace(DRAFT, confidence=0.6, text="Small left pleural effusion.")
    assert (flipped.touched_by, flipped.touched_at) == ("Dr. Roe", "2026-04-12T11:02:00+00:00")
    report.edit_sentence("findings", flipped.id, "Both lungs are well expanded.")
    assert report.state.findings[1].origin == flipped.origin  # the model's words, not the flip's


def test_typing_over_two_sentences_keeps_the_first_one_s_draft() -> None:
    report = drafted()
    text = report.state.findings_text
    joined = text.replace("effusion. No pneumothorax.", "effusion and no pneumothorax.")
    report.set_section_text("findings", joined)
    merged = report.state.findings[1]
    assert merged.provenance == "edited"
    assert merged.origin == replace(DRAFT, confidence=0.6, text="Small left pleural effusion.")
    untouched = report.state.findings[0]
    assert (untouched.provenance, untouched.touched_at) == ("ai", "")


def test_sentence_by_hand_has_a_writer_and_no_draft() -> None:
    report = drafted()
    report.add_sentence("findings", "Sternal wires.")
    written = report.state.findings[-1]
    assert (written.origin, written.touched_by) == (None, "Dr. Roe")


def test_only_the_sentence_that_changed_gets_a_new_hand() -> None:
    report = drafted()
    first, second, _ = report.state.findings
    report.accept_sentence("findings", first.id)
    accepted = report.state.findings[0]
    assert accepted.touched_by == "Dr. Roe"
    report.edit_sentence("findings", second.id, "Large left pleural effusion.")
    report.set_locked("findings", first.id, True)
    assert report.state.findings[0] == replace(accepted, locked=True)
    report.accept_sentence("findings", first.id, False)
    assert report.state.findings[0].touched_by == ""


def test_other_language_keeps_the_draft_and_the_model_s_words() -> None:
    report = drafted()
    report.change_state("language", switch_with("zh"))
    switched = report.state.findings[1]
    assert switched.text != "Small left pleural effusion."
    assert switched.origin == replace(DRAFT, confidence=0.6, text="Small left pleural effusion.")
    assert switched.touched_by == "Dr. Roe"


def test_accepted_piece_of_a_redraft_carries_the_redraft_s_origin() -> None:
    report = drafted()
    report.edit_sentence("findings", report.state.findings[1].id, "Left effusion, small.")
    redraft = SentenceOrigin("ECHO 2.0", "cd" * 32, "2026-04-12T12:00:00+00:00")
    new = [
        RedraftedSentence("findings", "The thorax is symmetric bilaterally.", None, 0.5),
        RedraftedSentence("findings", "Moderate left pleural effusion.", None, 0.7),
        RedraftedSentence("findings", "No pneumothorax.", None, 0.5),
        RedraftedSentence("impression", "Small left pleural effusion.", None, 0.5),
    ]
    pieces = compare_redraft(report.state, new)
    changed = {number for number, piece in enumerate(pieces) if piece.is_change}
    report.change_state(
        "redraft", lambda now, ids: merge_redraft(now, pieces, changed, ids, origin=redraft)
    )
    assert report.state.findings[1].origin == replace(redraft, confidence=0.7)
    assert report.state.findings[1].touched_by == ""
    assert report.state.findings[0].origin == replace(DRAFT, confidence=0.9)


def test_origins_come_back_from_disk_and_older_reports_keep_their_bytes() -> None:
    report = drafted()
    report.edit_sentence("findings", report.state.findings[0].id, "The thorax is rotated.")
    assert state_from_json(state_to_json(report.state)) == report.state
    older = ReportState(findings=(Sentence(1, "No mass.", "ai", 0.75),))
    assert "origin" not in state_to_json(older)
    assert "touched" not in state_to_json(older)


def test_a_thousand_random_edits_lose_no_origin() -> None:
    """Every sentence that is the model's, or was, still knows its draft; undo brings all back."""
    rng = random.Random(6)
    for _ in range(40):
        report = drafted()
        begun = report.state
        for _ in range(25):
            _edit_somehow(report, rng)
            for section in SECTIONS:
                for sentence in report.state.sentences(section):
                    is_model_s = sentence.provenance != "human"
                    assert (sentence.origin is not None) == is_model_s, sentence
                    is_untouched = sentence.provenance == "ai" and not sentence.accepted
                    assert bool(sentence.touched_at) != is_untouched, sentence
        while report.can_undo:
            report.undo()
        report.redo()
        assert report.state == begun


def _edit_somehow(report: DraftReport, rng: random.Random) -> None:
    sentences = report.state.findings
    if not sentences:
        report.undo()
        return
    sentence = rng.choice(sentences)
    stated = report.statements("findings")
    match rng.randrange(8):
        case 0 if stated:
            of, said = rng.choice(stated)
            try:
                report.flip_statement("findings", of.id, said)
            except (CannotRewrite, StatementGone):
                return
        case 1:
            report.edit_sentence("findings", sentence.id, f"{sentence.text[:-1]} again.")
        case 2:
            report.add_sentence("findings", "No displaced fracture.")
        case 3:
            report.set_locked("findings", sentence.id, not sentence.locked)
        case 4:
            report.accept_sentence("findings", sentence.id, not sentence.accepted)
        case 5:
            text = report.state.findings_text
            report.set_section_text("findings", text.replace(". ", " and ", 1))
        case 6 if report.can_undo and report.state != report.state.__class__():
            report.undo()
            report.redo()
        case _:
            report.set_section_text("findings", report.state.findings_text + " Clips.")
