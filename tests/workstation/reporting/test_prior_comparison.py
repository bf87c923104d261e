"""The prior report by what is said now, whatever language either is in."""

from __future__ import annotations

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.prior_comparison import list_new, mark_prior
from workstation.reporting.report_state import ReportState


def written(findings: str, impression: str = "", language: str = "en") -> ReportState:
    report = DraftReport()
    report.set_from_draft(findings, impression, language=language)  # type: ignore[arg-type]
    return report.state


@pytest.mark.parametrize(
    ("prior", "now", "mark"),
    [
        ("Small left pleural effusion.", "Small left pleural effusion.", "unchanged"),
        ("Small left pleural effusion.", "Large left pleural effusion.", "changed"),
        ("Small left pleural effusion.", "Small right pleural effusion.", "changed"),
        ("Small left pleural effusion.", "No pleural effusion.", "gone"),
        ("Small left pleural effusion.", "No pneumothorax.", "not-stated"),
        ("No pleural effusion.", "No pleural effusion.", "unchanged"),
        ("No pleural effusion.", "Small left pleural effusion.", "changed"),
        ("No pleural effusion or pneumothorax.", "No pleural effusion.", "not-stated"),
        ("Compared with last week.", "No pleural effusion.", "unread"),
        ("The thorax is symmetric.", "The thorax is symmetric.", "unchanged"),
    ],
)
def test_prior_sentences_are_marked(prior: str, now: str, mark: str) -> None:
    assert [each.mark for each in mark_prior(written(prior), written(now))] == [mark]


def test_new_findings_are_listed_denials_are_not() -> None:
    prior = written("Small left pleural effusion. No pneumothorax.")
    now = written(
        "Small left pleural effusion. Right pneumothorax. No fracture. Scoliosis.", "Pneumothorax."
    )
    assert [(each.section, each.text) for each in list_new(prior, now)] == [
        ("findings", "Right pneumothorax."),
        ("findings", "Scoliosis."),
        ("impression", "Pneumothorax."),
    ]


def test_a_chinese_prior_is_compared_with_an_english_report() -> None:
    prior = written("左侧少量胸腔积液。未见气胸。", language="zh")
    now = written("Small left pleural effusion. Right pneumothorax.")
    assert [each.mark for each in mark_prior(prior, now)] == ["unchanged", "changed"]
    assert [each.text for each in list_new(prior, now)] == ["Right pneumothorax."]
