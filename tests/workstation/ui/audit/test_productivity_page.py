"""The figures on screen: what they say for a real log, their plots, and an empty period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.ui.test_accessible_names import nameless
from workstation.audit.audit_log import AuditLog
from workstation.ui.audit.audit_window import AuditWindow
from workstation.ui.audit.period_box import OWN
from workstation.ui.audit.plots import tick_step
from workstation.ui.audit.productivity_page import ProductivityPage, bin_minutes

WAIT_MS = 60_000


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(hour=12) - timedelta(days=2)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    """Two days ago: ann signs after 4 min, bob after 6; one draft each; one flip, one rewording."""
    clock = Clock()
    audit = AuditLog(catalog_engine, now=clock)
    for user, minutes, before, after in (
        ("ann", 4, "No pneumothorax.", "Small left pneumothorax."),
        ("bob", 6, "Hila normal.", "Hila unremarkable."),
    ):
        study = {"user": user, "study_instance_uid": f"1.{minutes}"}
        audit.append("study-opened", **study, details={"films": 1})
        audit.append("draft-finished", **study)
        audit.append("edit", **study, details={"kind": "draft", "section": "findings"})
        details = {"kind": "edit", "section": "findings", "before": before, "after": after}
        audit.append("edit", **study, details=details)
        clock.now += timedelta(minutes=minutes)
        audit.append("sign", **study, details={"provenance": {"ai": 7, "edited": 2, "human": 1}})
    return audit


@pytest.fixture
def page(audit: AuditLog, qtbot: QtBot) -> Iterator[ProductivityPage]:
    opened = ProductivityPage(audit)
    qtbot.addWidget(opened)
    opened.resize(1100, 700)
    opened.show()
    with qtbot.waitSignal(opened.job.succeeded, timeout=WAIT_MS):
        opened.reload()
    yield opened
    opened.shutdown()


def test_figures_of_the_period_with_how_many_are_in_them(page: ProductivityPage) -> None:
    assert page.status_label.text() == "2 signed reports, 2 of them drafted, in this period."
    assert page.times_tile.figure_label.text() == "5.0 min"
    assert page.times_tile.count_label.text().startswith("median of 2 reports; middle half 4.5–5.5")
    assert page.kept_tile.figure_label.text() == "70%"
    assert page.kept_tile.count_label.text() == "of 20 sentences in 2 drafted reports"
    assert page.concepts_tile.figure_label.text() == "2"
    assert page.concepts_plot.bars == (("pneumothorax", 1),)
    assert [column.parts for column in page.drafts_plot.columns] == [(2, 0)]


def test_plots_say_in_words_what_they_draw(page: ProductivityPage) -> None:
    assert "AI, edited: 4 (20%)" in page.kept_plot.accessibleDescription()
    assert page.concepts_plot.accessibleDescription() == "pneumothorax: 1"
    assert "4–6: 1, 6–8: 1" in page.times_plot.accessibleDescription()


def test_one_persons_figures(page: ProductivityPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        page.user_box.setCurrentIndex(page.user_box.findData("bob"))
    assert page.times_tile.figure_label.text() == "6.0 min"
    assert page.concepts_plot.bars == ()


def test_empty_period_is_said_to_be(page: ProductivityPage, qtbot: QtBot) -> None:
    page.period_box.first_field.setDate(page.period_box.first_field.date().addYears(-3))
    page.period_box.last_field.setDate(page.period_box.first_field.date())
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        page.period_box.choose(OWN)
    while page.job.is_running:
        with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
            pass
    assert page.times_tile.figure_label.text() == "–"
    assert page.kept_plot.accessibleDescription() == "Nothing in this period."
    page.grab()  # draws the words, and no plot


def test_plots_draw_inside_their_edges(page: ProductivityPage) -> None:
    for plot in (page.times_plot, page.kept_plot, page.concepts_plot, page.drafts_plot):
        picture = plot.grab().toImage()
        colours = {
            picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3)
            for y in range(0, picture.height(), 3)
        }  # fmt: skip
        assert "#5aa2e6" in colours, plot.accessibleName()


@pytest.mark.parametrize(
    ("top", "step"), [(0.5, 1), (4, 1), (6, 2), (23, 5), (60, 20), (140, 50), (1000, 200)]
)
def test_ticks_are_round_numbers(top: float, step: float) -> None:
    assert tick_step(top) == step


def test_one_study_left_open_over_night_does_not_press_the_others_together() -> None:
    columns, width = bin_minutes([2.0, 3.0, 3.5, 4.0, 5.0, 800.0])
    assert width == 1
    assert columns[-1].name == "≥11"
    assert [sum(column.parts) for column in columns] == [0, 0, 1, 2, 1, 1, 0, 0, 0, 0, 0, 1]


def test_window_computes_the_figures_when_their_page_is_opened(
    audit: AuditLog, qtbot: QtBot
) -> None:
    window = AuditWindow(audit, lambda: "ann")
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.productivity_page.job.succeeded, timeout=WAIT_MS):
        window.tabs.setCurrentWidget(window.productivity_page)
    assert window.productivity_page.kept_tile.figure_label.text() == "70%"
    assert nameless(window) == []
    window.reject()
    assert not window.isVisible()
