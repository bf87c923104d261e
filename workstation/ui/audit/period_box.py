"""A span of days: one of the usual ones, or two days of one's own."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import QDate, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QHBoxLayout, QLabel, QWidget

ANY, OWN = -1, -2


class PeriodBox(QWidget):
    """changed(): read ``days``. start: how many days back it begins with, 0 today, ANY for all."""

    changed = Signal()

    def __init__(self, start: int = ANY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice_box = QComboBox(self)
        self.choice_box.setAccessibleName(self.tr("Period"))
        for words, days in (
            (self.tr("Any day"), ANY),
            (self.tr("Today"), 0),
            (self.tr("Last 7 days"), 6),
            (self.tr("Last 30 days"), 29),
            (self.tr("Last 365 days"), 364),
            (self.tr("From … to …"), OWN),
        ):
            self.choice_box.addItem(words, days)
        self.choice_box.setCurrentIndex(self.choice_box.findData(start))
        today = QDate.currentDate()
        self.first_field = self._make_field(self.tr("First day"), today.addDays(-29))
        self.last_field = self._make_field(self.tr("Last day"), today)
        self.dash = QLabel("–", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.choice_box, self.first_field, self.dash, self.last_field):
            row.addWidget(widget)
        self.choice_box.currentIndexChanged.connect(self._on_changed)
        self._show_fields()

    @property
    def days(self) -> tuple[date | None, date | None]:
        """First and last day, both included; None: no limit."""
        back = self.choice_box.currentData()
        if back == ANY:
            return None, None
        if back == OWN:
            first, last = (
                date(field.date().year(), field.date().month(), field.date().day())
                for field in (self.first_field, self.last_field)
            )
            return min(first, last), max(first, last)
        today = date.today()
        return today - timedelta(days=back), today

    def choose(self, days: int) -> None:
        self.choice_box.setCurrentIndex(self.choice_box.findData(days))

    def _make_field(self, name: str, day: QDate) -> QDateEdit:
        field = QDateEdit(day, self)
        field.setDisplayFormat("yyyy-MM-dd")
        field.setCalendarPopup(True)
        field.setAccessibleName(name)
        field.setToolTip(name)
        field.dateChanged.connect(self._on_changed)
        return field

    def _on_changed(self) -> None:
        self._show_fields()
        self.changed.emit()

    def _show_fields(self) -> None:
        is_own = self.choice_box.currentData() == OWN
        for widget in (self.first_field, self.dash, self.last_field):
            widget.setVisible(is_own)
