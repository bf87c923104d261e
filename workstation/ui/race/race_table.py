"""The result of a race: figures and findings, a strategy a column."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from inference import DraftFinished
from workstation.drafting.race import RaceLane, RaceResult
from workstation.reporting.sentences.statement_comparison import ComparedFinding, compare_statements
from workstation.ui.race.race_wording import (
    name_strategy,
    word_assertions,
    word_extra_passes,
    word_passes,
    word_ratio,
    word_time,
    word_tokens,
)
from workstation.ui.theme import COLOURS, ui_font

_ROW_HEIGHT = 26
_STYLE = "QTableView::item, QHeaderView::section { padding-left: 12px; }"


class RaceTable(QTableWidget):
    """First the figures, then the findings they differ on, then those they agree on.

    A difference is amber and carries "≠", agreement "=": never colour alone.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("race_table")
        self.setAccessibleName(self.tr("Figures and findings compared"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.setStyleSheet(_STYLE)
        self.gutter, self.gap = 210, 10
        self.findings: tuple[ComparedFinding, ...] = ()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In line with the columns above, which begin at gutter and are gap apart [px]."""
        super().resizeEvent(event)
        count = self.columnCount() - 1
        if count > 0:
            each = (self.width() - self.gutter + self.gap) / count
            self.setColumnWidth(0, self.gutter)
            for rank in range(1, count):
                self.setColumnWidth(rank, round(each))

    def show_result(self, result: RaceResult) -> None:
        """Fill it anew."""
        self.clear()
        self.setRowCount(0)
        self.setColumnCount(1 + len(result.lanes))
        names = [name_strategy(lane.decoding) for lane in result.lanes]
        self.setHorizontalHeaderLabels(["", *names])
        self._add_figures(result.lanes)
        self._add_findings(result.lanes)

    # -- figures -----------------------------------------------------------------------------

    def _add_figures(self, lanes: Sequence[RaceLane]) -> None:
        reference = next((lane for lane in lanes if lane.decoding == "autoregressive"), None)
        ending = reference.shown.ending if reference and reference.shown else None
        total_ms = reference.shown.total_ms if reference and reference.shown else 0.0
        ratio_note = self.tr("Compared with autoregressive, in this race") if ending else ""
        row = self._add_row(self.tr("Elapsed, whole report"), ratio_note)
        for rank, lane in enumerate(lanes):
            own_ms = lane.shown.total_ms if lane.shown and lane is not reference else 0.0
            text = _ratio_text(total_ms, own_ms)
            laps = ", ".join(word_time(lap_ms) for lap_ms in lane.laps_ms)
            tip = self.tr("Counted laps: {0}").format(laps) if lane.shown else lane.failure
            time = word_time(lane.shown.total_ms) if lane.shown else self.tr("failed")
            self._set(row, rank, time + text, tip, is_bold=True)
        row = self._add_row(self.tr("   film read + written"))
        for rank, each in enumerate(_endings(lanes)):
            if each:
                parts = f"{word_time(each.prefill_ms)} + {word_time(each.decode_ms)}"
                self._set(row, rank, parts)
        row = self._add_row(self.tr("Tokens per second, written"), ratio_note)
        for rank, each in enumerate(_endings(lanes)):
            if each:
                speed = self.tr("{0} tok/s").format(f"{each.tokens_per_second:.0f}")
                other = ending.tokens_per_second if ending and each is not ending else 0.0
                text = _ratio_text(each.tokens_per_second, other)
                self._set(row, rank, speed + text, is_bold=True)
        row = self._add_row(self.tr("Passes"))
        for rank, each in enumerate(_endings(lanes)):
            if each:
                passes = word_passes(each.passes) + word_extra_passes(lanes[rank].decoding, each)
                self._set(row, rank, passes)
        row = self._add_row(self.tr("Tokens"))
        for rank, each in enumerate(_endings(lanes)):
            if each:
                self._set(row, rank, word_tokens(each.tokens))

    # -- findings ----------------------------------------------------------------------------

    def _add_findings(self, lanes: Sequence[RaceLane]) -> None:
        ran = [rank for rank, lane in enumerate(lanes) if lane.shown]
        endings = [lane.shown.ending for lane in lanes if lane.shown]
        language = lanes[0].request.language
        self.findings = compare_statements(endings, language) if endings else ()
        differing = [each for each in self.findings if not each.is_agreed]
        agreed = [each for each in self.findings if each.is_agreed]
        for found, is_differing in ((differing, True), (agreed, False)):
            self._add_heading(found, is_differing=is_differing, texts=len(endings))
            for finding in found:
                mark = "≠" if is_differing else "="
                row = self._add_row(f"{mark}  {finding.concept.label}")
                first = self.item(row, 0)
                if is_differing and first:
                    first.setForeground(QColor(COLOURS.amber))
                for place, rank in enumerate(ran):
                    self._set_said(row, rank, finding, place)

    def _add_heading(
        self, found: Sequence[ComparedFinding], *, is_differing: bool, texts: int
    ) -> None:
        if texts < 2:
            return
        if is_differing:
            one, several = self.tr("1 finding differs"), self.tr("{0} findings differ")
        else:
            one, several = self.tr("All agree on 1 finding"), self.tr("All agree on {0} findings")
        row = self._add_row(one if len(found) == 1 else several.format(len(found)))
        self.setSpan(row, 0, 1, self.columnCount())
        item = self.item(row, 0)
        if item:
            item.setFont(ui_font(bold=True))
            item.setForeground(QColor(COLOURS.bright_text))
            item.setBackground(QColor(COLOURS.raised))

    def _set_said(self, row: int, rank: int, finding: ComparedFinding, place: int) -> None:
        text = word_assertions(finding.said[place])
        if finding.is_agreed:
            self._set(row, rank, text, shade=COLOURS.muted_text)
        elif finding.is_alone(place):
            self._set(row, rank, f"≠ {text}", shade=COLOURS.amber)
        else:
            self._set(row, rank, text)

    # -- cells -------------------------------------------------------------------------------

    def _add_row(self, label: str, tip: str = "") -> int:
        row = self.rowCount()
        self.insertRow(row)
        item = QTableWidgetItem(label)
        item.setForeground(QColor(COLOURS.muted_text))
        item.setToolTip(tip)
        self.setItem(row, 0, item)
        return row

    def _set(
        self,
        row: int,
        rank: int,
        text: str,
        tip: str = "",
        *,
        shade: str = COLOURS.text,
        is_bold: bool = False,
    ) -> None:
        item = QTableWidgetItem(text)
        item.setForeground(QColor(shade))
        item.setFont(ui_font(bold=is_bold))
        item.setToolTip(tip or text)
        self.setItem(row, 1 + rank, item)


def _endings(lanes: Sequence[RaceLane]) -> list[DraftFinished | None]:
    return [lane.shown.ending if lane.shown else None for lane in lanes]


def _ratio_text(more: float, less: float) -> str:
    """ " · 3.1× as fast", or nothing where one of them is missing."""
    return f"  ·  {word_ratio(more / less)}" if more > 0 and less > 0 else ""
