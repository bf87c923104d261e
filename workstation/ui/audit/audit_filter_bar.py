"""Above the audit log: which of its rows to show."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from workstation.audit.audit_log import EVENTS
from workstation.audit.audit_query import AuditFilter
from workstation.ui.audit.audit_wording import name_event
from workstation.ui.audit.period_box import ANY, PeriodBox

TYPING_PAUSE_MS = 250


class AuditFilterBar(QWidget):
    """filter_changed(): read ``filter``; typing is waited for."""

    filter_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("audit_filter")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING_PAUSE_MS)
        self._pause.timeout.connect(self.filter_changed)
        self.event_box = QComboBox(self)
        self.event_box.setAccessibleName(self.tr("Show these events"))
        self.event_box.setMaxVisibleItems(24)
        self._fill_events()
        self.user_box = QComboBox(self)
        self.user_box.setAccessibleName(self.tr("Show what this person did"))
        self.user_box.addItem(self.tr("Anybody"), "")
        self.study_field = self._make_field(self.tr("Patient or study"))
        self.text_field = self._make_field(self.tr("Words in the details"))
        self.period_box = PeriodBox(ANY, self)
        self.clear_button = QPushButton(self.tr("Show all"), self)
        self.clear_button.setProperty("role", "quiet")
        self.clear_button.clicked.connect(self.clear)
        self._lay_out()
        self.event_box.currentIndexChanged.connect(self._on_chosen)
        self.user_box.currentIndexChanged.connect(self._on_chosen)
        self.period_box.changed.connect(self._on_chosen)
        self._show_clear()

    @property
    def filter(self) -> AuditFilter:
        first, last = self.period_box.days
        return AuditFilter(
            events=tuple(self.event_box.currentData()),
            user=self.user_box.currentData() or "",
            study=self.study_field.text().strip(),
            text=self.text_field.text().strip(),
            first_day=first,
            last_day=last,
        )

    def offer_users(self, users: Sequence[str]) -> None:
        """Who is named in the log; the choice stays."""
        chosen = self.user_box.currentData()
        self.user_box.blockSignals(True)
        self.user_box.clear()
        self.user_box.addItem(self.tr("Anybody"), "")
        for user in users:
            self.user_box.addItem(user, user)
        self.user_box.setCurrentIndex(max(0, self.user_box.findData(chosen)))
        self.user_box.blockSignals(False)

    def clear(self) -> None:
        """Ask nothing; told once."""
        if self.filter.is_empty:
            return
        for widget in (self.event_box, self.user_box, self.study_field, self.text_field):
            widget.blockSignals(True)
        self.period_box.blockSignals(True)
        self.event_box.setCurrentIndex(0)
        self.user_box.setCurrentIndex(0)
        self.study_field.clear()
        self.text_field.clear()
        self.period_box.choose(ANY)
        for each in (self.event_box, self.user_box, self.study_field, self.text_field):
            each.blockSignals(False)
        self.period_box.blockSignals(False)
        self._on_chosen()

    def choose_event(self, event: str) -> None:
        self.event_box.setCurrentIndex(self.event_box.findText(name_event(event)))

    def _fill_events(self) -> None:
        groups: tuple[tuple[str, tuple[str, ...]], ...] = (
            (self.tr("All events"), ()),
            (self.tr("Reports: edits to signature"), _starting("edit", "sign", "addendum",
             "correct", "draft-taken-over", "redraft", "check")),
            (self.tr("Drafts of the model"), _starting("draft-", "redraft", "race-")),
            (self.tr("Films and studies"), _starting("import", "picture", "study", "files",
             "prior")),
            (self.tr("People"), _starting("login", "logout", "locked", "unlocked", "account")),
            (self.tr("What left the machine"), _starting("export", "audit-exported", "query")),
        )  # fmt: skip
        for words, events in groups:
            self.event_box.addItem(words, list(events))
        self.event_box.insertSeparator(self.event_box.count())
        for event in sorted(EVENTS, key=name_event):
            self.event_box.addItem(name_event(event), [event])

    def _make_field(self, words: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(words)
        field.setAccessibleName(words)
        field.setClearButtonEnabled(True)
        field.textChanged.connect(self._on_typed)
        return field

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(7)
        row.addWidget(self.event_box)
        row.addWidget(self.user_box)
        row.addWidget(self.study_field, 2)
        row.addWidget(self.text_field, 3)
        row.addWidget(self.period_box)
        row.addWidget(self.clear_button)

    def _on_typed(self) -> None:
        self._pause.start()
        self._show_clear()

    def _on_chosen(self) -> None:
        self._pause.stop()
        self._show_clear()
        self.filter_changed.emit()

    def _show_clear(self) -> None:
        self.clear_button.setEnabled(not self.filter.is_empty)


def _starting(*beginnings: str) -> tuple[str, ...]:
    return tuple(event for event in EVENTS if event.startswith(beginnings))
