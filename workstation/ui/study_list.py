"""The worklist column: search field, studies with their status, count line.

Choosing a study (click, arrow keys, Enter, `activate_next`) says so by `study_activated`.
Refreshing the rows never does, so that a film under the reader's eyes is not reloaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from workstation.catalog.study_catalog import StudyRow
from workstation.ui.study_list_model import STUDY_ROLE, StudyListModel, StudyRowDelegate
from workstation.ui.theme import COLOURS, ui_font

_SEARCH_PAUSE_MS = 150


class StudyList(QWidget):
    """Search field over a list of studies; PgUp and PgDn step from study to study."""

    search_changed = Signal(str)
    study_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyList")
        self._active: StudyRow | None = None
        self._is_refreshing = False
        self._build_widgets()
        self._search_pause = QTimer(self)
        self._search_pause.setSingleShot(True)
        self._search_pause.setInterval(_SEARCH_PAUSE_MS)
        self._search_pause.timeout.connect(self._announce_search)
        self.search_field.textChanged.connect(self._on_search_text_changed)
        self.search_field.installEventFilter(self)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        self.view.study_confirmed.connect(self._on_study_confirmed)
        self.view.step_requested.connect(self._step)
        self._show_counts()

    def _build_widgets(self) -> None:
        self.search_field = QLineEdit(self)
        self.search_field.setObjectName("studySearch")
        self.search_field.setPlaceholderText(self.tr("Search name, ID, date, accession"))
        self.search_field.setToolTip(
            self.tr("Part of a name or ID, a date such as 2026-04-12, an accession number (Ctrl+F)")
        )
        self.search_field.setAccessibleName(self.tr("Search studies"))
        self.search_field.setClearButtonEnabled(True)
        self.model = StudyListModel(self)
        self.view = _StudyView(self)
        self.view.setModel(self.model)
        self.count_label = QLabel(self)
        self.count_label.setObjectName("studyCount")
        self.count_label.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 6)
        column.setSpacing(6)
        column.addWidget(self.search_field)
        column.addWidget(self.view, 1)
        column.addWidget(self.count_label)

    def set_studies(self, rows: Sequence[StudyRow]) -> None:
        """Show these rows; the active study stays selected where it is listed. Emits nothing."""
        self._is_refreshing = True
        scroll = self.view.verticalScrollBar().value()
        self.model.set_rows(rows)
        position = self.model.position_of(self._active.study_instance_uid) if self._active else -1
        if position >= 0:
            self._active = self.model.rows[position]
            self.view.setCurrentIndex(self.model.index(position))
        else:
            self.view.setCurrentIndex(QModelIndex())
        self.view.verticalScrollBar().setValue(scroll)
        self._is_refreshing = False
        self._show_counts()

    def current_study(self) -> StudyRow | None:
        """The active study, also while a search hides its row."""
        return self._active

    def activate_study(self, study_instance_uid: str) -> bool:
        """Choose a listed study as if clicked; False where it is not listed."""
        position = self.model.position_of(study_instance_uid)
        if position < 0:
            return False
        self.view.setCurrentIndex(self.model.index(position))
        self._activate(self.model.rows[position])
        return True

    def activate_next(self) -> None:
        self._step(1)

    def activate_previous(self) -> None:
        self._step(-1)

    def focus_search(self) -> None:
        """Put the cursor into the search field, its text selected.

        The window around has it on Ctrl+F; a second shortcut here would make both ambiguous.
        """
        self.search_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_field.selectAll()

    def clear_search(self) -> None:
        self.search_field.clear()
        self._announce_search()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the search field Down goes to the list, Enter opens the first hit, Esc clears."""
        if watched is self.search_field and isinstance(event, QKeyEvent):
            is_press = event.type() == QEvent.Type.KeyPress
            if is_press and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_PageDown):
                self._enter_list()
                return True
            if is_press and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._announce_search()
                self._enter_list()
                return True
            if is_press and event.key() == Qt.Key.Key_Escape and self.search_field.text():
                self.clear_search()
                return True
        return super().eventFilter(watched, event)

    def _enter_list(self) -> None:
        if not self.model.rows:
            return
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.model.index(0))

    def _step(self, by: int) -> None:
        current = self.view.currentIndex()
        target = current.row() + by if current.isValid() else 0
        if 0 <= target < len(self.model.rows):
            self.view.setCurrentIndex(self.model.index(target))

    def _activate(self, row: StudyRow) -> None:
        if self._active and self._active.study_instance_uid == row.study_instance_uid:
            return
        self._active = row
        self.study_activated.emit(row.study_instance_uid)

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        row = current.data(STUDY_ROLE)
        if not self._is_refreshing and isinstance(row, StudyRow):
            self._activate(row)

    def _on_study_confirmed(self, study_instance_uid: str) -> None:
        self._search_pause.stop()
        position = self.model.position_of(study_instance_uid)
        if position >= 0:
            self._active = self.model.rows[position]
            self.study_activated.emit(study_instance_uid)

    def _on_search_text_changed(self, _text: str) -> None:
        self._search_pause.start()

    def _announce_search(self) -> None:
        self._search_pause.stop()
        self.search_changed.emit(self.search_field.text().strip())

    def _show_counts(self) -> None:
        rows = self.model.rows
        searched = self.search_field.text().strip()
        if searched:
            self.view.set_empty_text(
                self.tr("No study matches “{0}”").format(searched), self.tr("Esc clears the search")
            )
            total = self.tr("1 found") if len(rows) == 1 else self.tr("{0} found").format(len(rows))
        else:
            self.view.set_empty_text(
                self.tr("No studies yet"),
                self.tr("Drop films or a folder on this window, or press Ctrl+O."),
            )
            total = (
                self.tr("1 study") if len(rows) == 1 else self.tr("{0} studies").format(len(rows))
            )
        parts = [total]
        for status in ("new", "draft", "signed"):
            count = sum(row.status == status for row in rows)
            if count:
                parts.append(f"{count} {self.model.status_word(status)}")
        self.count_label.setText(" · ".join(parts))


class _StudyView(QListView):
    """The list itself: PgUp/PgDn step by one study, Enter confirms, an empty list teaches."""

    study_confirmed = Signal(str)
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyView")
        self.setAccessibleName(self.tr("Studies"))
        self.setItemDelegate(StudyRowDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._empty_title = ""
        self._empty_hint = ""
        self.doubleClicked.connect(self._confirm)

    def set_empty_text(self, title: str, hint: str) -> None:
        self._empty_title, self._empty_hint = title, hint
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.step_requested.emit(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._confirm(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _confirm(self, index: QModelIndex) -> None:
        row = index.data(STUDY_ROLE) if index.isValid() else None
        if isinstance(row, StudyRow):
            self.study_confirmed.emit(row.study_instance_uid)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        model = self.model()
        if model is not None and model.rowCount() > 0:
            return
        painter = QPainter(self.viewport())
        area = self.viewport().rect().adjusted(18, 0, -18, 0)
        title_font, hint_font = ui_font(12, bold=True), ui_font()
        title_height = QFontMetrics(title_font).height()
        wrapped = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop) | int(
            Qt.TextFlag.TextWordWrap
        )
        top = area.height() // 3
        painter.setFont(title_font)
        painter.setPen(QColor(COLOURS.text))
        used = painter.drawText(
            QRect(area.left(), top, area.width(), 200), wrapped, self._empty_title
        )
        painter.setFont(hint_font)
        painter.setPen(QColor(COLOURS.muted_text))
        below = (used.bottom() if used is not None else top + title_height) + 8
        painter.drawText(QRect(area.left(), below, area.width(), 200), wrapped, self._empty_hint)
