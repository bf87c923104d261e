"""The worklist column: search field, studies with their status, count line.

Choosing a study (click, arrow keys, Enter, `activate_next`) says so by `study_activated`.
Refreshing the rows never does, so that a film under the reader's eyes is not reloaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import get_args

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.catalog.study_index import SortKey
from workstation.catalog.study_rows import StudyRow, StudyStatus
from workstation.ui.studies.study_filter_bar import FilterBar, SortBar
from workstation.ui.studies.study_list_model import STUDY_ROLE, StudyListModel
from workstation.ui.studies.study_row_painter import ThumbnailSource
from workstation.ui.studies.study_view import StudyView

_SEARCH_PAUSE_MS = 150


class StudyList(QWidget):
    """Search field, sort and filter over a list of studies.

    Searching and filtering happen here, among the studies given, at every keystroke. Signals:
    search_changed(text) when typing has paused; study_activated(study_instance_uid);
    study_confirmed(study_instance_uid) after it, for Enter or a double click: to be read now;
    removal_requested(list of them); thumbnails of those shown are asked for while painting.
    """

    search_changed = Signal(str)
    study_activated = Signal(str)
    study_confirmed = Signal(str)
    removal_requested = Signal(list)

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
        self.view.removal_requested.connect(self._ask_removal)
        self.view.menu_requested.connect(self._show_menu)
        self.sort_bar.sort_changed.connect(self._on_sort_changed)
        self.filter_bar.filter_changed.connect(self._apply_filter)
        self.filter_button.toggled.connect(self._on_filter_toggled)
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
        self.filter_button = QToolButton(self)
        self.filter_button.setObjectName("studyFilterButton")
        self.filter_button.setText(self.tr("Filter"))
        self.filter_button.setToolTip(self.tr("Show only some studies: status, date, view"))
        self.filter_button.setCheckable(True)
        self.filter_bar = FilterBar(self)
        self.filter_bar.hide()
        self.sort_bar = SortBar(self)
        self.model = StudyListModel(self)
        self.view = StudyView(self.model, self)
        self.count_label = QLabel(self)
        self.count_label.setObjectName("studyCount")
        self.count_label.setProperty("role", "muted")
        self.count_label.setWordWrap(True)  # many statuses must not make the column wider
        upper = QHBoxLayout()
        upper.setSpacing(4)
        upper.addWidget(self.search_field, 1)
        upper.addWidget(self.filter_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 6)
        column.setSpacing(6)
        column.addLayout(upper)
        column.addWidget(self.filter_bar)
        column.addWidget(self.sort_bar)
        column.addWidget(self.view, 1)
        column.addWidget(self.count_label)

    def show_thumbnails(self, source: ThumbnailSource) -> None:
        """Ask this source from now on; call `repaint_studies` when one has come."""
        self.view.delegate.thumbnails = source
        self.repaint_studies()

    def repaint_studies(self) -> None:
        self.view.viewport().update()

    def set_studies(self, rows: Sequence[StudyRow]) -> None:
        """Show these rows; the active study stays selected where it is listed. Emits nothing."""
        with self._refreshing():
            self.model.set_rows(rows)
        self.filter_bar.offer_modalities(self.model.studies.modalities())

    def put_study(self, row: StudyRow) -> None:
        """One study that is new or has changed. Emits nothing."""
        with self._refreshing():
            self.model.put(row)

    def discard_studies(self, study_instance_uids: set[str]) -> None:
        """Studies that are gone. Emits nothing."""
        with self._refreshing():
            if self._active and self._active.study_instance_uid in study_instance_uids:
                self._set_active(None)
            self.model.discard(study_instance_uids)

    @contextmanager
    def _refreshing(self) -> Iterator[None]:
        """Rows change under the reader's eyes: selection and place stay, nothing is announced."""
        self._is_refreshing = True
        scroll = self.view.verticalScrollBar().value()
        place = self.view.visualRect(self.view.currentIndex())
        was_seen = place.intersects(self.view.viewport().rect())
        try:
            yield
            self._select_active()
            self.view.verticalScrollBar().setValue(scroll)
            if was_seen:  # it stays so, however many studies came in above it
                self.view.scrollTo(self.view.currentIndex())
        finally:
            self._is_refreshing = False
        self._show_counts()

    def _select_active(self) -> None:
        position = self.model.position_of(self._active.study_instance_uid) if self._active else -1
        if position >= 0:
            self._set_active(self._row_at(position))
            if self.view.currentIndex().row() != position:
                self.view.setCurrentIndex(self.model.index(position))
        else:
            self.view.setCurrentIndex(QModelIndex())

    def selected_studies(self) -> list[str]:
        """Study Instance UIDs of the selected rows, top to bottom."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        found = (self.model.index(row).data(STUDY_ROLE) for row in rows)
        return [row.study_instance_uid for row in found if isinstance(row, StudyRow)]

    def current_study(self) -> StudyRow | None:
        """The active study, also while a search hides its row."""
        return self._active

    def activate_study(self, study_instance_uid: str) -> bool:
        """Choose a listed study as if clicked; False where it is not listed."""
        position = self.model.reveal(study_instance_uid)
        if position < 0:
            return False
        self._make_current(self.model.index(position))
        self._activate(self._row_at(position))
        return True

    def reopen(self, study_instance_uid: str) -> bool:
        """Activate a study even if it is the active one: what it consists of has changed."""
        self._set_active(None)
        return self.activate_study(study_instance_uid)

    def activate_next(self) -> None:
        self._step(1)

    def activate_previous(self) -> None:
        self._step(-1)

    def activate_next_new(self) -> bool:
        """The next study that nobody has begun, from the top again after the last; False where
        there is no other."""
        number = self.model.next_of_status("new", self.view.currentIndex().row())
        if number < 0:
            return False
        self._make_current(self.model.index(number))
        return True

    def focus_search(self) -> None:
        """Put the cursor into the search field, its text selected.

        The window around has it on Ctrl+F; a second shortcut here would make both ambiguous.
        """
        self.search_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_field.selectAll()

    def clear_search(self) -> None:
        self.search_field.clear()
        self._announce_search()

    def show_all(self) -> None:
        """No search and no filter, so that any study can be activated."""
        self.filter_button.setChecked(False)
        self.filter_bar.clear()
        self.clear_search()

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
        if not self.model.rowCount():
            return
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.model.index(0))

    def _step(self, by: int) -> None:
        current = self.view.currentIndex()
        target = current.row() + by if current.isValid() else 0
        if 0 <= target < self.model.rowCount():
            self._make_current(self.model.index(target))

    def _make_current(self, index: QModelIndex) -> None:
        """It alone is selected: the view itself would add it where Ctrl is held, as it is in the
        keys of the window."""
        flags = QItemSelectionModel.SelectionFlag
        asked = flags.ClearAndSelect | flags.Rows
        self.view.selectionModel().setCurrentIndex(index, asked)
        self.view.scrollTo(index)

    def _activate(self, row: StudyRow) -> None:
        if self._active and self._active.study_instance_uid == row.study_instance_uid:
            return
        self._set_active(row)
        self.study_activated.emit(row.study_instance_uid)

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        row = current.data(STUDY_ROLE)
        is_quiet = self._is_refreshing or self.view.is_extending
        if not is_quiet and isinstance(row, StudyRow):
            self._activate(row)

    def _on_study_confirmed(self, study_instance_uid: str) -> None:
        self._search_pause.stop()
        position = self.model.position_of(study_instance_uid)
        if position >= 0:
            self._set_active(self._row_at(position))
            self.study_activated.emit(study_instance_uid)
            self.study_confirmed.emit(study_instance_uid)

    def _on_search_text_changed(self, _text: str) -> None:
        self._apply_filter()
        self._search_pause.start()

    def _apply_filter(self) -> None:
        with self._refreshing():
            self.model.show_only(self.filter_bar.apply_to(self.search_field.text().strip()))
        self.filter_button.setText(
            self.tr("Filter ●") if self.filter_bar.is_active else self.tr("Filter")
        )
        self.view.scrollToTop()

    def _on_sort_changed(self, key: SortKey, is_descending: bool) -> None:
        with self._refreshing():
            self.model.sort_by(key, is_descending=is_descending)
        self.view.scrollToTop()

    def _on_filter_toggled(self, is_open: bool) -> None:
        self.filter_bar.setVisible(is_open)
        if not is_open:
            self.filter_bar.clear()

    def _ask_removal(self) -> None:
        chosen = self.selected_studies()
        if chosen:
            self.removal_requested.emit(chosen)

    def _show_menu(self, place: QPoint) -> None:
        chosen = self.selected_studies()
        if not chosen:
            return
        menu = QMenu(self)
        words = (
            self.tr("Remove study…")
            if len(chosen) == 1
            else self.tr("Remove {0} studies…").format(len(chosen))
        )
        menu.addAction(words, self._ask_removal)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _set_active(self, row: StudyRow | None) -> None:
        self._active = row
        self.view.delegate.active_uid = row.study_instance_uid if row is not None else ""

    def _row_at(self, position: int) -> StudyRow:
        row: StudyRow = self.model.index(position).data(STUDY_ROLE)
        return row

    def _announce_search(self) -> None:
        self._search_pause.stop()
        self.search_changed.emit(self.search_field.text().strip())

    def _show_counts(self) -> None:
        hits, searched = self.model.hits, self.search_field.text().strip()
        if searched or self.filter_bar.is_active:
            title = self.tr("No study passes the filter")
            if searched:
                title = self.tr("No study matches “{0}”").format(searched)
            hint = self.tr("Esc clears the search") if searched else self.tr("Clear shows them all")
            self.view.set_empty_text(title, hint)
            total = self.tr("1 found") if hits.found == 1 else self.tr("{0} found")
        else:
            self.view.set_empty_text(
                self.tr("No studies yet"),
                self.tr("Drop films or a folder on this window, or press Ctrl+O."),
            )
            total = self.tr("1 study") if hits.found == 1 else self.tr("{0} studies")
        parts = [total.format(hits.found)]
        for status in get_args(StudyStatus):
            if hits.counts.get(status):
                parts.append(f"{hits.counts[status]} {self.model.status_word(status)}")
        self.count_label.setText(" · ".join(parts))
