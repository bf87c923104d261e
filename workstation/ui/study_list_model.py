"""Rows of the study list for Qt's views: what a study says, and how one row is painted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workstation.catalog.study_catalog import StudyRow
from workstation.ui.header_wording import age_at, iso_date, join_present
from workstation.ui.theme import COLOURS, ui_font

STUDY_ROLE = Qt.ItemDataRole.UserRole + 1
"""The `StudyRow` of an index."""

_ROW_HEIGHT = 62
_MARK_WIDTH = 30

AnyIndex = QModelIndex | QPersistentModelIndex


class StudyListModel(QAbstractListModel):
    """The studies in the order they were given."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[StudyRow, ...] = ()

    @property
    def rows(self) -> tuple[StudyRow, ...]:
        return self._rows

    def set_rows(self, rows: Sequence[StudyRow]) -> None:
        """Replace the rows; the same studies in the same order only repaint."""
        uids = [row.study_instance_uid for row in rows]
        if uids == [row.study_instance_uid for row in self._rows]:
            self._rows = tuple(rows)
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def position_of(self, study_instance_uid: str) -> int:
        """The row number of a study, -1 where it is not listed."""
        for position, row in enumerate(self._rows):
            if row.study_instance_uid == study_instance_uid:
                return position
        return -1

    def status_word(self, status: str) -> str:
        """The word shown beside the status mark."""
        words = {"new": self.tr("new"), "draft": self.tr("draft"), "signed": self.tr("signed")}
        return words.get(status, status)

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == STUDY_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name_of(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._describe(row, "\n")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._describe(row, ", ")
        return None

    def name_of(self, row: StudyRow) -> str:
        return row.patient_name or self.tr("(no name)")

    def _describe(self, row: StudyRow, separator: str) -> str:
        films = (
            self.tr("1 film")
            if row.instance_count == 1
            else self.tr("{0} films").format(row.instance_count)
        )
        born = iso_date(row.patient_birth_date)
        return join_present(
            self.name_of(row),
            self.tr("ID {0}").format(row.patient_id) if row.patient_id else "",
            join_present(
                self.tr("born {0}").format(born) if born else "",
                age_at(row.patient_birth_date, row.study_date),
                row.patient_sex,
            ),
            join_present(iso_date(row.study_date), "/".join(row.modalities), row.study_description),
            self.tr("accession {0}").format(row.accession_number) if row.accession_number else "",
            join_present(films, self.status_word(row.status)),
            separator=separator,
        )


class StudyRowDelegate(QStyledItemDelegate):
    """Paints a study in two lines: name and date; ID, modality, description and status."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        line = QFontMetrics(ui_font()).height()
        return QSize(180, max(_ROW_HEIGHT, 2 * line + 24))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row = index.data(STUDY_ROLE)
        model = index.model()
        if not isinstance(row, StudyRow) or not isinstance(model, StudyListModel):
            return
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        _paint_ground(painter, area, selected, bool(state & QStyle.StateFlag.State_MouseOver))
        mark = QRectF(area.left() + 10, area.top() + 11, 14, 14)
        paint_status_mark(painter, mark, row.status)
        text_area = area.adjusted(_MARK_WIDTH + 4, 9, -12, -9)
        _paint_lines(painter, text_area, row, model, selected)
        painter.restore()


def _paint_ground(painter: QPainter, area: QRect, selected: bool, hovered: bool) -> None:
    if selected:
        painter.fillRect(area, QColor(COLOURS.accent_dim))
        painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), QColor(COLOURS.accent))
    elif hovered:
        painter.fillRect(area, QColor(COLOURS.hover))
    painter.fillRect(QRect(area.left(), area.bottom(), area.width(), 1), QColor(COLOURS.line))


def _paint_lines(
    painter: QPainter, area: QRect, row: StudyRow, model: StudyListModel, selected: bool
) -> None:
    name_font, small_font = ui_font(bold=True), ui_font(9.5)
    name_metrics, small_metrics = QFontMetrics(name_font), QFontMetrics(small_font)
    upper = QRect(area.left(), area.top(), area.width(), name_metrics.height())
    lower = QRect(
        area.left(), area.bottom() - small_metrics.height(), area.width(), small_metrics.height()
    )
    quiet = QColor(COLOURS.text if selected else COLOURS.muted_text)
    pieces = (
        (upper, iso_date(row.study_date), model.name_of(row), name_font, COLOURS.bright_text),
        (
            lower,
            model.status_word(row.status),
            join_present(row.patient_id, "/".join(row.modalities), row.study_description),
            small_font,
            "",
        ),
    )
    for line, at_right, at_left, left_font, left_colour in pieces:
        painter.setFont(small_font)
        painter.setPen(QColor(_STATUS_COLOURS.get(row.status, "")) if line is lower else quiet)
        painter.drawText(
            line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, at_right
        )
        room = line.width() - small_metrics.horizontalAdvance(at_right) - 10
        elided = QFontMetrics(left_font).elidedText(at_left, Qt.TextElideMode.ElideRight, room)
        painter.setFont(left_font)
        painter.setPen(QColor(left_colour) if left_colour else quiet)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)


_STATUS_COLOURS = {
    "new": COLOURS.accent,
    "draft": COLOURS.text,
    "signed": COLOURS.muted_text,
}


def paint_status_mark(painter: QPainter, area: QRectF, status: str) -> None:
    """A disc for new, a pencil for draft, a tick for signed: shapes, so that no font is needed."""
    ink = QColor(_STATUS_COLOURS.get(status, COLOURS.muted_text))
    painter.save()
    painter.translate(area.center())
    scale = area.width() / 14.0
    painter.scale(scale, scale)
    if status == "new":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(0, 0), 4.5, 4.5)
    elif status == "signed":
        pen = QPen(ink, 2.0, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF([QPointF(-5, 0.5), QPointF(-1.5, 4), QPointF(5, -4)]))
    else:
        painter.rotate(45)
        painter.setPen(QPen(ink, 1.4, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(-2.2, -7, 4.4, 9))
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([QPointF(-2.2, 2), QPointF(2.2, 2), QPointF(0, 6.5)]))
    painter.restore()
