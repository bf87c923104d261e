"""Paints what stands around a region's text: its name, its rail of blocks, what it waits for."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workstation.reporting.redrafting.region_redraft import IMPRESSION
from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE, DraftBlock
from workstation.ui.draft.region_draft import RegionDraft, RegionState
from workstation.ui.draft.region_names import name_region
from workstation.ui.draft.region_rows import NAME_POINT_SIZE, RegionRow
from workstation.ui.theme import COLOURS, report_font, ui_font

_translate = QCoreApplication.translate
_CONTEXT = "regions"
_TILE_PITCH = 9.0
_TILE_GAP = 2.0


def tile_rects(row: RegionRow, count: int) -> list[QRectF]:
    """Where the blocks of a row stand in its rail, at full height."""
    rail = row.rail_rect
    pitch = min(_TILE_PITCH, rail.width() / max(1, count))
    width = pitch - min(_TILE_GAP, pitch * 0.25)
    return [
        QRectF(rail.left() + rank * pitch, rail.top(), width, rail.height())
        for rank in range(count)
    ]


def paint_region(
    painter: QPainter, row: RegionRow, draft: RegionDraft, *, is_filling: bool
) -> None:
    """All of a row but its words and the block being filled."""
    state = draft.state_of(row.region)
    part = draft.parts[row.region]
    _paint_line_above(painter, row)
    _paint_name(painter, row, state)
    if state == "kept":
        _paint_remark(painter, row.rail_rect, _translate(_CONTEXT, "kept"))
    else:
        _paint_rail(painter, row, part.blocks, is_open=is_filling and state == "filling")
    if state == "waiting" and is_filling:
        _paint_in_text(painter, row, _translate(_CONTEXT, "after the findings"))
    elif state == "done" and not part.raw_text.strip():
        _paint_in_text(painter, row, _translate(_CONTEXT, "nothing stated"))


def _paint_line_above(painter: QPainter, row: RegionRow) -> None:
    is_impression = row.region == IMPRESSION
    y = round(row.rect.top()) - (6 if is_impression else 0) + 0.5
    shade = COLOURS.strong_line if is_impression else COLOURS.raised
    painter.setPen(QPen(QColor(shade), 1))
    painter.drawLine(QPointF(row.rect.left(), y), QPointF(row.rect.right(), y))


def _paint_name(painter: QPainter, row: RegionRow, state: RegionState) -> None:
    """A tick, not only a shade, says that a region is complete."""
    shades: dict[RegionState, str] = {
        "filling": COLOURS.bright_text,
        "done": COLOURS.muted_text,
        "kept": COLOURS.muted_text,
        "waiting": COLOURS.faint_text,
    }
    text = name_region(row.region) + ("  ✓" if state == "done" else "")
    painter.setFont(ui_font(NAME_POINT_SIZE, bold=row.region == IMPRESSION))
    painter.setPen(QColor(shades[state]))
    painter.drawText(_baseline(row.name_rect, painter), text)


def _paint_rail(
    painter: QPainter, row: RegionRow, blocks: list[DraftBlock], *, is_open: bool
) -> None:
    tiles = tile_rects(row, len(blocks) + (1 if is_open else 0))
    painter.setPen(Qt.PenStyle.NoPen)
    for tile, block in zip(tiles, blocks, strict=False):
        painter.setBrush(QColor(COLOURS.line))  # full height: confidence 1
        painter.drawRoundedRect(tile, 1, 1)
        is_low = block.mean_confidence < LOW_CONFIDENCE
        painter.setBrush(QColor(COLOURS.amber if is_low else COLOURS.accent))
        filled = QRectF(tile)
        filled.setTop(tile.bottom() - max(2.0, tile.height() * block.mean_confidence))
        painter.drawRoundedRect(filled, 1, 1)
    if is_open:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(COLOURS.accent), 1))
        painter.drawRoundedRect(tiles[-1].adjusted(0.5, 0.5, -0.5, -0.5), 1, 1)


def _paint_remark(painter: QPainter, place: QRectF, text: str) -> None:
    painter.setFont(ui_font(8.5))
    painter.setPen(QColor(COLOURS.faint_text))
    middle = place.center().y() + painter.fontMetrics().ascent() / 2 - 1
    painter.drawText(QPointF(place.left(), middle), text)


def _paint_in_text(painter: QPainter, row: RegionRow, text: str) -> None:
    """Quietly, where the words would stand."""
    painter.setFont(ui_font())
    painter.setPen(QColor(COLOURS.faint_text))
    baseline = row.text_top + QFontMetricsF(report_font()).ascent()
    painter.drawText(QPointF(row.text_left, baseline), text)


def _baseline(place: QRectF, painter: QPainter) -> QPointF:
    return QPointF(place.left(), place.top() + QFontMetricsF(painter.font()).ascent())
