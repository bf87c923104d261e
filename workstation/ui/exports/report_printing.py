"""The exported PDF on paper."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrinter


def make_printer() -> QPrinter:
    """A4 without margins: the pages bring their own."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    printer.setPageOrientation(QPageLayout.Orientation.Portrait)
    printer.setFullPage(True)
    return printer


def print_pages(pages: Sequence[QImage], printer: QPrinter) -> bool:
    """Each on a sheet of its own, as large as it fits; False where the printer doesn't take it."""
    painter = QPainter()
    if not painter.begin(printer):
        return False
    try:
        for number, page in enumerate(pages):
            if number and not printer.newPage():
                return False
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(_place(page, painter.viewport().toRectF()), page)
    finally:
        painter.end()
    return True


def _place(page: QImage, sheet: QRectF) -> QRectF:
    size = page.size().toSizeF().scaled(sheet.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRectF(sheet.topLeft(), size)
    place.moveCenter(sheet.center())
    return place
