"""Figures from the audit log against values computed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.reporting.productivity import (
    DayOfDrafts,
    LoggedEvent,
    Productivity,
    Spread,
    compute_productivity,
    find_changed_concepts,
    measure_productivity,
    summarize,
)

Minute = tuple[int, int, int]  # day of April 2026, hour, minute (UTC)


def _at(when: Minute) -> datetime:
    return datetime(2026, 4, *when, tzinfo=UTC)


def _event(event: str, study: str, when: Minute, user: str = "ann", **details: Any) -> LoggedEvent:
    return LoggedEvent(event, user, study, _at(when), details)


def _sign(study: str, when: Minute, counts: tuple[int, int, int], user: str = "ann") -> LoggedEvent:
    shares = dict(zip(("ai", "edited", "human"), counts, strict=True))
    return _event("sign", study, when, user, provenance=shares)


EVENTS = [
    _event("study-opened", "A", (10, 9, 0)),
    _event("draft-finished", "A", (10, 9, 1)),
    _event("edit", "A", (10, 9, 2), kind="draft", before="", after="Small left pleural effusion."),
    _event("edit", "A", (10, 9, 3), kind="flip",
           before="No pleural effusion.", after="Small left pleural effusion."),
    _event("study-opened", "A", (10, 10, 0)),  # opened again
    _event("edit", "A", (10, 10, 1), kind="text", before="No pneumothorax. Hila normal.",
           after="No pneumothorax. Hila are normal."),
    _event("edit", "A", (10, 10, 1), kind="undo",
           before="No pneumothorax.", after="Right pneumothorax."),
    _sign("A", (10, 10, 4), (6, 2, 2)),
    _event("study-opened", "B", (11, 9, 0), "bob"),
    _event("study-opened", "A", (11, 9, 1), "bob", beside="B"),
    _event("draft-failed", "B", (11, 9, 2), "bob"),
    _event("draft-finished", "B", (12, 23, 30), "bob"),
    _event("edit", "B", (12, 23, 31), "bob", kind="redraft", before="", after="No nodule."),
    _sign("B", (12, 23, 40), (9, 0, 1), "bob"),
    _event("study-opened", "C", (13, 9, 0)),
    _sign("C", (13, 9, 10), (0, 0, 5)),  # written by hand
]  # fmt: skip


@pytest.fixture(scope="module")
def figures() -> Productivity:
    return compute_productivity(EVENTS, zone=UTC)


def test_a_clock_that_was_lost_for_a_while_makes_no_figures_up() -> None:
    lost = datetime(1970, 1, 1, tzinfo=UTC)
    events = [
        _event("study-opened", "A", (10, 9, 0)),
        LoggedEvent("draft-finished", "ann", "A", lost, {}),
        LoggedEvent("sign", "ann", "A", lost, {"provenance": {}}),
        _event("draft-finished", "B", (10, 9, 0)),
        _event("draft-finished", "B", (12, 9, 0)),
    ]
    figures = compute_productivity(events, zone=UTC)
    assert [report.at_desk for report in figures.signed] == [None]
    assert figures.minutes_at_desk == ()
    days = [each.day for each in figures.drafts_by_day]
    assert days == [date(1970, 1, 1), date(2026, 4, 10), date(2026, 4, 11), date(2026, 4, 12)]


def test_time_to_sign_is_from_the_last_opening_and_from_the_first(figures: Productivity) -> None:
    desk = [report.at_desk for report in figures.signed]
    first = [report.since_first for report in figures.signed]
    minute = timedelta(minutes=1)
    assert desk == [4 * minute, (39 * 60 - 20) * minute, 10 * minute]
    assert first == [64 * minute, (39 * 60 - 20) * minute, 10 * minute]
    assert figures.minutes_at_desk == (4.0, 2320.0, 10.0)


def test_sentences_kept_are_those_of_reports_with_a_draft(figures: Productivity) -> None:
    assert [report.study_instance_uid for report in figures.drafted] == ["A", "B"]
    assert figures.sentences == (15, 2, 3)


def test_edits_count_once_for_each_concept_they_changed(figures: Productivity) -> None:
    assert (figures.edits, figures.plain_edits) == (2, 1)
    assert figures.edits_by_concept == (("pleural_effusion", 1),)


def test_drafts_of_every_day_also_of_those_without(figures: Productivity) -> None:
    days = [DayOfDrafts(date(2026, 4, day), *counts) for day, counts in
            ((10, (1, 0)), (11, (0, 1)), (12, (1, 0)))]  # fmt: skip
    assert list(figures.drafts_by_day) == days


@pytest.mark.parametrize(
    ("first", "last", "user", "studies", "edits"),
    [
        (None, None, "bob", ["B"], 0),
        (None, None, "ann", ["A", "C"], 2),
        (date(2026, 4, 11), None, "", ["B", "C"], 0),
        (None, date(2026, 4, 10), "", ["A"], 2),
        (date(2026, 4, 12), date(2026, 4, 12), "", ["B"], 0),
        (date(2026, 4, 14), None, "", [], 0),
    ],
)
def test_period_and_person_choose_signatures_and_edits(
    first: date | None, last: date | None, user: str, studies: list[str], edits: int
) -> None:
    figures = compute_productivity(EVENTS, first, last, user, UTC)
    assert [report.study_instance_uid for report in figures.signed] == studies
    assert figures.edits == edits
    if studies == ["B"] and first is not None:  # opened before the period: still known
        assert figures.minutes_at_desk == (2320.0,)


def test_days_are_those_of_the_readers_clock() -> None:
    in_china = compute_productivity(EVENTS, zone=timezone(timedelta(hours=8)))
    assert in_china.drafts_by_day[-1].day == date(2026, 4, 13)


@pytest.mark.parametrize(
    ("before", "after", "concepts"),
    [
        ("No pleural effusion.", "Small left pleural effusion.", {"pleural_effusion"}),
        ("", "No pneumothorax.", {"pneumothorax"}),
        ("No pneumothorax.", "", {"pneumothorax"}),
        ("No pneumothorax. No pleural effusion.", "No pleural effusion. No pneumothorax.", set()),
        ("Small left pleural effusion.", "Small right pleural effusion.", {"pleural_effusion"}),
        ("The film is rotated.", "The film is tilted.", set()),
        ("未见气胸。", "右侧气胸。", {"pneumothorax"}),
    ],
)
def test_concepts_an_edit_changed(before: str, after: str, concepts: set[str]) -> None:
    assert find_changed_concepts(before, after) == concepts


@pytest.mark.parametrize(
    ("values", "spread"),
    [
        ((), Spread(0)),
        ((3.0,), Spread(1, 3.0, 3.0, 3.0)),
        ((1.0, 2.0, 3.0, 4.0, 5.0), Spread(5, 2.0, 3.0, 4.0)),
        ((1.0, 2.0, 3.0, 4.0), Spread(4, 1.75, 2.5, 3.25)),
    ],
)
def test_median_and_quartiles(values: tuple[float, ...], spread: Spread) -> None:
    assert summarize(values) == spread


def test_figures_come_from_a_real_log(catalog_engine: Engine) -> None:
    clock: Iterator[datetime] = iter(_at((10, 9, minute)) for minute in (0, 1, 2, 6))
    audit = AuditLog(catalog_engine, now=lambda: next(clock))
    audit.append("study-opened", user="ann", study_instance_uid="A", details={"films": 1})
    audit.append("draft-finished", user="ann", study_instance_uid="A", details={})
    audit.append("edit", user="ann", study_instance_uid="A", details={"kind": "draft"})
    audit.append("sign", user="ann", study_instance_uid="A", details={"provenance": {"ai": 3}})
    figures = measure_productivity(catalog_engine, zone=UTC)
    assert figures.minutes_at_desk == (6.0,)
    assert figures.sentences == (3, 0, 0)
    assert measure_productivity(catalog_engine, user="bob", zone=UTC).signed == ()


def test_signature_counts_for_the_account_whatever_name_stands_under_it(
    catalog_engine: Engine,
) -> None:
    audit = AuditLog(catalog_engine)
    details = {"provenance": {"ai": 1}, "account": "ann"}
    audit.append("sign", user="Dr. Ann Roe", study_instance_uid="A", details=details)
    figures = measure_productivity(catalog_engine, user="ann")
    assert len(figures.signed) == 1
    assert figures.people == ("ann",)
