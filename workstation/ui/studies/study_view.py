"""The rows themselves: keys, clicks, several selected at once, an empty list that teaches.

A QTableView of one column, because a QListView asks the model for every row at each reset, which
at 100,000 studies is longer than a keystroke.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from workstation.catalog.study_rows import StudyRow
from workstation.ui.studies.study_list_model import STUDY_ROLE, StudyListModel
from workstation.ui.studies.study_row_painter import MARK_WIDTH, StudyRowDelegate, row_height
from workstation.ui.theme import COLOURS, ui_font

_EXTENDING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier


class StudyView(QTableView):
    """PgUp/PgDn step by one study, Enter confirms, Right and Left open and close a patient's
    earlier studies, Del asks for removal; Shift and Ctrl select several without opening them."""

    study_confirmed = Signal(str)
    step_requested = Signal(int)
    removal_requested = Signal()
    menu_requested = Signal(object)  # QPoint on the screen

    def __init__(self, model: StudyListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyView")
        self.setAccessibleName(self.tr("Studies"))
        self.delegate = StudyRowDelegate(self)
        self.setItemDelegate(self.delegate)
        self.setModel(model)
        self._studies = model
        self.is_extending = False
        self._lower_rows: list[int] = []
        self._empty_title = ""
        self._empty_hint = ""
        self._set_up()
        model.modelReset.connect(self._size_rows)
        model.rowsInserted.connect(self._size_rows)
        model.rowsRemoved.connect(self._size_rows)
        self.doubleClicked.connect(self._confirm)

    def _set_up(self) -> None:
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(row_height(is_earlier=True))
        self.verticalHeader().setDefaultSectionSize(row_height())
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)

    def set_empty_text(self, title: str, hint: str) -> None:
        self._empty_title, self._empty_hint = title, hint
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """A larger font makes taller rows."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_lower_rows"):
            self.verticalHeader().setMinimumSectionSize(row_height(is_earlier=True))
            self.verticalHeader().setDefaultSectionSize(row_height())
            self._size_rows()

    def _size_rows(self) -> None:
        """Earlier studies are lower; a header keeps its sizes by number, not by study."""
        header = self.verticalHeader()
        for row in self._lower_rows:
            if row < header.count():
                header.resizeSection(row, row_height())
        self._lower_rows = self._studies.earlier_rows()
        for row in self._lower_rows:
            header.resizeSection(row, row_height(is_earlier=True))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, row = event.key(), self.currentIndex().row()
        self.is_extending = bool(event.modifiers() & _EXTENDING)
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.step_requested.emit(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._confirm(self.currentIndex())
        elif key == Qt.Key.Key_Delete:
            self.removal_requested.emit()
        elif key == Qt.Key.Key_Right and row >= 0:
            self._studies.open(row)
        elif key == Qt.Key.Key_Left and row >= 0:
            self._close(row)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and not self.is_extending:
            last = self._studies.rowCount() - 1
            self.setCurrentIndex(self._studies.index(0 if key == Qt.Key.Key_Home else last))
        else:
            super().keyPressEvent(event)
        self.is_extending = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and self._is_on_opener(index, event):
            self._toggle(index.row())
            return
        is_menu = event.button() == Qt.MouseButton.RightButton
        self.is_extending = is_menu or bool(event.modifiers() & _EXTENDING)
        super().mousePressEvent(event)
        self.is_extending = False

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_requested.emit(event.globalPos())

    def _is_on_opener(self, index: QModelIndex, event: QMouseEvent) -> bool:
        if not index.isValid() or not self._studies.earlier_count(index.row()):
            return False
        area = self.visualRect(index)
        point = event.position().toPoint()
        return point.x() < area.left() + MARK_WIDTH and point.y() > area.center().y()

    def _toggle(self, row: int) -> None:
        if self._studies.is_open(row):
            self._close(row)
        else:
            self._studies.open(row)

    def _close(self, row: int) -> None:
        """Close the patient's row; a current row that goes with it makes room for the patient's."""
        first = self._studies.first_row_of(row)
        last = first + self._studies.earlier_count(first)
        if self._studies.is_open(first) and first < self.currentIndex().row() <= last:
            self.setCurrentIndex(self._studies.index(first))
        self._studies.close(first)

    def _confirm(self, index: QModelIndex) -> None:
        row = index.data(STUDY_ROLE) if index.isValid() else None
        if isinstance(row, StudyRow):
            self.study_confirmed.emit(row.study_instance_uid)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._studies.rowCount() > 0:
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
