"""The signed report of an earlier study, under the one being written: read only, marked by what
is said now."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QTextBrowser, QToolButton, QVBoxLayout, QWidget

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.prior_comparison import Mark, MarkedSentence, list_new, mark_prior
from workstation.reporting.report_state import Edit, ReportState
from workstation.reporting.versions.stored_report import StoredReport
from workstation.ui.theme import COLOURS, report_font, ui_font

_BROWSER_HEIGHT = 250
_MARK_POINT_SIZE = 9.5
_AROUND_WORDS = 24  # px, of the button


class PriorPane(QWidget):
    """Folded until the reader asks; opened() is told each time it is unfolded."""

    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("prior_pane")
        self._prior: StoredReport | None = None
        self._report: DraftReport | None = None
        self._words = ""
        self._stop_observing = _do_nothing
        self.toggle = QToolButton(self)
        self.toggle.setObjectName("prior_toggle")
        self.toggle.setMinimumWidth(40)
        self.toggle.setProperty("role", "quiet")
        self.toggle.setCheckable(True)
        self.toggle.setToolTip(self.tr("Compare with the prior report (F8)"))
        self.toggle.setAccessibleName(self.tr("Prior report"))
        self.toggle.toggled.connect(self._show_folding)
        self.browser = QTextBrowser(self)
        self.browser.setObjectName("prior_text")
        self.browser.setAccessibleName(self.tr("Prior report"))
        self.browser.setFont(report_font())
        self.browser.setOpenLinks(False)
        self.browser.setMinimumHeight(120)
        self.browser.setMaximumHeight(_BROWSER_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.toggle)
        layout.addWidget(self.browser)
        self.offer(None, "", None)

    @property
    def prior(self) -> StoredReport | None:
        return self._prior

    def offer(self, prior: StoredReport | None, date: str, now: DraftReport | None) -> None:
        """The prior to compare with, and its study date in words; None: there is none."""
        self._stop_observing()
        self._prior, self._date, self._report = None, date, now
        self._stop_observing = now.on_edit(self._on_edit) if now else _do_nothing
        self.fold()
        self._prior = prior
        self.setVisible(prior is not None)
        self._show_folding(False)

    def unfold(self) -> None:
        """The key: unfold and read, or fold again."""
        if self._prior is not None:
            self.toggle.toggle()
            if self.toggle.isChecked():
                self.browser.setFocus()

    def fold(self) -> None:
        self.toggle.setChecked(False)

    def _show_folding(self, is_unfolded: bool) -> None:
        self.browser.setVisible(is_unfolded)
        if self._prior is None:
            return
        words = self.tr("{0} Prior report {1} · signed by {2}").format(
            "▾" if is_unfolded else "▸", self._date, self._prior.signed_by
        )
        self._words = words
        self._fit_words()
        self.toggle.setAccessibleName(words)
        if is_unfolded:
            self._show_text()
            self.opened.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_words()

    def _fit_words(self) -> None:
        """The signer's name must not hold the column open."""
        room = self.width() - _AROUND_WORDS
        metrics = self.toggle.fontMetrics()
        self.toggle.setText(metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, room))

    def _on_edit(self, _edit: Edit) -> None:
        self._show_text()

    def _show_text(self) -> None:
        if self._prior is None or not self.toggle.isChecked():
            return
        now = self._report.state if self._report is not None else ReportState()
        place = self.browser.verticalScrollBar().value()
        self.browser.setHtml(self._html(self._prior, now))
        self.browser.verticalScrollBar().setValue(place)

    def _html(self, prior: StoredReport, now: ReportState) -> str:
        marked = mark_prior(prior.state, now)
        # The impression first: it is what an earlier report is opened for.
        titles = {"impression": self.tr("Impression"), "findings": self.tr("Findings")}
        parts = []
        for section, title in titles.items():
            rows = [each for each in marked if each.section == section]
            if rows:
                parts.append(self._table(title, rows))
        if new := list_new(prior.state, now):
            parts.append(self._table(self.tr("New in this report"), new))
        parts += [self._addendum(each.author, each.text) for each in prior.addenda]
        return "".join(parts)

    def _table(self, title: str, rows: Iterable[MarkedSentence]) -> str:
        mark_font = ui_font(_MARK_POINT_SIZE)
        mark_size = mark_font.pointSizeF()
        mark_width = QFontMetrics(mark_font).horizontalAdvance(self._word("not-stated")) + 14
        lines = "".join(
            f'<tr><td width="{mark_width}" style="color:{self._shade(row.mark)};'
            f'font-size:{mark_size:.1f}pt;white-space:nowrap">{self._word(row.mark)}</td>'
            f'<td style="color:{self._ink(row.mark)}">{escape(row.text)}</td></tr>'
            for row in rows
        )
        return (
            f'<p style="color:{COLOURS.muted_text};font-weight:600;font-size:{mark_size:.1f}pt;'
            'margin:6px 0 1px 0">'
            f'{escape(title)}</p><table cellspacing="0" cellpadding="2">{lines}</table>'
        )

    def _addendum(self, author: str, text: str) -> str:
        words = self.tr("Addendum by {0}: {1}").format(author, text)
        return f'<p style="color:{COLOURS.text};margin:6px 0 0 0">{escape(words)}</p>'

    def _word(self, mark: Mark) -> str:
        words = {
            "unchanged": self.tr("= unchanged"),
            "changed": self.tr("≠ changed"),
            "gone": self.tr("✕ gone"),
            "not-stated": self.tr("? not stated"),
            "new": self.tr("+ new"),
            "unread": "",
        }
        return escape(words[mark])

    def _ink(self, mark: Mark) -> str:
        """What says the same now steps back."""
        return COLOURS.muted_text if mark == "unchanged" else COLOURS.text

    def _shade(self, mark: Mark) -> str:
        if mark in ("changed", "not-stated"):
            return COLOURS.amber
        return COLOURS.accent if mark in ("gone", "new") else COLOURS.muted_text


def _do_nothing() -> None:
    """Stands in where no report is observed."""
