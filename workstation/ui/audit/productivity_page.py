"""How reading and reporting went, from the audit log: four plots, each with what it means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from inference.report_language import CONCEPT_BY_NAME
from workstation.audit.audit_log import AuditLog
from workstation.reporting.productivity import Productivity, measure_productivity, summarize
from workstation.ui.audit.audit_jobs import AuditJob
from workstation.ui.audit.period_box import PeriodBox
from workstation.ui.audit.plots import BarPlot, Column, ColumnPlot, Plot, SharePlot, tick_step
from workstation.ui.theme import ui_font

_DAYS_AT_FIRST = 29
_FIGURE_PT = 19.0
_BINS = 12


class Tile(QFrame):
    """A title, a figure, the plot, and what the figure means."""

    def __init__(self, title: str, meaning: str, plot: Plot, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.title_label, self.figure_label = QLabel(title, self), QLabel(self)
        self.title_label.setProperty("role", "heading")
        self.figure_label.setFont(ui_font(_FIGURE_PT))
        self.count_label = QLabel(self)
        self.count_label.setProperty("role", "muted")
        self.meaning_label = QLabel(meaning, self)
        self.meaning_label.setProperty("role", "muted")
        self.meaning_label.setWordWrap(True)
        self.plot = plot
        head = QHBoxLayout()
        head.addWidget(self.figure_label)
        head.addWidget(self.count_label, 1, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 11, 14, 11)
        layout.addWidget(self.title_label)
        layout.addLayout(head)
        layout.addWidget(plot, 1)
        layout.addWidget(self.meaning_label)

    def say(self, figure: str, count: str) -> None:
        self.figure_label.setText(figure)
        self.count_label.setText(count)


class ProductivityPage(QWidget):
    """The figures of a period, computed on a thread each time it is chosen anew."""

    def __init__(self, audit: AuditLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._audit = audit
        self.job = AuditJob(self)
        self._awaits_reload = False
        self.period_box = PeriodBox(_DAYS_AT_FIRST, self)
        self.user_box = QComboBox(self)
        self.user_box.setAccessibleName(self.tr("Figures of this person"))
        self.user_box.addItem(self.tr("Everybody"), "")
        self.status_label = QLabel(self)
        self.status_label.setProperty("role", "muted")
        self._make_tiles()
        self._lay_out()
        self.period_box.changed.connect(self.reload)
        self.user_box.currentIndexChanged.connect(self.reload)
        self.job.succeeded.connect(self._on_computed)
        self.job.failed.connect(self._on_failed)

    def _make_tiles(self) -> None:
        self.times_plot = ColumnPlot(self.tr("Reports by minutes at the desk"), self)
        self.kept_plot = SharePlot(self.tr("Sentences of signed reports by who wrote them"), self)
        self.concepts_plot = BarPlot(self.tr("Edits by finding"), self)
        self.drafts_plot = ColumnPlot(self.tr("Drafts by day"), self)
        self.times_tile = Tile(
            self.tr("Time to sign"),
            self.tr(
                "Minutes from the last opening of a study to its final signature, pauses with "
                "the study open included."
            ),
            self.times_plot,
            self,
        )
        self.kept_tile = Tile(
            self.tr("AI text kept"),
            self.tr(
                "Sentences of signed reports that a draft had gone into. Kept: word for word "
                "as the model wrote it. It says nothing of whether that was right."
            ),
            self.kept_plot,
            self,
        )
        self.concepts_tile = Tile(
            self.tr("Edits by finding"),
            self.tr(
                "An edit counts once for each finding it stated, took back or stated otherwise. "
                "Drafts, undone and redone edits do not count."
            ),
            self.concepts_plot,
            self,
        )
        self.drafts_tile = Tile(
            self.tr("Drafts a day"),
            self.tr(
                "Redrafts too. Plain: ended with a report. Hatched: stopped, refused or failed."
            ),
            self.drafts_plot,
            self,
        )

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.period_box)
        top.addWidget(self.user_box)
        top.addWidget(self.status_label, 1)
        grid = QGridLayout()
        grid.setSpacing(10)
        tiles = (self.times_tile, self.kept_tile, self.concepts_tile, self.drafts_tile)
        for place, tile in enumerate(tiles):
            grid.addWidget(tile, place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
            grid.setRowStretch(place // 2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(9)
        layout.addLayout(top)
        layout.addLayout(grid, 1)

    # -- figures -----------------------------------------------------------------------------

    def reload(self) -> None:
        """Compute anew; what is asked meanwhile is computed after."""
        first, last = self.period_box.days
        user = self.user_box.currentData() or ""
        call = partial(measure_productivity, self._audit.engine, first, last, user)
        if self.job.start(call):
            self.status_label.setText(self.tr("Reading the log …"))
        else:
            self._awaits_reload = True

    def _on_computed(self, figures: Productivity) -> None:
        self._offer_users(figures.people)
        self.show_figures(figures)
        if self._awaits_reload:
            self._awaits_reload = False
            self.reload()

    def _on_failed(self, reason: str) -> None:
        self.status_label.setText(f"▲ {reason}")

    def _offer_users(self, users: Sequence[str]) -> None:
        chosen = self.user_box.currentData()
        self.user_box.blockSignals(True)
        while self.user_box.count() > 1:
            self.user_box.removeItem(1)
        for user in users:
            self.user_box.addItem(user, user)
        self.user_box.setCurrentIndex(max(0, self.user_box.findData(chosen)))
        self.user_box.blockSignals(False)

    def show_figures(self, figures: Productivity) -> None:
        words = self.tr("{0} signed reports, {1} of them drafted, in this period.")
        self.status_label.setText(words.format(len(figures.signed), len(figures.drafted)))
        self._show_times(figures)
        self._show_kept(figures)
        self._show_edits(figures)
        self._show_drafts(figures)

    def _show_times(self, figures: Productivity) -> None:
        minutes = figures.minutes_at_desk
        spread = summarize(minutes)
        whole = summarize(figures.minutes_since_first)
        if not spread.count:
            self.times_tile.say("–", "")
            self.times_plot.set_columns((), self.tr("Reports"))
            return
        self.times_tile.say(
            self.tr("{0} min").format(_minutes(spread.median)),
            self.tr("median of {0} reports; middle half {1}–{2}; since first opened {3}").format(
                spread.count, _minutes(spread.lower), _minutes(spread.upper), _minutes(whole.median)
            ),
        )
        columns, width = bin_minutes(minutes)
        place = min(spread.median / width, len(columns) - 0.5)
        mark = (place, self.tr("median"))
        self.times_plot.set_columns(columns, self.tr("Reports by minutes"), mark)

    def _show_kept(self, figures: Productivity) -> None:
        untouched, edited, own = figures.sentences
        total = untouched + edited + own
        share = f"{untouched / total:.0%}" if total else "–"
        count = self.tr("of {0} sentences in {1} drafted reports").format(
            total, len(figures.drafted)
        )
        self.kept_tile.say(share, count if total else "")
        self.kept_plot.set_shares(
            (
                (self.tr("AI, kept word for word"), untouched),
                (self.tr("AI, edited"), edited),
                (self.tr("by hand"), own),
            )
        )

    def _show_edits(self, figures: Productivity) -> None:
        count = self.tr("edits, {0} of which changed no finding").format(figures.plain_edits)
        self.concepts_tile.say(f"{figures.edits:,}", count if figures.edits else self.tr("edits"))
        self.concepts_plot.set_bars(
            [(_label(name), value) for name, value in figures.edits_by_concept]
        )

    def _show_drafts(self, figures: Productivity) -> None:
        days = figures.drafts_by_day
        finished = sum(day.finished for day in days)
        busy = sum(1 for day in days if day.finished)
        otherwise = sum(day.ended_otherwise for day in days)
        mean = f"{finished / busy:.1f}" if busy else "–"
        words = self.tr("a day on {0} days with drafts; {1} drafts, {2} ended otherwise")
        self.drafts_tile.say(mean, words.format(busy, finished, otherwise) if days else "")
        self.drafts_plot.set_columns(
            [Column(f"{d.day:%m-%d}", (d.finished, d.ended_otherwise)) for d in days],
            self.tr("Drafts"),
        )

    def shutdown(self) -> None:
        self.job.shutdown()


def bin_minutes(minutes: Sequence[float]) -> tuple[list[Column], float]:
    """Columns of equal width, the last one open to the right; and that width [min].

    The width follows the upper quartile, so that one study left open over night does not press
    all others into the first column.
    """
    reach = max(1.0, 2.5 * summarize(minutes).upper)
    width = tick_step(reach, _BINS)
    count = min(_BINS, int(max(minutes) / width) + 1)
    counts = [0] * count
    for each in minutes:
        counts[min(int(each / width), count - 1)] += 1
    is_open = max(minutes) >= count * width
    names = [f"{place * width:g}–{(place + 1) * width:g}" for place in range(count)]
    if is_open:
        names[-1] = f"≥{(count - 1) * width:g}"
    return [Column(name, (value,)) for name, value in zip(names, counts, strict=True)], width


def _label(concept: str) -> str:
    known = CONCEPT_BY_NAME.get(concept)
    return known.label if known is not None else concept


def _minutes(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
