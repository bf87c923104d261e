"""How one row of the study list is painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workstation.catalog.study_rows import StudyRow
from workstation.ui.film.header_wording import iso_date, join_present
from workstation.ui.studies.study_list_model import STUDY_ROLE, AnyIndex, StudyListModel
from workstation.ui.theme import COLOURS, ui_font

MARK_WIDTH = 34
"""The column of status mark and opener, on the left."""

_THUMBNAIL = 46
_SMALL = 9.5  # pt
_BETWEEN_ENDS = 10  # px
_LEAST_CUT_WIDTH = 60  # px: less of a word says nothing
# Not clipped: Chinese glyphs, of another font, are taller than the line.
_IN_THE_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextDontClip)


class ThumbnailSource(Protocol):
    """Where the list asks for small pictures; an answer that comes later repaints it."""

    def thumbnail(self, row: StudyRow) -> QImage | None: ...


def row_height(*, is_earlier: bool = False) -> int:
    """Of a patient's first study, and of the others below it [px]."""
    line = QFontMetrics(ui_font()).height()
    return line + 18 if is_earlier else max(62, 2 * line + 24)


class StudyRowDelegate(QStyledItemDelegate):
    """Two lines: the name, which is what one looks for; date, ID, modality, description and
    status, as far as they fit. One line for earlier studies."""

    thumbnails: ThumbnailSource | None = None
    active_uid = ""  # of the open study: several may be selected, one is being read

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(180, row_height())

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
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        is_active = row.study_instance_uid == self.active_uid
        _paint_ground(painter, area, selected=selected, hovered=hovered, is_active=is_active)
        if model.is_earlier(index.row()):
            _paint_earlier(painter, area, row, model, selected)
        else:
            self._paint_first(painter, area, index.row(), row, model, selected)
        painter.restore()

    def _paint_first(
        self,
        painter: QPainter,
        area: QRect,
        number: int,
        row: StudyRow,
        model: StudyListModel,
        selected: bool,
    ) -> None:
        paint_status_mark(painter, QRectF(area.left() + 10, area.top() + 11, 14, 14), row.status)
        others = model.earlier_count(number)
        if others:
            _paint_opener(painter, area, others, model.is_open(number))
        left = MARK_WIDTH
        if self.thumbnails is not None:
            top = area.top() + (area.height() - _THUMBNAIL) // 2
            place = QRect(area.left() + left, top, _THUMBNAIL, _THUMBNAIL)
            _paint_thumbnail(painter, place, self.thumbnails.thumbnail(row))
            left += _THUMBNAIL + 10
        _paint_lines(painter, area.adjusted(left, 9, -12, -9), row, model, selected)


def _paint_ground(
    painter: QPainter, area: QRect, *, selected: bool, hovered: bool, is_active: bool
) -> None:
    if selected:
        painter.fillRect(area, QColor(COLOURS.accent_dim))
    elif hovered:
        painter.fillRect(area, QColor(COLOURS.hover))
    if is_active:
        painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), QColor(COLOURS.accent))
    painter.fillRect(QRect(area.left(), area.bottom(), area.width(), 1), QColor(COLOURS.line))


def _paint_opener(painter: QPainter, area: QRect, others: int, is_open: bool) -> None:
    """A triangle and how many studies it opens to."""
    ink = QColor(COLOURS.text)
    middle = area.bottom() - 16.0
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    x = area.left() + 11.0
    if is_open:
        triangle = [QPointF(x - 4, middle - 2), QPointF(x + 4, middle - 2), QPointF(x, middle + 3)]
    else:
        triangle = [QPointF(x - 2, middle - 4), QPointF(x - 2, middle + 4), QPointF(x + 3, middle)]
    painter.drawPolygon(QPolygonF(triangle))
    painter.setFont(ui_font(_SMALL))
    painter.setPen(ink)
    place = QRect(area.left() + 17, int(middle) - 9, MARK_WIDTH - 17, 18)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, str(others) if others < 100 else "…")


def _paint_thumbnail(painter: QPainter, place: QRect, picture: QImage | None) -> None:
    if picture is None or picture.isNull():
        painter.setPen(QPen(QColor(COLOURS.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        return
    painter.fillRect(place, QColor(COLOURS.film_ground))
    size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    shown = QRect(0, 0, size.width(), size.height())
    shown.moveCenter(place.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(shown, picture)


def _paint_lines(
    painter: QPainter, area: QRect, row: StudyRow, model: StudyListModel, selected: bool
) -> None:
    name_font, small_font = ui_font(bold=True), ui_font(_SMALL)
    small_height = QFontMetrics(small_font).height()
    upper = QRect(area.left(), area.top(), area.width(), QFontMetrics(name_font).height())
    lower = QRect(area.left(), area.bottom() - small_height, area.width(), small_height)
    quiet = QColor(COLOURS.text if selected else COLOURS.muted_text)
    status = model.short_status_word(row.status)
    room = area.width() - QFontMetrics(small_font).horizontalAdvance(status) - _BETWEEN_ENDS
    about = join_fitting(
        (
            iso_date(row.study_date), row.patient_id, "/".join(row.modalities),
            row.study_description,
        ),
        small_font, room,
    )  # fmt: skip
    name = model.name_of(row), name_font, QColor(COLOURS.bright_text)
    _paint_two_ends(painter, upper, name, ("", small_font, quiet))
    status_ink = QColor(_STATUS_COLOURS.get(row.status, ""))
    _paint_two_ends(painter, lower, (about, small_font, quiet), (status, small_font, status_ink))


def join_fitting(parts: Sequence[str], font: QFont, room: int) -> str:
    """Those there is room for, the first ones first. Only the last may be cut off, where enough of
    it is left: half an ID is worse than none."""
    metrics, joined = QFontMetrics(font), ""
    for part in parts:
        longer = join_present(joined, part)
        left = room - metrics.horizontalAdvance(joined)
        may_be_cut = part is parts[-1] and left > _LEAST_CUT_WIDTH
        if may_be_cut or metrics.horizontalAdvance(longer) <= room:
            joined = longer
    return joined


def _paint_earlier(
    painter: QPainter, area: QRect, row: StudyRow, model: StudyListModel, selected: bool
) -> None:
    """One line, hung on a thin rule below its patient's first study."""
    painter.fillRect(
        QRect(area.left() + 16, area.top(), 1, area.height()), QColor(COLOURS.strong_line)
    )
    mark = QRectF(area.left() + MARK_WIDTH, area.center().y() - 6, 12, 12)
    paint_status_mark(painter, mark, row.status)
    line = area.adjusted(MARK_WIDTH + 22, 0, -12, 0)
    quiet = QColor(COLOURS.text if selected else COLOURS.muted_text)
    small = ui_font(_SMALL)
    words = join_present(iso_date(row.study_date), "/".join(row.modalities), row.study_description)
    status_ink = QColor(_STATUS_COLOURS.get(row.status, ""))
    status = model.short_status_word(row.status)
    _paint_two_ends(painter, line, (words, small, quiet), (status, small, status_ink))


_Text = tuple[str, QFont, QColor]


def _paint_two_ends(painter: QPainter, line: QRect, left: _Text, right: _Text) -> None:
    text, font, ink = right
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(line, int(Qt.AlignmentFlag.AlignRight) | _IN_THE_MIDDLE, text)
    room = line.width() - (
        QFontMetrics(font).horizontalAdvance(text) + _BETWEEN_ENDS if text else 0
    )
    text, font, ink = left
    painter.setFont(font)
    painter.setPen(ink)
    elided = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft) | _IN_THE_MIDDLE, elided)


_STATUS_COLOURS = {
    "new": COLOURS.accent,
    "draft": COLOURS.text,
    "preliminary": COLOURS.amber,
    "signed": COLOURS.muted_text,
    "addended": COLOURS.muted_text,
    "corrected": COLOURS.muted_text,
}


def paint_status_mark(painter: QPainter, area: QRectF, status: str) -> None:
    """A disc for new, a pencil for draft, a tick in a ring for preliminary, a tick for signed, one
    with a line below for addended, two for corrected: shapes, so that no font is needed."""
    ink = QColor(_STATUS_COLOURS.get(status, COLOURS.muted_text))
    painter.save()
    painter.translate(area.center())
    scale = area.width() / 14.0
    painter.scale(scale, scale)
    if status == "new":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(0, 0), 4.5, 4.5)
    elif status == "preliminary":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 1.2, Qt.PenStyle.DotLine))
        painter.drawEllipse(QPointF(0, 0), 6.5, 6.5)
        _paint_tick(painter, ink, QPointF(0, 0), 0.6)
    elif status == "corrected":
        _paint_tick(painter, ink, QPointF(-2, -2), 0.8)
        _paint_tick(painter, ink, QPointF(2, 3), 0.8)
    elif status == "addended":
        _paint_tick(painter, ink, QPointF(0, -2), 0.9)
        painter.drawLine(QPointF(-5, 5.5), QPointF(5, 5.5))
    elif status == "signed":
        _paint_tick(painter, ink, QPointF(0, 0), 1.0)
    else:
        painter.rotate(45)
        painter.setPen(QPen(ink, 1.4, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(-2.2, -7, 4.4, 9))
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([QPointF(-2.2, 2), QPointF(2.2, 2), QPointF(0, 6.5)]))
    painter.restore()


def _paint_tick(painter: QPainter, ink: QColor, middle: QPointF, scale: float) -> None:
    pen = QPen(ink, 2.0 * scale, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    corners = (QPointF(-5, 0.5), QPointF(-1.5, 4), QPointF(5, -4))
    painter.drawPolyline(QPolygonF([middle + corner * scale for corner in corners]))
